// Whole plans on another backend. A fake device library (tests/cuda/fake) stands for the real one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "cuda/cases.h"
#include "cuda/environment.h"
#include "cuda/fake/fake_device_library.h"
#include "libdose/error.h"
#include "libdose/influence.h"
#include "support/water_cube.h"

using namespace libdose;
using test::Environment;

namespace {

void expect_same(const CalculationResult& device, const CalculationResult& cpu) {
    const auto& a = device.plan.gy.values;
    const auto& b = cpu.plan.gy.values;
    const double largest = test::agreement(a, b).largest;
    std::printf("largest difference %.2g of the largest dose\n", largest);
    EXPECT_LE(largest, 1e-3);
    EXPECT_EQ(test::gamma_percent(cpu.plan.gy.grid, a, b), 100);
    EXPECT_GT(*std::max_element(b.begin(), b.end()), 0.1f);
}

}  // namespace

namespace {

/// As little work as shows what a device is asked for.
EngineOptions rough_on_a_device(EngineOptions options) {
    options.quality = Quality::draft;
    options.grid_mm = 20;
    options.backend = BackendChoice::cuda;
    return options;
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
        for (const Grouping grouping : {Grouping::per_geometry, Grouping::shared}) {
            options.algorithm = algorithm;
            options.grouping = grouping;
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
    const Environment library("LIBDOSE_CUDA_LIBRARY", LIBDOSE_FAKE_CUDA_LIBRARY),
        fault("LIBDOSE_FAKE_DEVICE", "no-driver");
    const CtImage ct = water_ct();
    const StructureSet body = body_of_cube();
    EngineOptions options = coarse();
    options.algorithm = Algorithm::pencil_beam;
    options.grid_mm = 10;
    options.backend = BackendChoice::automatic;
    const Plan plan = plan_of({static_beam(1, 0, 100)});
    const auto result = run(ct, &body, plan, options);
    EXPECT_EQ(result.plan.provenance.backend, "cpu");
    EXPECT_THAT(result.notes,
                testing::Contains(testing::HasSubstr("backend: cpu, for there is no NVIDIA driver")));
    options.backend = BackendChoice::cuda;
    EXPECT_THROW(run(ct, &body, plan, options), Error);
}

TEST_F(Engine, ADeviceThatStaysOpenTakesNoMoreMemoryForTheSameCalculation) {
    const Environment library("LIBDOSE_CUDA_LIBRARY", LIBDOSE_FAKE_CUDA_LIBRARY);
    test::FakeDeviceCounts& counts = test::fake_device_counts(LIBDOSE_FAKE_CUDA_LIBRARY);
    const CtImage ct = water_ct();
    const StructureSet body = body_of_cube();
    const Plan plan = plan_of({static_beam(1, 0, 100), static_beam(2, 70, 50)});
    EngineOptions options = rough_on_a_device(coarse());
    const auto calculated = [&] { return run(ct, &body, plan, options).plan.gy.values; };
    const int before = counts.opened;
    const std::vector<float> alone = calculated();
    EXPECT_EQ(calculated(), alone);
    EXPECT_EQ(counts.opened, before + 2);
    options.devices = std::make_shared<OpenDevices>();
    EXPECT_EQ(calculated(), alone);
    int allocations = counts.allocations;
    EXPECT_EQ(calculated(), alone);
    EXPECT_EQ(counts.allocations, allocations);
    EXPECT_EQ(counts.opened, before + 3);
    // Another device is another memory.
    options.device = 1;
    EXPECT_EQ(calculated(), alone);
    EXPECT_EQ(counts.opened, before + 4);
    options.device = 0;
    options.devices->close();
    EXPECT_EQ(counts.closed, counts.opened);
    // Opened again; another algorithm takes what it needs beside, once.
    options.algorithm = Algorithm::pencil_beam;
    const std::vector<float> pencil = calculated();
    EXPECT_EQ(counts.opened, before + 5);
    allocations = counts.allocations;
    EXPECT_EQ(calculated(), pencil);
    EXPECT_EQ(counts.allocations, allocations);
    options.devices = nullptr;
    EXPECT_EQ(counts.closed, counts.opened);
}

TEST_F(Engine, ThreadsThatShareOpenDevicesHaveOneEach) {
    const Environment library("LIBDOSE_CUDA_LIBRARY", LIBDOSE_FAKE_CUDA_LIBRARY);
    test::FakeDeviceCounts& counts = test::fake_device_counts(LIBDOSE_FAKE_CUDA_LIBRARY);
    const CtImage ct = water_ct();
    const StructureSet body = body_of_cube();
    const Plan plan = plan_of({static_beam(1, 0, 100)});
    EngineOptions options = rough_on_a_device(coarse());
    const std::vector<float> alone = run(ct, &body, plan, options).plan.gy.values;
    options.devices = std::make_shared<OpenDevices>();
    const int before = counts.opened;
    std::vector<float> doses[3];
    std::thread threads[3];
    for (std::size_t t = 0; t < 3; ++t)
        threads[t] = std::thread([&, t] {
            for (int n = 0; n < 2; ++n) doses[t] = run(ct, &body, plan, options).plan.gy.values;
        });
    for (std::thread& thread : threads) thread.join();
    for (const std::vector<float>& dose : doses) EXPECT_EQ(dose, alone);
    EXPECT_LE(counts.opened, before + 3);
    options.devices = nullptr;
    EXPECT_EQ(counts.closed, counts.opened);
}

TEST_F(Engine, ADeviceThatFailedIsNotUsedAgain) {
    const Environment library("LIBDOSE_CUDA_LIBRARY", LIBDOSE_FAKE_CUDA_LIBRARY);
    test::FakeDeviceCounts& counts = test::fake_device_counts(LIBDOSE_FAKE_CUDA_LIBRARY);
    const CtImage ct = water_ct();
    const StructureSet body = body_of_cube();
    const Plan plan = plan_of({static_beam(1, 0, 100)});
    EngineOptions options = rough_on_a_device(coarse());
    options.devices = std::make_shared<OpenDevices>();
    run(ct, &body, plan, options);
    const int before = counts.opened;
    {
        const Environment fault("LIBDOSE_FAKE_DEVICE", "lost");
        EXPECT_THROW(run(ct, &body, plan, options), Error);
    }
    EXPECT_EQ(counts.closed, counts.opened);
    run(ct, &body, plan, options);
    EXPECT_EQ(counts.opened, before + 1);
    // One that was stopped from outside goes on.
    options.progress = [](double part, const std::string&) {
        if (part > 0) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(run(ct, &body, plan, options), std::runtime_error);
    options.progress = {};
    run(ct, &body, plan, options);
    EXPECT_EQ(counts.opened, before + 1);
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
        // The pencil beam's shared convolution is another way on the CPU: the engine's own dose of the
        // fluence stands for it. The collapsed cone parts every map by its own maximum: column by column.
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
