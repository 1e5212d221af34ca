// AAPM MPPG 5.b, tests 5.4 to 5.8 (Geurts et al, J. Appl. Clin. Med. Phys. 23 (2022) e13641): plans in a box
// of water against exact rays.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>

#include "backend/backend.h"
#include "base/parallel.h"
#include "base/threads.h"
#include "engine/beam_modifiers.h"
#include "engine/compute.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "libdose/error.h"
#include "libdose/validate.h"
#include "terma/terma_table.h"
#include "validation/field_judgement.h"
#include "validation/point_dose.h"

namespace libdose {

namespace {

/// A field in a box of water.
struct Field {
    const char* test;
    const char* where;
    double ssd_mm = 900, isocentre_depth_mm = 100, gantry_deg = 0;
    JawOpening jaw_x{}, jaw_y{};
    bool leaves = false;
    JawOpening leaf_x{}, leaf_y{};                ///< open between the leaves
    JawOpening blocked_x{0, 0}, blocked_y{0, 0};  ///< and within it closed again, from the upper leaves' side
    double middle_x_mm = 0, middle_y_mm = 0;      ///< of the lines that are judged, at the isocentre plane
    double high_dose_percent = 5;

    /// What ends the field along an axis.
    const JawOpening& opening_x() const { return leaves ? leaf_x : jaw_x; }
    const JawOpening& opening_y() const { return leaves ? leaf_y : jaw_y; }
};

constexpr Field fields[] = {
    {.test = "5.4 small field of leaves",
     .where = "30 x 30 mm by leaves, jaws 40 x 40 mm, SSD 900 mm",
     .jaw_x = {-20, 20},
     .jaw_y = {-20, 20},
     .leaves = true,
     .leaf_x = {-15, 15},
     .leaf_y = {-15, 15},
     .high_dose_percent = 2},
    {.test = "5.5 large field of leaves, much blocked",
     .where = "280 x 280 mm by leaves, half of its middle third blocked, SSD 900 mm",
     .jaw_x = {-145, 145},
     .jaw_y = {-145, 145},
     .leaves = true,
     .leaf_x = {-140, 140},
     .leaf_y = {-140, 140},
     .blocked_x = {-20, 140},
     .blocked_y = {-50, 50},
     .middle_y_mm = 95},
    {.test = "5.6 off-axis field of leaves, overtravel",
     .where = "60 x 60 mm by leaves around x = 110 mm, lower leaves 80 mm over the axis, SSD 900 mm",
     .jaw_x = {75, 145},
     .jaw_y = {-35, 35},
     .leaves = true,
     .leaf_x = {80, 140},
     .leaf_y = {-30, 30},
     .middle_x_mm = 110},
    {.test = "5.7 asymmetric field at the least SSD",
     .where = "jaws 0 to 100 mm by -50 to 50 mm, SSD 800 mm",
     .ssd_mm = 800,
     .isocentre_depth_mm = 200,
     .jaw_x = {0, 100},
     .jaw_y = {-50, 50},
     .middle_x_mm = 50},
    {.test = "5.8 oblique field",
     .where = "jaws 200 x 100 mm, 30 degrees off the normal of the surface, SSD 900 mm",
     .gantry_deg = 30,
     .jaw_x = {-100, 100},
     .jaw_y = {-50, 50}},
};

bool inside(const JawOpening& opening, double at) { return at > opening.lower_mm && at < opening.upper_mm; }

MultileafCollimator collimator_of(const Field& field, const LeafDesign& design) {
    MultileafCollimator collimator;
    collimator.type = design.device_type.empty() ? "MLCX" : design.device_type;
    collimator.leaf_boundaries_mm = design.leaf_boundaries_mm;
    if (field.leaf_y.lower_mm < design.leaf_boundaries_mm.front() ||
        field.leaf_y.upper_mm > design.leaf_boundaries_mm.back())
        throw bad_input("the leaves of " + design.name + " do not reach the field", field.test,
                        "Choose another design with --leaves");
    return collimator;
}

/// Pairs beside the field are parked behind the jaw.
LeafPositions leaves_of(const Field& field, const MultileafCollimator& collimator) {
    LeafPositions positions;
    const double parked = field.jaw_x.lower_mm - 20;
    for (int pair = 0; pair < collimator.leaf_pairs(); ++pair) {
        const auto p = static_cast<std::size_t>(pair);
        const double y = 0.5 * (collimator.leaf_boundaries_mm[p] + collimator.leaf_boundaries_mm[p + 1]);
        const bool open = inside(field.leaf_y, y), blocked = inside(field.blocked_y, y);
        positions.lower_mm.push_back(open ? field.leaf_x.lower_mm : parked);
        positions.upper_mm.push_back(!open     ? parked
                                     : blocked ? field.blocked_x.lower_mm
                                               : field.leaf_x.upper_mm);
    }
    return positions;
}

Beam beam_of(const Field& field, const BeamModel& model, const LeafDesign& design) {
    Beam beam;
    beam.number = 1;
    beam.name = field.test;
    beam.nominal_energy_mv = model.nominal_energy_mv;
    beam.fluence_mode = model.fluence_mode;
    beam.machine = model.machine;
    beam.manufacturer = design.manufacturer;
    beam.meterset_mu = 100;
    ControlPoint point;
    point.gantry_deg = field.gantry_deg;
    point.jaw_x = field.jaw_x;
    point.jaw_y = field.jaw_y;
    if (field.leaves) {
        beam.collimators = {collimator_of(field, design)};
        point.leaves = {leaves_of(field, beam.collimators.front())};
    }
    beam.control_points = {point, point};
    beam.control_points.back().cumulative_weight = 1;
    beam.gantry_rotation = {Rotation::none, Rotation::none};
    return beam;
}

/// Water whose upper (anterior) face is the entrance; the isocentre at the origin.
CtImage water_box(const Field& field) {
    constexpr double side_mm = 460, below_mm = 340, voxel_mm = 5;
    // Along the vertical the isocentre lies as deep as the axis has water, shorter by the obliquity.
    const double vertical = field.isocentre_depth_mm * std::cos(physics::radians(field.gantry_deg));
    CtImage ct;
    Grid grid;
    const int across = static_cast<int>(side_mm / voxel_mm), deep = static_cast<int>(below_mm / voxel_mm);
    grid.size = {across, deep, across};
    grid.spacing_mm = Vec3::Constant(voxel_mm);
    grid.origin_mm =
        Vec3(-0.5 * side_mm + 0.5 * voxel_mm, -vertical + 0.5 * voxel_mm, -0.5 * side_mm + 0.5 * voxel_mm);
    ct.hu = Volume<float>(grid, 0.0f);
    return ct;
}

/// The points of a line through a field, by their position on it.
struct LinePoints {
    bool across = true;
    std::vector<double> position_mm;
    std::vector<WaterPoint> points;
};

/// A point at a depth along the axis; x and y at the isocentre plane.
WaterPoint point_at(const Field& field, double sad_mm, double depth_mm, double x_mm, double y_mm) {
    const double scale = (field.ssd_mm + depth_mm) / sad_mm;
    return WaterPoint{field.ssd_mm, depth_mm, scale * x_mm, scale * y_mm};
}

LinePoints line_down(const Field& field, double sad_mm) {
    LinePoints line{false, {20, 30, 40, 60, 80, 100, 130, 160, 190, 220}, {}};
    for (const double depth : line.position_mm)
        line.points.push_back(point_at(field, sad_mm, depth, field.middle_x_mm, field.middle_y_mm));
    return line;
}

/// Across the field and 50 mm beyond, close where it ends; positions from the middle of the lines.
std::vector<double> positions_across(const JawOpening& opening, double middle_mm) {
    std::vector<double> positions;
    for (double x = opening.lower_mm - 50; x <= opening.upper_mm + 50;
         x += std::min(std::abs(x - opening.lower_mm), std::abs(x - opening.upper_mm)) < 16 ? 1.5 : 10)
        positions.push_back(x - middle_mm);
    return positions;
}

LinePoints line_along_x(const Field& field, double sad_mm, double depth_mm) {
    LinePoints line{true, positions_across(field.opening_x(), field.middle_x_mm), {}};
    for (const double off : line.position_mm)
        line.points.push_back(point_at(field, sad_mm, depth_mm, field.middle_x_mm + off, field.middle_y_mm));
    return line;
}

LinePoints line_along_y(const Field& field, double sad_mm, double depth_mm) {
    LinePoints line{true, positions_across(field.opening_y(), field.middle_y_mm), {}};
    for (const double off : line.position_mm)
        line.points.push_back(point_at(field, sad_mm, depth_mm, field.middle_x_mm, field.middle_y_mm + off));
    return line;
}

/// The checks of one model; what all fields share is made once.
class PlanChecks {
public:
    PlanChecks(const BeamModel& model, const LeafDesign& design, const MaterialTable& materials,
               const PlanCheckOptions& options)
        : model_(model),
          design_(design),
          materials_(materials),
          options_(options),
          exact_(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons),
          terma_(model.spectrum),
          gray_(gray_per_unit(model, options.algorithm)),
          devices_(options.devices ? options.devices : std::make_shared<OpenDevices>()) {}

