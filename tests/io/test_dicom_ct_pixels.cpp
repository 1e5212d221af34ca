// Bits Stored, signs and padding of CT pixels. Values by hand: HU = stored + intercept (slope 1).
#include <gtest/gtest.h>

#include "libdose/io/dicom.h"
#include "support/ct_fixture.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::CtOptions;
using test::message_of;

namespace {

class CtPixelReading : public ::testing::Test {
protected:
    test::TemporaryFolder folder;
    CtOptions options;
    int bits = 16;
    bool is_signed = false;
    std::optional<int> padding, limit;
    bool overlay = false;

    CtPixelReading() {
        options.columns = 20;
        options.rows = 20;
    }

    CtImage read() {
        options.change = [this](DcmDataset& d) {
            d.putAndInsertUint16(DCM_BitsStored, static_cast<Uint16>(bits));
            d.putAndInsertUint16(DCM_HighBit, static_cast<Uint16>(bits - 1));
            d.putAndInsertUint16(DCM_PixelRepresentation, is_signed ? 1 : 0);
            if (padding)
                d.putAndInsertUint16(DcmTag(DCM_PixelPaddingValue, EVR_US), static_cast<Uint16>(*padding));
            if (limit)
                d.putAndInsertUint16(DcmTag(DCM_PixelPaddingRangeLimit, EVR_US), static_cast<Uint16>(*limit));
            if (overlay) {
                d.putAndInsertUint16(DcmTag(0x6000, 0x0100, EVR_US), 16);
                d.putAndInsertUint16(DcmTag(0x6000, 0x0102, EVR_US), 12);
            }
        };
        test::write_slice(folder / "a", 0, options);
        test::write_slice(folder / "b", 3, options);
        return io::read_ct({folder / "a", folder / "b"});
    }
    std::string error() {
        return message_of([&] { read(); });
    }
    /// The image is `around` but for one pixel (12, 9).
    void one_pixel(int value, int around) {
        options.stored = [=](int i, int j) { return i == 12 && j == 9 ? value : around; };
    }
};

TEST_F(CtPixelReading, ValuesBeyondBitsStoredAreRefused) {
    bits = 12;
    one_pixel(4524, 1024);
    EXPECT_NE(error().find("holds 4524, which does not fit 12 bits"), std::string::npos) << error();
    EXPECT_NE(error().find("(0028,0101)"), std::string::npos) << error();
    bits = 13;
    EXPECT_EQ(read().hu.at(12, 9, 0), 3500);
}

TEST_F(CtPixelReading, SignsInSixteenBitsOrInBitsStored) {
    bits = 12;
    is_signed = true;
    options.intercept = 0;
    one_pixel(2000, -1000);  // the sign in 16 bits
    EXPECT_EQ(read().hu.at(0, 0, 0), -1000);
    EXPECT_EQ(read().hu.at(12, 9, 0), 2000);
    one_pixel(2000, -1000 & 0xfff);  // in 12
    EXPECT_EQ(read().hu.at(0, 0, 0), -1000);
    one_pixel(2500, -1000);  // 2500 is no number of 12 bits with a sign: -1596 in them
    EXPECT_NE(error().find("(0028,0101)"), std::string::npos) << error();
    options.intercept = -1024;
    one_pixel(4024, 1024);  // zero is air, so 4024 is 3000 HU and not -72 below it
    EXPECT_NE(error().find("(0028,0101)"), std::string::npos) << error();
}

TEST_F(CtPixelReading, OverlaysInUnusedBitsAreMaskedWhereTheyAreDeclared) {
    bits = 12;
    one_pixel(1024 | 0x1000, 1024);
    EXPECT_NE(error().find("(0028,0101)"), std::string::npos) << error();
    overlay = true;
    EXPECT_EQ(read().hu.at(12, 9, 0), 0);
}

TEST_F(CtPixelReading, PaddingIsComparedWithWholeValues) {
    bits = 12;
    padding = 64512;
    one_pixel(3072, 1024);  // 3072 = 64512 in twelve bits, and 2048 HU
    EXPECT_EQ(read().hu.at(12, 9, 0), 2048);
    options.stored = [](int i, int) { return i == 0 ? 64512 : 1024; };
    EXPECT_EQ(read().hu.at(0, 9, 0), -1000);
}

TEST_F(CtPixelReading, PaddingThatIsTissueIsRefused) {
    padding = 1024;  // 0 HU
    const auto disc = [](int i, int j, int radius2) {
        return (i - 9) * (i - 9) + (j - 9) * (j - 9) < radius2;
    };
    options.stored = [&](int i, int j) { return disc(i, j, 36) ? 1024 : 24; };
    EXPECT_NE(error().find("(0028,0120)"), std::string::npos) << error();
    // The same value around an image in a circle is padding.
    options.stored = [&](int i, int j) { return disc(i, j, 36) ? 1064 : disc(i, j, 80) ? 24 : 1024; };
    CtImage ct = read();
    EXPECT_EQ(ct.hu.at(0, 0, 0), -1000);
    EXPECT_EQ(ct.hu.at(9, 9, 0), 40);
    // A range that ends at tissue.
    padding = 0;
    limit = 1064;
    EXPECT_NE(error().find("(0028,0120)"), std::string::npos) << error();
    limit = 24;
    EXPECT_EQ(read().hu.at(9, 9, 0), 40);
}

TEST_F(CtPixelReading, AFewPixelsOfThePaddingValueAreWhatTheyAre) {
    options.columns = options.rows = 60;
    bits = 12;
    padding = 4095;
    one_pixel(4095, 1024);  // saturated metal
    const CtImage ct = read();
    EXPECT_EQ(ct.hu.at(12, 9, 0), 3071);
    EXPECT_NE(ct.notes.front().find("2 pixels within the image have the padding value (0028,0120)"),
              std::string::npos)
        << ct.notes.front();
}

TEST_F(CtPixelReading, ALostSignIsReadOrRefused) {
    options.intercept = 0;
    one_pixel(65536 - 700, 0);
    const CtImage ct = read();
    EXPECT_EQ(ct.hu.at(12, 9, 0), -700);
    EXPECT_NE(ct.notes.front().find("(0028,0103)"), std::string::npos);
    one_pixel(40000, 0);
    EXPECT_NE(error().find("40000 HU"), std::string::npos) << error();
}

}  // namespace
