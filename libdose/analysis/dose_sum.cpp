// Sums, differences and multiples of doses, with what they are and how they came about.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/text.h"
#include "libdose/comparable.h"
#include "libdose/error.h"

namespace libdose {
namespace {

/// Grids are the same when no voxel of one lies farther than this part of a voxel from its counterpart:
/// RTDOSE rounds positions.
constexpr double same_voxel = 1e-3;
/// A voxel centre counts as covered up to this part of a voxel beyond the faces.
constexpr double edge_rounding = 1e-6;

bool same_grid(const Grid& one, const Grid& other) {
    if (one.size != other.size) return false;
    const Vec3 last_one = one.centre_mm(one.size[0] - 1, one.size[1] - 1, one.size[2] - 1);
    const Vec3 last_other = other.centre_mm(other.size[0] - 1, other.size[1] - 1, other.size[2] - 1);
    const auto close = [&](const Vec3& a, const Vec3& b) {
        return ((a - b).cwiseAbs().array() <= same_voxel * one.spacing_mm.array()).all();
    };
    return close(one.origin_mm, other.origin_mm) && close(last_one, last_other);
}

/// Voxels [first, end) of `grid` along an axis whose centres lie within the other grid's voxels.
std::array<int, 2> covered(const Grid& grid, const Grid& other, int axis) {
    const auto a = static_cast<std::size_t>(axis);
    const double rounding = edge_rounding * other.spacing_mm[axis];
    const double low = other.lower_edge_mm()[axis] - rounding, high = other.upper_edge_mm()[axis] + rounding;
    const double first = std::ceil((low - grid.origin_mm[axis]) / grid.spacing_mm[axis]);
    const double last = std::floor((high - grid.origin_mm[axis]) / grid.spacing_mm[axis]);
    return {static_cast<int>(std::clamp(first, 0.0, static_cast<double>(grid.size[a]))),
            static_cast<int>(std::clamp(last + 1, 0.0, static_cast<double>(grid.size[a])))};
}

/// The part of `grid` that the other covers too.
Grid common_part(const Grid& grid, const Grid& other) {
    Grid part = grid;
    for (int axis = 0; axis < 3; ++axis) {
        const auto [first, end] = covered(grid, other, axis);
        if (end <= first) throw bad_input("the doses have no voxel in common", "grids of the doses");
        part.size[static_cast<std::size_t>(axis)] = end - first;
        part.origin_mm[axis] = grid.origin_mm[axis] + first * grid.spacing_mm[axis];
    }
    return part;
}

Grid grid_of_sum(const std::vector<const Dose*>& doses, SumGrid choice) {
    const Grid& first = doses.front()->gy.grid;
    Grid grid = first;
    for (const Dose* dose : doses) {
        if (same_grid(first, dose->gy.grid)) continue;
        if (choice == SumGrid::same)
            throw bad_input("the doses are on different grids", "grids of the doses",
                            "Allow interpolation: on the grid of the first dose (--grid first), or on the "
                            "part of it that all cover (--grid common)");
        grid = common_part(grid, dose->gy.grid);
    }
    if (choice == SumGrid::first && grid.size != first.size)
        throw bad_input(
            "a dose does not cover the grid of the first", "grids of the doses",
            "Give the dose of the smallest grid first, or take the part that all cover (--grid common)");
    return grid;
}

void add_weighted(std::vector<double>& sum, const Grid& grid, const Dose& dose, double weight) {
    if (same_grid(grid, dose.gy.grid)) {
        for (std::size_t v = 0; v < sum.size(); ++v)
            sum[v] += weight * static_cast<double>(dose.gy.values[v]);
        return;
    }
    // A centre on a face may lie a rounding beyond it: it takes the value of the outermost voxel.
    const Grid& source = dose.gy.grid;
    const Vec3 first = source.lower_edge_mm() + edge_rounding * source.spacing_mm,
               last = source.upper_edge_mm() - edge_rounding * source.spacing_mm;
    std::size_t v = 0;
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i, ++v)
                sum[v] +=
                    weight * interpolate(dose.gy, grid.centre_mm(i, j, k).cwiseMax(first).cwiseMin(last));
}

void check_doses(const std::vector<const Dose*>& doses, const std::vector<double>& weights) {
    if (doses.empty()) throw bad_input("there is no dose to add", "sum of doses");
    if (!weights.empty() && weights.size() != doses.size())
        throw bad_input(std::to_string(weights.size()) + " weights are given for " +
                            std::to_string(doses.size()) + " doses",
                        "sum of doses");
    for (const double weight : weights)
        if (!std::isfinite(weight)) throw bad_input("a weight is not a finite number", "sum of doses");
    for (const Dose* dose : doses) {
        dose->gy.grid.check("dose to add");
        if (dose->gy.values.size() != dose->gy.grid.voxel_count())
            throw bad_input("the number of values and the grid disagree", "dose to add");
        if (dose->type != "ERROR") check_physical(*dose, "to be added");
    }
}

/// Throws unless the two say that they are of one patient and the same sort of dose.
void check_pair(const Dose& first, const Dose& other) {
    check_same_frame(first.frame_of_reference_uid, other.frame_of_reference_uid, "the doses to add");
    if (!first.patient_id.empty() && !other.patient_id.empty() && first.patient_id != other.patient_id)
        throw bad_input("the doses to add are of patients " + first.patient_id + " and " + other.patient_id,
                        "(0010,0020) Patient ID");
    if (is_whole_course(first) != is_whole_course(other) ||
        (!is_whole_course(first) && first.summation != other.summation))
        throw bad_input(
            "doses of summation types " + to_string(first.summation) + " and " + to_string(other.summation) +
                " are added",
            "(3004,000a) Dose Summation Type",
            "Multiply the dose of one fraction by their number first: `dose sum FILE --fractions N`");
    if (!is_whole_course(first) && first.fractions && other.fractions && *first.fractions != *other.fractions)
        throw bad_input("doses of " + std::to_string(*first.fractions) + " and of " +
                            std::to_string(*other.fractions) + " fractions are added",
                        "sum of doses", "Multiply the dose of one fraction by their number first");
    if (first.plane != other.plane) throw bad_input("a plane and a volume are added", "sum of doses");
}

void merge_text(std::string& to, const std::string& from) {
    if (from.empty() || from == to) return;
    if (to.empty())
        to = from;
    else if (("; " + to + ";").find("; " + from + ";") == std::string::npos)
        to += "; " + from;
}

void merge(Provenance& to, const Provenance& from) {
    for (const auto text : {&Provenance::engine_version, &Provenance::engine, &Provenance::backend,
                            &Provenance::hu_curve_name, &Provenance::hu_curve_hash})
        merge_text(to.*text, from.*text);
    for (const auto& [key, value] : from.model_hashes) merge_text(to.model_hashes[key], value);
    for (const auto& [key, value] : from.settings) merge_text(to.settings[key], value);
    for (const auto& [key, value] : from.input_uids) merge_text(to.input_uids[key], value);
    for (const std::string& line : from.gate)
        if (std::find(to.gate.begin(), to.gate.end(), line) == to.gate.end()) to.gate.push_back(line);
}

/// "1 x dose UID + -0.5 x plan UID"
std::string formula(const std::vector<const Dose*>& doses, const std::vector<double>& weights) {
    std::string text;
    for (std::size_t n = 0; n < doses.size(); ++n) {
        const Dose& dose = *doses[n];
        const auto made_of = dose.provenance.settings.find("sum");
        const std::string what = made_of != dose.provenance.settings.end() ? "(" + made_of->second + ")"
                                 : !dose.sop_instance_uid.empty()          ? "dose " + dose.sop_instance_uid
                                 : !dose.referenced_plan_uid.empty()
                                     ? "dose of plan " + dose.referenced_plan_uid
                                     : "dose " + std::to_string(n + 1);
        text += (n ? " + " : "") + short_number(weights[n]) + " x " + what;
    }
    return text;
}

/// Header of the sum: that of the first dose, less whatever differs between the doses.
Dose header_of_sum(const std::vector<const Dose*>& doses) {
    const Dose& first = *doses.front();
    Dose sum = first;
    sum.gy = {};
    sum.sop_instance_uid.clear();
    std::set<std::string> plans;
    for (const Dose* dose : doses) {
        check_pair(first, *dose);
        if (sum.frame_of_reference_uid.empty()) sum.frame_of_reference_uid = dose->frame_of_reference_uid;
        if (sum.patient_id.empty()) sum.patient_id = dose->patient_id;
        if (dose->fractions != sum.fractions) sum.fractions.reset();
        if (dose->beam_number != sum.beam_number) sum.beam_number = 0;
        if (dose->comment != sum.comment) sum.comment.clear();
        if (dose->type == "ERROR") sum.type = "ERROR";
        if (dose->medium != sum.medium)
            sum.provenance.settings["sum_media"] = "dose to medium and dose to water";
        if (dose->referenced_structure_set_uid != sum.referenced_structure_set_uid)
            sum.referenced_structure_set_uid.clear();
        if (dose->summation == DoseSummation::multi_plan) sum.summation = DoseSummation::multi_plan;
        if (!dose->referenced_plan_uid.empty()) plans.insert(dose->referenced_plan_uid);
        plans.insert(dose->further_plan_uids.begin(), dose->further_plan_uids.end());
        if (dose != &first) merge(sum.provenance, dose->provenance);
    }
    if (plans.size() > 1 && !is_whole_course(first))
        throw bad_input("doses of one fraction of different plans are added", "sum of doses",
                        "Add whole courses");
    if (sum.referenced_plan_uid.empty() && !plans.empty()) sum.referenced_plan_uid = *plans.begin();
    plans.erase(sum.referenced_plan_uid);
    sum.further_plan_uids.assign(plans.begin(), plans.end());
    if (plans.empty()) return sum;
    sum.summation = DoseSummation::multi_plan;
    sum.fractions.reset();
    return sum;
}

}  // namespace

