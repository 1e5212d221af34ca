#include "backend/memory.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/text.h"
#include "collapsed_cone/sweep_plan.h"
#include "libdose/error.h"

namespace libdose {

double memory_bytes(const MemoryNeeds& needs) {
    const double voxels = static_cast<double>(needs.grid.voxel_count()), real = sizeof(float);
    const double spacing = needs.grid.spacing_mm.minCoeff();
    // Density grid, plan, dose of a model, dose in Gy, copies in another order, with margins, or of nodes;
    // while it is made the density takes a few more.
    constexpr double volumes = 15;
    // The maps, and as much again for their parts and sums.
    double bytes = volumes * voxels * real +
                   2 * static_cast<double>(needs.maps) * needs.map_pixels * needs.map_pixels * real;
    if (needs.transport_elsewhere) return bytes;
    // Two sums for each half voxel along rays `apart` mm from each other.
    const auto rays = [&](double width_mm, double height_mm, double apart) {
        const Vec3 diagonal = needs.grid.upper_edge_mm() - needs.grid.lower_edge_mm();
        return (width_mm / apart + 6) * (height_mm / apart + 6) * (2 * diagonal.norm() / spacing) * 2 * real;
    };
    if (needs.algorithm == Algorithm::pencil_beam) {
        // Eight values for each pixel of 2 mm around the field at up to fifty magnifications.
        constexpr double around_mm = 120, nodes = 50, values = 8, pixel_mm = 2;
        const double width = needs.opening_u_mm + around_mm, height = needs.opening_v_mm + around_mm;
        return bytes + rays(width, height, spacing) +
               nodes * values * real * (width / pixel_mm) * (height / pixel_mm);
    }
    // Rays of one geometry, or of one for each thread a voxel apart.
    bytes += std::max(rays(needs.opening_u_mm, needs.opening_v_mm, needs.ray_spacing_voxels * spacing),
                      needs.threads * rays(needs.opening_u_mm, needs.opening_v_mm, spacing));
    // Every thread holds the deposit of a sweep, and the lines of its directions.
    const auto [x, y, z] = needs.grid.size;
    const double plane =
        4.0 * (static_cast<double>(x) * y + static_cast<double>(y) * z + static_cast<double>(z) * x);
    const double with_margins = voxels * (1 + static_cast<double>(sweep_row_margin) / std::min(x, y));
    // Every thread has the running sums of a map.
    bytes += needs.threads * needs.map_pixels * needs.map_pixels * (2 * sizeof(double) + real);
    bytes += needs.threads * (with_margins + static_cast<double>(sweep_width * needs.rates) * plane) * real;
    // Released energy: 12 bytes an entry, by rows and nodes about three times as much again; at most as many
    // as one full batch.
    constexpr double entry_bytes = 12, entries_of_a_voxel = 12;
    return bytes + 4.0 * std::min(source_budget_bytes,
                                  entry_bytes * voxels *
                                      std::min(entries_of_a_voxel, static_cast<double>(needs.maps)));
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
        throw bad_input("the calculation needs about " + short_number(std::round(10 * needed / gib) / 10) +
                            " GiB of memory, " + short_number(std::round(10 * available / gib) / 10) +
                            " are free",
                        where, "Choose a larger grid spacing, a smaller margin or fewer threads");
}

}  // namespace libdose
