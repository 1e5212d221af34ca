#include "engine/influence_case.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.h"
#include "engine/beam_modifiers.h"
#include "engine/dose_grid.h"
#include "engine/memory_needs.h"
#include "engine/patient_structures.h"
#include "engine/setup.h"
#include "engine/small_fields.h"
#include "geometry/coordinates.h"
#include "libdose/error.h"
#include "patient/density.h"

namespace libdose {

namespace {

/// Rectangle around what the beamlets of a target pass through; nullopt without a target, whose beamlets lie
/// in the plan's openings.
FieldOpening target_opening(const StructureSet* structures, const Plan& plan, const BeamModelProvider& models,
                            const BeamletOptions& options) {
    const Structure* target =
        structures && !options.target.empty() ? structures->find(options.target) : nullptr;
    if (!target) return [](const Beam&, const ControlPoint&) { return std::nullopt; };
    return [&, target](const Beam& beam, const ControlPoint& point) -> std::optional<Rect> {
        const auto frame =
            physics::beam_frame(plan.position, point.gantry_deg, point.collimator_deg, point.couch_deg,
                                point.isocentre_mm, beam.source_axis_distance_mm);
        const double radius = models(beam).head.maximum_field_radius_mm;
        Rect seen{radius, -radius, radius, -radius};
        for (const Contour& contour : target->contours)
            for (const Vec3& corner : contour.points_mm) {
                const auto p = frame.project(corner);
                seen = seen.around(Rect::point(p.u_mm, p.v_mm));
            }
        const auto within = [radius](double value) { return std::clamp(value, -radius, radius); };
        seen = seen.grown(options.margin_mm);
        return Rect{within(seen.low_u_mm), within(seen.high_u_mm), within(seen.low_v_mm),
                    within(seen.high_v_mm)};
    };
}

/// The grid of the plan's dose, large enough for the beamlets of a target wherever the plan's jaws are.
Grid influence_grid(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                    const BeamModelProvider& models, const InfluenceOptions& options,
                    std::vector<std::string>& notes) {
    return dose_grid(ct, structures, plan, models, options.engine, notes,
                     target_opening(structures, plan, models, options.beamlets));
}

/// Beamlets pass open heads with standing wedges: what else shapes a beam would be left out without a word.
/// Throws refused_plan for it.
void require_beamlets_pass(const Beam& beam) {
    if (!beam.blocks.empty())
        throw refused_plan("beamlets do not pass blocks", beam.place(),
                           "Take the blocks off the beam; its opening chooses the beamlets");
    for (std::size_t w = 0; w < beam.wedges.size(); ++w) {
        if (beam.wedges[w].kind != Wedge::Kind::dynamic) continue;
        if (std::any_of(beam.control_points.begin(), beam.control_points.end(),
                        [&](const ControlPoint& p) { return w < p.wedge_in.size() && p.wedge_in[w]; }))
            throw refused_plan("beamlets have no moving jaw: the dynamic wedge cannot be in", beam.place(),
                               "Take the wedge out; the weights of the beamlets make one");
    }
}

void check_options(const InfluenceOptions& options) {
    if (!(options.cutoff >= 0 && options.cutoff <= 0.1))
        throw bad_input("the cutoff " + short_number(options.cutoff) + " is not between 0 and 0.1",
                        "influence");
    if (options.engine.grid)
        throw bad_input("beamlets are calculated on a grid of their own", "grid",
                        "Leave the grid out, and give its spacing (grid_mm)");
}

}  // namespace

InfluenceCase::InfluenceCase(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                             const MaterialTable& materials, const BeamModelProvider& models,
                             const InfluenceOptions& options)
    : plan_(plan), models_(models), options_(options) {
    check_options(options);
    header.beamlets = beamlets_of(ct, structures, plan, models, options);
    header.notes = check_patient_structures(ct, structures, plan, models, options.engine);
    std::vector<std::string> field_notes;
    header.grid = influence_grid(ct, structures, plan, models, options, field_notes);
    if (header.grid.voxel_count() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
        throw bad_input("the dose grid has more than 2^31 voxels", "influence",
                        "Choose a larger grid spacing");
    choose_part();
    prepare(ct, structures, materials);
    header.notes.insert(header.notes.end(), field_notes.begin(), field_notes.end());
    header.notes.push_back("beamlets: " + std::to_string(header.beamlets.size()) + " of " +
                           short_number(header.side_mm) + " mm");
    name_beams(leaf_designs_for(plan, options.engine));
    header.provenance = dose_header_.provenance;
    header.provenance.settings["beamlet_mm"] = short_number(header.side_mm);
    header.provenance.settings["cutoff"] = short_number(options.cutoff);
    header.provenance.settings.erase("grouping");
}

/// The beamlets that are asked for.
void InfluenceCase::choose_part() {
    const std::size_t all = header.beamlets.size();
    first_ = options_.first;
    last_ = options_.last == 0 && options_.first == 0 ? all : options_.last;
    if (first_ >= last_ || last_ > all)
        throw bad_input("beamlets " + std::to_string(options_.first) + " to " +
                            std::to_string(options_.last) + " are asked for, of " + std::to_string(all),
                        "influence");
}

/// Backend, densities, and the header that results carry.
void InfluenceCase::prepare(const CtImage& ct, const StructureSet* structures,
                            const MaterialTable& materials) {
    const EngineOptions& engine = options_.engine;
    backend_ = choose_backend(engine.backend, engine.device, engine.devices);
    require_memory(backend_, engine.backend,
                   memory_needs(header.grid, plan_, models_, engine, omp_get_max_threads()),
                   "dose grid of " + short_number(header.grid.spacing_mm[0]) + " mm, plan " + plan_.label,
                   engine.devices);
    densities_ = std::make_unique<BolusDensities>(plan_, [&](const auto& boluses) {
        return density_on_grid(ct, structures, engine.hu_curve, materials, engine.overrides, header.grid,
                               boluses);
    });
    dose_header_ = dose_header(ct, structures, plan_, header.grid, engine);
    dose_header_.provenance.backend = backend_.get().description();
    header.side_mm = options_.beamlets.side_mm;
    header.cutoff = options_.cutoff;
    header.medium = engine.dose_to;
    header.frame_of_reference_uid = dose_header_.frame_of_reference_uid;
    header.referenced_plan_uid = plan_.sop_instance_uid;
    for (const std::string& note : densities_->notes()) header.notes.push_back(note);
    if (!backend_.note.empty()) header.notes.push_back(backend_.note);
    header.notes.push_back(grid_note(header.grid));
    if (std::string note = small_field_note(plan_, models_, header.grid, engine.grid_mm); !note.empty())
        header.notes.push_back(std::move(note));
}

/// Notes and provenance of every beam: its model once, wedges, leaves.
void InfluenceCase::name_beams(const std::vector<LeafDesign>& designs) {
    std::vector<const BeamModel*> named;
    for (const Beam& beam : plan_.beams) {
        const BeamModel& model = models_(beam);
        if (std::find(named.begin(), named.end(), &model) == named.end()) {
            name_model(model, dose_header_.provenance, header.notes);
            named.push_back(&model);
        }
        note_wedges(beam, model, header.notes);
        leaves_.push_back(
            leaf_edges(beam, model, designs, options_.engine.leaves, dose_header_.provenance, header.notes));
    }
}

FluenceOptions InfluenceCase::fluence(const Beamlet& beamlet, const TermaTable& table) const {
    FluenceOptions fluence;
    fluence.leaves = leaves_[static_cast<std::size_t>(beamlet.beam)];
    fluence.terma = &table;
    return fluence;
}

ComputeOptions InfluenceCase::compute() const {
    ComputeOptions compute;
    compute.algorithm = options_.engine.algorithm;
    compute.settings = quality_settings(options_.engine.quality);
    compute.grouping = Grouping::per_geometry;
    compute.pencil = {options_.engine.lateral_scaling, 1};
    compute.backend = &backend_.get();
    return compute;
}

std::size_t InfluenceCase::end_of_geometry(std::size_t begin) const {
    std::size_t end = begin + 1;
    const Beamlet& b = header.beamlets[begin];
    while (end < header.beamlets.size() && header.beamlets[end].beam == b.beam &&
           header.beamlets[end].control_point == b.control_point)
        ++end;
    return end;
}

DoseInGray InfluenceCase::gray(const Beamlet& beamlet) const {
    return {density(beamlet), header.medium, gray_per_unit(model(beamlet), options_.engine.algorithm)};
}

std::vector<Beamlet> beamlets_of(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                 const BeamModelProvider& models, const InfluenceOptions& options) {
    check_request(ct, structures, plan, models, options.engine);
    for (const Beam& beam : plan.beams) require_beamlets_pass(beam);
    std::vector<std::string> notes;
    return make_beamlets(plan, structures, influence_grid(ct, structures, plan, models, options, notes),
                         models, options.beamlets);
}

}  // namespace libdose
