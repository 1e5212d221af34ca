// What may go wrong on a device, on a host that stands for one: no memory, a device that vanishes, several backends at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "cuda/backend.h"
#include "cuda/cases.h"
#include "cuda/host_executor.h"

using namespace libdose;

namespace {

std::unique_ptr<Backend> host_backend(test::HostDevice& device) { return cuda::make_backend(std::make_unique<test::HostExecutor>(device)); }

std::vector<float> run(Backend& backend, const test::BackendCase& c) { return c.run(*backend.medium(c.density), c); }

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
                EXPECT_THAT(error, testing::AnyOf("", testing::HasSubstr("MiB"))) << name << ", allocation " << n;
                EXPECT_EQ(run(*backend, c), reference) << name << ", allocation " << n;
            }
            EXPECT_EQ(device.outstanding, 0) << name << ", allocation " << n;
        }
        // The first one has nothing to give back.
        test::HostDevice device;
        device.failing_allocation = 1;
        EXPECT_THAT(error_of([&] { run(*host_backend(device), c); }), testing::HasSubstr("no 1 MiB more of memory"));
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
            EXPECT_THAT(error_of([&] { run(*host_backend(device), c); }), testing::HasSubstr("the device is lost")) << name << ", launch " << n;
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
    EXPECT_THAT(error_of([&] { backend->require_memory(needs, "plan"); }),
                testing::AllOf(testing::HasSubstr("of device memory, 3 MiB are free"), testing::HasSubstr("plan, cuda on the host"),
                               testing::HasSubstr("--backend cpu")));
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

TEST(CudaFaults, BeamsAfterTheFirstAllocateNothing) {
    for (const char* name : {"OneBeamInterpolated", "PencilLateral", "Electrons", "SeveralMapsRounded"}) {
        const test::BackendCase c = named(name);
        test::HostDevice device;
        const auto backend = host_backend(device);
        const auto medium = backend->medium(c.density);
        const std::vector<float> first = c.run(*medium, c);
        const int allocations = device.allocations;
        EXPECT_EQ(c.run(*medium, c), first) << name;
        EXPECT_EQ(device.allocations, allocations) << name;
    }
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
    for (std::size_t t = 0; t < 2; ++t) threads[t] = std::thread([&, t] { doses[t] = run(*host_backend(devices[t]), c); });
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
    const auto medium = backend->medium(c.density);
    EXPECT_THAT(error_of([&] { medium->transport(c.maps, model, cpu::isotropic_directions(40), {}, {}); }), testing::HasSubstr("more than 8 rates"));
}
