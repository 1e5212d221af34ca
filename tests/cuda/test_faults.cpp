// Faults of a device, on a host that stands for one: no memory, a device that vanishes, several backends at
// once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "cuda/backend.h"
#include "cuda/cases.h"
#include "cuda/host_executor.h"
#include "cuda/runtime/device_buffer.h"

using namespace libdose;

namespace {

std::unique_ptr<Backend> host_backend(test::HostDevice& device) {
    return cuda::make_backend(std::make_unique<test::HostExecutor>(device));
}

std::vector<float> run(Backend& backend, const test::BackendCase& c) {
    return c.run(*backend.prepare(c.density), c);
}

test::BackendCase named(const std::string& name) {
    const auto cases = test::backend_cases();
    return *std::find_if(cases.begin(), cases.end(), [&](const auto& c) { return c.name == name; });
}

template <class Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

constexpr const char* small_cases[] = {"Grid16x17x1", "Pencil16x17x1", "Electrons16x17x1"};

}  // namespace

TEST(CudaFaults, EveryAllocationMayFailAndTheBackendGoesOn) {
    for (const char* name : small_cases) {
        const test::BackendCase c = named(name);
        test::HostDevice good;
        const std::vector<float> reference = run(*host_backend(good), c);
        ASSERT_GT(good.allocations, 5);
        for (int n = 1; n <= good.allocations; ++n) {
            test::HostDevice device;
            device.failing_allocation = n;
            {
                const auto backend = host_backend(device);
                const std::string error = error_of([&] { run(*backend, c); });
                // Where the pool had memory to give back, it asked a second time.
                EXPECT_THAT(error, testing::AnyOf("", testing::HasSubstr("MiB")))
                    << name << ", allocation " << n;
                EXPECT_EQ(run(*backend, c), reference) << name << ", allocation " << n;
            }
            EXPECT_EQ(device.outstanding, 0) << name << ", allocation " << n;
        }
        // The first one has nothing to give back.
        test::HostDevice device;
        device.failing_allocation = 1;
        EXPECT_THAT(error_of([&] { run(*host_backend(device), c); }),
                    testing::HasSubstr("no 1 MiB more of memory"));
    }
}

TEST(CudaFaults, ALostDeviceIsAnErrorAndLeavesNothing) {
    for (const char* name : small_cases) {
        const test::BackendCase c = named(name);
        test::HostDevice good;
        run(*host_backend(good), c);
        ASSERT_GT(good.launches, 1);
        for (int n = 1; n <= good.launches; ++n) {
            test::HostDevice device;
            device.vanishes_at_launch = n;
            EXPECT_THAT(error_of([&] { run(*host_backend(device), c); }),
                        testing::HasSubstr("the device is lost"))
                << name << ", launch " << n;
            EXPECT_EQ(device.outstanding, 0);
        }
    }
}

TEST(CudaFaults, LittleMemoryMeansSeveralTransportsOfTheSameDose) {
    test::BackendCase c = named("SeveralMapsInterpolated");
    const std::vector<FluenceMap> once = c.maps;
    for (int n = 0; n < 5; ++n) c.maps.insert(c.maps.end(), once.begin(), once.end());
    test::HostDevice plenty;
    const std::vector<float> reference = run(*host_backend(plenty), c);
    test::HostDevice little;
    little.total_bytes = plenty.most_used_bytes / 2;
    const std::vector<float> dose = run(*host_backend(little), c);
    EXPECT_LE(little.most_used_bytes, little.total_bytes);
    EXPECT_GT(little.launches_of[static_cast<std::size_t>(cuda::kernel_number<cuda::GatherDeposit>)],
              plenty.launches_of[static_cast<std::size_t>(cuda::kernel_number<cuda::GatherDeposit>)]);
    // Sums in another order.
    EXPECT_LE(test::agreement(dose, reference).largest, 1e-5);
}

TEST(CudaFaults, TooLittleMemoryIsRefusedWithBothFigures) {
    const test::BackendCase c = named("SeveralMapsInterpolated");
    test::HostDevice device;
    device.total_bytes = std::size_t{3} << 20;
    const auto backend = host_backend(device);
    MemoryNeeds needs;
    needs.grid = c.density.grid;
    EXPECT_THAT(
        error_of([&] { backend->require_memory(needs, "plan"); }),
        testing::AllOf(testing::HasSubstr("of device memory, 3 MiB are free"),
                       testing::HasSubstr("plan, cuda on the host"), testing::HasSubstr("--backend cpu")));
    device.total_bytes = std::size_t{8} << 30;
    EXPECT_EQ(error_of([&] { backend->require_memory(needs, "plan"); }), "");
}

