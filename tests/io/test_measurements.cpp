// Readers of measurements: each layout, and every way in which a file can be wrong.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "libdose/error.h"
#include "libdose/io/measurements.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::message_of;

namespace {

#define EXPECT_HAS(text, word) EXPECT_NE((text).find(word), std::string::npos) << (text)

class Measurements : public testing::Test {
protected:
    void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }
    MeasurementSet read(const io::MeasurementQuestions& asked = {}) {
        return io::read_measurements(folder.path(), asked);
    }
    std::string problem(const io::MeasurementQuestions& asked = {}) {
        return message_of([&] { read(asked); });
    }
    test::TemporaryFolder folder;
};

const char* const ratios =
    "# Linac of somewhere, 10 MV FFF, measured today.\n# Tissue-phantom ratio, isocentric (SAD = 100 cm); 1 "
    "at 10 cm depth\n"
    "depth_cm,side_4_cm,side_5x20_cm\n5,1.20,1.15\n10,1,1\n20,0.65,0.68\n";

const char* const rfa =
    ":MSR 1 # No. of measurement in file\n:SYS BDS 0\n#\n%VNR 1.0\n%MOD RAT\n%TYP SCN\n%SCN DPT\n%FLD "
    "ION\n%FSZ 100 100\n%BMT PHO 6.0\n%SSD 900\n%WEG 0\n%PTS "
    "4\n"
    "#  X Y Z Dose\n= 0.0 0.0 300.0 25\n= 0.0 0.0 100.0 66\n= 0.0 0.0 15.0 100\n= 0.0 0.0 0.0 50\n:EOM\n"
    "%VNR 1.0\n%SCN PRO\n%FSZ 100 60\n%BMT PHO 6.0\n%SSD 900\n%WEG 0\n%PTS 3\n= -60.0 0.0 50.0 2\n= 0.0 0.0 "
    "50.0 100\n= 60.0 0.0 50.0 3\n:EOM\n:EOF\n";

const char* const mcc =
    "BEGIN_SCAN_DATA\n\tFORMAT=CC-Export V1.9\n\tBEGIN_SCAN  "
    "1\n\t\tMODALITY=X\n\t\tISOCENTER=1000.00\n\t\tENERGY=10.00\n\t\tFILTER=FFF\n\t\tSSD=950.00\n"
    "\t\tWEDGE_ANGLE=0.00\n\t\tFIELD_INPLANE=80.00\n\t\tFIELD_CROSSPLANE=120.00\n\t\tSCAN_DEPTH=50."
    "00\n\t\tSCAN_CURVETYPE=INPLANE_PROFILE\n\t\tSCAN_OFFAXIS_"
    "CROSSPLANE=0.00\n"
    "\t\tBEGIN_DATA\n\t\t\t-50.00\t\t10.0E-03\t\t#1\n\t\t\t0.00\t\t1.0\t\t#1\n\t\t\t50.00\t\t11.0E-03\t\t#"
    "1\n\t\tEND_DATA\n\tEND_SCAN  1\nEND_SCAN_DATA\n";

const char* const w2cad =
    "$NUMS 002\n$STOM\n%VERSION 02\n%DETY CHA\n%BMTY PHO\n%FLSZ 100*200\n%TYPE OPD\n%AXIS Z\n%PNTS 003\n%SSD "
    "1000\n<+000.0 +000.0 +000.0 +050.0>\n<+000.0 "
    "+000.0 +015.0 "
    "+100.0>\n<+000.0 +000.0 +100.0 +067.0>\n$ENOM\n"
    "$STOM\n%BMTY PHO\n%FLSZ 100*100\n%TYPE WDD\n%PNTS 001\n%SSD 1000\n<+000.0 +000.0 +000.0 "
    "+050.0>\n$ENOM\n$ENOF\n";

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
          "# 6 MV, flattened; SSD 90 cm, depth 10 cm; 10 x 10 cm = "
          "1\nside_x_mm,side_y_mm,output_factor\n100,200,1.04\n100,100,1\n40,100,0.94\n");
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
    EXPECT_EQ(set.curves[0].position_mm, (std::vector<double>{0, 15, 100, 300}))
        << "ascending, though scanned upwards";
    EXPECT_EQ(set.curves[0].ssd_mm, 900);
    EXPECT_EQ(set.curves[1].axis, ProfileAxis::inplane) << "x runs from gun to target";
    EXPECT_EQ(set.curves[1].depth_mm, 50);
    EXPECT_EQ(set.curves[1].side_y_mm, 100);
    EXPECT_EQ(set.curves[1].side_x_mm, 60);
    EXPECT_EQ(set.nominal_energy_mv, 6);
}

