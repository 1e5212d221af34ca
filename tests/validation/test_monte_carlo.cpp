// The engines against Monte Carlo in absolute dose, standard quality, on a grid as fine as the case's voxels
// (2 or 2.5 mm). The bounds are the aims of docs/validation/monte-carlo.md, where the figures stand.
#include <gtest/gtest.h>

#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "libdose/validate.h"

using namespace libdose;

namespace {

ReferenceCase case_named(const std::string& name) {
    return io::read_reference_case(std::filesystem::path(LIBDOSE_TEST_DATA) / "reference" / (name + ".h5"));
}

ValidationResult run(const ReferenceCase& reference, const ValidationOptions& options) {
    const BeamModel model =
        io::read_beam_model(data_folder() / "models" / (model_name_for(reference) + ".h5"));
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    return validate(reference, model, materials, options);
}

ValidationResult run(const std::string& name, Algorithm algorithm) {
    ValidationOptions options;
    options.algorithm = algorithm;
    return run(case_named(name), options);
}

/// Every criterion of our gates but those named; returns the result.
ValidationResult expect_gates(const std::string& name, std::size_t fewest, const std::string& but = "") {
    const ReferenceCase reference = case_named(name);
    const ValidationResult result = run(reference, {});
    const auto rows = evaluate_suites({"gates"}, reference, result).at("gates");
    EXPECT_GE(rows.size(), fewest);
    for (const SuiteRow& row : rows)
        if (row.test != but) {
            EXPECT_TRUE(row.passed) << row.test << ": " << row.value << " " << row.unit << ", tolerance "
                                    << row.tolerance;
        }
    return result;
}

}  // namespace

class WaterCase : public ::testing::TestWithParam<const char*> {};

TEST_P(WaterCase, CollapsedConeAgrees) { expect_gates(GetParam(), 6); }

TEST_P(WaterCase, PencilBeamAgrees) {
    const ValidationResult r = run(GetParam(), Algorithm::pencil_beam);
    EXPECT_GE(r.gamma.at("2%/2mm"), 98);
    // Kernels for parallel beams, five components: a little high at depth in large fields.
    EXPECT_LE(std::abs(r.regions.at("in-field").mean_percent), 1.5);
}