TEST(CudaFaults, TheEstimateHoldsForOneBeam) {
    for (const char* name : {"OneBeamInterpolated", "AlongXInterpolated", "Pencil"}) {
        const test::BackendCase c = named(name);
        MemoryNeeds needs;
        needs.grid = c.density.grid;
        needs.rates = 2;
        needs.opening_u_mm = needs.opening_v_mm = 50;
        needs.algorithm = std::string(name) == "Pencil" ? Algorithm::pencil_beam : Algorithm::collapsed_cone;
        test::HostDevice device;
        device.total_bytes = static_cast<std::size_t>(cuda::device_memory_bytes(needs));
        const auto backend = host_backend(device);
        EXPECT_NO_THROW(backend->require_memory(needs, "case"));
        EXPECT_NO_THROW(run(*backend, c)) << name;
    }
}

// Figures for docs/guide/gpu.md: test_cuda --gtest_also_run_disabled_tests --gtest_filter='*ClinicalSizes*'
TEST(CudaFaults, DISABLED_WhatClinicalSizesTake) {
    struct Case {
        const char* name;
        std::array<int, 3> size;
        double spacing_mm;
        int maps;
        bool pencil;
    };
    for (const Case& c : {Case{"static field, collapsed cone", {100, 100, 100}, 2.5, 1, false},
                          {"static field, collapsed cone", {256, 256, 256}, 2, 1, false},
                          {"static field, pencil beam", {156, 156, 156}, 2.5, 1, true},
                          {"arc of 178, one transport", {136, 92, 120}, 2.5, 178, false},
                          {"arc of 178, one transport", {200, 160, 120}, 2.5, 178, false}}) {
        const DensityGrid density = test::box_of_water(c.size, Vec3::Constant(c.spacing_mm));
        const Vec3 middle = density.grid.centre_mm(c.size[0] / 2, c.size[1] / 2, c.size[2] / 2);
        std::vector<FluenceMap> maps;
        for (int m = 0; m < c.maps; ++m) {
            const double angle = 2 * std::numbers::pi * m / c.maps;
            maps.push_back(test::square_field(100, Vec3(std::sin(angle), std::cos(angle), 0), middle));
        }
        BeamModel model = test::simple_model();
        model.cone_kernel.rates_cm2_g.resize(3, 0.05);
        model.cone_kernel.coefficients.resize(model.cone_kernel.coefficients.size() / 2 * 3, 0.0);
        MemoryNeeds needs;
        needs.grid = density.grid;
        needs.rates = 3;
        needs.opening_u_mm = needs.opening_v_mm = 100;
        needs.ray_spacing_voxels = c.maps > 1 ? 1 : 0.5;
        needs.algorithm = c.pencil ? Algorithm::pencil_beam : Algorithm::collapsed_cone;
        const auto directions = c.maps > 1
                                    ? isotropic_directions(192)
                                    : beam_aligned_directions(model.cone_kernel, Vec3(0, 1, 0), 12, 12);
        TransportSettings settings;
        settings.ray_spacing_voxels = needs.ray_spacing_voxels;
        const auto taken = [&](std::size_t total_bytes) {
            test::HostDevice device;
            device.idle = true;
            device.total_bytes = total_bytes;
            const auto backend = host_backend(device);
            const auto medium = backend->prepare(density);
            c.pencil ? medium->pencil_beam(maps.front(), model, {})
                     : medium->transport(maps, model, directions, settings, {});
            return static_cast<double>(device.most_used_bytes);
        };
        const double estimate = cuda::device_memory_bytes(needs), mebibyte = 1024.0 * 1024.0;
        std::printf(
            "%-30s %3d x %3d x %3d: estimate %6.0f MiB, taken with just that %6.0f MiB, with 16 GiB %6.0f "
            "MiB\n",
            c.name, c.size[0], c.size[1], c.size[2], estimate / mebibyte,
            taken(static_cast<std::size_t>(estimate)) / mebibyte, taken(std::size_t{16} << 30) / mebibyte);
        EXPECT_LE(taken(static_cast<std::size_t>(estimate)), estimate);
    }
}

