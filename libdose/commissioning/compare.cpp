#include "commissioning/compare.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "commissioning/profile_edges.h"
#include "engine/compute.h"
#include "engine/jaw_field.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "patient/water_phantom.h"
#include "validation/field_judgement.h"
#include "validation/point_dose.h"

namespace libdose::commission {

namespace {

constexpr double small_field_mm = 20;

bool output(CurveKind kind) {
    return kind == CurveKind::output_factor || kind == CurveKind::output_factor_in_air;
}

/// Half width of the field where a profile was measured.
double half_width_mm(const MeasuredCurve& curve) {
    return 0.5 * (curve.axis == ProfileAxis::inline_axis ? curve.side_y_mm : curve.side_x_mm) *
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

std::vector<CommissionCriterion> judge(const std::vector<CurveComparison>& comparisons,
                                       const BeamModel& model, const MeasurementSet& set) {
    std::vector<CommissionCriterion> rows;
    const auto row = [&](const std::string& standard, const std::string& test, const std::string& curve,
                         double value, double tolerance, const std::string& unit) {
        rows.push_back({standard, test, curve, value, tolerance, unit, value <= tolerance});
    };

    // 5.1 and 5.2: the engine on a grid, as a plan is calculated, beside the model that was fitted.
    {
        const PointDose exact(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
        ComputeOptions options;
        const double per_unit = model.calibration.depth == "10cm" ? model.calibration.collapsed_cone_10cm
                                                                  : model.calibration.collapsed_cone_maximum;
        for (const double side : {40.0, 100.0, 200.0}) {
            const bool reference = side == 100;
            const FluenceMap map = jaw_field(model.head, side, side, Vec3(0, 0, reference ? 0 : 100));
            constexpr double spacing_mm = 2.5;
            const DensityGrid water = water_cube(spacing_mm);
            const std::vector<double> curve =
                axis_curve(water.grid, compute_dose(water, {map}, model, options));
            double worst = 0;
            for (const double depth : {50.0, 100.0, 200.0})
                worst = std::max(
                    worst,
                    std::abs(100 * (at_depth(curve, depth, spacing_mm) /
                                        exact.collapsed_cone(map, {reference ? 1000.0 : 900.0, depth, 0, 0}) -
                                    1)));
            if (reference) {
                const double at_reference = model.calibration.depth == "10cm"
                                                ? at_depth(curve, 100, spacing_mm)
                                                : *std::max_element(curve.begin(), curve.end());
                row("AAPM MPPG 5.b", "5.1 dose at the calibration point, planning grid", "10 x 10 cm",
                    std::abs(100 * (at_reference / per_unit - 1)), 0.5, "%");
            }
            row("AAPM MPPG 5.b", "5.2 planning grid against the model, 5, 10, 20 cm deep",
                short_number(side) + " x " + short_number(side) + " mm", worst, 1, "%");
        }
    }
    for (const CurveComparison& c : comparisons) {
        if (c.engine != to_string(Algorithm::collapsed_cone)) continue;
        const MeasuredCurve* measured = nullptr;
        for (const auto* list : {&set.curves, &set.device_curves})
            for (const MeasuredCurve& curve : *list)
                if (curve.name == c.name) measured = &curve;
        if (c.kind == CurveKind::leaf_gap) continue;
        if (measured && measured->wedge) {
            // Venselaar's fields of a complex geometry: 3 % on the axis and, with the axis itself taken as
            // right, off it.
            const bool across = c.kind == CurveKind::profile;
            row("Venselaar 2001",
                across ? "delta 3, wedge, off the axis in the field" : "delta 1, wedge, on the axis", c.name,
                c.max_abs_percent, 3, "%");
            continue;
        }
        switch (c.kind) {
            case CurveKind::depth_dose:
            case CurveKind::tissue_phantom_ratio: {
                const double peak = !measured ? 15 : std::max(10.0, depth_of_maximum(*measured));
                double beyond = 0, build_up = 0;
                double sum = 0, squares = 0;
                int count = 0;
                for (std::size_t i = 0; i < c.position_mm.size(); ++i) {
                    const double d = c.difference_percent[i];
                    if (c.position_mm[i] >= peak) {
                        beyond = std::max(beyond, std::abs(d));
                        sum += d;
                        squares += d * d;
                        ++count;
                    } else {
                        // 10 % or 2 mm: within 2 mm one curve has the value that the other has here.
                        const auto reaches = [&](const std::vector<double>& curve, double value) {
                            const double a = physics::table_value(c.position_mm, curve, c.position_mm[i] - 2),
                                         b = physics::table_value(c.position_mm, curve, c.position_mm[i] + 2);
                            return value >= std::min(a, b) && value <= std::max(a, b);
                        };
                        const bool near =
                            reaches(c.measured, c.calculated[i]) || reaches(c.calculated, c.measured[i]);
                        if (!near) build_up = std::max(build_up, std::abs(d));
                    }
                }
                row("AAPM MPPG 5.b", "5.3 high dose", c.name, beyond, 2, "%");
                row("Venselaar 2001", "delta 1, beyond the maximum", c.name, beyond, 2, "%");
                row("Venselaar 2001", "delta 2, build-up not within 2 mm", c.name, build_up, 10, "%");
                if (count > 1) {
                    const double mean = sum / count,
                                 sd = std::sqrt(std::max(0.0, squares / count - mean * mean));
                    row("Venselaar 2001", "confidence limit, |mean| + 1.5 SD", c.name,
                        std::abs(mean) + 1.5 * sd, 2, "%");
                }
                break;
            }
            case CurveKind::profile: {
                const double axis = physics::table_value(c.position_mm, c.measured, 0);
                for (const SuiteRow& judged :
                     judge_lines({{true, c.position_mm, c.calculated, c.measured}}, axis, 2))
                    if (judged.points > 0)
                        row("AAPM MPPG 5.b", "5.3 " + judged.test, c.name, judged.value, judged.tolerance,
                            judged.unit);
                row("Venselaar 2001", "delta 3, off the axis in the field", c.name, c.max_abs_percent, 3,
                    "%");
                const auto width = [&](const std::vector<double>& y) {
                    return width_at(c.position_mm, y, 0.5 * axis);
                };
                if (const double off = std::abs(width(c.measured) - width(c.calculated)); std::isfinite(off))
                    row("Venselaar 2001", "RW50, width at half", c.name, off, 2, "mm");
                break;
            }
            case CurveKind::output_factor:
                // The table is of fields of the jaws.
                if (!c.before_residual_table.empty())
                    row("AAPM MPPG 5.b", "5.3 output factors, before the residual table", c.name,
                        c.before_max_abs_percent, 2, "%");
                row("AAPM MPPG 5.b", "5.3 output factors", c.name, c.max_abs_percent, 2, "%");
                break;
            default:
                row("AAPM MPPG 5.b", "5.3 in air", c.name, c.max_abs_percent, 2, "%");
        }
    }
    return rows;
}

}  // namespace libdose::commission