INSTANTIATE_TEST_SUITE_P(MonteCarlo, WaterCase,
                         ::testing::Values("water_6MV_3x3", "water_6MV_10x10", "water_6MV_20x20",
                                           "offaxis_water_6MV_10x10", "water_15MV_5x5"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(HeterogeneousCase, TumourInLung) { expect_gates("lung_tumour_6MV_4x4", 9); }

TEST(HeterogeneousCase, BoneAndLungSlabs) { expect_gates("slab_lung_6MV_5x5", 9); }

TEST(HeterogeneousCase, TitaniumBar) {
    // Titanium's own mean misses the aim of 1 %: docs/validation/monte-carlo.md.
    const ValidationResult r = expect_gates("titanium_6MV_8x8", 7, "in-field mean, titanium");
    EXPECT_LE(std::abs(r.regions.at("material: titanium").mean_percent), 2.0);
}

TEST(HeterogeneousCase, SmallHighEnergyFieldThroughLung) { expect_gates("slab_lung_15MV_3x3", 5); }

TEST(HeterogeneousCase, PencilBeamWithoutLateralScalingOverestimatesLungAsItIsKnownTo) {
    ValidationOptions options;
    options.algorithm = Algorithm::pencil_beam;
    options.lateral_scaling = false;
    EXPECT_GT(run(case_named("slab_lung_6MV_5x5"), options).regions.at("material: lung").mean_percent, 5);
}

TEST(Validation, ModelOfACaseAndItsErrors) {
    ReferenceCase reference;
    reference.source_spectrum = "15 MV, Mohan et al 1985";
    EXPECT_EQ(model_name_for(reference), "generic-15MV");
    reference.source_spectrum = "cobalt";
    EXPECT_ANY_THROW(model_name_for(reference));
}

TEST(Validation, ATurnedBeamGivesTheTurnedDose) {
    // A block of water with its surface at z = 0, the beam at 0 and at 30 degrees about y through the origin:
    // along the beam's axis the depth dose must be the same function of the path length, but for the slanted
    // surface.
    ReferenceCase straight;
    straight.name = "block of water";
    for (double x = -15; x <= 15; x += 1) {
        straight.edges_cm[0].push_back(x);
        straight.edges_cm[1].push_back(x);
    }
    for (double z = 0; z <= 20; z += 1) straight.edges_cm[2].push_back(z);
    const std::size_t count = 30 * 30 * 20;
    straight.dose.assign(count, 1e-11f);
    straight.relative_uncertainty.assign(count, 0.01f);
    straight.density_g_cm3.assign(count, 1.0f);
    straight.material_index.assign(count, 0);
    straight.materials = {"0: water, 1.0 g/cm3"};
    straight.field_x_cm = straight.field_y_cm = {-5, 5};
    straight.source_spectrum = "6 MV";
    ReferenceCase turned = straight;
    const double angle = 30 * 3.14159265358979 / 180;
    turned.beam_angle_deg = 30;
    turned.source_position_cm = Vec3(-100 * std::sin(angle), 0, -100 * std::cos(angle));
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    ValidationOptions options;
    options.grid_mm = Vec3(5, 4, 4);  // voxels need not be cubes
    options.quality = Quality::draft;
    const auto a = validate(straight, model, materials, options);
    for (auto* c : {&straight, &turned}) c->dose = a.calculated;
    const auto b = validate(turned, model, materials, options);
    const auto at = [&](const ValidationResult& r, double x, double z) {
        const auto i = static_cast<std::size_t>(std::floor(x + 15)),
                   k = static_cast<std::size_t>(std::floor(z));
        return static_cast<double>(r.calculated[(k * 30 + 15) * 30 + i]);
    };
    // 10 cm along either axis; the slanted surface changes the scatter a little, the voxels of 1 cm the rest.
    EXPECT_NEAR(at(b, 10 * std::sin(angle), 10 * std::cos(angle)) / at(a, 0, 10), 1, 0.07);
    // The mirror position is out of the turned field.
    EXPECT_LT(at(b, -10 * std::sin(angle), 10 * std::cos(angle)), 0.1 * at(a, 0, 10));
    turned.beam_angle_deg = 10;  // contradicts the source position
    EXPECT_ANY_THROW(validate(turned, model, materials, options));
}

TEST(Validation, SuitesJudgeByTheirOwnTolerances) {
    const ReferenceCase reference =
        io::read_reference_case(std::filesystem::path(LIBDOSE_TEST_DATA) / "reference" / "water_6MV_3x3.h5");
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    ValidationResult result = validate(reference, model, materials, {});
    for (const auto& [suite, rows] : evaluate_suites(suite_names(), reference, result)) {
        EXPECT_GE(rows.size(), 5u) << suite;
        for (const SuiteRow& row : rows)
            EXPECT_TRUE(row.passed) << suite << ": " << row.test << " " << row.value;
    }
    // Three percent too much everywhere fails what allows two, and the size of the deviation is what is
    // reported.
    for (auto* values : {&result.calculated, &result.dose.values})
        for (float& value : *values) value *= 1.04f;
    const auto judged = evaluate_suites({"venselaar"}, reference, result);
    for (const SuiteRow& row : judged.at("venselaar")) {
        if (row.test.find("axis, beyond") != std::string::npos) {
            EXPECT_FALSE(row.passed);
            EXPECT_NEAR(row.value, 4, 1.5);
        }
        if (row.test.find("RW50") != std::string::npos) {
            EXPECT_TRUE(row.passed) << "a factor does not move edges: " << row.value;
        }
    }
    EXPECT_THROW(evaluate_suites({"iso"}, reference, result), Error);
}

TEST(Validation, LateralScalingIsWhatThePencilBeamNeedsInLung) {
    EXPECT_LT(
        std::abs(
            run("lung_tumour_6MV_4x4", Algorithm::pencil_beam).regions.at("material: lung").mean_percent),
        4);
}
