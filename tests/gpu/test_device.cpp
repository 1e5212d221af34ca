// The cases of tests/cuda and Monte Carlo validation on a real device; skipped by name where there is none.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "cuda/cases.h"
#include "cuda/fluence_cases.h"
#include "engine/backend_choice.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "libdose/validate.h"

using namespace libdose;

namespace {

/// Null where there is no device: `reason` says why.
std::shared_ptr<Backend> device_backend(std::string& reason) {
    try {
        return choose_backend(BackendChoice::cuda, 0).own;
    } catch (const Error& error) {
        reason = error.problem();
        return nullptr;
    }
}

const std::vector<test::BackendCase>& cases() {
    static const auto all = test::backend_cases();
    return all;
}

const std::vector<test::FluenceCase>& fluence_cases() {
    static const auto all = test::fluence_cases();
    return all;
}

class OnDevice : public testing::TestWithParam<std::size_t> {};
class FluenceOnDevice : public testing::TestWithParam<std::size_t> {};
class CaseOnDevice : public testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(OnDevice, AgreesWithTheCpuAndRepeats) {
    std::string reason;
    const auto backend = device_backend(reason);
    if (!backend) GTEST_SKIP() << reason;
    const test::BackendCase& c = cases()[GetParam()];
    const auto medium = backend->prepare(c.density);
    const std::vector<float> dose = c.run(*medium, c);
    const std::vector<float> reference = c.run(*cpu_backend().prepare(c.density), c);
    const test::Agreement found = test::agreement(dose, reference);
    std::printf("%s: largest difference %.2g of the largest dose\n", backend->description().c_str(),
                found.largest);
    EXPECT_LE(found.largest, 1e-3) << "voxel " << found.at;
    if (*std::max_element(reference.begin(), reference.end()) > 0) {
        EXPECT_EQ(test::gamma_percent(c.density.grid, dose, reference), 100);
    }
    EXPECT_EQ(c.run(*medium, c), dose);
}

TEST_P(FluenceOnDevice, AgreesWithTheCpuAndRepeats) {
    std::string reason;
    const auto backend = device_backend(reason);
    if (!backend) GTEST_SKIP() << reason;
    const test::FluenceCase& c = fluence_cases()[GetParam()];
    const auto maps = test::fluence_of(*backend, c), again = test::fluence_of(*backend, c),
               reference = test::fluence_of(cpu_backend(), c);
    test::expect_same_geometry(maps, reference);
    double largest = 0;
    for (std::size_t m = 0; m < maps.size(); ++m) {
        largest = std::max(largest, test::agreement(maps[m].values, reference[m].values).largest);
        largest = std::max(largest,
                           test::agreement(maps[m].electrons.values, reference[m].electrons.values).largest);
        EXPECT_EQ(again[m].values, maps[m].values);
    }
    std::printf("%s: largest difference %.2g of the largest value\n", backend->description().c_str(),
                largest);
    EXPECT_LE(largest, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Cases, FluenceOnDevice, testing::Range<std::size_t>(0, test::fluence_cases().size()),
                         [](const auto& c) { return fluence_cases()[c.param].name; });

INSTANTIATE_TEST_SUITE_P(Cases, OnDevice, testing::Range<std::size_t>(0, test::backend_cases().size()),
                         [](const auto& c) { return cases()[c.param].name; });

TEST_P(CaseOnDevice, MonteCarloAsOnTheCpu) {
    std::string reason;
    if (!device_backend(reason)) GTEST_SKIP() << reason;
    const ReferenceCase reference = io::read_reference_case(std::filesystem::path(LIBDOSE_TEST_DATA) /
                                                            "reference" / (std::string(GetParam()) + ".h5"));
    const BeamModel model =
        io::read_beam_model(data_folder() / "models" / (model_name_for(reference) + ".h5"));
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        ValidationOptions options;
        options.algorithm = algorithm;
        const ValidationResult cpu = validate(reference, model, materials, options);
        options.backend = BackendChoice::cuda;
        const ValidationResult device = validate(reference, model, materials, options);
        const test::Agreement found = test::agreement(device.dose.values, cpu.dose.values);
        std::printf("%s: largest difference %.2g of the largest dose, %.3f s, CPU %.3f s\n",
                    device.engine.c_str(), found.largest, device.seconds, cpu.seconds);
        EXPECT_LE(found.largest, 1e-3);
        EXPECT_EQ(test::gamma_percent(cpu.dose.grid, device.dose.values, cpu.dose.values), 100);
        EXPECT_NEAR(device.gamma.at("2%/2mm"), cpu.gamma.at("2%/2mm"), 0.1);
    }
}

INSTANTIATE_TEST_SUITE_P(MonteCarlo, CaseOnDevice,
                         testing::Values("water_6MV_3x3", "water_6MV_10x10", "offaxis_water_6MV_10x10",
                                         "water_15MV_5x5", "lung_tumour_6MV_4x4", "slab_lung_6MV_5x5",
                                         "titanium_6MV_8x8", "slab_lung_15MV_3x3"),
                         [](const auto& tested) { return std::string(tested.param); });
