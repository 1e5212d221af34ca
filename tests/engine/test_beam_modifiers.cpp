// Which leaves a beam has, what its leaf edges become, and every reason to refuse a device.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "engine/beam_modifiers.h"
#include "libdose/data.h"
#include "libdose/error.h"

using namespace libdose;

namespace {

std::string error_of(ErrorKind kind, const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        return error.what();
    }
    return {};
}
std::string refusal_of(const std::function<void()>& call) { return error_of(ErrorKind::refused_plan, call); }

#define EXPECT_HAS(text, word) EXPECT_NE((text).find(word), std::string::npos) << (text)

std::vector<double> even(int pairs, double width_mm) {
    std::vector<double> edges;
    for (int l = 0; l <= pairs; ++l) edges.push_back((l - 0.5 * pairs) * width_mm);
    return edges;
}

class Devices : public ::testing::Test {
protected:
    Devices() : designs_(read_leaf_designs(data_folder() / "mlc")) {
        // 2 MeV photons, near the mean of a 6 MV beam.
        model_.name = "mine";
        model_.spectrum = {{2.0}, {1.0}, {0.0494}, {0.0435}};
    }
    const LeafDesign& by_name(const std::string& name) const { return *design_by_name(designs_, name); }
    static Beam beam_of(const std::string& manufacturer, std::vector<double> edges,
                        const std::string& type = "MLCX") {
        Beam beam;
        beam.number = 2;
        beam.name = "left";
        beam.manufacturer = manufacturer;
        const std::size_t pairs = edges.size() - 1;
        beam.collimators = {{type, MultileafCollimator::Motion::along_x, std::move(edges)}};
        ControlPoint point;
        point.leaves = {{std::vector<double>(pairs, -10), std::vector<double>(pairs, 10)}};
        beam.control_points = {point, point};
        return beam;
    }
    std::string found(const Beam& beam, const std::string& forced = {}) const {
        return find_design(beam, beam.collimators[0], designs_, forced)->name;
    }
    std::string refused(const Beam& beam, const std::string& forced = {}) const {
        return refusal_of([&] { require_modelled(beam, model_, designs_, forced); });
    }
    std::vector<LeafEdges> edges(const Beam& beam, const std::string& forced = {}) {
        return leaf_edges(beam, model_, designs_, forced, provenance_, notes_);
    }

    std::vector<LeafDesign> designs_;
    BeamModel model_;
    Provenance provenance_;
    std::vector<std::string> notes_;
};

}  // namespace

TEST_F(Devices, BoundariesAndMakerGiveTheLeaves) {
    const auto m120 = by_name("varian-millennium-120").leaf_boundaries_mm,
               hd = by_name("varian-hd120").leaf_boundaries_mm;
    EXPECT_EQ(found(beam_of("Varian Medical Systems", m120)), "varian-millennium-120");
    EXPECT_EQ(found(beam_of("", m120)), "varian-millennium-120");
    EXPECT_EQ(found(beam_of("RadMachine", m120)), "varian-millennium-120") << "a program that wrote the plan";
    EXPECT_EQ(found(beam_of("VARIAN", hd)), "varian-hd120");
    EXPECT_EQ(found(beam_of("Varian Medical Systems", even(40, 10))), "varian-millennium-80");
    EXPECT_EQ(found(beam_of("ELEKTA", even(40, 10))), "elekta-mlci");
    EXPECT_EQ(found(beam_of("Elekta Ltd", even(80, 5))), "elekta-agility");
}

