// Whole plans on another backend. A fake device library (tests/cuda/fake) stands for the real one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cuda/environment.h"
#include "engine/water_cube.h"
#include "libdose/error.h"
#include "libdose/influence.h"

using namespace libdose;
using test::Environment;

namespace {

void expect_same(const CalculationResult& device, const CalculationResult& cpu) {
    const auto& a = device.plan.gy.values;
    const auto& b = cpu.plan.gy.values;
    ASSERT_EQ(a.size(), b.size());
    const float maximum = *std::max_element(b.begin(), b.end());
    float largest = 0;
    for (std::size_t v = 0; v < a.size(); ++v) largest = std::max(largest, std::abs(a[v] - b[v]) / maximum);
    EXPECT_LE(largest, 1e-3f);
    EXPECT_GT(maximum, 0.1f);
}

}  // namespace

TEST_F(Engine, ADeviceGivesTheDoseOfTheCpuAndIsNamed) {
    const Environment library("LIBDOSE_CUDA_LIBRARY", LIBDOSE_FAKE_CUDA_LIBRARY);
    const CtImage ct = water_ct();
    const StructureSet body = body_of_cube();
    EngineOptions options = coarse();
    options.quality = Quality::draft;
    options.grid_mm = 16;
    const Plan plan = plan_of({static_beam(1, 0, 100), static_beam(2, 70, 50)});
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam})
        for (const Transport transport : {Transport::each, Transport::one}) {
            options.algorithm = algorithm, options.transport = transport;
            options.backend = BackendChoice::cpu;
            const auto cpu = run(ct, &body, plan, options);
            EXPECT_EQ(cpu.plan.provenance.backend, "cpu");
            options.backend = BackendChoice::cuda;
            const auto device = run(ct, &body, plan, options);
            EXPECT_EQ(device.plan.provenance.backend, "cuda fake (device 0, compute capability 9.0)");
            expect_same(device, cpu);
        }
}

TEST_F(Engine, WithoutADeviceAutoTakesTheCpuAndSaysWhy) {
    const Environment library("LIBDOSE_CUDA_LIBRARY", LIBDOSE_FAKE_CUDA_LIBRARY), fault("LIBDOSE_FAKE_DEVICE", "no-driver");
    const CtImage ct = water_ct();
    const StructureSet body = body_of_cube();
    EngineOptions options = coarse();
    options.algorithm = Algorithm::pencil_beam;
    options.grid_mm = 10;
    options.backend = BackendChoice::automatic;
    const Plan plan = plan_of({static_beam(1, 0, 100)});
    const auto result = run(ct, &body, plan, options);
    EXPECT_EQ(result.plan.provenance.backend, "cpu");
    EXPECT_THAT(result.notes, testing::Contains(testing::HasSubstr("backend: cpu, for there is no NVIDIA driver")));
    options.backend = BackendChoice::cuda;
    EXPECT_THROW(run(ct, &body, plan, options), Error);
}

TEST_F(Engine, ADeviceGivesTheColumnsOfAnInfluenceMatrix) {
    const Environment library("LIBDOSE_CUDA_LIBRARY", LIBDOSE_FAKE_CUDA_LIBRARY);
    const CtImage ct = water_ct();
    const StructureSet body = body_of_cube();
    Beam beam = static_beam(1, 0, 100);
    for (ControlPoint& point : beam.control_points) point.jaw_x = point.jaw_y = JawOpening{-20, 20};
    const Plan plan = plan_of({beam});
    const BeamModelProvider models = [](const Beam&) -> const BeamModel& { return *model_; };
    InfluenceOptions options;
    options.engine = coarse();
    options.engine.grid_mm = 20;
    options.beamlets.side_mm = 20;
    options.cutoff = 0;
    const std::vector<double> weights{10, 20, 0, 5};
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        options.engine.algorithm = algorithm;
        options.engine.backend = BackendChoice::cuda;
        const DoseInfluence device = influence(ct, &body, plan, *materials_, models, options);
        EXPECT_EQ(device.header.provenance.backend, "cuda fake (device 0, compute capability 9.0)");
        options.engine.backend = BackendChoice::cpu;
        // The pencil beam's shared convolution is another way on the CPU: the engine's own dose of the fluence stands for it. The collapsed cone
        // parts every map by its own maximum: column by column.
        CalculationResult cpu;
        if (algorithm == Algorithm::pencil_beam)
            cpu = calculate_beamlets(ct, &body, plan, *materials_, models, options, weights);
        else
            cpu.plan.gy = influence(ct, &body, plan, *materials_, models, options).dose(weights);
        CalculationResult summed;
        summed.plan.gy = device.dose(weights);
        expect_same(summed, cpu);
    }
}
