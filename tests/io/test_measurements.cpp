// Readers of measurements: each layout, and every way in which a file can be wrong.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "io/temporary_folder.h"
#include "libdose/error.h"
#include "libdose/io/measurements.h"

using namespace libdose;
using test::message_of;

namespace {

#define EXPECT_HAS(text, word) EXPECT_NE((text).find(word), std::string::npos) << (text)

class Measurements : public testing::Test {
protected:
    void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }
    MeasurementSet read(const io::MeasurementQuestions& asked = {}) { return io::read_measurements(folder.path(), asked); }
    std::string problem(const io::MeasurementQuestions& asked = {}) {
        return message_of([&] { read(asked); });
    }
    test::TemporaryFolder folder;
};

const char* const ratios =
    "# Linac of somewhere, 10 MV FFF, measured today.\n# Tissue-phantom ratio, isocentric (SAD = 100 cm); 1 at 10 cm depth\n"
    "depth_cm,side_4_cm,side_5x20_cm\n5,1.20,1.15\n10,1,1\n20,0.65,0.68\n";

const char* const rfa =
    ":MSR 1 # No. of measurement in file\n:SYS BDS 0\n#\n%VNR 1.0\n%MOD RAT\n%TYP SCN\n%SCN DPT\n%FLD ION\n%FSZ 100 100\n%BMT PHO 6.0\n%SSD 900\n%WEG 0\n%PTS "
    "4\n"
    "#  X Y Z Dose\n= 0.0 0.0 300.0 25\n= 0.0 0.0 100.0 66\n= 0.0 0.0 15.0 100\n= 0.0 0.0 0.0 50\n:EOM\n"
    "%VNR 1.0\n%SCN PRO\n%FSZ 100 60\n%BMT PHO 6.0\n%SSD 900\n%WEG 0\n%PTS 3\n= -60.0 0.0 50.0 2\n= 0.0 0.0 50.0 100\n= 60.0 0.0 50.0 3\n:EOM\n:EOF\n";

const char* const mcc =
    "BEGIN_SCAN_DATA\n\tFORMAT=CC-Export V1.9\n\tBEGIN_SCAN  1\n\t\tMODALITY=X\n\t\tISOCENTER=1000.00\n\t\tENERGY=10.00\n\t\tFILTER=FFF\n\t\tSSD=950.00\n"
    "\t\tWEDGE_ANGLE=0.00\n\t\tFIELD_INPLANE=80.00\n\t\tFIELD_CROSSPLANE=120.00\n\t\tSCAN_DEPTH=50.00\n\t\tSCAN_CURVETYPE=INPLANE_PROFILE\n\t\tSCAN_OFFAXIS_"
    "CROSSPLANE=0.00\n"
    "\t\tBEGIN_DATA\n\t\t\t-50.00\t\t10.0E-03\t\t#1\n\t\t\t0.00\t\t1.0\t\t#1\n\t\t\t50.00\t\t11.0E-03\t\t#1\n\t\tEND_DATA\n\tEND_SCAN  1\nEND_SCAN_DATA\n";

const char* const w2cad =
    "$NUMS 002\n$STOM\n%VERSION 02\n%DETY CHA\n%BMTY PHO\n%FLSZ 100*200\n%TYPE OPD\n%AXIS Z\n%PNTS 003\n%SSD 1000\n<+000.0 +000.0 +000.0 +050.0>\n<+000.0 "
    "+000.0 +015.0 "
    "+100.0>\n<+000.0 +000.0 +100.0 +067.0>\n$ENOM\n"
    "$STOM\n%BMTY PHO\n%FLSZ 100*100\n%TYPE WDD\n%PNTS 001\n%SSD 1000\n<+000.0 +000.0 +000.0 +050.0>\n$ENOM\n$ENOF\n";

}  // namespace

TEST_F(Measurements, CsvTakesUnitsFromColumnsAndTheSetUpFromComments) {
    write("tpr.csv", ratios);
    const MeasurementSet set = read();
    EXPECT_EQ(set.nominal_energy_mv, 10);
    EXPECT_EQ(set.fluence_mode, "FFF");
    ASSERT_EQ(set.curves.size(), 2u);
    EXPECT_EQ(set.curves[0].kind, CurveKind::tissue_phantom_ratio);
    EXPECT_EQ(set.curves[0].side_x_mm, 40);
    EXPECT_EQ(set.curves[1].side_x_mm, 50);
    EXPECT_EQ(set.curves[1].side_y_mm, 200);
    EXPECT_EQ(set.curves[0].position_mm, (std::vector<double>{50, 100, 200}));
    EXPECT_EQ(set.curves[0].normalisation_mm, 100);
    EXPECT_EQ(set.curves[0].sad_mm, 1000);
    EXPECT_EQ(set.data_hash.size(), 64u);
}

