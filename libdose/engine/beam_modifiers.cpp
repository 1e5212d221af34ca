#include "engine/beam_modifiers.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/text.h"
#include "fluence/aperture.h"
#include "fluence/fluence_map.h"
#include "fluence/head_equations.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "machine/leaf_edges.h"
#include "plan/dynamic_wedge.h"
#include "plan/wedge.h"

namespace libdose {

namespace {

std::string names_of(const std::vector<const LeafDesign*>& designs) {
    return list_of(designs, [](const LeafDesign* design) { return design->name; });
}
std::string names_of(const std::vector<LeafDesign>& designs) {
    return list_of(designs, [](const LeafDesign& design) { return design.name; });
}

/// "MLCX (40 pairs, -200 … 200 mm)"
std::string words_of(const MultileafCollimator& collimator) {
    return collimator.type + " (" + std::to_string(collimator.leaf_pairs()) + " pairs, " +
           short_number(collimator.leaf_boundaries_mm.front()) + " … " +
           short_number(collimator.leaf_boundaries_mm.back()) + " mm)";
}

bool made_by(const Beam& beam, const std::string& word) {
    return lower_case(beam.manufacturer).find(word) != std::string::npos;
}

/// Makers of treatment machines. Other words (of a program that wrote the plan, say) tell nothing about the
/// leaves.
bool made_by_another(const Beam& beam, const LeafDesign& design) {
    if (made_by(beam, design.manufacturer)) return false;
    const auto makers = {"varian", "elekta", "siemens", "viewray", "accuray", "tomotherapy"};
    return std::any_of(makers.begin(), makers.end(), [&](const char* maker) { return made_by(beam, maker); });
}

/// Behind its tangent, where half of the fluence comes through a rounded end: exp(-b sqrt(s)) = 1/2.
double half_fluence_depth_mm(double decay) {
    return std::isinf(decay) ? 0.0 : std::pow(std::numbers::ln2 / decay, 2);
}

/// What was measured of one collimator says nothing of another.
void require_leaves_of_model(const LeafDesign* design, const BeamModel& model, const Beam& beam) {
    if (!design || model.head.leaf_design.empty() || model.head.leaf_design == design->name) return;
    throw refused_plan("the beam model " + model.name + " holds offset and transmission of the leaves " +
                           model.head.leaf_design + ", those of the plan are " + design->name,
                       beam.place(), "Use the beam model of the plan's machine");
}

bool is_halcyon(const LeafDesign* design) { return design && design->name.starts_with("halcyon"); }

}  // namespace

LeafEdges edges_of(const LeafDesign& design, double source_axis_mm, const BeamModel& model) {
    LeafEdges edges;
    if (design.tip_radius_mm > 0)
        edges.tip_decay = physics::tip_decay(design.attenuation_per_mm(model.spectrum), design.tip_radius_mm,
                                             design.source_distance_mm, source_axis_mm);
    edges.tongue_and_groove_mm = design.tongue_and_groove_mm;
    // Half comes through behind the tangent. When the plan's position is that point, the tangent lies so much
    // farther in the opening.
    if (design.position == LeafDesign::Position::half_fluence)
        edges.tip_shift_mm = half_fluence_depth_mm(edges.tip_decay);
    edges.source_distance_mm = design.source_distance_mm;
    const bool measured = !model.head.leaf_design.empty();
    if (measured) edges.tip_shift_mm -= model.head.leaf_offset_mm;
    // A model that was commissioned for a machine holds what was measured there.
    if (model.machine.empty() && !measured) {
        edges.transmission = design.transmission;
        edges.interleaf_transmission = design.interleaf_transmission;
    }
    return edges;
}

const LeafDesign* find_design(const Beam& beam, const MultileafCollimator& collimator,
                              const std::vector<LeafDesign>& designs, const std::string& forced) {
    if (const LeafDesign* design = design_by_name(designs, forced); design && design->fits(collimator))
        return design;
    if (designs.empty()) return nullptr;
    std::vector<const LeafDesign*> fitting, named;
    for (const LeafDesign& design : designs) {
        if (!design.fits(collimator) ||
            (!design.device_type.empty() && design.device_type != collimator.type) ||
            made_by_another(beam, design))
            continue;
        fitting.push_back(&design);
        if (made_by(beam, design.manufacturer)) named.push_back(&design);
    }
    if (named.size() == 1) return named.front();
    if (fitting.size() == 1 && fitting.front()->shared_with.empty()) return fitting.front();
    if (fitting.empty())
        throw refused_plan("no known leaves have the boundaries of its " + words_of(collimator) +
                               (beam.manufacturer.empty() ? "" : " on a machine by " + beam.manufacturer),
                           beam.place(),
                           "Leaves: " + names_of(designs) +
                               "; --leaf-ends sharp calculates with sharp ends, without tongue and groove");
    std::string candidates = names_of(fitting);
    for (const LeafDesign* design : fitting)
        if (!design->shared_with.empty())
            candidates += " (or " + design->shared_with + ", which is not modelled)";
    throw refused_plan("which leaves its " + words_of(collimator) + " has cannot be told: " + candidates,
                       beam.place(), "Say which: --leaves NAME");
}

void check_forced_leaves(const Plan& plan, const std::vector<LeafDesign>& designs,
                         const std::string& forced) {
    const LeafDesign* design = design_by_name(designs, forced);
    if (!design) return;
    for (const Beam& beam : plan.beams)
        for (const MultileafCollimator& collimator : beam.collimators)
            if (design->fits(collimator)) return;
    throw bad_input("the leaves " + forced + " have the boundaries of no collimator of the plan", "--leaves");
}

namespace {

/// A wedge covers what its model covers: beyond its ends nothing is known of it.
void require_covered(const Beam& beam, std::size_t index, const BeamModel& model) {
    constexpr double tolerance_mm = 1;
    const Wedge& wedge = beam.wedges[index];
    if (wedge.kind == Wedge::Kind::dynamic) return;
    const WedgeModel& shape = wedge_model_for(wedge, model.head);
    const double turn = physics::radians(wedge.orientation_deg);
    for (const ControlPoint& point : beam.control_points) {
        if (index >= point.wedge_in.size() || !point.wedge_in[index]) continue;
        const auto open = opening_mm(beam, point, model.head.maximum_field_radius_mm);
        if (!open) continue;
        const auto& box = *open;
        for (int corner = 0; corner < 4; ++corner) {
            const double along =
                -std::sin(turn) * box.corner_u_mm(corner) + std::cos(turn) * box.corner_v_mm(corner);
            if (along < shape.position_mm.front() - tolerance_mm ||
                along > shape.position_mm.back() + tolerance_mm)
                throw refused_plan("the field reaches to " + short_number(along) + " mm along the wedge of " +
                                       short_number(wedge.angle_deg) + " degrees, which goes from " +
                                       short_number(shape.position_mm.front()) + " to " +
                                       short_number(shape.position_mm.back()) + " mm",
                                   beam.place(), "A field beyond the wedge is not modelled");
        }
    }
}

}  // namespace

void require_modelled(const Beam& beam, const BeamModel& model, const std::vector<LeafDesign>& designs,
                      const std::string& forced) {
    for (const MultileafCollimator& collimator : beam.collimators)
        require_leaves_of_model(find_design(beam, collimator, designs, forced), model, beam);
    for (std::size_t w = 0; w < beam.wedges.size(); ++w) {
        // A wedge that stays out does nothing to the beam.
        const bool in = std::any_of(
            beam.control_points.begin(), beam.control_points.end(),
            [&](const ControlPoint& point) { return w < point.wedge_in.size() && point.wedge_in[w]; });
        if (!in) continue;
        require_wedge(beam, beam.wedges[w], model);
        require_covered(beam, w, model);
    }
    with_moving_jaw(beam, model.head);  // throws for a field that its dynamic wedge cannot make
}

std::vector<LeafEdges> leaf_edges(const Beam& beam, const BeamModel& model,
                                  const std::vector<LeafDesign>& designs, const std::string& forced,
                                  Provenance& provenance, std::vector<std::string>& notes) {
    std::vector<LeafEdges> edges;
    std::string names;
    bool all_halcyon = !beam.collimators.empty();
    for (const MultileafCollimator& collimator : beam.collimators) {
        const LeafDesign* design = find_design(beam, collimator, designs, forced);
        require_leaves_of_model(design, model, beam);
        edges.push_back(design ? edges_of(*design, beam.source_axis_distance_mm, model) : LeafEdges{});
        names += (names.empty() ? "" : ", ") + (design ? design->name : "sharp");
        all_halcyon = all_halcyon && is_halcyon(design);
        if (!design)
            notes.push_back("beam " + std::to_string(beam.number) + ": the leaves of its " + collimator.type +
                            " end sharply, without tongue and groove");
    }
    const ControlPoint& first = beam.control_points.front();
    if (all_halcyon && (first.jaw_x || first.jaw_y))
        notes.push_back("beam " + std::to_string(beam.number) +
                        ": a Halcyon has no jaws; those of the plan are taken as the limit of the field");
    if (!names.empty()) provenance.settings["leaves beam " + std::to_string(beam.number)] = names;
    return edges;
}

void note_wedges(const Beam& beam, const BeamModel& model, std::vector<std::string>& notes) {
    for (const Wedge& wedge : beam.wedges) {
        std::string note = "beam " + std::to_string(beam.number) + ": " + to_string(wedge.kind) +
                           " wedge of " + short_number(wedge.angle_deg) + " degrees";
        if (!wedge.id.empty()) note += " \"" + wedge.id + "\"";
        if (model.machine.empty() && model.lineage.empty())
            note += wedge.kind == Wedge::Kind::dynamic
                        ? ", generic table"
                        : ", generic: steel, of no real machine; its factor is not that of yours";
        if (wedge.kind != Wedge::Kind::dynamic) {
            BeamFilter filter;
            const WedgeModel& shape = wedge_model_for(wedge, model.head);
            filter.wedge_mm = shape.position_mm;
            filter.wedge_water_g_cm2 = shape.water_g_cm2;
            filter.wedge_high_z_g_cm2 = shape.high_z_g_cm2;
            const physics::BasisPath middle = filter.path(0, 0);
            const double factor = physics::basis_terma(model.spectrum, middle.water, middle.high_z).water /
                                  physics::basis_terma(model.spectrum, 0, 0).water;
            note += "; " + short_number(std::round(1000 * factor) / 1000) + " in air on the axis";
        }
        if (wedge.factor) note += "; the plan's wedge factor is " + short_number(*wedge.factor);
        notes.push_back(note);
    }
}

}  // namespace libdose