TEST_F(Measurements, MccStatesItsFilter) {
    write("scan.mcc", mcc);
    const MeasurementSet set = read();
    EXPECT_EQ(set.fluence_mode, "FFF");
    EXPECT_EQ(set.curves[0].axis, ProfileAxis::inplane);
    EXPECT_EQ(set.curves[0].side_x_mm, 120);
    EXPECT_EQ(set.curves[0].side_y_mm, 80);
    EXPECT_EQ(set.curves[0].value[0], 0.01);
}

TEST_F(Measurements, W2cadPassesWedgesOverWithANote) {
    write("beam.asc", w2cad);
    io::MeasurementQuestions asked;
    asked.fluence_mode = "STANDARD";
    asked.energy_mv = 6;
    const MeasurementSet set = read(asked);
    ASSERT_EQ(set.curves.size(), 1u);
    EXPECT_EQ(set.curves[0].side_y_mm, 200);
    ASSERT_EQ(set.notes.size(), 1u);
    EXPECT_HAS(set.notes[0], "wedge");
}

TEST_F(Measurements, Rfa300WithATurnedCollimator) {
    const auto with = [&](const std::string& field) {
        std::string text = rfa;
        text.replace(text.rfind("%FSZ 100 60"), 11, "%FSZ " + field + "\n%CPO 90");
        write("scans.asc", text);
        io::MeasurementQuestions asked;
        asked.fluence_mode = "STANDARD";
        return read(asked);
    };
    EXPECT_EQ(with("60 60").curves.at(1).axis, ProfileAxis::crossplane);
    const MeasurementSet set = with("100 60");
    EXPECT_EQ(set.curves.size(), 1u);
    EXPECT_HAS(set.notes.at(0), "oblong field with the collimator at 90");
}

TEST_F(Measurements, MccDiagonalsAndWhatIsNoOpenFieldInWater) {
    const auto with = [&](const std::string& from, const std::string& to, const std::string& more = "") {
        std::string text = mcc;
        text.replace(text.find(from), from.size(), to);
        if (!more.empty()) text.replace(text.find("END_SCAN_DATA"), 0, more);
        write("scan.mcc", text);
    };
    const std::string scan = std::string(mcc).substr(std::string(mcc).find("\tBEGIN_SCAN  1"));
    with("SCAN_CURVETYPE", "SCAN_DIAGONAL=FIRST_DIAGONAL\n\t\tSCAN_CURVETYPE");
    EXPECT_EQ(read().curves.at(0).axis, ProfileAxis::diagonal);

    std::string second = scan.substr(0, scan.find("END_SCAN_DATA"));
    second.replace(second.find("INPLANE_PROFILE"), 15,
                   "CROSSPLANE_PROFILE\n\t\tSCAN_DIAGONAL=FIRST_DIAGONAL");
    with("SCAN_CURVETYPE", "SCAN_DIAGONAL=FIRST_DIAGONAL\n\t\tSCAN_CURVETYPE", second);
    EXPECT_EQ(read().curves.size(), 1u);
    EXPECT_HAS(read().notes.at(0), "a second diagonal");

    with("SCAN_CURVETYPE", "WEDGE=None\n\t\tSCAN_CURVETYPE");
    EXPECT_EQ(read().curves.size(), 1u);
    for (const auto& [line, reason] : {std::pair{"WEDGE=60", "behind a wedge"},
                                       {"MEAS_MEDIUM=AIR", "a scan in air"},
                                       {"SCAN_DEVICE=STARCHECKMAXI", "an array of detectors"},
                                       {"SCAN_ANGLE=-26.60", "a profile at -26.6 degrees"},
                                       {"BLOCK=1", "a blocked field"},
                                       {"COLL_OFFSET_INPLANE=20.00", "not centred"},
                                       {"COLL_ANGLE=30.00", "a collimator at 30 degrees"}}) {
        with("SCAN_CURVETYPE", std::string(line) + "\n\t\tSCAN_CURVETYPE");
        EXPECT_HAS(problem(), reason);
    }
    with("MODALITY=X", "MODALITY=EL");
    EXPECT_HAS(problem(), "electrons");
    with("INPLANE_PROFILE", "PDD");
    EXPECT_EQ(read().curves.at(0).position_mm, (std::vector<double>{0, 50}))
        << "50 mm above the water is air";
    with("-50.00", "-90.00");
    std::string upwards = mcc;
    upwards.replace(upwards.find("INPLANE_PROFILE"), 15, "PDD").replace(upwards.find("-50.00"), 6, "-90.00");
    write("scan.mcc", upwards);
    EXPECT_HAS(problem(), "90 mm above the water");
}

