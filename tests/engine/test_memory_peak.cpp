// The estimate of memory against what calculations take: the peak of the resident set, as Linux counts it.
#include <gtest/gtest.h>
#include <omp.h>

#include <fstream>
#include <limits>
#include <string>

#include "engine/memory_needs.h"
#include "support/water_cube.h"

using namespace libdose;

namespace {

/// A value of /proc/self/status, bytes; 0 where the system has none.
double status_bytes(const std::string& wanted) {
    std::ifstream file("/proc/self/status");
    std::string key;
    while (file >> key) {
        double kilobytes = 0;
        if (key == wanted + ":" && file >> kilobytes) return 1024 * kilobytes;
        file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return 0;
}

/// Lets the peak begin again at what is resident now; false where the system cannot.
bool restart_peak() {
    std::ofstream file("/proc/self/clear_refs");
    file << "5" << std::flush;
    return file.good() && status_bytes("VmHWM") > 0;
}

Beam quarter_arc() {
    Beam beam = static_beam(1, 0, 100);
    beam.control_points[1].gantry_deg = 90;
    beam.gantry_rotation[0] = Rotation::clockwise;
    return beam;
}

}  // namespace

class MemoryPeak : public Engine {};

// Too small an estimate ends in the system killing the process; one of more than three times the peak refuses
// what would fit.
TEST_F(MemoryPeak, OfACollapsedConeIsHeldByTheEstimateAndNotFarBelowIt) {
    EngineOptions options = coarse();
    options.grid_mm = 3;
    const CtImage ct = water_ct();
    const StructureSet body = body_of_cube();
    const Plan plan = plan_of({quarter_arc()});
    if (!restart_peak()) GTEST_SKIP() << "the peak of the resident set cannot be read here";
    const double before = status_bytes("VmRSS");
    const CalculationResult result = run(ct, &body, plan, options);
    const double peak = status_bytes("VmHWM") - before;
    const double estimate = memory_bytes(memory_needs(
        result.plan.gy.grid, plan, [](const Beam&) -> const BeamModel& { return *model_; }, options,
        omp_get_max_threads()));
    RecordProperty("peak_mb", static_cast<int>(peak / 1e6));
    RecordProperty("estimate_mb", static_cast<int>(estimate / 1e6));
    EXPECT_LT(peak, estimate);
    EXPECT_GT(peak, estimate / 3);
}
