// Whether the plan's beams are what it says: their number, monitor units and isocentres.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/text.h"
#include "check/integrity_parts.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

using Rows = std::vector<Row>;

/// Set-up and portal image beams are not.
bool is_treatment(const std::string& type) {
    return type.empty() || type == "TREATMENT" || type == "CONTINUATION";
}

bool is_treatment(const IntegrityContext& context, int number) {
    const auto found = context.plan_facts().beam_types.find(number);
    return found == context.plan_facts().beam_types.end() || is_treatment(found->second);
}

std::string numbers(const std::vector<int>& list) {
    return list_of(list, [](int number) { return std::to_string(number); });
}

std::string beams_text(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " beam" : " beams");
}

/// Treatment beams that no fraction group delivers.
std::vector<int> undelivered(const IntegrityContext& context) {
    std::set<int> listed;
    for (const io::FractionGroupFacts& group : context.plan_facts().fraction_groups)
        listed.insert(group.beams.begin(), group.beams.end());
    std::vector<int> left;
    for (const auto& [number, type] : context.plan_facts().beam_types)
        if (is_treatment(type) && !listed.contains(number)) left.push_back(number);
    return left;
}

Rows count_rows(const IntegrityContext& context, const Row& blank) {
    const io::FractionGroupFacts& group = context.fraction_group();
    std::vector<int> absent, treating;
    for (const int number : group.beams) {
        if (!context.plan_facts().beam_types.contains(number)) absent.push_back(number);
        if (is_treatment(context, number)) treating.push_back(number);
    }
    const std::string stated = "the fraction group states " +
                               beams_text(static_cast<std::size_t>(group.stated_beams)) + " and lists " +
                               std::to_string(group.beams.size());
    if (static_cast<std::size_t>(group.stated_beams) != group.beams.size())
        return {judged(blank, Verdict::fail, stated)};
    if (std::set<int>(group.beams.begin(), group.beams.end()).size() != group.beams.size())
        return {
            judged(blank, Verdict::fail, "the fraction group lists a beam twice: " + numbers(group.beams))};
    if (!absent.empty())
        return {judged(blank, Verdict::fail,
                       "the fraction group lists beams that the plan does not have: " + numbers(absent))};
    const std::size_t delivered = context.plan().beams.size();
    if (delivered != treating.size())
        return {judged(blank, Verdict::look,
                       beams_text(delivered) + " of " + std::to_string(treating.size()) +
                           " treatment beams have a dose that can be calculated")};
    if (const std::vector<int> left = undelivered(context); !left.empty())
        return {judged(blank, Verdict::look, "beams that no fraction group delivers: " + numbers(left))};
    return {passed(blank, beams_text(group.beams.size()), std::to_string(delivered) + " deliver dose")};
}

Rows mu_rows(const IntegrityContext& context, const Row& blank) {
    const io::FractionGroupFacts& group = context.fraction_group();
    std::vector<int> without;
    double sum_mu = 0;
    for (const int number : group.beams) {
        if (!is_treatment(context, number)) continue;
        const auto mu = group.beam_mu.find(number);
        if (mu == group.beam_mu.end() || !(mu->second > 0))
            without.push_back(number);
        else
            sum_mu += mu->second;
    }
    if (!without.empty())
        return {judged(blank, Verdict::fail, "treatment beams without monitor units: " + numbers(without))};
    if (sum_mu == 0) throw bad_input("the fraction group delivers no treatment beam");
    return {passed(blank, decimal_text(sum_mu) + " MU a fraction")};
}

Rows setup_rows(const IntegrityContext& context, const Row& blank) {
    const io::FractionGroupFacts& group = context.fraction_group();
    std::vector<int> setup, with_mu;
    for (const auto& [number, type] : context.plan_facts().beam_types) {
        if (is_treatment(type)) continue;
        setup.push_back(number);
        const auto mu = group.beam_mu.find(number);
        if (mu != group.beam_mu.end() && mu->second > 0) with_mu.push_back(number);
    }
    if (!with_mu.empty())
        return {judged(
            blank, Verdict::look,
            "set-up or imaging beams with monitor units, which are not calculated: " + numbers(with_mu))};
    return {passed(blank, "beams " + numbers(setup))};
}

