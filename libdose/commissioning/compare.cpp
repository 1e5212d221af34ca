#include "commissioning/compare.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "fluence/head_equations.h"
#include "validation/point_dose.h"

namespace libdose::commission {

namespace {

constexpr double small_field_mm = 20;

bool output(CurveKind kind) {
    return kind == CurveKind::output_factor || kind == CurveKind::output_factor_in_air;
}

/// Half width of the field where a profile was measured.
double half_width_mm(const MeasuredCurve& curve) {
    return 0.5 * (curve.axis == ProfileAxis::inplane ? curve.side_y_mm : curve.side_x_mm) *
           (curve.ssd_mm + curve.depth_mm) / curve.sad_mm *
           (curve.axis == ProfileAxis::diagonal ? std::sqrt(2.0) : 1.0);
}

/// Whether a point counts for the figures of its curve.
bool is_judged(const MeasuredCurve& curve, double position) {
    switch (curve.kind) {
        case CurveKind::depth_dose:
        case CurveKind::tissue_phantom_ratio:
            return position >= 10;
        case CurveKind::profile:
            return std::abs(position) <= 0.8 * half_width_mm(curve);
        case CurveKind::primary_fluence: {
            // Inside of the shoulder: up to where it falls below nine tenths of the axis.
            for (std::size_t i = 0; i < curve.position_mm.size() && curve.position_mm[i] <= position; ++i)
                if (curve.value[i] < 0.9 * curve.value.front()) return false;
            return true;
        }
        default:
            return true;
    }
}

const char* judged_text(CurveKind kind) {
    switch (kind) {
        case CurveKind::depth_dose:
        case CurveKind::tissue_phantom_ratio:
            return "from 10 mm depth";
        case CurveKind::profile:
            return "within 80 % of the field, percent of the axis";
        case CurveKind::primary_fluence:
            return "inside of the shoulder";
        case CurveKind::leaf_gap:
            return "every gap";
        default:
            return "every field";
    }
}

void finish(CurveComparison& c, double reference) {
    const auto figures = [&](const std::vector<double>& calculated, double& max_abs, double& rms, bool keep) {
        double sum = 0;
        int count = 0;
        max_abs = 0;
        for (std::size_t i = 0; i < calculated.size(); ++i) {
            const double difference =
                100 * (calculated[i] - c.measured[i]) / (reference > 0 ? reference : c.measured[i]);
            if (keep) c.difference_percent.push_back(std::isfinite(difference) ? difference : 0);
            if (!c.counts[i]) continue;
            max_abs = std::max(max_abs, std::abs(difference));
            sum += difference * difference;
            ++count;
        }
        rms = count ? std::sqrt(sum / count) : 0;
    };
    figures(c.calculated, c.max_abs_percent, c.rms_percent, true);
    if (!c.before_residual_table.empty())
        figures(c.before_residual_table, c.before_max_abs_percent, c.before_rms_percent, false);
}

CurveComparison make(const MeasuredCurve& curve, const std::string& engine,
                     const std::vector<double>& calculated, const std::vector<double>& before,
                     const std::string& suffix, double low, double high) {
    CurveComparison c;
    c.kind = curve.kind;
    c.name = curve.name + suffix;
    c.engine = engine;
    c.judged = judged_text(curve.kind);
    for (std::size_t i = 0; i < curve.position_mm.size(); ++i) {
        const double at = output(curve.kind) && !curve.side_y_of_mm.empty()
                              ? std::min(curve.position_mm[i], curve.side_y_of_mm[i])
                              : curve.position_mm[i];
        if (output(curve.kind) && !(at >= low && at < high)) continue;
        c.position_mm.push_back(curve.position_mm[i]);
        c.measured.push_back(curve.value[i]);
        c.calculated.push_back(calculated[i]);
        if (!before.empty()) c.before_residual_table.push_back(before[i]);
        c.counts.push_back(is_judged(curve, curve.position_mm[i]));
    }
    const double reference =
        curve.kind == CurveKind::profile ? physics::table_value(curve.position_mm, curve.value, 0) : 0;
    finish(c, reference);
    return c;
}

}  // namespace

CurveComparison comparison_of(const MeasuredCurve& curve, Algorithm algorithm,
                              const std::vector<double>& calculated) {
    return make(curve, to_string(algorithm), calculated, {}, "", 0, 1e9);
}

std::vector<CurveComparison> compare(const BeamModel& before_table, const BeamModel& model,
                                     const MeasurementSet& set, FieldCache& cache,
                                     const std::function<void(double)>& progress) {
    std::vector<CurvePoints> curves, outputs;
    for (const MeasuredCurve& curve : set.curves) {
        curves.push_back(all_points(curve));
        if (curve.kind == CurveKind::output_factor) outputs.push_back(all_points(curve));
    }
    std::vector<CurveComparison> result;
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        const bool cone = algorithm == Algorithm::collapsed_cone;
        const auto before = predict(before_table, outputs, algorithm, cache);
        const auto calculated = predict(model, curves, algorithm, cache,
                                        [&](double done) { progress(cone ? 0.9 * done : 0.9 + 0.1 * done); });
        std::size_t o = 0;
        for (std::size_t c = 0; c < curves.size(); ++c) {
            const MeasuredCurve& curve = set.curves[c];
            const std::string engine = to_string(algorithm);
            if (!output(curve.kind)) {
                result.push_back(make(curve, engine, calculated[c], {}, "", 0, 0));
                continue;
            }
            const std::vector<double> without =
                curve.kind == CurveKind::output_factor ? before[o++] : std::vector<double>{};
            result.push_back(make(curve, engine, calculated[c], without, "", small_field_mm, 1e9));
            CurveComparison small =
                make(curve, engine, calculated[c], without, ", below " + short_number(small_field_mm) + " mm",
                     0, small_field_mm);
            if (!small.position_mm.empty()) result.push_back(std::move(small));
        }
    }
    return result;
}

