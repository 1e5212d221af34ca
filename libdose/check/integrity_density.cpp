// Whether the HU table covers the CT inside the body.
#include <algorithm>
#include <cmath>

#include "check/integrity_parts.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

// CT noise in air reaches below the end of a table; lung that the table does not reach lies farther below.
constexpr double noise_hu = 50;
constexpr double noticed_cm3 = 0.1;  // below the table: smaller parts are streaks

/// The slices of a volume that lie between two z.
Volume<float> slices_between(const Volume<float>& volume, double lower_mm, double upper_mm) {
    const Grid& grid = volume.grid;
    const auto slice = [&](double z) {
        return static_cast<int>(std::lround((z - grid.origin_mm[2]) / grid.spacing_mm[2]));
    };
    const int first = std::clamp(slice(lower_mm), 0, grid.size[2] - 1);
    const int last = std::clamp(slice(upper_mm), first, grid.size[2] - 1);
    Volume<float> part;
    part.grid = grid;
    part.grid.size[2] = last - first + 1;
    part.grid.origin_mm[2] += first * grid.spacing_mm[2];
    const auto begin = volume.values.begin() + static_cast<std::ptrdiff_t>(grid.index(0, 0, first));
    part.values.assign(begin, begin + static_cast<std::ptrdiff_t>(part.grid.voxel_count()));
    return part;
}

/// The slices that the body has contours near.
Volume<float> slices_of_body(const Volume<float>& hu, const Structure& body) {
    double lower_mm = hu.grid.upper_edge_mm()[2], upper_mm = hu.grid.lower_edge_mm()[2];
    for (const Contour& contour : body.contours)
        for (const Vec3& point : contour.points_mm) {
            lower_mm = std::min(lower_mm, point[2]);
            upper_mm = std::max(upper_mm, point[2]);
        }
    const double margin_mm = body.plane_spacing_mm;
    return slices_between(hu, lower_mm - margin_mm, upper_mm + margin_mm);
}

struct OutsideTable {
    std::size_t below = 0, above = 0;
    double lowest_hu = 0, highest_hu = 0;
};

OutsideTable outside_table(const Volume<float>& hu, const Volume<float>& body, const HuCurve& curve) {
    OutsideTable found;
    for (std::size_t v = 0; v < hu.values.size(); ++v) {
        if (!(body.values[v] > 0.5f)) continue;
        const double value = static_cast<double>(hu.values[v]);
        found.lowest_hu = std::min(found.lowest_hu, value);
        found.highest_hu = std::max(found.highest_hu, value);
        if (value < curve.lowest_hu() - noise_hu) ++found.below;
        if (value > curve.highest_hu()) ++found.above;
    }
    return found;
}

std::string count_text(std::size_t voxels, const Grid& grid) {
    return std::to_string(voxels) + " CT voxels (" +
           decimal_text(static_cast<double>(voxels) * grid.voxel_volume_cm3()) + " cm3)";
}

std::vector<Row> table_rows(const IntegrityContext& context, const Row& blank) {
    const HuCurve& curve = context.options.engine.hu_curve;
    const Volume<float> hu = slices_of_body(context.ct().hu, context.body());
    const OutsideTable found = outside_table(hu, coverage_mask(context.body(), hu.grid), curve);
    const std::string table = "HU table \"" + curve.name() + "\", " + decimal_text(curve.lowest_hu(), 0) +
                              " to " + decimal_text(curve.highest_hu(), 0) + " HU";
    const std::string range =
        decimal_text(found.lowest_hu, 0) + " to " + decimal_text(found.highest_hu, 0) + " HU in the body";
    std::string reason;
    if (found.above > 0) reason = count_text(found.above, hu.grid) + " are above its end";
    if (static_cast<double>(found.below) * hu.grid.voxel_volume_cm3() > noticed_cm3)
        reason += (reason.empty() ? "" : " and ") + count_text(found.below, hu.grid) + " are more than " +
                  decimal_text(noise_hu, 0) + " HU below its start";
    Row row = passed(blank, table, range);
    if (reason.empty()) return {row};
    return {judged(row, Verdict::look,
                   "the CT leaves the " + table + " inside the body: " + reason +
                       "; they have the density at the end of the table")};
}

}  // namespace

std::vector<IntegrityPart> density_parts() {
    return {{"hu-table", "HU table covers the CT in the body", table_rows}};
}

}  // namespace libdose::check