    /// One field, with its progress from 0 to 1.
    PlanCheck check(const Field& field, const std::function<void(double)>& report) const {
        const auto begin = std::chrono::steady_clock::now();
        Plan plan;
        plan.label = field.test;
        plan.beams = {beam_of(field, model_, design_)};
        const EngineOptions engine = engine_options(field, report);
        const CalculationResult result = calculate(
            water_box(field), nullptr, plan, materials_,
            [&](const Beam&) -> const BeamModel& { return model_; }, engine);
        const std::vector<FieldLine> lines = lines_of(field, fluence_of(plan, engine), result, report);
        double maximum = 0;
        for (const FieldLine& line : lines)
            for (const double value : line.reference) maximum = std::max(maximum, value);
        return {field.test,
                field.where,
                judge_lines(lines, maximum, field.high_dose_percent),
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
                result.plan.provenance.backend,
                result.notes};
    }

private:
    EngineOptions engine_options(const Field& field, const std::function<void(double)>& report) const {
        EngineOptions engine;
        engine.algorithm = options_.algorithm;
        engine.quality = options_.quality;
        engine.grid_mm = options_.grid_mm;
        engine.threads = options_.threads;
        engine.backend = options_.backend;
        engine.device = options_.device;
        engine.devices = devices_;
        engine.leaf_designs = {design_};
        engine.leaves = field.leaves ? design_.name : "";
        engine.progress = [report](double part, const std::string&) { report(0.5 * part); };
        return engine;
    }