void judge_held_out(std::vector<CurveComparison>& comparisons, const BeamModel& without,
                    const MeasurementSet& set, const LeftOut& left_out, FieldCache& cache) {
    // The same points as a fit takes: what was left out is everything less what the fit saw.
    const FitData all = fit_data(set, DataPart::everything);
    std::map<const MeasuredCurve*, std::pair<double, int>> sums;
    std::vector<CurvePoints> held;
    for (const CurvePoints& points : all.curves) {
        CurvePoints some{points.curve, {}, {}, {}};
        for (std::size_t i = 0; i < points.position_mm.size(); ++i) {
            const double x = points.position_mm[i], y = points.side_y_mm.empty() ? x : points.side_y_mm[i];
            const int field = output(points.curve->kind)
                                  ? static_cast<int>(std::lround(physics::equivalent_square(x, y)))
                                  : field_of(*points.curve, 0);
            if (!left_out.contains(field) || !is_judged(*points.curve, x)) continue;
            some.position_mm.push_back(x);
            some.measured.push_back(points.measured[i]);
            if (!points.side_y_mm.empty()) some.side_y_mm.push_back(y);
        }
        if (!some.position_mm.empty()) held.push_back(std::move(some));
    }
    const auto calculated = predict(without, held, Algorithm::collapsed_cone, cache);
    for (std::size_t h = 0; h < held.size(); ++h)
        for (std::size_t i = 0; i < calculated[h].size(); ++i) {
            const double reference =
                held[h].curve->kind == CurveKind::profile
                    ? physics::table_value(held[h].curve->position_mm, held[h].curve->value, 0)
                    : held[h].measured[i];
            auto& [sum, count] = sums[held[h].curve];
            sum += std::pow(100 * (calculated[h][i] - held[h].measured[i]) / reference, 2);
            ++count;
        }
    for (const auto& [curve, sum] : sums)
        for (CurveComparison& c : comparisons) {
            if (c.name != curve->name || c.engine != to_string(Algorithm::collapsed_cone)) continue;
            // Output factors are left out point by point over the folds: their squares add up.
            const double rms = std::sqrt(sum.first / sum.second);
            c.held_out_rms_percent =
                c.held_out_rms_percent < 0 ? rms : std::hypot(c.held_out_rms_percent, rms) / std::sqrt(2.0);
        }
}

void set_absolute(BeamModel& model, const AbsoluteDose& absolute, FieldCache& cache) {
    const auto dose = [&](double ssd, double depth, double side) {
        cache.prepare(model.head, {{side, side, 1000}});
        return PointDose(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons)
            .collapsed_cone(cache.field({side, side, 1000}), {ssd, depth, 0, 0});
    };
    model.calibration.depth = "10cm";
    model.calibration.reference_gy_per_mu = absolute.gy_per_mu * dose(1000, 100, 100) /
                                            dose(absolute.ssd_mm, absolute.depth_mm, absolute.side_mm);
}

}  // namespace libdose::commission
