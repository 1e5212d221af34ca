#include "engine/jaw_field.h"

#include "backend/backend.h"

namespace libdose {

Beam jaw_beam(double side_x_mm, double side_y_mm, double source_axis_mm) {
    Beam beam;
    beam.name = "jaw field";
    beam.meterset_mu = 1;
    beam.source_axis_distance_mm = source_axis_mm;
    ControlPoint point;
    point.jaw_x = JawOpening{-0.5 * side_x_mm, 0.5 * side_x_mm};
    point.jaw_y = JawOpening{-0.5 * side_y_mm, 0.5 * side_y_mm};
    beam.control_points = {point, point};
    beam.control_points.back().cumulative_weight = 1;
    return beam;
}

FluenceMap field_along_axis(const Beam& beam, const HeadModel& head, const FluenceOptions& options,
                            const Vec3& isocentre_mm) {
    FluenceMap map = std::move(cpu_backend().fluence(beam, PatientPosition::hfs, head, options).front());
    map.frame.axes << Vec3(1, 0, 0), Vec3(0, 1, 0), Vec3(0, 0, -1);
    map.frame.isocentre_mm = isocentre_mm;
    return map;
}

FluenceMap jaw_field(const HeadModel& head, double side_x_mm, double side_y_mm, const Vec3& isocentre_mm,
                     double source_axis_mm, double pixel_mm) {
    FluenceOptions options;
    options.pixel_mm = pixel_mm;
    return field_along_axis(jaw_beam(side_x_mm, side_y_mm, source_axis_mm), head, options, isocentre_mm);
}

}  // namespace libdose