TEST_F(Devices, LeavesThatCannotBeToldAreRefused) {
    const std::string two = refused(beam_of("", even(40, 10)));
    EXPECT_HAS(two, "elekta-mlci, varian-millennium-80");
    EXPECT_HAS(two, "MLCX (40 pairs, -200 … 200 mm)");
    EXPECT_HAS(two, "beam 2 'left'");
    EXPECT_HAS(two, "--leaves NAME");
    // The Siemens 160 MLC has the Agility's boundaries and no design.
    EXPECT_HAS(refused(beam_of("", even(80, 5))),
               "elekta-agility (or the Siemens 160 MLC, which is not modelled)");
    EXPECT_HAS(
        refused(beam_of("SIEMENS", even(80, 5))),
        "no known leaves have the boundaries of its MLCX (80 pairs, -200 … 200 mm) on a machine by SIEMENS");
    EXPECT_HAS(refused(beam_of("SIEMENS", even(40, 10))), "no known leaves");
    EXPECT_HAS(refused(beam_of("Elekta", by_name("varian-millennium-120").leaf_boundaries_mm)),
               "no known leaves");
}

TEST_F(Devices, UnknownLeavesAreRefusedWithWhatThereIs) {
    for (const auto& [type, edges] :
         {std::pair{"MLCX", even(2, 100)}, {"MLCX1", even(28, 10)}, {"MLCX2", even(29, 10)}}) {
        const std::string text = refused(beam_of("Varian Medical Systems", edges, type));
        EXPECT_HAS(text, std::string("no known leaves have the boundaries of its ") + type + " (");
        EXPECT_HAS(text,
                   "elekta-agility, elekta-mlci, varian-hd120, varian-millennium-120, varian-millennium-80");
        EXPECT_HAS(text, "--leaf-ends sharp");
    }
}

TEST_F(Devices, DeviceTypeTellsLayersApart) {
    LeafDesign first = by_name("varian-millennium-120"), second = first;
    first.name = "halcyon-first";
    first.device_type = "MLCX1";
    second.name = "halcyon-second";
    second.device_type = "MLCX2";
    first.leaf_boundaries_mm = second.leaf_boundaries_mm = even(28, 10);
    designs_ = {first, second};
    EXPECT_EQ(found(beam_of("Varian", even(28, 10), "MLCX1")), "halcyon-first");
    EXPECT_EQ(found(beam_of("Varian", even(28, 10), "MLCX2")), "halcyon-second");
    EXPECT_HAS(refused(beam_of("Varian", even(28, 10), "MLCX")), "no known leaves");
    // Its jaws do not exist.
    Beam beam = beam_of("Varian", even(28, 10), "MLCX1");
    edges(beam);
    EXPECT_TRUE(notes_.empty());
    beam.control_points[0].jaw_x = JawOpening{-140, 140};
    edges(beam);
    ASSERT_EQ(notes_.size(), 1u);
    EXPECT_HAS(notes_[0], "a Halcyon has no jaws");
}

TEST_F(Devices, ForcedLeavesGoBeforeEverythingButTheirBoundaries) {
    EXPECT_EQ(found(beam_of("", even(40, 10)), "elekta-mlci"), "elekta-mlci");
    EXPECT_EQ(found(beam_of("SIEMENS", even(80, 5)), "elekta-agility"), "elekta-agility");
    EXPECT_EQ(found(beam_of("", by_name("varian-hd120").leaf_boundaries_mm), "elekta-agility"),
              "varian-hd120");
    const Beam beam = beam_of("", even(40, 10));
    const std::string unknown =
        error_of(ErrorKind::bad_input, [&] { find_design(beam, beam.collimators[0], designs_, "acme"); });
    EXPECT_HAS(unknown, "acme");
    EXPECT_HAS(unknown, "varian-hd120");
    Plan plan;
    plan.beams = {beam};
    EXPECT_NO_THROW(check_forced_leaves(plan, designs_, "elekta-mlci"));
    EXPECT_NO_THROW(check_forced_leaves(plan, designs_, ""));
    EXPECT_HAS(error_of(ErrorKind::bad_input, [&] { check_forced_leaves(plan, designs_, "elekta-agility"); }),
               "no collimator of the plan");
    EXPECT_HAS(error_of(ErrorKind::bad_input, [&] { check_forced_leaves(plan, {}, "elekta-agility"); }),
               "there are no leaves");
}

