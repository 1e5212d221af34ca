// Whether the planned dose's grid reaches as far as targets and dose do.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "check/integrity_parts.h"
#include "libdose/comparable.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

using Rows = std::vector<Row>;

constexpr double allowed_outside = 1e-3;  // of a target's volume: rounding of its end planes
constexpr double noticed_dose = 0.1;      // of the maximum, at the edge of the grid inside the body

Rows target_rows(const IntegrityContext& context, const Row& blank) {
    const Dose& planned = context.planned();
    const std::vector<const Structure*> targets = context.targets();
    if (targets.empty()) throw bad_input("there is no target with contours");
    Rows rows;
    for (const Structure* target : targets) {
        Row row = blank;
        row.subject = target->name;
        try {
            const DoseVolumeHistogram histogram = dose_volume_histogram(planned, *target);
            const double percent = 100 * histogram.volume_outside_cm3 / histogram.volume_cm3;
            rows.push_back(percent <= 100 * allowed_outside
                               ? passed(row)
                               : judged(row, Verdict::fail,
                                        "the dose grid cuts " + target->name + ": " +
                                            decimal_text(percent, 1) + " % of its " +
                                            decimal_text(histogram.volume_cm3, 1) +
                                            " cm3 are outside. Export the dose on a larger grid"));
        } catch (const Error& error) {
            const bool outside = error.problem().find("outside the dose grid") != std::string::npos;
            rows.push_back(judged(row, outside ? Verdict::fail : Verdict::not_checked, error.what()));
        }
    }
    return rows;
}

/// Largest dose of the outermost voxels of one side behind which, outside the grid, the body goes on.
float largest_cut_gy(const Volume<float>& dose, const Structure& body, std::size_t axis, bool upper) {
    const int a = static_cast<int>(axis), outermost = upper ? dose.grid.size[axis] - 1 : 0;
    Grid behind = dose.grid;  // one layer of voxels
    behind.size[axis] = 1;
    behind.origin_mm[a] += (upper ? outermost + 1 : -1) * dose.grid.spacing_mm[a];
    const Volume<float> mask = coverage_mask(body, behind);
    float largest = 0;
    for (int k = 0; k < behind.size[2]; ++k)
        for (int j = 0; j < behind.size[1]; ++j)
            for (int i = 0; i < behind.size[0]; ++i) {
                if (!(mask.at(i, j, k) > 0.5f)) continue;
                std::array<int, 3> at{i, j, k};
                at[axis] = outermost;
                largest = std::max(largest, dose.at(at[0], at[1], at[2]));
            }
    return largest;
}

Rows body_rows(const IntegrityContext& context, const Row& blank) {
    const Volume<float>& dose = context.planned().gy;
    const Structure& body = context.body();
    const float maximum = *std::max_element(dose.values.begin(), dose.values.end());
    if (!(maximum > 0)) throw bad_input("the planned dose is zero everywhere");
    float cut = 0;
    for (std::size_t axis = 0; axis < 3; ++axis)
        for (const bool upper : {false, true}) cut = std::max(cut, largest_cut_gy(dose, body, axis, upper));
    const double percent = 100.0 * static_cast<double>(cut / maximum);
    if (percent <= 100 * noticed_dose) return {passed(blank)};
    return {judged(blank, Verdict::look,
                   "the dose grid ends inside the body where the dose is still " + decimal_text(percent, 0) +
                       " % of its maximum")};
}

}  // namespace

std::vector<IntegrityPart> dose_grid_parts() {
    return {{"dose-grid-target", "Dose grid holds the target", target_rows},
            {"dose-grid-body", "Dose grid holds the dose in the body", body_rows}};
}

}  // namespace libdose::check
