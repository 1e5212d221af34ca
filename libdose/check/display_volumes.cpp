// Sampling and quantising of what a page shows.
#include "check/display_volumes.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "check/packed_bytes.h"

namespace libdose::check {

namespace {

using nlohmann::json;

constexpr double most_voxels = 2.4e6;  // keeps a page below 15 MB, Plotly included
constexpr double finest_mm = 1.0;      // of the voxels in a plane
constexpr double lowest_hu = -1000, highest_hu = 1500;
constexpr double difference_step_percent = 0.1;  // of the planned maximum; 8 bits reach to 12.7 %
constexpr double gamma_step = 0.01;              // 8 bits reach to 2.54
constexpr int gamma_missing = 255;

/// The grid of the dose with its slices, and voxels in the plane as small as the number allows.
Grid display_grid(const Grid& dose) {
    const Vec3 lower = dose.lower_edge_mm(), extent = dose.upper_edge_mm() - lower;
    const double slice_mm = dose.spacing_mm[2];
    const double pixel_mm =
        std::max(finest_mm, std::sqrt(extent[0] * extent[1] * extent[2] / (slice_mm * most_voxels)));
    Grid grid;
    const Vec3 spacing(pixel_mm, pixel_mm, slice_mm);
    for (int axis = 0; axis < 3; ++axis)
        grid.size[static_cast<std::size_t>(axis)] =
            std::max(1, static_cast<int>(std::floor(extent[axis] / spacing[axis] + 1e-6)));
    grid.spacing_mm = spacing;
    grid.origin_mm = lower + 0.5 * spacing;
    return grid;
}

/// A volume at every voxel of a grid, trilinear, turned into a number of `Count`.
template <class Count, class Quantise>
std::string sampled(const Volume<float>& volume, const Grid& grid, double outside, const Quantise& quantise) {
    std::string bytes(grid.voxel_count() * sizeof(Count), '\0');
    auto* out = reinterpret_cast<Count*>(bytes.data());
#pragma omp parallel for schedule(dynamic)
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i)
                out[grid.index(i, j, k)] =
                    static_cast<Count>(quantise(interpolate(volume, grid.centre_mm(i, j, k), outside)));
    return bytes;
}

json dose_volume(const Dose& dose, const Grid& grid, double scale_gy) {
    const auto counts = [&](double gy) { return std::clamp(std::round(gy / scale_gy), 0.0, 65535.0); };
    return {{"data", packed(sampled<std::uint16_t>(dose.gy, grid, 0, counts))}, {"scale_gy", scale_gy}};
}

double largest(const Dose& dose) {
    return static_cast<double>(*std::max_element(dose.gy.values.begin(), dose.gy.values.end()));
}

/// Calculated minus planned in percent of the planned maximum; 128 is no difference.
json difference_volume(const Dose& planned, const Dose& calculated, const Grid& grid) {
    Volume<float> difference = calculated.gy;
    const double maximum = std::max(largest(planned), 1e-9);
    const bool same = calculated.gy.grid == planned.gy.grid;
#pragma omp parallel for schedule(dynamic)
    for (int k = 0; k < difference.grid.size[2]; ++k)
        for (int j = 0; j < difference.grid.size[1]; ++j)
            for (int i = 0; i < difference.grid.size[0]; ++i) {
                const std::size_t v = difference.grid.index(i, j, k);
                const double there = same ? static_cast<double>(planned.gy.values[v])
                                          : interpolate(planned.gy, difference.grid.centre_mm(i, j, k));
                difference.values[v] =
                    static_cast<float>(100 * (static_cast<double>(difference.values[v]) - there) / maximum);
            }
    const auto counts = [](double percent) {
        return std::clamp(128 + std::round(percent / difference_step_percent), 0.0, 255.0);
    };
    return {{"data", packed(sampled<std::uint8_t>(difference, grid, 0, counts))},
            {"percent_per_count", difference_step_percent}};
}

/// Gamma of the nearest voxel: it is not a quantity to interpolate.
json gamma_volume(const Volume<float>& gamma, const Grid& grid) {
    std::string bytes(grid.voxel_count(), static_cast<char>(gamma_missing));
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) {
                const Vec3 at = gamma.grid.continuous_index(grid.centre_mm(i, j, k));
                std::array<int, 3> voxel{};
                bool inside = true;
                for (std::size_t a = 0; a < 3; ++a) {
                    voxel[a] = static_cast<int>(std::lround(at[static_cast<int>(a)]));
                    inside = inside && voxel[a] >= 0 && voxel[a] < gamma.grid.size[a];
                }
                if (!inside) continue;
                const float value = gamma.at(voxel[0], voxel[1], voxel[2]);
                if (std::isfinite(value))
                    bytes[grid.index(i, j, k)] = static_cast<char>(
                        std::clamp(std::lround(static_cast<double>(value) / gamma_step), 0L, 254L));
            }
    return {{"data", packed(bytes)}, {"per_count", gamma_step}};
}

json vector_json(const Vec3& v) { return {v[0], v[1], v[2]}; }

}  // namespace

json display_volumes(const CheckInput& input, const CheckResult& result) {
    const Dose* calculated = result.calculation ? &result.calculation->plan : nullptr;
    const Dose* planned = input.planned ? &*input.planned : nullptr;
    if (!input.ct || (!calculated && !planned)) return nullptr;
    const Grid grid = display_grid((planned ? *planned : *calculated).gy.grid);
    const double maximum =
        std::max({planned ? largest(*planned) : 0.0, calculated ? largest(*calculated) : 0.0, 1e-6});
    const auto hu_counts = [](double hu) {
        return std::clamp(std::round(255 * (hu - lowest_hu) / (highest_hu - lowest_hu)), 0.0, 255.0);
    };
    json volumes = {{"size", grid.size},
                    {"spacing_mm", vector_json(grid.spacing_mm)},
                    {"origin_mm", vector_json(grid.origin_mm)},
                    {"ct",
                     {{"data", packed(sampled<std::uint8_t>(input.ct->hu, grid, lowest_hu, hu_counts))},
                      {"lower", lowest_hu},
                      {"upper", highest_hu}}}};
    if (input.plan && !input.plan->beams.empty())
        volumes["isocentre_mm"] = vector_json(input.plan->beams.front().control_points.front().isocentre_mm);
    if (planned) volumes["planned"] = dose_volume(*planned, grid, maximum / 60000);
    if (calculated) volumes["calculated"] = dose_volume(*calculated, grid, maximum / 60000);
    if (planned && calculated) volumes["difference"] = difference_volume(*planned, *calculated, grid);
    if (result.gamma_map) volumes["gamma"] = gamma_volume(*result.gamma_map, grid);
    return volumes;
}

}  // namespace libdose::check