TEST(CudaFaults, BeamsAfterTheFirstAllocateNothing) {
    for (const char* name : {"OneBeamInterpolated", "PencilLateral", "Electrons", "SeveralMapsRounded"}) {
        const test::BackendCase c = named(name);
        test::HostDevice device;
        const auto backend = host_backend(device);
        const auto medium = backend->prepare(c.density);
        const std::vector<float> first = c.run(*medium, c);
        const int allocations = device.allocations;
        EXPECT_EQ(c.run(*medium, c), first) << name;
        EXPECT_EQ(device.allocations, allocations) << name;
    }
}

TEST(CudaFaults, ACalculationAfterTheFirstAllocatesNothing) {
    for (const test::BackendCase& c : test::backend_cases()) {
        test::HostDevice device;
        const auto backend = host_backend(device);
        const std::vector<float> first = run(*backend, c);
        const int allocations = device.allocations;
        EXPECT_EQ(run(*backend, c), first) << c.name;
        EXPECT_EQ(device.allocations, allocations) << c.name;
    }
}

TEST(CudaFaults, ACopyWaitsForWorkThatStillReadsItsMemory) {
    test::HostDevice device;
    test::HostExecutor executor(device);
    cuda::DevicePool pool(executor);
    const std::vector<float> ones(100, 1.0f), twos(100, 2.0f);
    cuda::DeviceArray<float> crossed(pool, 100), other(pool, 100);
    const void* memory;
    {
        const cuda::DeviceArray<float> source(pool, ones);
        memory = source.data();
        executor.run(cuda::CrossVolume<float>{10, 10, source.data(), crossed.data()}, {10, 10, 1});
    }
    // Not for what comes after.
    executor.run(cuda::CrossVolume<float>{10, 10, crossed.data(), other.data()}, {10, 10, 1});
    const cuda::DeviceArray<float> next(pool, twos);
    ASSERT_EQ(next.data(), memory);
    EXPECT_EQ(device.uploads_before_work, 1);
    EXPECT_EQ(other.values(), ones);
    EXPECT_EQ(next.values(), twos);
}

TEST(CudaFaults, MapsAreCopiedWhileOthersAreWorkedOn) {
    test::BackendCase c = named("SeveralMapsInterpolated");
    const std::vector<FluenceMap> once = c.maps;
    c.maps.insert(c.maps.end(), once.begin(), once.end());
    test::HostDevice device;
    run(*host_backend(device), c);
    std::printf("%d of %d copies beside work\n", device.uploads_before_work, device.uploads);
    // The first copies of a calculation have nothing beside them.
    EXPECT_GT(device.uploads_before_work, device.uploads * 2 / 3);
}

TEST(CudaFaults, SameBitsInAnyOrderOfThreads) {
    for (const char* name : {"SeveralMapsInterpolated", "ObliqueRounded", "PencilLateral", "Electrons"}) {
        const test::BackendCase c = named(name);
        test::HostDevice forwards, backwards;
        backwards.backwards = true;
        EXPECT_EQ(run(*host_backend(backwards), c), run(*host_backend(forwards), c)) << name;
    }
}

TEST(CudaFaults, TwoBackendsInTwoThreadsDoNotMeet) {
    const test::BackendCase c = named("OneBeamInterpolated");
    test::HostDevice alone;
    const std::vector<float> reference = run(*host_backend(alone), c);
    test::HostDevice devices[2];
    std::vector<float> doses[2];
    std::thread threads[2];
    for (std::size_t t = 0; t < 2; ++t)
        threads[t] = std::thread([&, t] { doses[t] = run(*host_backend(devices[t]), c); });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t t = 0; t < 2; ++t) {
        EXPECT_EQ(doses[t], reference);
        EXPECT_EQ(devices[t].outstanding, 0);
    }
}

TEST(CudaFaults, AKernelOfMoreThanEightRatesIsRefused) {
    test::BackendCase c = named("Grid16x17x1");
    BeamModel model = test::simple_model();
    model.cone_kernel.rates_cm2_g = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    test::HostDevice device;
    const auto backend = host_backend(device);
    const auto medium = backend->prepare(c.density);
    EXPECT_THAT(error_of([&] { medium->transport(c.maps, model, isotropic_directions(40), {}, {}); }),
                testing::HasSubstr("more than 8 rates"));
}