    /// Fluence of the plan's only beam, as the engine has it.
    FluenceMap fluence_of(const Plan& plan, const EngineOptions& engine) const {
        const Beam& beam = plan.beams.front();
        FluenceOptions fluence;
        Provenance provenance;
        std::vector<std::string> notes;
        fluence.leaves = leaf_edges(beam, model_, engine.leaf_designs, engine.leaves, provenance, notes);
        fluence.terma = &terma_;
        return cpu_backend().fluence(beam, plan.position, model_.head, fluence).front();
    }

    /// Down the middle of the field, and across it along x and y at three depths.
    std::vector<FieldLine> lines_of(const Field& field, const FluenceMap& map,
                                    const CalculationResult& result,
                                    const std::function<void(double)>& report) const {
        const double sad_mm = map.frame.source_axis_distance_mm;
        std::vector<FieldLine> lines;
        lines.push_back(line_of(field, map, result, line_down(field, sad_mm)));
        report(0.6);
        for (const double depth : {25.0, 100.0, 200.0})
            for (const auto& points_across : {line_along_x, line_along_y}) {
                lines.push_back(line_of(field, map, result, points_across(field, sad_mm, depth)));
                report(0.6 + 0.4 * static_cast<double>(lines.size() - 1) / 6);
            }
        return lines;
    }

    /// The plan's dose and that of exact rays. Build-up is not judged, air even less.
    FieldLine line_of(const Field& field, const FluenceMap& map, const CalculationResult& result,
                      const LinePoints& line) const {
        constexpr double least_depth_mm = 15;
        const physics::BeamFrame& frame = map.frame;
        const Vec3 down = frame.axes.transpose() *
                          Vec3(0, 1, 0);  // the surface's normal, into the water, in the beam's axes
        FieldLine judged;
        judged.across = line.across;
        std::vector<WaterPoint> points;
        for (std::size_t i = 0; i < line.points.size(); ++i) {
            WaterPoint point = line.points[i];
            point.mirrored = false;
            point.inwards = Vec3(down[0], down[1], -down[2]);
            const Vec3 from_source(point.x_mm, point.y_mm, field.ssd_mm + point.depth_mm);
            if (point.inwards.dot(from_source - Vec3(0, 0, field.ssd_mm)) < least_depth_mm) continue;
            points.push_back(point);
            judged.position_mm.push_back(line.position_mm[i]);
            judged.calculated.push_back(interpolate(
                result.plan.gy,
                frame.source_mm() + frame.axes * Vec3(from_source[0], from_source[1], -from_source[2])));
        }
        judged.reference = exact_dose(map, points);
        return judged;
    }

    /// Dose by exact rays, gray.
    std::vector<double> exact_dose(const FluenceMap& map, const std::vector<WaterPoint>& points) const {
        std::vector<double> dose(points.size());
        for_each_parallel(points.size(), [&](std::size_t i) {
            dose[i] = gray_ * exact_(options_.algorithm, map, points[i]);
        });
        return dose;
    }

    const BeamModel& model_;
    const LeafDesign& design_;
    const MaterialTable& materials_;
    const PlanCheckOptions& options_;
    PointDose exact_;
    TermaTable terma_;
    double gray_;
    std::shared_ptr<OpenDevices> devices_;
};

}  // namespace

std::vector<PlanCheck> check_plans(const BeamModel& model, const LeafDesign& design,
                                   const MaterialTable& materials, const PlanCheckOptions& options) {
    const ThreadLimit limit(options.threads);
    const PlanChecks plan_checks(model, design, materials, options);
    std::vector<PlanCheck> checks;
    for (const Field& field : fields) {
        const auto done = static_cast<double>(checks.size());
        checks.push_back(plan_checks.check(field, [&](double part) {
            if (options.progress)
                options.progress((done + part) / static_cast<double>(std::size(fields)), field.test);
        }));
    }
    return checks;
}

}  // namespace libdose