/// An isocentre and the beams that have it.
struct Isocentre {
    Vec3 position_mm;
    std::vector<int> beams;
};

constexpr double same_point_mm = 0.01;  // half of the last digit that planning systems write

std::vector<Isocentre> isocentres(const Plan& plan) {
    std::vector<Isocentre> found;
    for (const Beam& beam : plan.beams)
        for (const ControlPoint& point : beam.control_points) {
            auto same = std::find_if(found.begin(), found.end(), [&](const Isocentre& one) {
                return (one.position_mm - point.isocentre_mm).norm() < same_point_mm;
            });
            if (same == found.end()) same = found.insert(found.end(), {point.isocentre_mm, {}});
            if (same->beams.empty() || same->beams.back() != beam.number) same->beams.push_back(beam.number);
        }
    return found;
}

std::string position_text(const Vec3& p) {
    return "(" + decimal_text(p[0]) + ", " + decimal_text(p[1]) + ", " + decimal_text(p[2]) + ") mm";
}

/// Distance of a point from a polygon of its plane; 0 inside.
double distance_in_plane_mm(const std::vector<Vec3>& points, const Vec3& from) {
    const Eigen::Vector2d p = from.head<2>();
    double nearest = std::numeric_limits<double>::infinity();
    bool inside = false;
    for (std::size_t i = 0, j = points.size() - 1; i < points.size(); j = i++) {
        const Eigen::Vector2d a = points[i].head<2>(), b = points[j].head<2>(), along = b - a;
        const double length2 = along.squaredNorm();
        const double t = length2 > 0 ? std::clamp((p - a).dot(along) / length2, 0.0, 1.0) : 0.0;
        nearest = std::min(nearest, (p - a - t * along).norm());
        if ((a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0] + (p[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
            inside = !inside;
    }
    return inside ? 0 : nearest;
}

double distance_mm(const Structure& structure, const Vec3& from) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const Contour& contour : structure.contours) {
        if (contour.points_mm.empty()) continue;
        const double along_z = from[2] - contour.points_mm.front()[2];
        nearest = std::min(nearest, std::hypot(distance_in_plane_mm(contour.points_mm, from), along_z));
    }
    return nearest;
}

/// Whether more than half of a cubic millimetre round the point is in the structure.
bool holds(const Structure& structure, const Vec3& point) {
    Grid grid;
    grid.size = {1, 1, 1};
    grid.spacing_mm = Vec3::Ones();
    grid.origin_mm = point;
    return coverage_mask(structure, grid).values.front() > 0.5f;
}

Rows inside_rows(const IntegrityContext& context, const Row& blank) {
    const Structure& body = context.body();
    Rows rows;
    for (const Isocentre& one : isocentres(context.plan())) {
        Row row = blank;
        row.subject = "isocentre " + position_text(one.position_mm);
        if (holds(body, one.position_mm)) {
            rows.push_back(passed(row));
            continue;
        }
        const double away_mm = distance_mm(body, one.position_mm);
        row.value = away_mm;
        row.unit = "mm";
        rows.push_back(judged(row, Verdict::look,
                              "the isocentre of beams " + numbers(one.beams) + " is outside the body, " +
                                  decimal_text(away_mm, 1) + " mm from its contours"));
    }
    return rows;
}

Rows isocentre_rows(const IntegrityContext& context, const Row& blank) {
    const std::vector<Isocentre> all = isocentres(context.plan());
    if (all.empty()) throw bad_input("the plan has no beam that delivers dose");
    const std::string list = list_of(all, [](const Isocentre& one) {
        return position_text(one.position_mm) + " of beams " + numbers(one.beams);
    });
    if (all.size() == 1) return {passed(blank, position_text(all.front().position_mm))};
    return {
        judged(blank, Verdict::look, "the plan has " + std::to_string(all.size()) + " isocentres: " + list)};
}

}  // namespace

std::vector<IntegrityPart> beam_parts() {
    return {{"beam-count", "Number of beams", count_rows},
            {"beam-mu", "Every treatment beam has monitor units", mu_rows},
            {"setup-beams", "Set-up and imaging beams deliver nothing", setup_rows},
            {"isocentre-count", "One isocentre", isocentre_rows},
            {"isocentre-in-body", "Isocentre inside the body", inside_rows}};
}

}  // namespace libdose::check