std::string to_string(DoseSummation summation) {
    switch (summation) {
        case DoseSummation::plan:
            return "PLAN";
        case DoseSummation::fraction:
            return "FRACTION";
        case DoseSummation::beam:
            return "BEAM";
        case DoseSummation::multi_plan:
            return "MULTI_PLAN";
    }
    throw internal_error("dose summation without a name");
}

DoseSummation dose_summation_from_string(const std::string& text, const std::string& where) {
    for (const DoseSummation s :
         {DoseSummation::plan, DoseSummation::fraction, DoseSummation::beam, DoseSummation::multi_plan})
        if (to_string(s) == text) return s;
    throw bad_input("unknown dose summation \"" + text + "\"", where,
                    "It is PLAN, FRACTION, BEAM or MULTI_PLAN");
}

void require_dose_type(const std::string& type, const std::string& where) {
    if (type != "PHYSICAL" && type != "EFFECTIVE" && type != "ERROR")
        throw bad_input("dose type " + type + " is not known", where, "It is PHYSICAL, EFFECTIVE or ERROR");
}

std::string to_string(SumGrid grid) {
    return grid == SumGrid::same ? "same" : grid == SumGrid::first ? "first" : "common";
}

SumGrid sum_grid_from_string(const std::string& text) {
    for (const SumGrid g : {SumGrid::same, SumGrid::first, SumGrid::common})
        if (to_string(g) == text) return g;
    throw bad_input("unknown grid of a sum \"" + text + "\"", {}, "It is same, first or common");
}

