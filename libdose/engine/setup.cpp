#include "engine/setup.h"

#include <cmath>

#include "cpu/aperture.h"
#include "engine/bolus_density.h"
#include "engine/devices.h"
#include "engine/small_fields.h"
#include "libdose/error.h"
#include "model/density.h"
#include "model/text.h"

namespace libdose {

namespace {

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

void check_request(const CtImage& ct, const StructureSet* structures, const Plan& plan, const BeamModelProvider& models, const EngineOptions& options) {
    if (options.grid_mm != 0 && !(options.grid_mm >= 0.5 && options.grid_mm <= 20))
        throw bad_input("grid spacing " + short_number(options.grid_mm) + " mm is not between 0.5 and 20", "--grid");
    if (!(options.sub_arc_deg > 0)) throw bad_input("the sub-arc spacing must be positive", "sub_arc_deg");
    ct.hu.grid.check("CT");
    plan.check();
    if (plan.beams.empty()) throw refused_plan("the plan has no beam that delivers photons", "plan " + plan.label);
    check_belongs(ct, structures, plan);
    check_forced_leaves(plan, options.leaf_designs, options.leaves);
    for (const Beam& beam : plan.beams) require_modelled(beam, models(beam), options.leaf_designs, options.leaves);
}

Grid dose_grid(const CtImage& ct, const StructureSet* structures, const Plan& plan, const BeamModelProvider& models, const EngineOptions& options) {
    const PatientBox box = calculation_box(patient_box(ct, structures, boluses_of(plan, structures)), plan, models, options.beam_margin_mm);
    const double spacing_mm = options.grid_mm > 0 ? options.grid_mm : automatic_grid_mm(plan, models, (box.upper_mm - box.lower_mm).prod());
    return Grid::covering(box.lower_mm, box.upper_mm, Vec3::Constant(spacing_mm));
}

std::string grid_note(const Grid& grid) {
    return "dose grid: " + std::to_string(grid.size[0]) + " x " + std::to_string(grid.size[1]) + " x " + std::to_string(grid.size[2]) + " voxels of " +
           short_number(grid.spacing_mm[0]) + " mm";
}

Dose dose_header(const CtImage& ct, const StructureSet* structures, const Plan& plan, const Grid& grid, const EngineOptions& options) {
    Dose header;
    header.frame_of_reference_uid = ct.frame_of_reference_uid;
    header.referenced_plan_uid = plan.sop_instance_uid;
    header.referenced_plan_class_uid = plan.sop_class_uid;
    if (structures) header.referenced_structure_set_uid = structures->sop_instance_uid;
    header.fraction_group = plan.fraction_group;
    header.medium = options.dose_to;
    header.provenance.engine_version = LIBDOSE_VERSION;
    header.provenance.engine = to_string(options.algorithm);
    header.provenance.hu_curve_name = options.hu_curve.name();
    header.provenance.settings = {{"grid_mm", short_number(grid.spacing_mm[0])},
                                  {"quality", to_string(options.quality)},
                                  {"sub_arc_deg", short_number(options.sub_arc_deg)},
                                  {"dose_to", options.dose_to == DoseMedium::water ? "water" : "medium"}};
    if (options.algorithm == Algorithm::collapsed_cone) header.provenance.settings["transport"] = to_string(options.transport);
    if (options.algorithm == Algorithm::pencil_beam) header.provenance.settings["lateral_scaling"] = options.lateral_scaling ? "on" : "off";
    for (const DensityOverride& o : options.overrides)
        header.provenance.settings["density " + o.structure] =
            (o.density_g_cm3 > 0 ? short_number(o.density_g_cm3) : "usual") + (o.material.empty() ? "" : " " + o.material);
    for (const GateEntry& entry : plan.gate) header.provenance.gate.push_back(entry.text());
    return header;
}

void name_model(const BeamModel& model, Provenance& provenance, std::vector<std::string>& notes) {
    provenance.model_hashes[model.name] = model.content_hash;
    provenance.settings["calibration " + model.name] = short_number(model.calibration.reference_gy_per_mu * 100) + " cGy/MU at " + model.calibration.depth;
    if (const auto source = model.sources.find("calibration"); source != model.sources.end() && source->second.rfind("assumed", 0) == 0)
        notes.push_back("the dose per MU of the beam model " + model.name + " is " + source->second);
}

}  // namespace libdose