TEST_F(Measurements, YamlSaysWhatFilesDoNot) {
    write("a.csv", "depth_mm,dose\n0,50\n15,100\n100,67\n");
    write("stray.csv", "nonsense");
    write("measurements.yaml",
          "machine: Linac1\nenergy_mv: 6\nfluence_mode: STANDARD\nleaf_transmission: 0.005\nabsolute: "
          "{gy_per_mu: 0.0067, ssd_mm: 1000, depth_mm: 100, "
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

TEST_F(Measurements, YamlHasTheFieldOfUnity) {
    write("s.csv", "side_mm,factor\n40,0.9\n100,1\n");
    write("measurements.yaml",
          "energy_mv: 6\nfluence_mode: STANDARD\nfiles:\n  - {file: s.csv, kind: output_factor, ssd_mm: 900, "
          "depth_mm: 100, unity_side_mm: 100}\n");
    EXPECT_EQ(read().curves.front().normalisation_mm, 100);
}

TEST_F(Measurements, SentencesMaySayTheSameInManyWays) {
    const auto output = [&](const std::string& comments,
                            const std::string& columns = "side_mm,output_factor\n100,1\n200,1.1\n") {
        write("output_factors.csv", comments + "\n" + columns);
        return read().curves.front();
    };
    for (const char* comments :
         {"# 10 MV FFF; SSD 90 cm; depth 10 cm; 10 x 10 cm = 1",
          "# 10 MV, flattening-filter-free\n# Set-up: SSD: 90.0 cm, 10 cm deep; normalised to the 100 x 100 "
          "mm field",
          "# 10X, unflattened; 90 cm SSD, at 10 cm depth, reference field 10 cm x 10 cm",
          "# energy: 10\n# fluence mode: FFF\n# source-to-surface distance 900 mm, depth in water = 100 "
          "mm\n# normalisation: 1 at 10 cm",
          "# 10 MV without the flattening filter; SSD of 900 mm; depth of 100 mm in 5 mm depth steps; side "
          "100 mm = 1.000\n# Licence: CC BY 4.0",
          "# 10 MV, non-flattened; no wedge; ssd 900 mm; depth 100 mm; 10 \xC3\x97 10 cm\xC2\xB2 = 1"}) {
        const MeasuredCurve curve = output(comments);
        EXPECT_EQ(read().nominal_energy_mv, 10) << comments;
        EXPECT_EQ(read().fluence_mode, "FFF") << comments;
        EXPECT_EQ(curve.ssd_mm, 900) << comments;
        EXPECT_EQ(curve.depth_mm, 100) << comments;
        EXPECT_EQ(curve.normalisation_mm, 100) << comments;
    }
    EXPECT_EQ(output("# 6 MV with flattening filter, SSD 90 cm, depth 10 cm, 10 x 10 cm = 1").ssd_mm, 900);
    EXPECT_EQ(read().fluence_mode, "STANDARD");
    EXPECT_EQ(output("# 6 MV, flattened, SSD 90 cm, depth 10 cm, 10 x 10 cm = 1",
                     "Field side (cm);Factor\n10;1\n20;1.1\n")
                  .position_mm,
              (std::vector<double>{100, 200}));

    const auto wrong = [&](const std::string& comments) {
        write("output_factors.csv", "# 6 MV, flattened, SSD 90 cm, depth 10 cm, 10 x 10 cm = 1\n" + comments +
                                        "\nside_mm,f\n100,1\n200,1.1\n");
        return problem();
    };
    EXPECT_HAS(wrong("# gantry: 90"), "which means nothing here");
    EXPECT_HAS(wrong("# fluenc mode: FFF"), "Did you mean \"fluence_mode\"?");
    EXPECT_HAS(wrong("# build-up: 30 mm"), "which means nothing here");
    EXPECT_HAS(wrong("# FFF"), "the fluence mode twice");
    EXPECT_HAS(wrong("# 20 x 20 cm = 1"), "output factor is 1 twice");
    EXPECT_HAS(wrong("# SAD 1,000 mm"), "can be read in two ways");
    EXPECT_HAS(wrong("# 60 degree wedge"), "behind a wedge");
    EXPECT_EQ(wrong("# gantry: 0\n# wedge: none\n# Reference: somebody, 2019"), "no error");
}

TEST_F(Measurements, OneTableOfOutputFactorsMayHaveMoreColumns) {
    const std::string set_up = "# 6 MV, flattened, SSD 90 cm, depth 10 cm, 10 x 10 cm = 1\n";
    write("output_factors.csv",
          set_up +
              "side_mm,output_factor,output_factor_in_air,uncertainty\n100,1,1,0.002\n200,1.1,1.04,0.002\n");
    MeasurementSet set = read();
    ASSERT_EQ(set.curves.size(), 2u);
    EXPECT_EQ(set.curves[0].value.back(), 1.1);
    EXPECT_EQ(set.curves[1].kind, CurveKind::output_factor_in_air);
    EXPECT_EQ(set.curves[1].value.back(), 1.04);
    EXPECT_HAS(set.notes.at(0), "uncertainty");

    write("output_factors.csv", set_up + "side_x_mm,side_y_40_mm,side_y_100_mm\n40,0.90,0.95\n100,0.96,1\n");
    set = read();
    EXPECT_EQ(set.curves.front().position_mm, (std::vector<double>{40, 40, 100, 100}));
    EXPECT_EQ(set.curves.front().side_y_of_mm, (std::vector<double>{40, 100, 40, 100}));
    EXPECT_EQ(set.curves.front().value, (std::vector<double>{0.90, 0.95, 0.96, 1}));

    write("output_factors.csv", set_up + "side_mm,diode,chamber\n100,1,1\n200,1.1,1.1\n");
    EXPECT_HAS(problem(), "\"diode\" and \"chamber\"");
    write("output_factors.csv", set_up + "side_y_mm,side_x_mm,factor\n100,100,1\n");
    EXPECT_HAS(problem(), "are not side_x_mm and side_y_mm");
}

TEST_F(Measurements, ProfilesByDepthAndByField) {
    const std::string set_up = "# 6 MV, flattened, SSD 90 cm\n", rows = "\n-60,3,4\n0,100,99\n60,3,4\n";
    write("profiles.csv", set_up + "# field: 10 cm\nx_mm,depth_15_mm,depth_100_mm" + rows);
    MeasurementSet set = read();
    ASSERT_EQ(set.curves.size(), 2u);
    EXPECT_EQ(set.curves[1].depth_mm, 100);
    EXPECT_EQ(set.curves[1].side_y_mm, 100);
    EXPECT_EQ(set.curves[1].axis, ProfileAxis::crossplane);

    write("profiles.csv", set_up + "# axis: y\n# depth: 10 cm\nposition_mm,side_10_cm,side_5x20_cm" + rows);
    set = read();
    EXPECT_EQ(set.curves[1].side_x_mm, 50);
    EXPECT_EQ(set.curves[1].depth_mm, 100);
    EXPECT_EQ(set.curves[1].axis, ProfileAxis::inplane);

    write(
        "profiles.csv",
        set_up + "# Crossplane profiles\nposition_mm,side_100_mm_depth_15_mm,side_100_mm_depth_50_mm" + rows);
    set = read();
    EXPECT_EQ(set.curves[1].depth_mm, 50);
    EXPECT_EQ(set.curves[1].axis, ProfileAxis::crossplane);

    write("profiles.csv", set_up + "# axis: x\n# depth: 10 cm\nposition_mm,dose_100_mm,dose_200_mm" + rows);
    EXPECT_HAS(problem(), "whether that is the field or the depth");
    write("profiles.csv", set_up + "# axis: y\n# field: 100 x 100 mm\nx_mm,depth_15_mm,depth_100_mm" + rows);
    EXPECT_HAS(problem(), "axis of the profile is ambiguous");
}

TEST_F(Measurements, TissueMaximumRatiosAreOneAtTheirMaximum) {
    write("tmr.csv", "# 6 MV, flattened, SAD 100 cm\ndepth_mm,side_100_mm\n0,0.5\n15,1\n100,0.78\n");
    EXPECT_EQ(read().curves.front().normalisation_mm, 15);
    write("tmr.csv",
          "# 6 MV, flattened, SAD 100 cm; 1 at 10 cm\ndepth_mm,side_100_mm\n0,0.6\n15,1.28\n100,1\n");
    EXPECT_EQ(read().curves.front().normalisation_mm, 100);
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
    write("depth_dose.csv",
          "# SSD 900 mm, SSD 100 cm\n# field: 100 x 100 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "state the SSD twice");
    write("depth_dose.csv", "# SSD 1000 mm\n# field: 100 x 100 mm\ndepth,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "unit of the column");
    write("depth_dose.csv", "# SSD 1000 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "the field is not stated");
    write("depth_dose.csv",
          "# SSD 1000 mm, 10 MV\n# field: 100 x 100 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n");
    EXPECT_HAS(problem(asked), "--energy-mv says 6");
}

TEST_F(Measurements, BadFilesHaveOneClearEnd) {
    io::MeasurementQuestions asked;
    asked.ssd_mm = 1000;
    asked.energy_mv = 6;
    asked.fluence_mode = "STANDARD";
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
    asked = {};
    EXPECT_HAS(truncated("a.mcc", mcc, "END_SCAN_DATA"), "without END_SCAN_DATA");
    asked.fluence_mode = "STANDARD";
    asked.energy_mv = 6;
    std::string short_of_scans = rfa;
    short_of_scans.replace(short_of_scans.find(":MSR 1"), 6, ":MSR 3");
    EXPECT_HAS(truncated("a.asc", short_of_scans, "nowhere"), "2 scans, its header says 3");
    std::string other_depth = w2cad;
    other_depth.replace(other_depth.find("%TYPE OPD"), 9, "%TYPE OPP\n%DPTH 020");
    other_depth.replace(other_depth.find("+000.0 +000.0 +000.0"), 20, "-060.0 +000.0 +015.0")
        .replace(other_depth.find("+000.0 +000.0 +100.0"), 20, "+060.0 +000.0 +015.0");
    EXPECT_HAS(truncated("a.asc", other_depth, "nowhere"), "%DPTH says 20 mm, the points are 15 mm deep");
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
    const MeasurementSet set =
        io::read_measurements(std::filesystem::path(data) / "measured" / "elekta_synergy_agility_6MV");
    EXPECT_EQ(set.curves.size(), 14u);
    EXPECT_EQ(set.nominal_energy_mv, 6);
    EXPECT_EQ(set.fluence_mode, "STANDARD");
    for (const Finding& finding : lint(set))
        EXPECT_NE(finding.severity, Finding::Severity::error) << finding.text;
}

namespace {

const char* const open_field =
    "# 6 MV, flattened, SSD 90 cm\n# field: 100 x 100 mm\ndepth_mm,dose\n0,50\n15,100\n100,67\n";
const char* const gaps =
    "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n# field: 100 x 100 mm\n# leaves: varian-millennium-120\n# "
    "travel: 12 cm\ngap_mm,reading_over_open\n"
    "2,0.045\n4,0.062\n10,0.111\n";

}  // namespace

TEST_F(Measurements, WedgesByTheirFactorsDepthDosesAndProfiles) {
    write("depth_dose.csv", open_field);
    write("wedge_factors.csv",
          "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n# wedge: "
          "physical\nside_mm,wedge_15_deg,wedge_60_deg,uncertainty\n100,0.77,0.40,0.01\n50,0.76,0.39,0.01\n");
    write("wedge_depth_dose.csv",
          "# 6 MV, flattened, SSD 90 cm\n# field: 100 x 100 mm\n# wedge: physical 60 "
          "degrees\ndepth_mm,dose\n0,50\n15,100\n100,69\n");
    write("wedge_profile.csv",
          "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n# field: 100 x 100 mm\n# axis: inline\n# wedge: "
          "motorized wedge, 60 degrees, thin end at -y\n# wedge id: "
          "MW1\n"
          "position_mm,dose\n-50,150\n0,100\n50,60\n");
    const MeasurementSet set = read();
    EXPECT_EQ(set.curves.size(), 1u);
    ASSERT_EQ(set.device_curves.size(), 4u);
    const MeasuredCurve &depth = set.device_curves[0], &factors = set.device_curves[1],
                        &profile = set.device_curves[3];
    EXPECT_EQ(factors.kind, CurveKind::wedge_factor);
    EXPECT_EQ(factors.wedge->angle_deg, 15);
    EXPECT_EQ(factors.position_mm, (std::vector<double>{50, 100})) << "sorted";
    EXPECT_EQ(factors.value, (std::vector<double>{0.76, 0.77}));
    EXPECT_EQ(set.device_curves[2].wedge->words(), "physical wedge 60 degrees");
    EXPECT_EQ(depth.kind, CurveKind::depth_dose);
    EXPECT_FALSE(depth.wedge->orientation_deg);
    EXPECT_EQ(profile.wedge->kind, "motorised");
    EXPECT_EQ(profile.wedge->orientation_deg, 180);
    EXPECT_EQ(profile.wedge->id, "MW1");
}

TEST_F(Measurements, WedgesThatAreNotStatedInFull) {
    write("depth_dose.csv", open_field);
    const auto wrong = [&](const std::string& comments,
                           const std::string& columns = "side_mm,wedge_factor\n100,0.4\n") {
        write("wedge_factors.csv", "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n" + comments + columns);
        return problem();
    };
    EXPECT_EQ(wrong("# wedge: physical 60 degrees\n"), "no error");
    EXPECT_HAS(wrong(""), "the wedge is not stated");
    EXPECT_HAS(wrong("# wedge: none\n"), "the wedge is not stated");
    EXPECT_HAS(wrong("# wedge: physical\n"), "the angle of the wedge is not stated");
    EXPECT_HAS(wrong("# wedge: steep 60 degrees\n"), "which cannot be read");
    EXPECT_HAS(wrong("# wedge: physical 60 degrees, thin end left\n"), "which cannot be read");
    EXPECT_HAS(wrong("# wedge: physical 60 degrees\n", "side_mm,wedge_45_deg\n100,0.4\n"),
               "wedge of 60 degrees, the column is");
    EXPECT_HAS(wrong("# wedge: physical 60 degrees\n", "side_mm,output\n100,0.4\n"), "is no wedge factor");
    EXPECT_HAS(wrong("# wedge: physical 60 degrees\n", "depth_mm,wedge_factor\n100,0.4\n"),
               "not the side of the field");
    EXPECT_HAS(wrong("# wedge: physical 60 degrees\n", "side_mm,wedge_factor\n100,0.4\n100,0.41\n"),
               "is there twice");
    EXPECT_HAS(wrong("# wedge: physical 90 degrees\n"), "not between 0 and 75");
    EXPECT_HAS(wrong("# wedge id: W60\n"), "an id of a wedge, but no wedge");
    EXPECT_HAS(
        wrong("# wedge: physical\n# wedge id: W60\n", "side_mm,wedge_45_deg,wedge_60_deg\n100,0.5,0.4\n"),
        "one id is stated for several wedges");
    write("wedge_factors.csv",
          "# 6 MV, flattened, SSD 90 cm\n# wedge: physical 60 degrees\nside_mm,wedge_factor\n100,0.4\n");
    EXPECT_HAS(problem(), "does not state the depth");
    std::filesystem::remove(folder / "wedge_factors.csv");
    const std::string
        profile = "position_mm,dose\n-50,150\n0,100\n50,60\n",
        set_up = "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n# field: 100 x 100 mm\n# axis: inline\n";
    write("wedge_profile.csv", set_up + "# wedge: physical 60 degrees\n" + profile);
    EXPECT_HAS(problem(), "where the thin end of the wedge is");
    write("wedge_profile.csv", set_up + "# wedge: enhanced dynamic 60 degrees, thin end +y\n" + profile);
    EXPECT_HAS(problem(), "is not fitted to");
    std::filesystem::remove(folder / "depth_dose.csv");
    write("wedge_profile.csv", set_up + "# wedge: physical 60 degrees, thin end +y\n" + profile);
    EXPECT_HAS(problem(), "there is no open field in it");
}

TEST_F(Measurements, SweepingGapsAndWhatIsWrongWithThem) {
    write("depth_dose.csv", open_field);
    write("leaf_gap.csv", gaps);
    const MeasurementSet set = read();
    const MeasuredCurve& curve = set.device_curves.at(0);
    EXPECT_EQ(curve.kind, CurveKind::leaf_gap);
    EXPECT_EQ(curve.leaves, "varian-millennium-120");
    EXPECT_EQ(curve.travel_mm, 120);
    EXPECT_EQ(curve.side_y_mm, 100);
    EXPECT_EQ(curve.position_mm, (std::vector<double>{2, 4, 10}));
    const auto wrong = [&](const std::string& part, const std::string& other) {
        std::string text = gaps;
        write("leaf_gap.csv", text.replace(text.find(part), part.size(), other));
        return problem();
    };
    EXPECT_HAS(wrong("# leaves: varian-millennium-120\n", ""), "the leaves are not stated");
    EXPECT_HAS(wrong("# travel: 12 cm\n", ""), "the travel of the gap is not stated");
    EXPECT_HAS(wrong("12 cm\ngap", "12\ngap"), "which is no length");
    EXPECT_HAS(wrong("12 cm\ngap", "12 mm\ngap"), "not between 20 and 400 mm");
    EXPECT_HAS(wrong("# field: 100 x 100 mm\n", ""), "the field of the jaws");
    EXPECT_HAS(wrong("reading_over_open", "reading"), "are not gap_mm and reading_over_open");
    EXPECT_HAS(wrong("10,0.111", "100,0.9"), "wider than half of its travel");
    EXPECT_HAS(wrong("gap_mm", "gap"), "is not stated");
    write("leaf_gap.csv", "gap_mm,reading_over_open\n2,0.045\n4,0.062\n");
    write("measurements.yaml",
          "energy_mv: 6\nfluence_mode: STANDARD\nfiles:\n  - {file: depth_dose.csv}\n  - {file: "
          "leaf_gap.csv, kind: leaf_gap, ssd_mm: 900, depth_mm: 100, "
          "field_mm: [100, 100], leaves: elekta-agility, travel_mm: 120}\n");
    EXPECT_EQ(read().device_curves.at(0).leaves, "elekta-agility");
}

namespace {

const char* const leaf_profile =
    "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n# axis: crossline\n# leaves: varian-millennium-120\n# jaws: "
    "10 x 12 cm\n# leaf opening: 40 x 60 mm\n"
    "position_mm,dose\n-40,2\n-20,50\n0,100\n20,50\n40,2\n";
const char* const leaf_factors =
    "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n# leaves: varian-millennium-120\n# jaws: 100 x 100 mm\n# "
    "normalisation: jaws 100 x 100 mm = 1\n"
    "leaf_x_mm,leaf_y_mm,output_factor\n20,20,0.79\n60,40,0.91\n";

}  // namespace

TEST_F(Measurements, FieldsOfLeavesStateBothOpenings) {
    write("depth_dose.csv", open_field);
    write("profile.csv", leaf_profile);
    write("output.csv", leaf_factors);
    write("leaf_pdd.csv",
          "# 6 MV, flattened, SSD 90 cm\n# leaves: varian-hd120\n# jaws: 120 x 120 "
          "mm\ndepth_mm,leaf_40_mm,leaf_40x60_mm\n0,50,50\n15,100,100\n100,66,67\n");
    MeasurementSet set = read();
    EXPECT_EQ(set.curves.size(), 1u) << "a field of leaves is none of the jaws";
    ASSERT_EQ(set.device_curves.size(), 4u);
    const MeasuredCurve &depth = set.device_curves[1], &factors = set.device_curves[2],
                        &profile = set.device_curves[3];
    EXPECT_EQ(depth.kind, CurveKind::depth_dose);
    EXPECT_EQ(depth.side_y_mm, 60);
    EXPECT_EQ(depth.jaw_x_mm, 120);
    EXPECT_EQ(factors.kind, CurveKind::output_factor);
    EXPECT_EQ(factors.position_mm, (std::vector<double>{20, 60})) << "the opening of the leaves";
    EXPECT_EQ(factors.side_y_of_mm, (std::vector<double>{20, 40}));
    EXPECT_EQ(factors.normalisation_mm, 100);
    EXPECT_FALSE(factors.unity_of_leaves);
    EXPECT_EQ(profile.leaves, "varian-millennium-120");
    EXPECT_EQ(profile.side_x_mm, 40);
    EXPECT_EQ(profile.side_y_mm, 60);
    EXPECT_EQ(profile.jaw_x_mm, 100);
    EXPECT_EQ(profile.jaw_y_mm, 120);
    EXPECT_HAS(profile.name, "40 x 60 mm by MLC varian-millennium-120 in jaws 100 x 120 mm");
    std::string of_leaves = leaf_factors;
    write("output.csv",
          of_leaves.replace(of_leaves.find("jaws 100 x 100 mm = 1"), 21, "leaves 60 x 60 mm = 1"));
    set = read();
    EXPECT_TRUE(set.device_curves[2].unity_of_leaves);
    EXPECT_EQ(set.device_curves[2].normalisation_mm, 60);

    write("profile.csv", "position_mm,dose\n-40,2\n-20,50\n0,100\n20,50\n40,2\n");
    write("output.csv", "leaf_mm,output_factor\n20,0.79\n60,0.93\n");
    const std::string index =
        "energy_mv: 6\nfluence_mode: STANDARD\nfiles:\n  - {file: depth_dose.csv}\n  - {file: profile.csv, "
        "kind: profile, ssd_mm: 900, depth_mm: 100, "
        "axis: crossline, leaves: elekta-agility, jaws_mm: [400, 60], leaf_opening_mm: [40, 60]}\n  - {file: "
        "output.csv, kind: output_factor, ssd_mm: 900, "
        "depth_mm: 100, leaves: elekta-agility, jaws_mm: [400, 60], unity_side_mm: 60, unity_of: leaves}\n";
    write("measurements.yaml", index);
    set = read();
    EXPECT_EQ(set.device_curves[0].jaw_x_mm, 400);
    EXPECT_EQ(set.device_curves[0].side_x_mm, 40);
    EXPECT_TRUE(set.device_curves[1].unity_of_leaves);
    write("measurements.yaml",
          std::string(index).replace(index.find("unity_of: leaves"), 16, "unity_of: MLC"));
    EXPECT_HAS(problem(), "unity_of is \"MLC\"");
    write("measurements.yaml", std::string(index).replace(index.find("[40, 60]"), 8, "40"));
    EXPECT_HAS(problem(), "leaf_opening_mm is not [x, y]");
}

namespace {

class LeafFields : public Measurements {
protected:
    void SetUp() override { write("depth_dose.csv", open_field); }
    /// The message when a part of a file's text is replaced.
    std::string wrong(const char* file, const std::string& text, const std::string& part,
                      const std::string& other) {
        write(file, std::string(text).replace(text.find(part), part.size(), other));
        const std::string result = problem();
        std::filesystem::remove(folder / file);
        return result;
    }
};

}  // namespace

TEST_F(LeafFields, ProfilesThatDoNotStateThemInFull) {
    const auto profile = [&](const std::string& part, const std::string& other) {
        return wrong("profile.csv", leaf_profile, part, other);
    };
    EXPECT_EQ(profile("40 x 60", "40 x 60"), "no error");
    EXPECT_HAS(profile("# jaws: 10 x 12 cm\n", ""), "the jaws about the leaves are not stated");
    EXPECT_HAS(profile("# leaf opening: 40 x 60 mm\n", ""), "the opening of the leaves is not stated");
    EXPECT_HAS(profile("# leaves: varian-millennium-120\n", ""), "the leaves are not");
    EXPECT_HAS(profile("leaf opening: 40 x 60 mm", "field: 40 x 60 mm"), "a field is stated beside the jaws");
    EXPECT_HAS(profile("10 x 12 cm", "10 x 12"), "which is no rectangle");
    EXPECT_HAS(profile("40 x 60 mm", "40 mm"), "which is no rectangle");
    EXPECT_HAS(profile("40 x 60 mm", "40 x 60 cm"), "the leaves are 400 mm open along x, the jaws 100 mm")
        << "cm for mm";
    EXPECT_HAS(profile("40 x 60 mm", "12 x 6 cm"), "the leaves are 120 mm open along x, the jaws 100 mm");
    EXPECT_HAS(profile("# axis", "# wedge: physical 60 degrees, thin end +y\n# axis"),
               "behind a wedge and shaped by leaves");
    EXPECT_HAS(profile("position_mm,dose", "position_mm,side_40_mm"),
               "does not say that it is of the leaves' opening");
    EXPECT_HAS(profile("position_mm,dose", "position_mm,leaf_40x60_mm"), "by a column and by a comment");
}

TEST_F(LeafFields, OutputFactorsThatDoNotStateThemInFull) {
    const auto factors = [&](const std::string& part, const std::string& other) {
        return wrong("output.csv", leaf_factors, part, other);
    };
    EXPECT_EQ(factors("100 x 100", "100 x 100"), "no error");
    EXPECT_HAS(factors("jaws 100 x 100 mm = 1", "100 x 100 mm = 1"), "is one of leaves or of jaws");
    EXPECT_HAS(factors("= 1\n", "= 1\n# leaves 100 x 100 mm = 1\n"), "whose field is 1 twice");
    EXPECT_HAS(factors("leaf_x_mm,leaf_y_mm", "side_x_mm,side_y_mm"),
               "does not say that it is of the leaves' opening");
    EXPECT_HAS(factors("# leaves: varian-millennium-120\n# jaws: 100 x 100 mm\n", ""),
               "of leaves that are not stated");
    EXPECT_HAS(factors("# jaws: 100 x 100 mm\n", "# jaws: 100 x 30 mm\n"),
               "the leaves are 40 mm open along y, the jaws 30 mm");
    EXPECT_HAS(factors("# jaws: 100 x 100 mm\n", "# jaws: 100 x 100 mm\n# leaf opening: 40 x 40 mm\n"),
               "have it in the table");
    EXPECT_HAS(factors("output_factor\n", "output_factor_in_air\n"), "is not compared");
}

TEST_F(LeafFields, QuantitiesThatAreNotComparedInThem) {
    EXPECT_HAS(wrong("leaf_gap.csv", gaps, "# travel", "# jaws: 100 x 100 mm\n# travel"),
               "are stated of gaps");
    EXPECT_HAS(wrong("tpr.csv",
                     "# 6 MV, flattened, SAD 100 cm, 1 at 10 cm depth\n# leaves: varian-hd120\n# jaws: 120 x "
                     "120 mm\ndepth_mm,leaf_40_mm\n15,1.2\n100,1\n",
                     "1.2", "1.2"),
               "a tpr of a field that leaves shape is not compared");
}

// Words of leaves without their set-up: passed over as wedges are, never taken as a field of the jaws.
TEST_F(LeafFields, WordsOfLeavesWithoutTheirSetUpArePassedOver) {
    const std::string plain =
                          "# field: 40 x 40 mm\n# axis: crossline\nposition_mm,dose\n-40,2\n0,100\n40,2\n",
                      beam = "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n";
    write("profile.csv", beam + "# MLC-shaped field\n" + plain);
    MeasurementSet set = read();
    EXPECT_EQ(set.curves.size(), 1u);
    EXPECT_HAS(set.notes.at(0), "shaped by leaves");
    std::filesystem::remove(folder / "profile.csv");
    write("profile_mlc_4x4.csv", beam + plain);
    EXPECT_EQ(read().curves.size(), 1u);
    std::filesystem::remove(folder / "profile_mlc_4x4.csv");
    write("profile.csv", beam + "# Linac with 120-leaf MLC\n" + plain);
    EXPECT_EQ(read().curves.size(), 2u) << "a machine that has leaves is no field of leaves";
}

TEST_F(Measurements, VirtualWedgesAreRefused) {
    write("depth_dose.csv", open_field);
    const std::string beam = "# 6 MV, flattened, SSD 90 cm, depth 10 cm\n";
    write("wedge_factors.csv", beam + "# wedge: virtual 60 degrees\nside_mm,wedge_factor\n100,1.01\n");
    EXPECT_HAS(problem(), "virtual wedges are not calculated");
    std::filesystem::remove(folder / "wedge_factors.csv");
    write("wedge_profile.csv", beam +
                                   "# field: 100 x 100 mm\n# axis: inline\n# wedge: virtual 60 degrees, thin "
                                   "end +y\nposition_mm,dose\n-50,60\n0,100\n50,150\n");
    EXPECT_HAS(problem(), "virtual wedges are not calculated");
}
