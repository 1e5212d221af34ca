#include "commissioning/fit_data.h"

#include <algorithm>
#include <cmath>

#include "fluence/head_equations.h"

namespace libdose::commission {

namespace {

bool by_depth(const MeasuredCurve& curve) {
    return curve.kind == CurveKind::depth_dose || curve.kind == CurveKind::tissue_phantom_ratio;
}

/// Value at a position from the straight line through the points within `reach`: takes noise out where the
/// curve is smooth.
double smoothed(const MeasuredCurve& curve, double position, double reach) {
    double s0 = 0, sx = 0, sxx = 0, sy = 0, sxy = 0;
    for (std::size_t i = 0; i < curve.position_mm.size(); ++i) {
        const double x = curve.position_mm[i] - position;
        if (std::abs(x) > reach + 1e-9) continue;
        s0 += 1;
        sx += x;
        sxx += x * x;
        sy += curve.value[i];
        sxy += x * curve.value[i];
    }
    const double determinant = s0 * sxx - sx * sx;
    if (s0 < 3 || determinant <= 0) return physics::table_value(curve.position_mm, curve.value, position);
    return (sy * sxx - sxy * sx) / determinant;
}

/// Slope of the curve, per mm, over 2 mm.
double slope_at(const MeasuredCurve& curve, double position) {
    const auto at = [&](double x) { return physics::table_value(curve.position_mm, curve.value, x); };
    return 0.5 * (at(position + 1) - at(position - 1));
}

/// The measured point nearest to a position: between points a steep curve is not known.
std::size_t nearest_point(const MeasuredCurve& curve, double position) {
    const auto upper = static_cast<std::size_t>(
        std::lower_bound(curve.position_mm.begin(), curve.position_mm.end(), position) -
        curve.position_mm.begin());
    if (upper == 0) return 0;
    if (upper == curve.position_mm.size()) return upper - 1;
    return curve.position_mm[upper] - position < position - curve.position_mm[upper - 1] ? upper : upper - 1;
}

void add(FitData& data, const MeasuredCurve& curve, const std::vector<double>& positions,
         const std::vector<double>& measured, const std::vector<double>& sigma,
         const std::vector<double>& side_y = {}) {
    if (positions.empty()) return;
    data.curves.push_back({&curve, positions, side_y, measured});
    data.sigma.push_back(sigma);
}

/// Depths from behind the maximum on, closer where the curve bends; smoothed over 5 mm.
void add_depths(FitData& data, const MeasuredCurve& curve) {
    constexpr double depths[] = {20, 25, 30, 40, 50, 70, 100, 130, 160, 200, 240, 280, 320};
    // The smallest fields: detector, and position of the edges. The largest: the walls of the tank.
    const double side = std::min(curve.side_x_mm, curve.side_y_mm), relative_sigma = side < 15    ? 0.008
                                                                                     : side > 350 ? 0.004
                                                                                                  : 0.003;
    const double first = std::max(20.0, depth_of_maximum(curve) + 3);
    std::vector<double> position, measured, sigma;
    for (const double depth : depths) {
        if (depth < first || depth > curve.position_mm.back() || depth < curve.position_mm.front()) continue;
        if (curve.normalised && depth == curve.normalisation_mm) continue;  // 1 by definition
        const double value = smoothed(curve, depth, 5);
        position.push_back(depth);
        measured.push_back(value);
        sigma.push_back(relative_sigma * value);
    }
    add(data, curve, position, measured, sigma);
}

/// Build-up. Before 10 mm the size and the effective point of the detector count, and that the kernel's
/// exponentials give up to 4 % too much dose there (docs/validation/monte-carlo.md).
void add_shallow(FitData& data, const MeasuredCurve& curve) {
    constexpr double depths[] = {3, 5, 7, 10, 12, 14, 17, 20, 25};
    const double last = depth_of_maximum(curve) + 3;
    std::vector<double> position, measured, sigma;
    for (const double wanted : depths) {
        if (wanted > last || wanted < curve.position_mm.front() || wanted > curve.position_mm.back())
            continue;
        const std::size_t i = nearest_point(curve, wanted);
        const double depth = curve.position_mm[i], value = curve.value[i], slope = slope_at(curve, depth);
        if (!position.empty() && depth <= position.back()) continue;
        const bool before = depth < 10;
        position.push_back(depth);
        measured.push_back(value);
        sigma.push_back(std::hypot((before ? 0.03 : 0.004) * value, (before ? 1.0 : 0.25) * slope));
    }
    add(data, curve, position, measured, sigma);
}

void add_outputs(FitData& data, const MeasuredCurve& curve, const LeftOut& left_out) {
    std::vector<double> position, side_y, measured, sigma;
    for (std::size_t i = 0; i < curve.position_mm.size(); ++i) {
        const double x = curve.position_mm[i], y = curve.side_y_of_mm.empty() ? x : curve.side_y_of_mm[i];
        if (x == curve.normalisation_mm && y == x) continue;
        if (left_out.contains(field_of(curve, i))) continue;
        // Small fields: position and size of the detector, position of the edges.
        const double side = std::min(x, y), relative = side < 15 ? 0.01 : side < 30 ? 0.006 : 0.003;
        position.push_back(x);
        side_y.push_back(y);
        measured.push_back(curve.value[i]);
        sigma.push_back(relative * curve.value[i]);
    }
    add(data, curve, position, measured, sigma, side_y);
}

/// About 15 points of a profile: across the field, and down the edges by their value.
void add_profile(FitData& data, const MeasuredCurve& curve) {
    const double magnification = (curve.ssd_mm + curve.depth_mm) / curve.sad_mm;
    const double diagonal = curve.axis == ProfileAxis::diagonal ? std::sqrt(2.0) : 1.0;
    const double half = 0.5 * (curve.axis == ProfileAxis::inplane ? curve.side_y_mm : curve.side_x_mm) *
                        magnification * diagonal;
    const double axis_value = smoothed(curve, 0, 0.1 * half);
    std::vector<double> position, measured, sigma;
    const auto take = [&](double wanted) {
        if (wanted < curve.position_mm.front() || wanted > curve.position_mm.back()) return;
        const std::size_t i = nearest_point(curve, wanted);
        const double at = curve.position_mm[i], value = curve.value[i];
        if (!position.empty() && at <= position.back()) return;
        constexpr double position_sigma_mm = 0.7, relative_sigma = 0.005;
        position.push_back(at);
        measured.push_back(value);
        sigma.push_back(std::hypot(relative_sigma * axis_value, position_sigma_mm * slope_at(curve, at)));
    };
    for (const double part : {-1.15, -1.06, -1.03, -1.0, -0.97, -0.94, -0.85, -0.6, -0.3, 0.0, 0.3, 0.6, 0.85,
                              0.94, 0.97, 1.0, 1.03, 1.06, 1.15})
        take(part * half);
    add(data, curve, position, measured, sigma);
}

/// Of many profiles the fit sees, per axis, the smallest field, the largest and the one nearest to 100 mm,
/// each at its least and greatest depth: they cost most, and the rest is judged unseen.
std::vector<const MeasuredCurve*> chosen_profiles(const MeasurementSet& set) {
    std::vector<const MeasuredCurve*> profiles, chosen;
    for (const MeasuredCurve& curve : set.curves)
        if (curve.kind == CurveKind::profile) profiles.push_back(&curve);
    const auto pick = [&](ProfileAxis axis, auto&& off) {
        const MeasuredCurve* best = nullptr;
        for (const MeasuredCurve* curve : profiles)
            if (curve->axis == axis && (!best || off(*curve) < off(*best))) best = curve;
        if (!best) return;
        for (const int sign : {1, -1}) {
            const MeasuredCurve* end = best;
            for (const MeasuredCurve* curve : profiles)
                if (curve->axis == axis && field_of(*curve, 0) == field_of(*best, 0) &&
                    sign * curve->depth_mm < sign * end->depth_mm)
                    end = curve;
            if (std::find(chosen.begin(), chosen.end(), end) == chosen.end()) chosen.push_back(end);
        }
    };
    for (const ProfileAxis axis : {ProfileAxis::crossplane, ProfileAxis::inplane, ProfileAxis::diagonal}) {
        pick(axis, [](const MeasuredCurve& c) { return static_cast<double>(field_of(c, 0)); });
        pick(axis, [](const MeasuredCurve& c) { return -static_cast<double>(field_of(c, 0)); });
        pick(axis,
             [](const MeasuredCurve& c) { return std::abs(static_cast<double>(field_of(c, 0)) - 100); });
    }
    return chosen;
}

}  // namespace

std::size_t FitData::size() const {
    std::size_t n = 0;
    for (const auto& list : sigma) n += list.size();
    return n;
}

std::vector<double> FitData::residuals(const std::vector<std::vector<double>>& calculated) const {
    std::vector<double> all;
    for (std::size_t c = 0; c < curves.size(); ++c)
        for (std::size_t i = 0; i < sigma[c].size(); ++i)
            all.push_back((calculated[c][i] - curves[c].measured[i]) / sigma[c][i]);
    return all;
}

bool has(const std::vector<MeasuredCurve>& curves, CurveKind kind) {
    return std::any_of(curves.begin(), curves.end(),
                       [&](const MeasuredCurve& curve) { return curve.kind == kind; });
}

double depth_of_maximum(const MeasuredCurve& curve) {
    if (!by_depth(curve)) return 0;
    return curve.position_mm[static_cast<std::size_t>(
        std::max_element(curve.value.begin(), curve.value.end()) - curve.value.begin())];
}

int field_of(const MeasuredCurve& curve, std::size_t point) {
    double x = curve.side_x_mm, y = curve.side_y_mm;
    if (curve.kind == CurveKind::output_factor || curve.kind == CurveKind::output_factor_in_air) {
        x = curve.position_mm[point];
        y = curve.side_y_of_mm.empty() ? x : curve.side_y_of_mm[point];
    }
    return static_cast<int>(std::lround(physics::equivalent_square(x, y)));
}

FitData fit_data(const MeasurementSet& set, DataPart part, const LeftOut& left_out) {
    FitData data;
    const bool all = part == DataPart::everything;
    const std::vector<const MeasuredCurve*> profiles = chosen_profiles(set);
    for (const MeasuredCurve& curve : set.curves) {
        if (by_depth(curve)) {
            if (left_out.contains(field_of(curve, 0))) continue;
            if (all || part == DataPart::depth) add_depths(data, curve);
            if (all || part == DataPart::shallow) add_shallow(data, curve);
        } else if (curve.kind == CurveKind::output_factor || curve.kind == CurveKind::output_factor_in_air) {
            if (all || part == DataPart::output) add_outputs(data, curve, left_out);
        } else if (std::find(profiles.begin(), profiles.end(), &curve) != profiles.end() &&
                   (all || part == DataPart::profiles)) {
            if (!left_out.contains(field_of(curve, 0))) add_profile(data, curve);
        }
    }
    return data;
}

}  // namespace libdose::commission
