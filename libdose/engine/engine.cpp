// The pipeline, top to bottom.
#include "libdose/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cpu/aperture.h"
#include "cpu/fluence.h"
#include "cpu/terma.h"
#include "engine/backend_choice.h"
#include "engine/bolus_density.h"
#include "engine/compute.h"
#include "engine/devices.h"
#include "engine/memory.h"
#include "engine/threads.h"
#include "libdose/error.h"
#include "model/density.h"
#include "model/text.h"

namespace libdose {

namespace {

std::string number(double value) { return short_number(value); }

void check_belongs(const CtImage& ct, const StructureSet* structures, const Plan& plan) {
    const auto frames = [&](const std::string& frame, const char* what) {
        if (!frame.empty() && !ct.frame_of_reference_uid.empty() && frame != ct.frame_of_reference_uid)
            throw bad_input(std::string("the ") + what + " and the CT have different frames of reference", frame + " and " + ct.frame_of_reference_uid,
                            "They must be of the same scan; register and export them again");
    };
    frames(plan.frame_of_reference_uid, "plan");
    if (structures) frames(structures->frame_of_reference_uid, "structure set");
    if (ct.position_stated && plan.position != ct.position)
        throw bad_input("the plan is for patient position " + to_string(plan.position) + ", the CT was taken " + to_string(ct.position), "plan " + plan.label);
}

/// The patient's box, cut to the neighbourhood of the fields.
PatientBox calculation_box(const PatientBox& patient, const Plan& plan, const BeamModelProvider& models, double margin_mm) {
    Vec3 low = Vec3::Constant(1e30), high = -low;
    for (const Beam& beam : plan.beams) {
        const double radius = models(beam).head.maximum_field_radius_mm;
        for (const ControlPoint& point : beam.control_points) {
            const auto frame =
                physics::beam_frame(plan.position, point.gantry_deg, point.collimator_deg, point.couch_deg, point.isocentre_mm, beam.source_axis_distance_mm);
            const physics::Shadow shadow = physics::shadow_of(frame, patient.lower_mm, patient.upper_mm);
            if (shadow.farthest_mm <= shadow.nearest_mm) continue;
            const auto box = cpu::opening_mm(beam, point, radius);
            if (box[1] <= box[0] || box[3] <= box[2]) continue;
            constexpr int steps = 24;
            for (int s = 0; s <= steps; ++s)
                for (int corner = 0; corner < 4; ++corner) {
                    const Vec3 p = frame.point_mm(box[corner & 1 ? 1 : 0], box[corner & 2 ? 3 : 2],
                                                  shadow.nearest_mm + s * (shadow.farthest_mm - shadow.nearest_mm) / steps);
                    const Vec3 clamped = p.cwiseMax(patient.lower_mm).cwiseMin(patient.upper_mm);
                    if ((clamped - p).norm() > margin_mm) continue;
                    low = low.cwiseMin(p), high = high.cwiseMax(p);
                }
        }
    }
    PatientBox box{patient.lower_mm.cwiseMax(low - Vec3::Constant(margin_mm)), patient.upper_mm.cwiseMin(high + Vec3::Constant(margin_mm))};
    if (!((box.upper_mm - box.lower_mm).array() > 0).all())
        throw bad_input("no beam meets the patient", "plan " + plan.label, "Check the isocentre and the patient position");
    return box;
}

}  // namespace

CalculationResult calculate(const CtImage& ct, const StructureSet* structures, const Plan& plan, const MaterialTable& materials,
                            const BeamModelProvider& models, const EngineOptions& options) {
    if (!(options.grid_mm >= 0.5 && options.grid_mm <= 20))
        throw bad_input("grid spacing " + number(options.grid_mm) + " mm is not between 0.5 and 20", "--grid");
    if (!(options.sub_arc_deg > 0)) throw bad_input("the sub-arc spacing must be positive", "sub_arc_deg");
    ct.hu.grid.check("CT");
    plan.check();
    if (plan.beams.empty()) throw refused_plan("the plan has no beam that delivers photons", "plan " + plan.label);
    check_belongs(ct, structures, plan);
    check_forced_leaves(plan, options.leaf_designs, options.leaves);
    for (const Beam& beam : plan.beams) require_modelled(beam, models(beam), options.leaf_designs, options.leaves);
    const ThreadLimit limit(options.threads);
    ChosenBackend backend = choose_backend(options.backend, options.device);
    const auto report = [&](double part, const std::string& stage) {
        if (options.progress) options.progress(part, stage);
    };
    CalculationResult result;
    auto last = std::chrono::steady_clock::now();
    const auto clock = [&](const char* stage) {
        const auto now = std::chrono::steady_clock::now();
        result.seconds[stage] += std::chrono::duration<double>(now - last).count();
        last = now;
    };

    report(0, "density");
    const PatientBox box = calculation_box(patient_box(ct, structures, boluses_of(plan, structures)), plan, models, options.beam_margin_mm);
    const Grid grid = Grid::covering(box.lower_mm, box.upper_mm, Vec3::Constant(options.grid_mm));
    require_memory(backend, options.backend, memory_needs(grid, plan, models, options, omp_get_max_threads()),
                   "dose grid of " + number(options.grid_mm) + " mm, plan " + plan.label);
    const BolusDensities densities(
        plan, [&](const auto& boluses) { return density_on_grid(ct, structures, options.hu_curve, materials, options.overrides, grid, boluses); });
    result.notes = densities.notes();
    if (!backend.note.empty()) result.notes.push_back(backend.note);
    result.notes.push_back("dose grid: " + std::to_string(grid.size[0]) + " x " + std::to_string(grid.size[1]) + " x " + std::to_string(grid.size[2]) +
                           " voxels of " + number(options.grid_mm) + " mm");
    clock("density");

    // Beams of one model and the same boluses share a calculation, so that arcs can share a transport; beam by beam when each is wanted.
    cpu::FluenceOptions fluence;
    fluence.sub_arc_deg = options.sub_arc_deg;
    struct Task {
        const BeamModel* model;
        const DensityGrid* density;
        std::vector<const Beam*> beams;
    };
    std::vector<Task> tasks;
    for (const Beam& beam : plan.beams) {
        const BeamModel& model = models(beam);
        const DensityGrid* density = &densities.of(beam);
        const auto found =
            std::find_if(tasks.begin(), tasks.end(), [&](const Task& t) { return t.model == &model && t.density == density && !options.per_beam; });
        if (found == tasks.end())
            tasks.push_back({&model, density, {&beam}});
        else
            found->beams.push_back(&beam);
    }
    std::vector<float> total(grid.voxel_count(), 0.0f);
    Dose header;
    header.frame_of_reference_uid = ct.frame_of_reference_uid;
    header.referenced_plan_uid = plan.sop_instance_uid;
    header.referenced_plan_class_uid = plan.sop_class_uid;
    if (structures) header.referenced_structure_set_uid = structures->sop_instance_uid;
    header.fraction_group = plan.fraction_group;
    header.provenance.engine_version = LIBDOSE_VERSION;
    header.provenance.engine = to_string(options.algorithm);
    header.provenance.backend = backend.get().description();
    header.provenance.hu_curve_name = options.hu_curve.name();
    header.provenance.settings = {{"grid_mm", number(options.grid_mm)},
                                  {"quality", to_string(options.quality)},
                                  {"sub_arc_deg", number(options.sub_arc_deg)},
                                  {"dose_to", options.dose_to == DoseMedium::water ? "water" : "medium"}};
    if (options.algorithm == Algorithm::collapsed_cone) header.provenance.settings["transport"] = to_string(options.transport);
    if (options.algorithm == Algorithm::pencil_beam) header.provenance.settings["lateral_scaling"] = options.lateral_scaling ? "on" : "off";
    header.medium = options.dose_to;
    for (const DensityOverride& o : options.overrides)
        header.provenance.settings["density " + o.structure] =
            (o.density_g_cm3 > 0 ? number(o.density_g_cm3) : "usual") + (o.material.empty() ? "" : " " + o.material);
    for (const GateEntry& entry : plan.gate) header.provenance.gate.push_back(entry.text());
    for (const Task& task : tasks) {
        header.provenance.model_hashes[task.model->name] = task.model->content_hash;
        header.provenance.settings["calibration " + task.model->name] =
            number(task.model->calibration.reference_gy_per_mu * 100) + " cGy/MU at " + task.model->calibration.depth;
    }

    std::size_t done = 0;
    for (const Task& task : tasks) {
        std::string stage = task.beams.size() == 1 ? "beam " + task.beams.front()->name : std::to_string(task.beams.size()) + " beams";
        std::vector<FluenceMap> maps;
        if (const auto source = task.model->sources.find("calibration"); source != task.model->sources.end() && source->second.rfind("assumed", 0) == 0)
            result.notes.push_back("the dose per MU of the beam model " + task.model->name + " is " + source->second);
        const cpu::TermaTable terma(task.model->spectrum);
        fluence.terma = &terma;
        for (const Beam* beam : task.beams) {
            note_wedges(*beam, *task.model, result.notes);
            fluence.leaves = leaf_edges(*beam, *task.model, options.leaf_designs, options.leaves, header.provenance, result.notes);
            for (FluenceMap& map : cpu::beam_fluence(*beam, plan.position, task.model->head, fluence)) maps.push_back(std::move(map));
        }
        clock("fluence");
        ComputeOptions compute;
        compute.algorithm = options.algorithm;
        compute.settings = quality_settings(options.quality);
        compute.transport = options.transport;
        compute.backend = &backend.get();
        compute.notes = &result.notes;
        compute.lateral_scaling = options.lateral_scaling;
        compute.seconds = &result.seconds;
        compute.progress = [&](double part) {
            report((static_cast<double>(done) + part * static_cast<double>(task.beams.size())) / static_cast<double>(plan.beams.size()), stage);
        };
        std::vector<float> dose = compute_dose(*task.density, maps, *task.model, compute);
        last = std::chrono::steady_clock::now();
        const double scale = gray_per_unit(*task.model, options.algorithm);
        for (std::size_t v = 0; v < dose.size(); ++v) {
            double gray = scale * static_cast<double>(dose[v]);
            if (options.dose_to == DoseMedium::water) gray *= static_cast<double>(task.density->water_to_medium[v]);
            if (!std::isfinite(gray)) throw internal_error("the dose of a voxel is not finite", stage + ", voxel " + std::to_string(v));
            dose[v] = static_cast<float>(gray);
            total[v] += dose[v];
        }
        if (options.per_beam) {
            Dose beam_dose = header;
            beam_dose.summation = DoseSummation::beam;
            beam_dose.beam_number = task.beams.front()->number;
            beam_dose.comment = task.beams.front()->name;
            beam_dose.gy.grid = grid;
            beam_dose.gy.values = std::move(dose);
            result.beams.push_back(std::move(beam_dose));
        }
        done += task.beams.size();
    }
    for (float& value : total) value *= static_cast<float>(plan.fractions);
    result.plan = std::move(header);
    result.plan.summation = DoseSummation::plan;
    result.plan.fractions = plan.fractions;
    result.plan.gy.grid = grid;
    result.plan.gy.values = std::move(total);
    report(1, "done");
    return result;
}

}  // namespace libdose
