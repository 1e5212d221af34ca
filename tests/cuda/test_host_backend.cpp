// The CUDA backend's stages and kernel bodies on the host, over the same blocks and threads as on a device,
// against the CPU backend.
#include <gtest/gtest.h>

#include <algorithm>

#include "cuda/backend.h"
#include "cuda/cases.h"
#include "cuda/host_executor.h"

using namespace libdose;

namespace {

std::unique_ptr<Backend> host_backend(test::HostDevice& device) {
    return cuda::make_backend(std::make_unique<test::HostExecutor>(device));
}

std::vector<float> run(Backend& backend, const test::BackendCase& c) {
    return c.run(*backend.prepare(c.density), c);
}

const std::vector<test::BackendCase>& cases() {
    static const auto all = test::backend_cases();
    return all;
}

/// The same energies in single precision, summed in another order; ray directions by steps; tables that span
/// the whole beam.
constexpr double tolerance = 1e-3;  // of the largest dose

class HostBackend : public testing::TestWithParam<std::size_t> {};

}  // namespace

TEST_P(HostBackend, AgreesWithTheCpu) {
    const test::BackendCase& c = cases()[GetParam()];
    test::HostDevice device;
    const auto backend = host_backend(device);
    const std::vector<float> reference = run(cpu_backend(), c), dose = run(*backend, c);
    const test::Agreement found = test::agreement(dose, reference);
    RecordProperty("largest_difference", std::to_string(found.largest));
    std::printf("largest difference %.2g of the largest dose\n", found.largest);
    EXPECT_LE(found.largest, tolerance) << "voxel " << found.at;
    if (*std::max_element(reference.begin(), reference.end()) > 0) {
        EXPECT_EQ(test::gamma_percent(c.density.grid, dose, reference), 100);
    }
    // Only these may leave what there was: a case that does nothing would compare nothing.
    const bool nothing =
        c.name == "Empty" || c.name == "BesideTheGrid" || c.name == "PencilEmpty" || c.name == "NoElectrons";
    EXPECT_EQ(*std::max_element(reference.begin(), reference.end()) > c.before, !nothing);
}

INSTANTIATE_TEST_SUITE_P(Cases, HostBackend, testing::Range<std::size_t>(0, test::backend_cases().size()),
                         [](const auto& c) { return cases()[c.param].name; });