TEST_F(Devices, TangentsLieFartherInTheOpeningThanHalfOfTheFluence) {
    // By hand: mu = 0.0441 cm²/g (NIST XCOM, tungsten, 2 MeV, without coherent scattering) · 18.0 g/cm³ =
    // 0.0794 / mm; b = 2 mu sqrt(2 · 170 mm · 349.3 / 1000) = 2 · 0.0794 · 10.898 = 1.730 / sqrt(mm); (ln 2 /
    // b)² = 0.1605 mm.
    const auto agility = edges(beam_of("Elekta", even(80, 5))).at(0);
    EXPECT_NEAR(agility.tip_decay, 1.730, 0.01);
    EXPECT_NEAR(agility.tip_shift_mm, 0.1605, 0.002);
    EXPECT_NEAR(std::exp(-agility.tip_decay * std::sqrt(agility.tip_shift_mm)), 0.5, 1e-12);
    EXPECT_EQ(agility.source_distance_mm, 349.3);
    EXPECT_EQ(agility.tongue_and_groove_mm, 1.7);
    EXPECT_EQ(provenance_.settings.at("leaves beam 2"), "elekta-agility");
    const auto m120 = edges(beam_of("", by_name("varian-millennium-120").leaf_boundaries_mm)).at(0);
    EXPECT_EQ(m120.tip_shift_mm, 0);
    EXPECT_EQ(m120.source_distance_mm, 508.6);
    EXPECT_TRUE(notes_.empty());
}

TEST_F(Devices, FlatEndsAreSharp) {
    for (LeafDesign& design : designs_) design.tip_radius_mm = 0;
    const auto flat = edges(beam_of("Elekta", even(80, 5))).at(0);
    EXPECT_TRUE(std::isinf(flat.tip_decay));
    EXPECT_EQ(flat.tip_shift_mm, 0);
    EXPECT_EQ(flat.tongue_and_groove_mm, 1.7) << "their sides are what they were";
}

TEST_F(Devices, GenericModelsTakeTheTransmissionOfTheLeaves) {
    for (LeafDesign& design : designs_) design.interleaf_transmission = 0.02;
    const Beam agility = beam_of("Elekta", even(80, 5)), mlci = beam_of("Elekta", even(40, 10));
    EXPECT_EQ(edges(agility).at(0).transmission, 0.005);
    EXPECT_EQ(edges(agility).at(0).interleaf_transmission, 0.02);
    EXPECT_FALSE(edges(mlci).at(0).transmission) << "no figure: the model's";
    model_.machine = "Linac 3";
    EXPECT_FALSE(edges(agility).at(0).transmission) << "measured there";
    EXPECT_FALSE(edges(agility).at(0).interleaf_transmission);
    EXPECT_EQ(edges(agility).at(0).source_distance_mm, 349.3);
}

TEST_F(Devices, MeasuredLeavesHaveTheModelsOffsetAndTransmissionAndNoOthersDo) {
    const Beam agility = beam_of("Elekta", even(80, 5)), mlci = beam_of("Elekta", even(40, 10));
    const double design = edges(agility).at(0).tip_shift_mm;
    model_.head.leaf_design = "elekta-agility";
    model_.head.leaf_offset_mm = 0.25;
    model_.head.leaf_transmission = 0.004;
    EXPECT_EQ(refused(agility), "");
    EXPECT_DOUBLE_EQ(edges(agility).at(0).tip_shift_mm, design - 0.25) << "out of the opening";
    EXPECT_FALSE(edges(agility).at(0).transmission) << "measured: the model's";
    EXPECT_HAS(refused(mlci), "those of the plan are elekta-mlci");
    EXPECT_HAS(refusal_of([&] { edges(mlci); }), "of the leaves elekta-agility");
}

