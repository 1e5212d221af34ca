#include "engine/small_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backend/backend.h"
#include "base/text.h"
#include "fluence/aperture.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/fluence_plan.h"

namespace libdose {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double finest_grid_mm = 0.5;
constexpr double narrow_for_pixels_mm =
    12;                                // below: pixels of 1 mm take up to 5 % off the dose in the middle
constexpr double counting_part = 0.1;  // of the fluence of the beam

/// Rectangle outside of which jaws and leaves leave nothing open while MU are given.
Rect opening_bounds(const Beam& beam, double radius_mm) {
    Rect bounds = Rect::nothing();
    for (std::size_t i = 0; i + 1 < beam.control_points.size(); ++i) {
        if (!(beam.segment_mu(static_cast<int>(i)) > 0)) continue;
        for (const std::size_t end : {i, i + 1}) {
            const auto box = opening_mm(beam, beam.control_points[end], radius_mm);
            if (!box) continue;
            bounds = bounds.around(*box);
        }
    }
    return bounds;
}

/// What the devices let through over the whole beam, times MU.
FluenceMap summed_opening(const Beam& beam, const HeadModel& head, const Rect& bounds) {
    FluenceOptions options;
    options.travel_mm = 2;
    options.sub_arc_deg = 360;
    const FluencePlan plan(beam, PatientPosition::hfs, head, options);
    std::vector<WeightedAperture> apertures;
    for (std::size_t n = 0; n < plan.size(); ++n)
        for (WeightedAperture& aperture : plan.apertures(n)) apertures.push_back(std::move(aperture));
    // What moves over a wide field needs no sharp edges.
    constexpr double wide_mm = 60;
    constexpr std::size_t many = 20;
    const bool wide = std::max(bounds.width_u_mm(), bounds.width_v_mm()) > wide_mm;
    FluenceMap map;
    map.pixel_mm = !wide ? 0.5 : apertures.size() < many ? 1.0 : 2.0;
    map.size_u = static_cast<int>(std::ceil((bounds.width_u_mm()) / map.pixel_mm));
    map.size_v = static_cast<int>(std::ceil((bounds.width_v_mm()) / map.pixel_mm));
    map.lower_u_mm = bounds.low_u_mm;
    map.lower_v_mm = bounds.low_v_mm;
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), 0.0f);
    cpu_backend().add_apertures(map, DevicesOnRaster(map, plan.beam(), head, {}), apertures);
    return map;
}

/// A part of the plane that hangs together.
struct Part {
    double fluence = 0;
    std::size_t pixels = 0;
    std::vector<int> in_column, in_row;  ///< pixels
    /// The longest column or row, or what a strip as long as the longer of them would be wide.
    double width_pixels() const {
        const int u = *std::max_element(in_row.begin(), in_row.end()),
                  v = *std::max_element(in_column.begin(), in_column.end());
        return std::min<double>(std::min(u, v), static_cast<double>(pixels) / std::max(u, v));
    }
};

/// Takes the part around a pixel out of what is still open.
Part take_part(const FluenceMap& map, std::size_t first, std::vector<char>& open) {
    const auto columns = static_cast<std::size_t>(map.size_u);
    Part part;
    part.in_column.assign(columns, 0);
    part.in_row.assign(static_cast<std::size_t>(map.size_v), 0);
    std::vector<std::size_t> next{first};
    open[first] = 0;
    const auto visit = [&](std::size_t pixel) {
        if (!open[pixel]) return;
        open[pixel] = 0;
        next.push_back(pixel);
    };
    while (!next.empty()) {
        const std::size_t pixel = next.back(), u = pixel % columns, v = pixel / columns;
        next.pop_back();
        part.fluence += static_cast<double>(map.values[pixel]);
        ++part.pixels;
        ++part.in_column[u];
        ++part.in_row[v];
        if (u > 0) visit(pixel - 1);
        if (u + 1 < columns) visit(pixel + 1);
        if (v > 0) visit(pixel - columns);
        if (v + 1 < part.in_row.size()) visit(pixel + columns);
    }
    return part;
}

/// The beam with the narrowest opening.
struct Narrowest {
    const Beam* beam = nullptr;
    double mm = infinity;
};
Narrowest narrowest_of(const Plan& plan, const BeamModelProvider& models) {
    Narrowest narrowest;
    for (const Beam& beam : plan.beams)
        if (const double mm = narrowest_opening_mm(beam, models(beam).head); mm < narrowest.mm)
            narrowest = {&beam, mm};
    return narrowest;
}

