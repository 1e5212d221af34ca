#include "commissioning/open_field.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fluence/head_equations.h"

namespace libdose::commission {

namespace {

/// How far a profile reaches inside its field, as a radius at the isocentre plane.
double largest_radius_mm(const MeasuredCurve& curve) {
    const double magnification = (curve.ssd_mm + curve.depth_mm) / curve.sad_mm;
    const double half = 0.5 * (curve.axis == ProfileAxis::inplane ? curve.side_y_mm : curve.side_x_mm) *
                        (curve.axis == ProfileAxis::diagonal ? std::numbers::sqrt2 : 1.0);
    const double measured = std::min(-curve.position_mm.front(), curve.position_mm.back()) / magnification;
    constexpr double inside = 0.9, edge_mm = 10;
    return std::min({inside * half, half - edge_mm, measured});
}

}  // namespace

void fit_open_field(ModelMaker& maker, const MeasurementSet& set, FieldCache& cache,
                    const std::function<void(double)>& progress) {
    const MeasuredCurve* widest = nullptr;
    for (const MeasuredCurve& curve : set.curves) {
        if (curve.kind != CurveKind::profile || largest_radius_mm(curve) <= 0) continue;
        if (!widest || largest_radius_mm(curve) > largest_radius_mm(*widest) + 5 ||
            (largest_radius_mm(curve) > largest_radius_mm(*widest) - 5 && curve.depth_mm < widest->depth_mm))
            widest = &curve;
    }
    if (!widest) return;
    const double magnification = (widest->ssd_mm + widest->depth_mm) / widest->sad_mm,
                 reach = largest_radius_mm(*widest);
    CurvePoints points{widest, {}, {}, {}};
    const int nodes = std::max(3, static_cast<int>(reach / 5));
    for (int n = -nodes; n <= nodes; ++n) {
        const double at = reach * n / nodes * magnification;
        points.position_mm.push_back(at);
        points.measured.push_back(physics::table_value(widest->position_mm, widest->value, at));
    }
    const HeadModel before = maker.model().head;
    std::vector<double> radius, value;
    for (int n = 0; n <= nodes; ++n) {
        radius.push_back(reach * n / nodes);
        value.push_back(physics::table_value(before.profile_radius_mm, before.profile, radius.back()));
    }
    // Beyond the profile the shape that was there goes on from the last value.
    const auto set_with_rim = [&] {
        std::vector<double> r = radius, v = value;
        const double scale =
            value.back() / physics::table_value(before.profile_radius_mm, before.profile, radius.back());
        for (std::size_t i = 0; i < before.profile_radius_mm.size(); ++i)
            if (before.profile_radius_mm[i] > radius.back() + 1) {
                r.push_back(before.profile_radius_mm[i]);
                v.push_back(scale * before.profile[i]);
            }
        maker.set_open_field(r, v);
    };
    constexpr int rounds = 4;
    for (int round = 0; round < rounds; ++round) {
        progress(static_cast<double>(round) / rounds);
        set_with_rim();
        const std::vector<double> calculated =
            predict(maker.model(), {points}, Algorithm::collapsed_cone, cache).front();
        const auto at = [&](int n) { return static_cast<std::size_t>(nodes + n); };
        const double axis = points.measured[at(0)] / calculated[at(0)];
        for (int n = 0; n <= nodes; ++n) {
            // Both sides together, and a neighbour either way against noise.
            double ratio = 0;
            int count = 0;
            for (int m = std::max(0, n - 1); m <= std::min(nodes, n + 1); ++m)
                for (const int sign : {-1, 1}) {
                    ratio += points.measured[at(sign * m)] / calculated[at(sign * m)];
                    ++count;
                }
            value[static_cast<std::size_t>(n)] *= n == 0 ? 1 : ratio / count / axis;
        }
        for (double& x : value) x /= value.front();
    }
    set_with_rim();
}

}  // namespace libdose::commission
