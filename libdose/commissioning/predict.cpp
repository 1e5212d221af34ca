#include "commissioning/predict.h"

#include <Eigen/Dense>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>

#include "base/parallel.h"
#include "engine/jaw_field.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "validation/point_dose.h"

namespace libdose::commission {

namespace {

using Field = std::array<double, 3>;  // sides along x and y, source-axis distance

/// One evaluation: dose in water, or fluence in air at the isocentre plane where `in_air`.
struct Request {
    Field field;
    bool in_air = false;
    WaterPoint water;
    double u_mm = 0, v_mm = 0;
};

constexpr double depth_of_scale_mm = 100;

bool by_depth(CurveKind kind) {
    return kind == CurveKind::depth_dose || kind == CurveKind::tissue_phantom_ratio;
}

/// The field that opens the head entirely.
Field open_field(const HeadModel& head, double sad_mm) {
    return {2 * head.maximum_field_radius_mm, 2 * head.maximum_field_radius_mm, sad_mm};
}

Request request_for(const MeasuredCurve& curve, double position, double side_y, const HeadModel& head) {
    Request request;
    request.field = {curve.side_x_mm, curve.side_y_mm, curve.sad_mm};
    request.water = water_point(curve, position);
    switch (curve.kind) {
        case CurveKind::depth_dose:
        case CurveKind::tissue_phantom_ratio:
        case CurveKind::profile:
            break;
        case CurveKind::output_factor:
            request.field = {position, side_y, curve.sad_mm};
            break;
        case CurveKind::output_factor_in_air:
            request.field = {position, side_y, curve.sad_mm};
            request.in_air = true;
            break;
        case CurveKind::primary_fluence:
            request.field = open_field(head, curve.sad_mm);
            request.in_air = true;
            request.u_mm = position;
            break;
        case CurveKind::wedge_factor:
        case CurveKind::leaf_gap:
            throw internal_error("a field through devices among the open ones", "commissioning");
    }
    return request;
}

}  // namespace

double value_of_normalisation(const MeasuredCurve& curve, double depth_mm) {
    if (curve.value.empty()) return 1;
    constexpr double half_window_mm = 15, behind_maximum_mm = 5;
    constexpr int least_readings = 4;  // on either side
    const auto top = static_cast<std::size_t>(std::max_element(curve.value.begin(), curve.value.end()) -
                                              curve.value.begin());
    Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
    Eigen::Vector3d right = Eigen::Vector3d::Zero();
    int below = 0, beyond = 0;
    for (std::size_t i = 0; i < curve.position_mm.size(); ++i) {
        const double x = (curve.position_mm[i] - depth_mm) / half_window_mm;
        if (std::abs(x) > 1 + 1e-9) continue;
        const Eigen::Vector3d row(1, x, x * x);
        normal += row * row.transpose();
        right += row * curve.value[i];
        if (x != 0) (x < 0 ? below : beyond) += 1;
    }
    const bool smooth = depth_mm - half_window_mm >= curve.position_mm[top] + behind_maximum_mm &&
                        std::min(below, beyond) >= least_readings;
    if (!smooth) return physics::table_value(curve.position_mm, curve.value, depth_mm);
    return normal.ldlt().solve(right)[0];
}

double centre_mean(const CurvePoints& points, const std::vector<double>& values) {
    const double reach = 0.1 * std::min(points.curve->side_x_mm, points.curve->side_y_mm);
    double sum = 0, nearest = 1e300, nearest_value = 0;
    int count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double off = std::abs(points.position_mm[i]);
        if (off <= reach) {
            sum += values[i];
            ++count;
        }
        if (off < nearest) {
            nearest = off;
            nearest_value = values[i];
        }
    }
    return count ? sum / count : nearest_value;
}

WaterPoint water_point(const MeasuredCurve& curve, double position_mm) {
    WaterPoint point;
    point.ssd_mm = curve.kind == CurveKind::tissue_phantom_ratio ? curve.sad_mm - position_mm : curve.ssd_mm;
    point.depth_mm = by_depth(curve.kind) ? position_mm : curve.depth_mm;
    if (curve.kind != CurveKind::profile) return point;
    const double along =
        curve.axis == ProfileAxis::diagonal ? position_mm / std::numbers::sqrt2 : position_mm;
    if (curve.axis != ProfileAxis::inplane) point.x_mm = along;
    if (curve.axis != ProfileAxis::crossplane) point.y_mm = along;
    return point;
}

std::vector<double> values_in_field(const PointDose& dose, Algorithm algorithm, const FluenceMap& field,
                                    const CurvePoints& points, bool mirrored) {
    const MeasuredCurve& curve = *points.curve;
    const auto at = [&](double position) {
        WaterPoint point = water_point(curve, position);
        point.mirrored = mirrored;
        return dose(algorithm, field, point);
    };
    std::vector<double> values(points.position_mm.size());
    for_each_parallel(values.size(), [&](std::size_t i) { values[i] = at(points.position_mm[i]); });
    const double scale = by_depth(curve.kind)
                             ? value_of_normalisation(curve, depth_of_scale_mm) / at(depth_of_scale_mm)
                             : centre_mean(points, points.measured) / centre_mean(points, values);
    for (double& value : values) value *= scale;
    return values;
}

CurvePoints all_points(const MeasuredCurve& curve) {
    return {&curve, curve.position_mm, curve.side_y_of_mm, curve.value};
}

