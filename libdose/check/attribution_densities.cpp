#include "check/attribution_densities.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "libdose/couch.h"

namespace libdose::check {

namespace {

// Ends of the ranges, HU: inflated to collapsed lung; fat to muscle; spongy bone and denser.
constexpr double lung_end = -300, soft_begin = -100, soft_end = 100, bone_begin = 300;

constexpr double air = 0.0012;  // relative to water

double ramp(double from, double to, double begin, double end, double hu) {
    return from + (to - from) * std::clamp((hu - begin) / (end - begin), 0.0, 1.0);
}

double factor(double hu, const Eigen::VectorXd& percent) {
    const double scaled = hu < soft_end ? ramp(percent[0], percent[1], lung_end, soft_begin, hu)
                                        : ramp(percent[1], percent[2], soft_end, bone_begin, hu);
    return 1 + 0.01 * scaled;
}

bool is_support(const Structure& structure) {
    return structure.type == "SUPPORT" && !structure.contours.empty();
}

bool has_override(const Structure& structure) {
    return structure.type != "SUPPORT" && !structure.contours.empty() &&
           (structure.relative_mass_density || structure.relative_electron_density ||
            !structure.material.empty());
}

void take_overrides_out(StructureSet& set) {
    for (Structure& structure : set.structures) {
        if (structure.type == "SUPPORT") continue;
        structure.relative_mass_density.reset();
        structure.relative_electron_density.reset();
        structure.material.clear();
    }
}

/// Makes air of all supports. They keep their room.
void make_air(StructureSet& set) {
    for (Structure& structure : set.structures) {
        if (!is_support(structure)) continue;
        structure.relative_mass_density = air;
        structure.relative_electron_density.reset();
        structure.material.clear();
    }
}

PatientChange no_couch() {
    PatientChange change{"couch", "couch left out of the planned dose", {}};
    change.change.structures = make_air;
    return change;
}

/// Couches differ in how much they attenuate, hardly in how: one stands for all.
PatientChange couch(const std::string& name, const CheckInput& input, const CheckOptions& options) {
    PatientChange change{"couch", "couch under the patient that the calculation lacks", {}, name};
    change.change.structures = [name, &input, &options](StructureSet& set) {
        insert_couch(set, *input.ct, input.plan->position, read_couch(name), options.couch_top_mm,
                     options.couch_lateral_mm.value_or(0));
    };
    change.change.structures_without = [with = change.change.structures](StructureSet& set) {
        with(set);
        make_air(set);
    };
    return change;
}

}  // namespace

HuCurve scaled_curve(const HuCurve& curve, const Eigen::VectorXd& percent) {
    std::set<double> nodes(curve.hu().begin(), curve.hu().end());
    for (const double end : {lung_end, soft_begin, soft_end, bone_begin})
        if (end > curve.lowest_hu() && end < curve.highest_hu()) nodes.insert(end);
    std::vector<double> hu(nodes.begin(), nodes.end()), density;
    std::transform(hu.begin(), hu.end(), std::back_inserter(density),
                   [&](double h) { return curve.density(h) * factor(h, percent); });
    return HuCurve(curve.name() + ", scaled", std::move(hu), std::move(density));
}

std::vector<PatientChange> patient_changes(const CheckInput& input, const CheckOptions& options) {
    std::vector<PatientChange> changes;
    const HuCurve& used = options.engine.hu_curve;
    for (const std::string& name : hu_curve_names()) {
        HuCurve other = read_hu_curve(name);
        if (other.hu() == used.hu() && other.densities() == used.densities()) continue;
        PatientChange change{"HU table", fmt::format("HU table {} instead of {}", name, used.name()), {}};
        change.change.hu_curve = std::move(other);
        changes.push_back(std::move(change));
    }
    const std::vector<Structure>& structures = input.structures->structures;
    const std::vector<std::string> couches = couch_names();
    if (std::any_of(structures.begin(), structures.end(), is_support))
        changes.push_back(no_couch());
    else if (!couches.empty())
        changes.push_back(couch(couches.back(), input, options));
    if (!options.engine.overrides.empty() ||
        std::any_of(structures.begin(), structures.end(), has_override)) {
        PatientChange change{"overrides", "density overrides left out of the planned dose", {}};
        change.change.structures = take_overrides_out;
        change.change.without_overrides = true;
        changes.push_back(std::move(change));
    }
    return changes;
}

}  // namespace libdose::check
