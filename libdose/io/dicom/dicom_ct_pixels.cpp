#include "io/dicom/dicom_ct_pixels.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace libdose::io {

namespace {

/// Padding of a lower value is air wherever it is; of a higher one it would take tissue away, HU.
constexpr double air_limit_hu = -950;
/// The largest number of HU that CT scales reach is some 30 700 (ten HU a step in twelve bits); beyond it a
/// sign was lost.
constexpr double highest_hu = 32767;
constexpr double lowest_hu = -4096;
/// Part of the tissue that may carry the padding value, as noise carries any value, before the value is in
/// doubt.
constexpr double doubtful_part = 1e-3;

std::string shown(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

/// Planes of overlays that lie in the pixels' own words, above the value (retired, but older scanners wrote
/// them).
std::uint32_t overlay_bits(const DicomItem& root) {
    std::uint32_t bits = 0;
    for (unsigned group = 0x6000; group <= 0x601e; group += 2) {
        const DcmTagKey allocated(static_cast<Uint16>(group), 0x0100),
            position(static_cast<Uint16>(group), 0x0102);
        const int bit = root.optional_integer(position).value_or(0);
        if (root.optional_integer(allocated).value_or(1) == 16 && bit > 0 && bit < 16) bits |= 1u << bit;
    }
    return bits;
}

enum State : std::uint8_t { plain, air, dense, outside };

/// Dense padding that is connected with the border of the image and does not reach its middle half is outside
/// the image.
void find_outside(std::vector<std::uint8_t>& state, int rows, int columns) {
    std::vector<int> todo;
    const auto visit = [&](int i, int j) {
        const double x = 2 * (i + 0.5) / columns - 1, y = 2 * (j + 0.5) / rows - 1;
        auto& one = state[static_cast<std::size_t>(j) * static_cast<std::size_t>(columns) +
                          static_cast<std::size_t>(i)];
        if (one != dense || x * x + y * y < 0.25) return;
        one = outside;
        todo.push_back(j * columns + i);
    };
    for (int i = 0; i < columns; ++i) {
        visit(i, 0);
        visit(i, rows - 1);
    }
    for (int j = 0; j < rows; ++j) {
        visit(0, j);
        visit(columns - 1, j);
    }
    while (!todo.empty()) {
        const int i = todo.back() % columns, j = todo.back() / columns;
        todo.pop_back();
        if (i > 0) visit(i - 1, j);
        if (i + 1 < columns) visit(i + 1, j);
        if (j > 0) visit(i, j - 1);
        if (j + 1 < rows) visit(i, j + 1);
    }
}

}  // namespace

CtPixels::CtPixels(const DicomItem& root) : root_(root) {
    const int allocated = root.integer(DCM_BitsAllocated);
    stored_ = root.integer(DCM_BitsStored);
    signed_ = root.integer(DCM_PixelRepresentation) == 1;
    if (allocated != 16 || stored_ < 8 || stored_ > 16 ||
        root.optional_integer(DCM_HighBit).value_or(stored_ - 1) != stored_ - 1)
        throw bad_input("only 16-bit CT pixels with the high bit on top are read",
                        root.at(DCM_BitsAllocated));
    if (root.optional_integer(DCM_SamplesPerPixel).value_or(1) != 1)
        throw bad_input("the image is not grey", root.at(DCM_SamplesPerPixel));
    const std::string photometric = root.text(DCM_PhotometricInterpretation);
    if (photometric != "MONOCHROME2")
        throw bad_input("the photometric interpretation is " + photometric + ", not MONOCHROME2",
                        root.at(DCM_PhotometricInterpretation));
    mask_ = (1u << stored_) - 1;
    overlays_ = overlay_bits(root) & ~mask_;
    if (const auto value = root.optional_integer(DCM_PixelPaddingValue)) {
        const int a = number_of(*value),
                  b = number_of(root.optional_integer(DCM_PixelPaddingRangeLimit).value_or(*value));
        padding_ = {std::min(a, b), std::max(a, b)};
    }
}

int CtPixels::number_of(int bits) const {
    const auto word = static_cast<std::uint16_t>(bits);
    if (!signed_) return word;
    // Negative values may have their sign in Bits Stored only.
    const int number = static_cast<std::int16_t>(word), sign = 1 << (stored_ - 1);
    return stored_ < 16 && number >= sign && number < 2 * sign ? number - 2 * sign : number;
}

CtPixels::Value CtPixels::value_of(std::uint16_t word, CtPixelReport& report) const {
    const std::uint32_t low = word & mask_, above = 0xffffu & ~mask_, high = word & above & ~overlays_,
                        sign = 1u << (stored_ - 1);
    const bool negative = signed_ && (low & sign) != 0;
    const int number = negative ? static_cast<int>(low) - static_cast<int>(mask_) - 1 : static_cast<int>(low);
    const bool extended = negative && high == (above & ~overlays_);
    if (high != 0 && !extended) {
        const int whole = signed_ ? static_cast<std::int16_t>(word) : static_cast<int>(word);
        if (is_padding(whole)) return {whole, true};
        throw bad_input("a pixel holds " + std::to_string(whole) + ", which does not fit " +
                            std::to_string(stored_) + " bits",
                        root_.at(DCM_BitsStored), "Export the CT with all bits that it uses");
    }
    if (is_padding(number)) return {number, true};
    if (negative && stored_ < 16 && overlays_ == 0) {
        std::string& place = extended ? report.extended_place : report.bare_place;
        if (place.empty()) place = root_.at(DCM_BitsStored);
    }
    return {number, false};
}

double CtPixels::with_sign(int number, double slope, double intercept, CtPixelReport& report) const {
    const double value = slope * number + intercept, other = slope * (number - 65536) + intercept;
    if (value <= highest_hu) return value;
    if (signed_ || number < 32768 || other > 0 || other < lowest_hu)
        throw bad_input("a pixel has " + shown(value) + " HU, more than any CT",
                        root_.at(DCM_PixelRepresentation),
                        "Check the sign of the pixels, the rescale slope and intercept");
    ++report.sign_lost;
    return other;
}

std::vector<float> CtPixels::hu(const std::uint16_t* words, int rows, int columns, double slope,
                                double intercept, CtPixelReport& report) const {
    const std::size_t count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    std::vector<float> values(count);
    std::vector<std::uint8_t> state(count, plain);
    bool any_dense = false;
    const std::string bare_before = report.bare_place;
    for (std::size_t p = 0; p < count; ++p) {
        const Value value = value_of(words[p], report);
        const double hu = value.padding ? slope * value.number + intercept
                                        : with_sign(value.number, slope, intercept, report);
        values[p] = static_cast<float>(hu);
        if (value.padding) state[p] = hu > air_limit_hu ? dense : air;
        any_dense = any_dense || state[p] == dense;
    }
    // Where the value zero is air already, a negative one is no tissue: it is a number too large for Bits
    // Stored.
    if (report.bare_place != bare_before && intercept < air_limit_hu + 50)
        throw bad_input("negative pixels would lie below air: they are values that do not fit " +
                            std::to_string(stored_) + " bits",
                        root_.at(DCM_BitsStored), "Export the CT with all bits that it uses");
    if (any_dense) find_outside(state, rows, columns);
    for (std::size_t p = 0; p < count; ++p) {
        if (state[p] == air || state[p] == outside) {
            ++report.padded;
            values[p] = -1000.0f;
            continue;
        }
        if (static_cast<double>(values[p]) > air_limit_hu) ++report.tissue;
        if (state[p] != dense) continue;
        ++report.padding_within;
        report.padding_hu = static_cast<double>(values[p]);
        if (report.padding_place.empty()) report.padding_place = root_.at(DCM_PixelPaddingValue);
    }
    return values;
}

void CtPixelReport::finish(std::vector<std::string>& notes) const {
    if (!extended_place.empty() && !bare_place.empty())
        throw bad_input(
            "some negative pixels have their sign in 16 bits and some in Bits Stored only: those are values "
            "that do not fit",
            bare_place, "Export the CT with all bits that it uses");
    if (static_cast<double>(padding_within) > doubtful_part * static_cast<double>(tissue))
        throw bad_input(
            "the padding value is found in " + std::to_string(padding_within) + " pixels within the image (" +
                shown(padding_hu) + " HU): it would take tissue away",
            padding_place, "If these pixels are tissue, delete the padding value from the CT's files");
    if (padded > 0)
        notes.push_back("CT: " + std::to_string(padded) + " padding pixels count as air (-1000 HU)");
    if (padding_within > 0)
        notes.push_back("CT: " + std::to_string(padding_within) +
                        " pixels within the image have the padding value (0028,0120) and count as " +
                        shown(padding_hu) + " HU");
    if (sign_lost > 0)
        notes.push_back("CT: " + std::to_string(sign_lost) +
                        " pixels above 32767 HU are read as negative: the file says unsigned (0028,0103), "
                        "its pixels are signed");
}

}  // namespace libdose::io
