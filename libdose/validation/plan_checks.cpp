// AAPM MPPG 5.b, tests 5.4 to 5.8 (Geurts et al, J. Appl. Clin. Med. Phys. 23 (2022) e13641): plans in a box
// of water against exact rays.
#include <chrono>
#include <cmath>

#include "backend/backend.h"
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

struct Field {
    std::string test, where;
    double ssd_mm = 900, isocentre_depth_mm = 100, gantry_deg = 0;
    JawOpening jaw_x, jaw_y;
    bool leaves = true;
    JawOpening leaf_x, leaf_y;                    ///< open between the leaves
    JawOpening blocked_x{0, 0}, blocked_y{0, 0};  ///< and within it closed again, from the upper leaves' side
    double middle_x_mm = 0, middle_y_mm = 0;      ///< of the lines that are judged, at the isocentre plane
    double high_dose_percent = 2;
};

std::vector<Field> fields() {
    std::vector<Field> all;
    Field small{"5.4 small field of leaves",
                "30 x 30 mm by leaves, jaws 40 x 40 mm, SSD 900 mm",
                900,
                100,
                0,
                {-20, 20},
                {-20, 20},
                true,
                {-15, 15},
                {-15, 15}};
    all.push_back(small);
    Field large{"5.5 large field of leaves, much blocked",
                "280 x 280 mm by leaves, half of its middle third blocked, SSD 900 mm",
                900,
                100,
                0,
                {-145, 145},
                {-145, 145},
                true,
                {-140, 140},
                {-140, 140}};
    large.blocked_x = {-20, 140};
    large.blocked_y = {-50, 50};
    large.middle_y_mm = 95;
    large.high_dose_percent = 5;
    all.push_back(large);
    Field off{"5.6 off-axis field of leaves, overtravel",
              "60 x 60 mm by leaves around x = 110 mm, lower leaves 80 mm over the axis, SSD 900 mm",
              900,
              100,
              0,
              {75, 145},
              {-35, 35},
              true,
              {80, 140},
              {-30, 30}};
    off.middle_x_mm = 110;
    off.high_dose_percent = 5;
    all.push_back(off);
    Field asymmetric{"5.7 asymmetric field at the least SSD",
                     "jaws 0 to 100 mm by -50 to 50 mm, SSD 800 mm",
                     800,
                     200,
                     0,
                     {0, 100},
                     {-50, 50},
                     false,
                     {},
                     {}};
    asymmetric.middle_x_mm = 50;
    asymmetric.high_dose_percent = 5;
    all.push_back(asymmetric);
    Field oblique{"5.8 oblique field",
                  "jaws 200 x 100 mm, 30 degrees off the normal of the surface, SSD 900 mm",
                  900,
                  100,
                  30,
                  {-100, 100},
                  {-50, 50},
                  false,
                  {},
                  {}};
    oblique.high_dose_percent = 5;
    all.push_back(oblique);
    return all;
}

bool inside(const JawOpening& opening, double at) { return at > opening.lower_mm && at < opening.upper_mm; }

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
        MultileafCollimator collimator;
        collimator.type = design.device_type.empty() ? "MLCX" : design.device_type;
        collimator.leaf_boundaries_mm = design.leaf_boundaries_mm;
        if (field.leaf_y.lower_mm < design.leaf_boundaries_mm.front() ||
            field.leaf_y.upper_mm > design.leaf_boundaries_mm.back())
            throw bad_input("the leaves of " + design.name + " do not reach the field", field.test,
                            "Choose another design with --leaves");
        beam.collimators = {collimator};
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
        point.leaves = {positions};
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

}  // namespace