void FieldCache::prepare(const HeadModel& head, const std::vector<Field>& wanted) {
    HeadKey key = key_of(head);
    if (key != head_) {
        fields_.clear();
        head_ = std::move(key);
    }
    std::vector<Field> missing;
    for (const Field& field : wanted)
        if (!fields_.contains(field) && std::find(missing.begin(), missing.end(), field) == missing.end())
            missing.push_back(field);
    std::vector<FluenceMap> made(missing.size());
    for_each_parallel(missing.size(), [&](std::size_t i) {
        made[i] = jaw_field(head, missing[i][0], missing[i][1], Vec3::Zero(), missing[i][2]);
    });
    for (std::size_t i = 0; i < missing.size(); ++i) fields_.emplace(missing[i], std::move(made[i]));
}

namespace {

constexpr auto no_request = static_cast<std::size_t>(-1);

/// What has to be calculated for some curves.
struct Requests {
    std::vector<Request> all;
    std::vector<std::size_t> first;       ///< [curve] of its points
    std::vector<std::size_t> normaliser;  ///< [curve] what its points are divided by, or no_request
};

bool of_any_scale(const MeasuredCurve& curve) {
    return curve.kind == CurveKind::depth_dose && !curve.normalised;
}

Requests requests_for(const std::vector<CurvePoints>& curves, const HeadModel& head) {
    Requests requests;
    for (const CurvePoints& points : curves) {
        const MeasuredCurve& curve = *points.curve;
        requests.first.push_back(requests.all.size());
        for (std::size_t i = 0; i < points.position_mm.size(); ++i) {
            const double x = points.position_mm[i], y = points.side_y_mm.empty() ? x : points.side_y_mm[i];
            requests.all.push_back(request_for(curve, x, y, head));
        }
        requests.normaliser.push_back(no_request);
        if (!curve.normalised && !of_any_scale(curve)) continue;
        requests.normaliser.back() = requests.all.size();
        const double at = of_any_scale(curve) ? depth_of_scale_mm : curve.normalisation_mm;
        requests.all.push_back(request_for(curve, at, at, head));
    }
    return requests;
}

/// Mean fluence over a detector of 2 mm.
double reading_in_air(const FluenceMap& map, double u_mm, double v_mm) {
    constexpr double detector_mm = 2;
    const auto pixel = [&](double mm, double lower) { return (mm - lower) / map.pixel_mm; };
    double sum = 0;
    int count = 0;
    for (int v = static_cast<int>(pixel(v_mm - 0.5 * detector_mm, map.lower_v_mm));
         v < pixel(v_mm + 0.5 * detector_mm, map.lower_v_mm); ++v)
        for (int u = static_cast<int>(pixel(u_mm - 0.5 * detector_mm, map.lower_u_mm));
             u < pixel(u_mm + 0.5 * detector_mm, map.lower_u_mm); ++u, ++count)
            if (u >= 0 && v >= 0 && u < map.size_u && v < map.size_v)
                sum += static_cast<double>(map.at(u, v));
    return sum / std::max(1, count);
}

/// Dose or fluence of every request, side by side.
std::vector<double> values_of(const std::vector<Request>& requests, const BeamModel& model,
                              Algorithm algorithm, const FieldCache& cache,
                              const std::function<void(double)>& progress) {
    const PointDose dose(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    std::vector<double> values(requests.size());
    std::atomic<std::size_t> done{0};
    for_each_parallel(requests.size(), [&](std::size_t i) {
        const Request& request = requests[i];
        const FluenceMap& map = cache.field(request.field);
        values[i] = request.in_air ? reading_in_air(map, request.u_mm, request.v_mm)
                                   : dose(algorithm, map, request.water);
        const std::size_t now = ++done;
        if (progress && now % 64 == 0) {
#pragma omp critical(libdose_predict_progress)
            progress(static_cast<double>(now) / static_cast<double>(requests.size()));
        }
    });
    return values;
}

/// What the calculated values of a curve are multiplied by; `normaliser`: null where it has none.
double scale_of(const CurvePoints& points, const std::vector<double>& calculated, const double* normaliser) {
    const MeasuredCurve& curve = *points.curve;
    if (normaliser) {
        const double scale = 1 / *normaliser;
        if (!by_depth(curve.kind)) return scale;
        return scale *
               value_of_normalisation(curve, curve.normalised ? curve.normalisation_mm : depth_of_scale_mm);
    }
    if (curve.kind == CurveKind::profile)
        return centre_mean(points, points.measured) / centre_mean(points, calculated);
    return 1;
}

}  // namespace

std::vector<std::vector<double>> predict(const BeamModel& model, const std::vector<CurvePoints>& curves,
                                         Algorithm algorithm, FieldCache& cache,
                                         const std::function<void(double)>& progress) {
    const Requests requests = requests_for(curves, model.head);
    std::vector<Field> fields;
    for (const Request& request : requests.all) fields.push_back(request.field);
    cache.prepare(model.head, fields);
    const std::vector<double> values = values_of(requests.all, model, algorithm, cache, progress);

    std::vector<std::vector<double>> result;
    for (std::size_t c = 0; c < curves.size(); ++c) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(requests.first[c]);
        std::vector<double> calculated(begin,
                                       begin + static_cast<std::ptrdiff_t>(curves[c].position_mm.size()));
        const std::size_t normaliser = requests.normaliser[c];
        const double scale =
            scale_of(curves[c], calculated, normaliser == no_request ? nullptr : &values[normaliser]);
        for (double& value : calculated) value *= scale;
        result.push_back(std::move(calculated));
    }
    return result;
}

}  // namespace libdose::commission
