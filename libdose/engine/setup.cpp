#include "engine/setup.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/beam_modifiers.h"
#include "engine/dose_grid.h"
#include "libdose/error.h"

namespace libdose {

namespace {

void check_belongs(const CtImage& ct, const StructureSet* structures, const Plan& plan) {
    const auto frames = [&](const std::string& frame, const char* what) {
        if (!frame.empty() && !ct.frame_of_reference_uid.empty() && frame != ct.frame_of_reference_uid)
            throw bad_input(std::string("the ") + what + " and the CT have different frames of reference",
                            frame + " and " + ct.frame_of_reference_uid,
                            "They must be of the same scan; register and export them again");
    };
    frames(plan.frame_of_reference_uid, "plan");
    if (structures) frames(structures->frame_of_reference_uid, "structure set");
    if (ct.position_stated && plan.position != ct.position)
        throw bad_input("the plan is for patient position " + to_string(plan.position) +
                            ", the CT was taken " + to_string(ct.position),
                        "plan " + plan.label);
}

void check_given_grid(const Grid& grid) {
    grid.check("given dose grid");
    for (int axis = 0; axis < 3; ++axis)
        if (!(grid.spacing_mm[axis] >= 0.5 && grid.spacing_mm[axis] <= 20))
            throw bad_input("a spacing of the given dose grid, " + short_number(grid.spacing_mm[axis]) +
                                " mm, is not between 0.5 and 20",
                            "dose grid", "Calculate on a grid of its own (--grid) and interpolate");
}

}  // namespace

void check_request(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                   const BeamModelProvider& models, const EngineOptions& options) {
    if (options.grid)
        check_given_grid(*options.grid);
    else if (options.grid_mm != 0 && !(options.grid_mm >= 0.5 && options.grid_mm <= 20))
        throw bad_input("grid spacing " + short_number(options.grid_mm) + " mm is not between 0.5 and 20",
                        "--grid");
    if (!(options.sub_arc_deg > 0)) throw bad_input("the sub-arc spacing must be positive", "sub_arc_deg");
    ct.hu.grid.check("CT");
    plan.check();
    if (plan.beams.empty())
        throw refused_plan("the plan has no beam that delivers photons", "plan " + plan.label);
    check_belongs(ct, structures, plan);
    const std::vector<LeafDesign> designs = leaf_designs_for(plan, options);
    check_forced_leaves(plan, designs, options.leaves);
    for (const Beam& beam : plan.beams) require_modelled(beam, models(beam), designs, options.leaves);
}

Dose dose_header(const CtImage& ct, const StructureSet* structures, const Plan& plan, const Grid& grid,
                 const EngineOptions& options) {
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
    header.provenance.settings = {{"grid_mm", spacing_text(options.grid ? *options.grid : grid)},
                                  {"quality", to_string(options.quality)},
                                  {"sub_arc_deg", short_number(options.sub_arc_deg)},
                                  {"dose_to", options.dose_to == DoseMedium::water ? "water" : "medium"}};
    if (options.algorithm == Algorithm::collapsed_cone)
        header.provenance.settings["grouping"] = to_string(options.grouping);
    if (options.algorithm == Algorithm::pencil_beam)
        header.provenance.settings["lateral_scaling"] = options.lateral_scaling ? "on" : "off";
    for (const DensityOverride& o : options.overrides)
        header.provenance.settings["density " + o.structure] =
            (o.density_g_cm3 > 0 ? short_number(o.density_g_cm3) : "usual") +
            (o.material.empty() ? "" : " " + o.material);
    for (const GateEntry& entry : plan.gate) header.provenance.gate.push_back(entry.text());
    return header;
}

void name_model(const BeamModel& model, Provenance& provenance, std::vector<std::string>& notes) {
    provenance.model_hashes[model.name] = model.content_hash;
    provenance.settings["calibration " + model.name] =
        short_number(model.calibration.reference_gy_per_mu * 100) + " cGy/MU at " + model.calibration.depth;
    if (const auto source = model.sources.find("calibration");
        source != model.sources.end() && source->second.rfind("assumed", 0) == 0)
        notes.push_back("the dose per MU of the beam model " + model.name + " is " + source->second);
}

}  // namespace libdose