std::vector<PlanCheck> check_plans(const BeamModel& model, const LeafDesign& design,
                                   const MaterialTable& materials, const PlanCheckOptions& options) {
    const ThreadLimit limit(options.threads);
    const PointDose exact(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    const TermaTable terma(model.spectrum);
    const double gray = gray_per_unit(model, options.algorithm);
    const auto devices = options.devices ? options.devices : std::make_shared<OpenDevices>();
    std::vector<PlanCheck> checks;
    const std::vector<Field> all = fields();
    for (std::size_t f = 0; f < all.size(); ++f) {
        const Field& field = all[f];
        const auto begin = std::chrono::steady_clock::now();
        const auto report = [&](double part) {
            if (options.progress)
                options.progress((static_cast<double>(f) + part) / static_cast<double>(all.size()),
                                 field.test);
        };
        Plan plan;
        plan.label = field.test;
        plan.beams = {beam_of(field, model, design)};
        const Beam& beam = plan.beams.front();
        EngineOptions engine;
        engine.algorithm = options.algorithm;
        engine.quality = options.quality;
        engine.grid_mm = options.grid_mm;
        engine.threads = options.threads;
        engine.backend = options.backend;
        engine.device = options.device;
        engine.devices = devices;
        engine.leaf_designs = {design};
        engine.leaves = field.leaves ? design.name : "";
        engine.progress = [&](double part, const std::string&) { report(0.5 * part); };
        const CalculationResult result = calculate(
            water_box(field), nullptr, plan, materials,
            [&](const Beam&) -> const BeamModel& { return model; }, engine);

        FluenceOptions fluence;
        Provenance provenance;
        std::vector<std::string> notes;
        fluence.leaves = leaf_edges(beam, model, engine.leaf_designs, engine.leaves, provenance, notes);
        fluence.terma = &terma;
        const FluenceMap map = cpu_backend().fluence(beam, plan.position, model.head, fluence).front();
        const physics::BeamFrame& frame = map.frame;
        const Vec3 down = frame.axes.transpose() *
                          Vec3(0, 1, 0);  // the surface's normal, into the water, in the beam's axes

        std::vector<FieldLine> lines;
        const auto line = [&](bool across, auto&& point_at, const std::vector<double>& positions) {
            FieldLine next;
            next.across = across;
            std::vector<WaterPoint> points;
            for (const double position : positions) {
                WaterPoint point = point_at(position);
                point.mirrored = false;
                point.inwards = Vec3(down[0], down[1], -down[2]);
                const Vec3 from_source(point.x_mm, point.y_mm, field.ssd_mm + point.depth_mm);
                constexpr double least_depth_mm = 15;  // build-up is not judged, air even less
                if (point.inwards.dot(from_source - Vec3(0, 0, field.ssd_mm)) < least_depth_mm) continue;
                points.push_back(point);
                next.position_mm.push_back(position);
                next.calculated.push_back(interpolate(
                    result.plan.gy,
                    frame.source_mm() + frame.axes * Vec3(from_source[0], from_source[1], -from_source[2])));
            }
            next.reference.resize(points.size());
            std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
            for (std::size_t i = 0; i < points.size(); ++i) {
                try {
                    next.reference[i] = gray * exact(options.algorithm, map, points[i]);
                } catch (...) {
#pragma omp critical(libdose_plan_check_failure)
                    failure = std::current_exception();
                }
            }
            if (failure) std::rethrow_exception(failure);
            lines.push_back(std::move(next));
        };
        const auto at = [&](double depth, double x, double y) {
            const double scale = (field.ssd_mm + depth) / frame.source_axis_distance_mm;
            return WaterPoint{field.ssd_mm, depth, scale * x, scale * y};
        };
        line(false, [&](double depth) { return at(depth, field.middle_x_mm, field.middle_y_mm); },
             {20, 30, 40, 60, 80, 100, 130, 160, 190, 220});
        report(0.6);
        for (const double depth : {25.0, 100.0, 200.0})
            for (const bool along_x : {true, false}) {
                // Across the field and 50 mm beyond, close where it ends.
                const JawOpening& opening = along_x ? (field.leaves ? field.leaf_x : field.jaw_x)
                                                    : (field.leaves ? field.leaf_y : field.jaw_y);
                const double middle = along_x ? field.middle_x_mm : field.middle_y_mm;
                std::vector<double> positions;
                for (double x = opening.lower_mm - 50; x <= opening.upper_mm + 50;
                     x +=
                     std::min(std::abs(x - opening.lower_mm), std::abs(x - opening.upper_mm)) < 16 ? 1.5 : 10)
                    positions.push_back(x - middle);
                line(
                    true,
                    [&](double off) {
                        return at(depth, field.middle_x_mm + (along_x ? off : 0),
                                  field.middle_y_mm + (along_x ? 0 : off));
                    },
                    positions);
                report(0.6 + 0.4 * static_cast<double>(lines.size() - 1) / 6);
            }
        double maximum = 0;
        for (const FieldLine& next : lines)
            for (const double value : next.reference) maximum = std::max(maximum, value);
        checks.push_back({field.test, field.where, judge_lines(lines, maximum, field.high_dose_percent),
                          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
                          result.plan.provenance.backend, result.notes});
    }
    return checks;
}

}  // namespace libdose
