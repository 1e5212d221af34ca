#include <gtest/gtest.h>

#include "libdose/dvh_metric.h"
#include "libdose/error.h"

namespace libdose {
namespace {

/// Four samples of 10 cm3 at 40, 30, 20 and 10 Gy.
DoseVolumeHistogram four_samples() {
    DoseVolumeHistogram h;
    h.structure = "S";
    h.volume_cm3 = 40;
    h.minimum_gy = 10;
    h.maximum_gy = 40;
    h.mean_gy = 25;
    h.sample_gy = {40, 30, 20, 10};
    h.volume_above_cm3 = {10, 20, 30, 40};
    return h;
}

double value(const std::string& metric, double prescription_gy = 0) {
    return parse_dvh_metric(metric).value(four_samples(), prescription_gy);
}

// A sample's dose holds at the middle of its volume: 5, 15, 25 and 35 cm3 have 40, 30, 20 and 10 Gy.
TEST(DvhMetric, ValuesByHand) {
    EXPECT_DOUBLE_EQ(value("D50%"), 25);
    EXPECT_DOUBLE_EQ(value("D50"), 25);
    EXPECT_DOUBLE_EQ(value("D20cc"), 25);
    EXPECT_DOUBLE_EQ(value("D25cm3"), 20);
    EXPECT_DOUBLE_EQ(value("d25 cm\u00b3 [Gy]"), 20);
    EXPECT_DOUBLE_EQ(value("DC5cc"), 10);
    EXPECT_DOUBLE_EQ(value("DC37.5%"), 20);
    EXPECT_DOUBLE_EQ(value("V20Gy"), 75);
    EXPECT_DOUBLE_EQ(value("V2000cGy"), 75);
    EXPECT_DOUBLE_EQ(value("V20Gy[%]"), 75);
    for (const char* name :
         {"V20Gy[cm3]", "V20Gy cm3", "V20Gycc", "v20gy [CC]", "V 20 Gy cm^3", "V20.0Gy[cm\u00b3]"})
        EXPECT_DOUBLE_EQ(value(name), 30) << name;
    EXPECT_DOUBLE_EQ(value("CV20Gy[cc]"), 10);
    EXPECT_DOUBLE_EQ(value("CV20Gy"), 25);
    for (const char* name : {"Dmean", "mean", "DMEAN[Gy]", "Mean[Gy]"})
        EXPECT_DOUBLE_EQ(value(name), 25) << name;
    EXPECT_DOUBLE_EQ(value("Dmin"), 10);
    EXPECT_DOUBLE_EQ(value("Dmax"), 40);
    EXPECT_DOUBLE_EQ(value("V60Gy"), 0);
    EXPECT_DOUBLE_EQ(value("V0Gy"), 100);
    EXPECT_DOUBLE_EQ(value("D0%"), 40);
    EXPECT_DOUBLE_EQ(value("D100%"), 10);
    EXPECT_DOUBLE_EQ(value("D40cc"), 10);
}

TEST(DvhMetric, ThosePerPrescription) {
    EXPECT_DOUBLE_EQ(value("V50%", 40), 75);
    EXPECT_DOUBLE_EQ(value("V50%[cc]", 40), 30);
    EXPECT_DOUBLE_EQ(value("D50%[%]", 50), 50);
    EXPECT_DOUBLE_EQ(value("Dmax[%]", 50), 80);
    EXPECT_TRUE(parse_dvh_metric("V95%").needs_prescription());
    EXPECT_FALSE(parse_dvh_metric("D95%").needs_prescription());
    EXPECT_THROW(value("V95%"), Error);
    EXPECT_THROW(value("D95%[%]"), Error);
    EXPECT_THROW(value("V95%", -1), Error);
}

TEST(DvhMetric, Units) {
    EXPECT_STREQ(parse_dvh_metric("D95%").unit(), "Gy");
    EXPECT_STREQ(parse_dvh_metric("D0.1cc[%]").unit(), "%");
    EXPECT_STREQ(parse_dvh_metric("V20Gy").unit(), "%");
    EXPECT_STREQ(parse_dvh_metric("V20Gycc").unit(), "cm3");
    EXPECT_STREQ(parse_dvh_metric("Dmean").unit(), "Gy");
}

TEST(DvhMetric, RefusesWhatCouldMeanAnotherThing) {
    for (const char* name :
         {"",        "D",       "V",          "V20",       "V95",      "D20Gy",     "V20cc",
          "D101%",   "D-1%",    "V-5Gy",      "DnanGy",    "Vinf Gy",  "D95%x",     "D95%[",
          "D95%[]",  "D95%[Gy", "X5",         "V20Gy[Gy]", "D95%[cc]", "Dmean[cc]", "V1e2Gy",
          "V20,5Gy", "meanx",   "D95%[Gy]Gy", "20Gy"})
        EXPECT_THROW(parse_dvh_metric(name), Error) << name;
    EXPECT_THROW(value("D41cc"), Error);
    EXPECT_THROW(value("DC41cc"), Error);
}

}  // namespace
}  // namespace libdose
