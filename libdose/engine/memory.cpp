#include "engine/memory.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "engine/compute.h"
#include "libdose/error.h"
#include "model/text.h"

namespace libdose {

double memory_bytes(const Grid& grid, Algorithm algorithm, int threads, std::size_t rates) {
    const double voxels = static_cast<double>(grid.voxel_count());
    // Density grid, plan, dose of a model, dose in Gy, a copy in another order or of nodes; while it is made the density takes a few more.
    constexpr double volumes = 14;
    double bytes = volumes * voxels * sizeof(float);
    if (algorithm == Algorithm::collapsed_cone) {
        // Every thread holds the deposit of a sweep, and the lines of its directions.
        const auto [x, y, z] = grid.size;
        const double plane = 4.0 * (static_cast<double>(x) * y + static_cast<double>(y) * z + static_cast<double>(z) * x);
        bytes += threads * (voxels + static_cast<double>(cpu::sweep_width * rates) * plane) * sizeof(float);
        // Released energy: 20 bytes an entry, sorted for the sweeps about three times as much again; at most as many as one full batch.
        bytes += 4.0 * std::min(source_budget_bytes, 20.0 * 12 * voxels);
    }
    return bytes;
}

double available_memory_bytes() {
    std::ifstream file("/proc/meminfo");
    std::string key, unit;
    double kilobytes;
    while (file >> key >> kilobytes >> unit)
        if (key == "MemAvailable:") return 1024 * kilobytes;
    return 0;
}

void require_memory(double needed, double available, const std::string& where) {
    constexpr double gib = 1024.0 * 1024 * 1024;
    if (available > 0 && needed > available)
        throw bad_input("the calculation needs about " + short_number(std::round(10 * needed / gib) / 10) + " GiB of memory, " +
                            short_number(std::round(10 * available / gib) / 10) + " are free",
                        where, "Choose a larger grid spacing, a smaller margin or fewer threads");
}

}  // namespace libdose