std::vector<double> dose_at(const Dose& dose, const std::vector<Vec3>& points_mm) {
    std::vector<double> values(points_mm.size());
    std::transform(points_mm.begin(), points_mm.end(), values.begin(), [&](const Vec3& point) {
        return interpolate(dose.gy, point, std::numeric_limits<double>::quiet_NaN());
    });
    return values;
}

Dose sum_of_doses(const std::vector<const Dose*>& doses, const std::vector<double>& weights, SumGrid choice) {
    check_doses(doses, weights);
    const std::vector<double> factors = weights.empty() ? std::vector<double>(doses.size(), 1.0) : weights;
    Dose sum = header_of_sum(doses);
    if (std::any_of(factors.begin(), factors.end(), [](double w) { return w < 0; })) sum.type = "ERROR";
    sum.gy.grid = grid_of_sum(doses, choice);
    std::vector<double> values(sum.gy.grid.voxel_count(), 0.0);
    for (std::size_t n = 0; n < doses.size(); ++n) add_weighted(values, sum.gy.grid, *doses[n], factors[n]);
    sum.gy.values.assign(values.begin(), values.end());
    if (!std::all_of(sum.gy.values.begin(), sum.gy.values.end(), [](float v) { return std::isfinite(v); }))
        throw bad_input("a value of the sum is not a finite number", "sum of doses");
    sum.provenance.settings["sum"] = formula(doses, factors);
    if (choice != SumGrid::same)
        sum.provenance.settings["sum_grid"] = to_string(choice) + ": other grids interpolated";
    return sum;
}

Dose difference_of_doses(const Dose& a, const Dose& b, SumGrid grid) {
    return sum_of_doses({&a, &b}, {1, -1}, grid);
}

Dose scaled_dose(const Dose& dose, double factor) { return sum_of_doses({&dose}, {factor}); }

Dose whole_course(const Dose& dose, int fractions) {
    if (fractions < 1)
        throw bad_input("the number of fractions is " + std::to_string(fractions), "dose of a whole course");
    if (is_whole_course(dose))
        throw bad_input("the dose is that of a whole course already",
                        to_string(dose.summation) + " dose, (3004,000a) Dose Summation Type");
    if (dose.fractions.value_or(1) != 1)
        throw bad_input("the dose includes " + std::to_string(*dose.fractions) + " fractions already",
                        to_string(dose.summation) + " dose");
    Dose course = scaled_dose(dose, fractions);
    course.fractions = fractions;
    if (dose.summation == DoseSummation::fraction) course.summation = DoseSummation::plan;
    return course;
}

}  // namespace libdose