TEST_F(Measurements, OutputFactorsOfRectanglesAreSorted) {
    write("output_factors.csv",
          "# 6 MV, flattened; SSD 90 cm, depth 10 cm; 10 x 10 cm = 1\nside_x_mm,side_y_mm,output_factor\n100,200,1.04\n100,100,1\n40,100,0.94\n");
    const MeasurementSet set = read();
    const MeasuredCurve& curve = set.curves.front();
    EXPECT_EQ(curve.position_mm, (std::vector<double>{40, 100, 100}));
    EXPECT_EQ(curve.side_y_of_mm, (std::vector<double>{100, 100, 200}));
    EXPECT_EQ(curve.value, (std::vector<double>{0.94, 1, 1.04}));
    EXPECT_EQ(curve.ssd_mm, 900);
    EXPECT_EQ(curve.depth_mm, 100);
    EXPECT_EQ(curve.normalisation_mm, 100);
}

TEST_F(Measurements, Rfa300HasDepthDosesAndProfiles) {
    write("scans.asc", rfa);
    io::MeasurementQuestions asked;
    asked.fluence_mode = "STANDARD";
    const MeasurementSet set = read(asked);
    ASSERT_EQ(set.curves.size(), 2u);
    EXPECT_EQ(set.curves[0].position_mm, (std::vector<double>{0, 15, 100, 300})) << "ascending, though scanned upwards";
    EXPECT_EQ(set.curves[0].ssd_mm, 900);
    EXPECT_EQ(set.curves[1].axis, ProfileAxis::crossline);
    EXPECT_EQ(set.curves[1].depth_mm, 50);
    EXPECT_EQ(set.curves[1].side_y_mm, 60);
    EXPECT_EQ(set.nominal_energy_mv, 6);
}

TEST_F(Measurements, MccStatesItsFilter) {
    write("scan.mcc", mcc);
    const MeasurementSet set = read();
    EXPECT_EQ(set.fluence_mode, "FFF");
    EXPECT_EQ(set.curves[0].axis, ProfileAxis::inline_axis);
    EXPECT_EQ(set.curves[0].side_x_mm, 120);
    EXPECT_EQ(set.curves[0].side_y_mm, 80);
    EXPECT_EQ(set.curves[0].value[0], 0.01);
}

TEST_F(Measurements, W2cadPassesWedgesOverWithANote) {
    write("beam.asc", w2cad);
    io::MeasurementQuestions asked;
    asked.fluence_mode = "STANDARD", asked.energy_mv = 6;
    const MeasurementSet set = read(asked);
    ASSERT_EQ(set.curves.size(), 1u);
    EXPECT_EQ(set.curves[0].side_y_mm, 200);
    ASSERT_EQ(set.notes.size(), 1u);
    EXPECT_HAS(set.notes[0], "wedge");
}

TEST_F(Measurements, YamlSaysWhatFilesDoNot) {
    write("a.csv", "depth_mm,dose\n0,50\n15,100\n100,67\n");
    write("stray.csv", "nonsense");
    write("measurements.yaml",
          "machine: Linac1\nenergy_mv: 6\nfluence_mode: STANDARD\nleaf_transmission: 0.005\nabsolute: {gy_per_mu: 0.0067, ssd_mm: 1000, depth_mm: 100, "
          "side_mm: 100}\n"
          "files:\n  - {file: a.csv, kind: depth_dose, ssd_mm: 1000, field_mm: [100, 150]}\n");
    const MeasurementSet set = read();
    EXPECT_EQ(set.machine, "Linac1");
    EXPECT_EQ(set.curves.front().side_y_mm, 150);
    EXPECT_EQ(set.absolute->gy_per_mu, 0.0067);
    EXPECT_EQ(*set.leaf_transmission, 0.005);
    ASSERT_EQ(set.notes.size(), 1u);
    EXPECT_HAS(set.notes[0], "stray.csv");
    write("measurements.yaml", "enregy_mv: 6\nfiles: []\n");
    EXPECT_HAS(problem(), "unknown key \"enregy_mv\"");
    write("measurements.yaml", "machine: [\n");
    EXPECT_HAS(problem(), "measurements.yaml, line");
}