/// Largest error, in percent, of the dose in the middle of an opening so many voxels wide, as measured in
/// water; 0: not more than two.
int expected_error_percent(double voxels) {
    struct Limit {
        double voxels;
        int percent;
    };
    for (const Limit limit : {Limit{2, 40}, Limit{2.6, 30}, Limit{3, 20}, Limit{3.5, 14}, Limit{4, 9},
                              Limit{4.8, 6}, Limit{6, 3}})
        if (voxels < limit.voxels - 1e-6) return limit.percent;
    return 0;
}

/// "the narrowest opening, of beam 1 "AP", is 9.5 mm wide, 1.9 voxels: ...".
std::string opening_words(const Beam& beam, double opening_mm, double spacing_mm) {
    const auto tenths = [](double value) { return short_number(0.1 * std::round(10 * value)); };
    const double voxels = opening_mm / spacing_mm;
    const int percent = expected_error_percent(voxels);
    std::string words = "the narrowest opening, of beam " + std::to_string(beam.number) + " \"" + beam.name +
                        "\", is " + tenths(opening_mm) + " mm wide";
    if (percent > 0)
        words += ", " + tenths(voxels) + " voxels: the dose in its middle may be off by up to " +
                 std::to_string(percent) + " %";
    return words;
}

/// Nobody stated a spacing, and no opening is narrow.
bool chosen_as_usual(const Grid& grid, double stated_mm) {
    return stated_mm == 0 && grid.spacing_mm.maxCoeff() == usual_grid_mm;
}

}  // namespace

double narrowest_part_mm(const FluenceMap& map) {
    const float largest = *std::max_element(map.values.begin(), map.values.end());
    std::vector<char> open(map.values.size());
    double fluence = 0;
    for (std::size_t p = 0; p < open.size(); ++p) {
        open[p] = map.values[p] > 0 && map.values[p] >= open_part * largest;
        if (open[p]) fluence += static_cast<double>(map.values[p]);
    }
    double narrowest = infinity;
    for (std::size_t p = 0; p < open.size(); ++p) {
        if (!open[p]) continue;
        const Part part = take_part(map, p, open);
        if (part.fluence >= counting_part * fluence)
            narrowest = std::min(narrowest, map.pixel_mm * part.width_pixels());
    }
    return narrowest;
}

double narrowest_opening_mm(const Beam& beam, const HeadModel& head) {
    const Rect bounds = opening_bounds(beam, head.maximum_field_radius_mm);
    const double side = std::min(bounds.width_u_mm(), bounds.width_v_mm());
    if (!(side > 0)) return infinity;
    if (beam.collimators.empty() && beam.blocks.empty()) return side;
    return narrowest_part_mm(summed_opening(beam, head, bounds));
}

double fluence_pixel_mm(const Beam& beam, const HeadModel& head, const Grid& grid, double stated_mm) {
    if (chosen_as_usual(grid, stated_mm)) return 1;
    return narrowest_opening_mm(beam, head) < narrow_for_pixels_mm ? 0.5 : 1.0;
}

double automatic_grid_mm(const Plan& plan, const BeamModelProvider& models, double box_mm3) {
    const double opening = narrowest_of(plan, models).mm;
    if (opening >= narrow_opening_mm) return usual_grid_mm;
    const auto tenths = [](double mm) { return static_cast<int>(std::floor(10 * mm + 1e-6)); };
    int spacing = std::max(tenths(finest_grid_mm), tenths(opening / voxels_across));
    while (spacing < tenths(usual_grid_mm) && box_mm3 > most_voxels * std::pow(0.1 * spacing, 3)) ++spacing;
    return 0.1 * spacing;
}

std::string small_field_note(const Plan& plan, const BeamModelProvider& models, const Grid& grid,
                             double stated_mm) {
    if (chosen_as_usual(grid, stated_mm)) return {};
    const Narrowest narrowest = narrowest_of(plan, models);
    if (!narrowest.beam) return {};
    const double spacing = grid.spacing_mm.maxCoeff();
    if (!(stated_mm == 0 && spacing < usual_grid_mm))
        return narrow_opening_note(*narrowest.beam, narrowest.mm, grid);
    return "dose grid refined from " + short_number(usual_grid_mm) + " to " + short_number(spacing) +
           " mm: " + opening_words(*narrowest.beam, narrowest.mm, spacing);
}

std::string narrow_opening_note(const Beam& beam, double opening_mm, const Grid& grid) {
    const double spacing = grid.spacing_mm.maxCoeff();
    if (expected_error_percent(opening_mm / spacing) == 0) return {};
    return "small field: " + opening_words(beam, opening_mm, spacing);
}

}  // namespace libdose
