#include "engine/setup.h"

#include <algorithm>
#include <cmath>

#include "cpu/aperture.h"
#include "cpu/fluence_plan.h"
#include "engine/bolus_density.h"
#include "engine/devices.h"
#include "engine/field_box.h"
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

/// The neighbourhood of the fields, beam by beam.
class FieldBox {
public:
    FieldBox(const PatientBox& patient, const Plan& plan, const EngineOptions& options)
        : patient_(patient), plan_(plan), options_(options) {}

    /// Without anything open at any moment the jaws count: the leaves' transmission comes through them.
    void add(const Beam& beam, double radius_mm, const FieldOpening& also) {
        const std::vector<ControlPoint> moments = cpu::moments_of(beam, options_.sub_arc_deg);
        const bool closed = std::none_of(moments.begin(), moments.end(), [&](const ControlPoint& point) {
            return cpu::opening_mm(beam, point, radius_mm, closed_mm);
        });
        bool meets = false;
        for (const ControlPoint& point : moments) {
            const auto frame =
                physics::beam_frame(plan_.position, point.gantry_deg, point.collimator_deg, point.couch_deg,
                                    point.isocentre_mm, beam.source_axis_distance_mm);
            if (contains(patient_, frame.source_mm()))
                throw bad_input("the source lies inside the patient",
                                beam.place() + ", gantry at " + short_number(point.gantry_deg) + " degrees",
                                "Check the isocentre and the patient position");
            const auto open =
                closed ? cpu::jaw_opening_mm(point, radius_mm) : cpu::opening_mm(beam, point, radius_mm);
            if (open) meets = include(frame, *open) || meets;
            if (const auto more = also ? also(beam, point) : std::nullopt)
                meets = include(frame, *more) || meets;
        }
        if (closed)
            notes_.push_back(beam.place() + ": its leaves are closed; what comes through them is calculated");
        if (!meets) missing_.push_back(beam.place() + " misses the patient");
    }

    PatientBox box() const {
        const Vec3 margin = Vec3::Constant(options_.beam_margin_mm);
        return {patient_.lower_mm.cwiseMax(low_ - margin), patient_.upper_mm.cwiseMin(high_ + margin)};
    }
    const std::vector<std::string>& notes() const { return notes_; }
    const std::vector<std::string>& missing() const { return missing_; }

private:
    static constexpr double closed_mm =
        1;  ///< pairs that nearly touch: dynamic leaves keep a gap of about 0.5 mm

    /// Returns whether the field meets the patient.
    bool include(const physics::BeamFrame& frame, const std::array<double, 4>& opening) {
        include_corner_rays(frame, opening);
        const auto part = box_in_field(frame, opening, patient_);
        if (!part) return false;
        include(part->lower_mm);
        include(part->upper_mm);
        return true;
    }

    /// Where the corners' rays pass beside the patient, within the margin, they count as well.
    void include_corner_rays(const physics::BeamFrame& frame, const std::array<double, 4>& opening) {
        constexpr int steps = 24;
        const physics::Shadow shadow = physics::shadow_of(frame, patient_.lower_mm, patient_.upper_mm);
        if (shadow.farthest_mm <= shadow.nearest_mm) return;
        for (int s = 0; s <= steps; ++s)
            for (int corner = 0; corner < 4; ++corner) {
                const double distance = shadow.nearest_mm + s * (shadow.farthest_mm - shadow.nearest_mm) / steps;
                const Vec3 p = frame.point_mm(opening[corner & 1 ? 1 : 0], opening[corner & 2 ? 3 : 2], distance);
                const Vec3 clamped = p.cwiseMax(patient_.lower_mm).cwiseMin(patient_.upper_mm);
                if ((clamped - p).norm() <= options_.beam_margin_mm) include(p);
            }
    }

    void include(const Vec3& point_mm) {
        low_ = low_.cwiseMin(point_mm);
        high_ = high_.cwiseMax(point_mm);
    }

    const PatientBox& patient_;
    const Plan& plan_;
    const EngineOptions& options_;
    Vec3 low_ = Vec3::Constant(1e30), high_ = Vec3::Constant(-1e30);
    std::vector<std::string> notes_, missing_;
};

/// The patient's box, cut to the neighbourhood of the fields.
PatientBox calculation_box(const PatientBox& patient, const Plan& plan, const BeamModelProvider& models,
                           const EngineOptions& options, const FieldOpening& also,
                           std::vector<std::string>& notes) {
    FieldBox fields(patient, plan, options);
    for (const Beam& beam : plan.beams) fields.add(beam, models(beam).head.maximum_field_radius_mm, also);
    if (fields.missing().size() == plan.beams.size()) {
        std::string all;
        for (const std::string& one : fields.missing()) all += (all.empty() ? "" : "; ") + one;
        throw bad_input("no beam meets the patient: " + all, "plan " + plan.label,
                        "Check the isocentre and the patient position");
    }
    notes.insert(notes.end(), fields.notes().begin(), fields.notes().end());
    notes.insert(notes.end(), fields.missing().begin(), fields.missing().end());
    return fields.box();
}

}  // namespace

void check_request(const CtImage& ct, const StructureSet* structures, const Plan& plan, const BeamModelProvider& models, const EngineOptions& options) {
    if (!(options.grid_mm >= 0.5 && options.grid_mm <= 20))
        throw bad_input("grid spacing " + short_number(options.grid_mm) + " mm is not between 0.5 and 20", "--grid");
    if (!(options.sub_arc_deg > 0)) throw bad_input("the sub-arc spacing must be positive", "sub_arc_deg");
    ct.hu.grid.check("CT");
    plan.check();
    if (plan.beams.empty()) throw refused_plan("the plan has no beam that delivers photons", "plan " + plan.label);
    check_belongs(ct, structures, plan);
    const std::vector<LeafDesign> designs = leaf_designs_for(plan, options);
    check_forced_leaves(plan, designs, options.leaves);
    for (const Beam& beam : plan.beams) require_modelled(beam, models(beam), designs, options.leaves);
}

Grid dose_grid(const CtImage& ct, const StructureSet* structures, const Plan& plan,
               const BeamModelProvider& models, const EngineOptions& options, std::vector<std::string>& notes,
               const FieldOpening& also) {
    const PatientBox patient = patient_box(ct, structures, boluses_of(plan, structures));
    const PatientBox box = calculation_box(patient, plan, models, options, also, notes);
    return Grid::covering(box.lower_mm, box.upper_mm, Vec3::Constant(options.grid_mm));
}

std::string grid_note(const Grid& grid) {
    return "dose grid: " + std::to_string(grid.size[0]) + " x " + std::to_string(grid.size[1]) + " x " + std::to_string(grid.size[2]) + " voxels of " +
           short_number(grid.spacing_mm[0]) + " mm";
}

Dose dose_header(const CtImage& ct, const StructureSet* structures, const Plan& plan, const EngineOptions& options) {
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
    header.provenance.settings = {{"grid_mm", short_number(options.grid_mm)},
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