TEST_F(Measurements, NothingIsGuessed) {
    write("depth_dose.csv", "# field: 100 x 100 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(), "--ssd-mm");
    io::MeasurementQuestions asked;
    asked.ssd_mm = 1000;
    EXPECT_HAS(problem(asked), "--energy-mv");
    asked.energy_mv = 6;
    EXPECT_HAS(problem(asked), "--fluence-mode");
    asked.fluence_mode = "STANDARD";
    EXPECT_EQ(read(asked).curves.size(), 1u);
    write("depth_dose.csv", "# SSD 900 mm\n# field: 100 x 100 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "--ssd-mm says 1000");
    write("depth_dose.csv", "# SSD 900 mm, SSD 100 cm\n# field: 100 x 100 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "state the SSD twice");
    write("depth_dose.csv", "# SSD 1000 mm\n# field: 100 x 100 mm\ndepth,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "unit of the column");
    write("depth_dose.csv", "# SSD 1000 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "the field is not stated");
    write("depth_dose.csv", "# SSD 1000 mm, 10 MV\n# field: 100 x 100 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "--energy-mv says 6");
}

TEST_F(Measurements, BadFilesHaveOneClearEnd) {
    io::MeasurementQuestions asked;
    asked.ssd_mm = 1000, asked.energy_mv = 6, asked.fluence_mode = "STANDARD";
    const auto with = [&](const std::string& rows) {
        write("depth_dose.csv", "# field: 100 x 100 mm\ndepth_mm,dose\n" + rows);
        return problem(asked);
    };
    EXPECT_HAS(with("0,50\n15,nan\n100,67\n"), "line 4");
    EXPECT_HAS(with("0,50\n15,abc\n100,67\n"), "\"abc\" is not a number");
    EXPECT_HAS(with("0,50\n15,100\n15,99\n"), "there twice");
    EXPECT_HAS(with("0,50\n15\n"), "truncated");
    EXPECT_HAS(with("0,50\n15,-1\n"), "negative");
    EXPECT_HAS(with(""), "no line of values");
    write("depth_dose.csv", "");
    EXPECT_HAS(problem(asked), "empty");
    std::filesystem::remove(folder / "depth_dose.csv");
    EXPECT_HAS(problem(asked), "no measurement in it");
    const auto truncated = [&](const std::string& name, std::string text, const std::string& from) {
        write(name, text.substr(0, text.find(from)));
        const std::string result = problem(asked);
        std::filesystem::remove(folder / name);
        return result;
    };
    EXPECT_HAS(truncated("a.asc", rfa, ":EOM"), "within a scan");
    EXPECT_HAS(truncated("a.mcc", mcc, "END_DATA"), "within a scan");
    EXPECT_HAS(truncated("a.asc", w2cad, "$ENOM"), "within a scan");
    std::string short_of_points = rfa;
    short_of_points.replace(short_of_points.find("%PTS 4"), 6, "%PTS 5");
    EXPECT_HAS(truncated("a.asc", short_of_points, "nowhere"), "4 points, its header says 5");
    write("a.xyz", "1");
    EXPECT_HAS(problem(asked), "a.xyz");
    EXPECT_HAS(message_of([&] { io::read_measurements(folder / "nowhere", asked); }), "no such file");
}

TEST_F(Measurements, TheSameCurveTwiceIsRefused) {
    write("tpr.csv", ratios);
    write("tmr.csv", ratios);
    EXPECT_HAS(problem(), "two curves are of the same quantity");
}

TEST(MeasuredReference, TheRealSetIsReadAsItIs) {
    const char* data = std::getenv("LIBDOSE_REFERENCE_DATA");
    if (!data) GTEST_SKIP() << "LIBDOSE_REFERENCE_DATA is not set";
    const MeasurementSet set = io::read_measurements(std::filesystem::path(data) / "measured" / "elekta_synergy_agility_6MV");
    EXPECT_EQ(set.curves.size(), 14u);
    EXPECT_EQ(set.nominal_energy_mv, 6);
    EXPECT_EQ(set.fluence_mode, "STANDARD");
    for (const Finding& finding : lint(set)) EXPECT_NE(finding.severity, Finding::Severity::error) << finding.text;
}
