// The head model's kernels on the host against the CPU's.
#include <gtest/gtest.h>

#include <algorithm>

#include "cuda/backend.h"
#include "cuda/cases.h"
#include "cuda/fluence_cases.h"
#include "cuda/host_executor.h"

using namespace libdose;

namespace {

std::unique_ptr<Backend> host_backend(test::HostDevice& device) {
    return cuda::make_backend(std::make_unique<test::HostExecutor>(device));
}

const std::vector<test::FluenceCase>& cases() {
    static const auto all = test::fluence_cases();
    return all;
}

const test::FluenceCase& named(const std::string& name) {
    return *std::find_if(cases().begin(), cases().end(), [&](const auto& c) { return c.name == name; });
}

class HostFluence : public testing::TestWithParam<std::size_t> {};

}  // namespace

TEST_P(HostFluence, AgreesWithTheCpu) {
    const test::FluenceCase& c = cases()[GetParam()];
    test::HostDevice device;
    const auto maps = test::fluence_of(*host_backend(device), c),
               reference = test::fluence_of(cpu_backend(), c);
    double largest = 0, electrons = 0;
    test::expect_same_geometry(maps, reference);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        largest = std::max(largest, test::agreement(maps[m].values, reference[m].values).largest);
        electrons = std::max(
            electrons, test::agreement(maps[m].electrons.values, reference[m].electrons.values).largest);
    }
    std::printf("%zu maps, largest difference %.2g of the largest value, electrons %.2g\n", maps.size(),
                largest, electrons);
    EXPECT_LE(largest, 1e-6);
    EXPECT_LE(electrons, 1e-6);
    EXPECT_EQ(device.outstanding, 0);
    // Only these may give nothing: a case that is empty would compare nothing.
    const bool anything = std::any_of(reference.begin(), reference.end(), [](const FluenceMap& map) {
        return *std::max_element(map.values.begin(), map.values.end()) > 0;
    });
    EXPECT_EQ(anything, c.name != "NothingComesThrough" && c.name != "NoMonitorUnits");
}

INSTANTIATE_TEST_SUITE_P(Cases, HostFluence, testing::Range<std::size_t>(0, test::fluence_cases().size()),
                         [](const auto& c) { return cases()[c.param].name; });

TEST(CudaFluence, LittleMemoryMeansMoreLaunchesOfTheSameMaps) {
    for (const char* name : {"Arc", "TwoLayers", "MotorisedWedge"}) {
        const test::FluenceCase& c = named(name);
        test::HostDevice plenty, little;
        little.total_bytes = std::size_t{700} << 10;
        const auto reference = test::fluence_of(*host_backend(plenty), c),
                   maps = test::fluence_of(*host_backend(little), c);
        ASSERT_EQ(maps.size(), reference.size());
        for (std::size_t m = 0; m < maps.size(); ++m) {
            EXPECT_EQ(maps[m].values, reference[m].values) << name;
            EXPECT_EQ(maps[m].electrons.values, reference[m].electrons.values) << name;
        }
        EXPECT_LE(little.most_used_bytes, little.total_bytes);
        if (name != std::string("MotorisedWedge")) {
            EXPECT_GT(little.launches, plenty.launches) << name;
        }
    }
}

TEST(CudaFluence, SameBitsInAnyOrderOfThreads) {
    test::HostDevice forwards, backwards;
    backwards.backwards = true;
    const auto maps = test::fluence_of(*host_backend(forwards), named("Arc")),
               other = test::fluence_of(*host_backend(backwards), named("Arc"));
    ASSERT_EQ(maps.size(), 11u);
    for (std::size_t m = 0; m < maps.size(); ++m) EXPECT_EQ(maps[m].values, other[m].values);
}

TEST(CudaFluence, ReportsEveryMapAndStopsWhenTold) {
    test::FluenceCase c = named("Arc");
    test::HostDevice device;
    const auto backend = host_backend(device);
    int told = 0;
    c.options.after_map = [&] { ++told; };
    test::fluence_of(*backend, c);
    EXPECT_EQ(told, 11);
    c.options.after_map = [] { throw std::runtime_error("stopped"); };
    EXPECT_THROW(test::fluence_of(*backend, c), std::runtime_error);
    c.options.after_map = {};
    EXPECT_EQ(test::fluence_of(*backend, c).size(), 11u);
}

TEST(CudaFluence, EveryAllocationMayFailAndTheBackendGoesOn) {
    const test::FluenceCase& c = named("WedgeAndTray");
    test::HostDevice good;
    const auto reference = test::fluence_of(*host_backend(good), c);
    ASSERT_GT(good.allocations, 10);
    for (int n = 1; n <= good.allocations; ++n) {
        test::HostDevice device;
        device.failing_allocation = n;
        const auto backend = host_backend(device);
        try {
            test::fluence_of(*backend, c);
        } catch (const Error&) {
        }
        EXPECT_EQ(test::fluence_of(*backend, c).at(0).values, reference.at(0).values) << "allocation " << n;
    }
}