TEST_F(Devices, WithoutDesignsLeavesAreSharpAndANoteSaysSo) {
    designs_.clear();
    const Beam beam = beam_of("SIEMENS", even(3, 20));
    EXPECT_EQ(refused(beam), "");
    const auto sharp = edges(beam).at(0);
    EXPECT_TRUE(std::isinf(sharp.tip_decay));
    EXPECT_EQ(sharp.tongue_and_groove_mm, 0);
    EXPECT_FALSE(sharp.transmission || sharp.source_distance_mm);
    ASSERT_EQ(notes_.size(), 1u);
    EXPECT_HAS(notes_[0], "beam 2: the leaves of its MLCX end sharply");
    EXPECT_EQ(provenance_.settings.at("leaves beam 2"), "sharp");
}

TEST_F(Devices, WedgesAreRefusedOnlyWhereTheyAreIn) {
    Beam beam = beam_of("Varian", by_name("varian-hd120").leaf_boundaries_mm);
    beam.wedges = {{1, Wedge::Kind::physical, "W15", 15, 0, {}},
                   {2, Wedge::Kind::dynamic, "EDW30IN", 30, 0, {}}};
    for (ControlPoint& point : beam.control_points) {
        point.wedge_in = {false, false};
        point.jaw_y = JawOpening{-50, 50};
    }
    EXPECT_EQ(refused(beam), "");
    beam.control_points[1].wedge_in = {true, false};
    EXPECT_HAS(refused(beam), "physical 15 degrees \"W15\"");
    beam.control_points[0].wedge_in = beam.control_points[1].wedge_in = {false, true};
    EXPECT_HAS(refused(beam), "enhanced dynamic wedge");
    model_.head.dynamic_wedge.golden_position_mm = {-100, 100};
    model_.head.dynamic_wedge.golden_fraction = {0.5, 2};
    EXPECT_EQ(refused(beam), "");
    beam.control_points[0].wedge_in = {false, false};
    EXPECT_HAS(refused(beam), "is in during a part of the beam only");
    beam.control_points[0].wedge_in = {false, true};
    beam.control_points[0].jaw_y = JawOpening{-150, 50};
    EXPECT_HAS(refused(beam), "beyond the segmented treatment table");
}

TEST_F(Devices, AFieldBeyondItsWedgeIsRefused) {
    Beam beam = beam_of("Varian", by_name("varian-hd120").leaf_boundaries_mm);
    beam.wedges = {
        {1, Wedge::Kind::physical, "W30", 30, 90, {}}};  // thin end at -x; the leaves are open from -10 to 10
    for (ControlPoint& point : beam.control_points) {
        point.wedge_in = {true};
        point.jaw_y = JawOpening{-100, 100};  // within the leaves' bank
    }
    model_.head.wedges = {{"", "physical", 30, {-20, 20}, {10, 0}, {0, 0}}};
    EXPECT_EQ(refused(beam), "");
    model_.head.wedges[0].position_mm = {-20, 8};
    EXPECT_HAS(refused(beam),
               "the field reaches to 10 mm along the wedge of 30 degrees, which goes from -20 to 8 mm");
}

TEST_F(Devices, ModelsServeTheirMachine) {
    Beam beam;
    beam.nominal_energy_mv = 6;
    beam.machine = "Linac 3";
    model_.nominal_energy_mv = 6;
    EXPECT_TRUE(model_fits(model_, beam));
    model_.machine = "Linac 3";
    EXPECT_TRUE(model_fits(model_, beam));
    model_.machine = "Linac 4";
    EXPECT_FALSE(model_fits(model_, beam));
    model_.machine.clear();
    beam.fluence_mode = "FFF";
    EXPECT_FALSE(model_fits(model_, beam));
    model_.fluence_mode = "FFF";
    model_.nominal_energy_mv = 10;
    EXPECT_FALSE(model_fits(model_, beam));
}
