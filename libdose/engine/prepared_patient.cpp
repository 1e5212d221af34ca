// The stages of a calculation: what is prepared once, the fluence of a beam, the dose of a fluence.
#include "libdose/prepared_patient.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/stage_clock.h"
#include "base/text.h"
#include "base/threads.h"
#include "engine/backend_choice.h"
#include "engine/beam_modifiers.h"
#include "engine/compute.h"
#include "engine/dose_grid.h"
#include "engine/dose_in_gray.h"
#include "engine/memory_needs.h"
#include "engine/patient_structures.h"
#include "engine/setup.h"
#include "engine/small_fields.h"
#include "fluence/head.h"
#include "libdose/error.h"
#include "patient/bolus_density.h"
#include "terma/terma_table.h"

namespace libdose {

struct BeamFluence::Parts {
    std::shared_ptr<const char> patient;  ///< identity of the one that made it; never that of another
    Beam beam;
    const BeamModel* model;
    const DensityGrid* density;
    std::vector<FluenceMap> maps;
    std::vector<std::string> notes;
    Provenance provenance;  ///< model and settings of the beam alone
};

BeamFluence::BeamFluence(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

const std::vector<std::string>& BeamFluence::notes() const { return parts_->notes; }

std::vector<FluenceRaster> BeamFluence::rasters() const {
    std::vector<FluenceRaster> rasters;
    for (const FluenceMap& map : parts_->maps) {
        FluenceRaster raster;
        raster.isocentre_mm = map.frame.isocentre_mm;
        raster.axes = map.frame.axes;
        raster.source_axis_distance_mm = map.frame.source_axis_distance_mm;
        raster.pixel_mm = map.pixel_mm;
        raster.size_u = map.size_u;
        raster.size_v = map.size_v;
        raster.lower_u_mm = map.lower_u_mm;
        raster.lower_v_mm = map.lower_v_mm;
        raster.values = map.values;
        rasters.push_back(std::move(raster));
    }
    return rasters;
}

namespace {

FluenceMap map_of(const FluenceRaster& raster, const std::shared_ptr<const BeamFilter>& filter) {
    FluenceMap map;
    map.frame = {raster.axes, raster.isocentre_mm, raster.source_axis_distance_mm};
    map.pixel_mm = raster.pixel_mm;
    map.size_u = raster.size_u;
    map.size_v = raster.size_v;
    map.lower_u_mm = raster.lower_u_mm;
    map.lower_v_mm = raster.lower_v_mm;
    map.values = raster.values;
    map.filter = filter;
    return map;
}

}  // namespace

/// What is the same for every beam.
struct PreparedPatient::State {
    std::shared_ptr<const char> identity = std::make_shared<const char>();
    Plan plan;
    EngineOptions options;
    BeamModelProvider models;
    PatientBox patient;
    Grid grid;  ///< of the calculation
    ChosenBackend backend;
    std::vector<LeafDesign> designs;
    std::vector<StructureBeyondCt> beyond_ct;
    std::optional<BolusDensities> densities;
    Dose header;
    std::vector<std::string> notes;
    std::map<std::string, double> seconds;
    std::map<const DensityGrid*, PreparedDensity> prepared;  ///< made when a dose is first asked for

    /// Spacing that somebody stated, mm; 0: nobody did.
    double stated_mm() const { return options.grid ? grid.spacing_mm.maxCoeff() : options.grid_mm; }

    PreparedDensity& on_backend(const DensityGrid& density) {
        const auto found = prepared.find(&density);
        if (found != prepared.end()) return found->second;
        return prepared.try_emplace(&density, backend.get(), density).first->second;
    }

    void prepare(const CtImage& ct, const StructureSet* structures, const MaterialTable& materials);
    /// A beam's fluence without maps. Throws bad_input for boluses that no beam of the plan wears.
    std::shared_ptr<BeamFluence::Parts> parts_of(const Beam& beam) const;
    /// The leaf designs for a beam. The plan may have had no leaves.
    std::vector<LeafDesign> designs_of(const Beam& beam) const;
    /// Fluence of a beam. `stated`: the spacing that its openings are held against, mm; `after_map` as
    /// FluenceOptions has it.
    std::vector<FluenceMap> maps_of(const Beam& beam, const std::vector<LeafDesign>& of_beam, double stated,
                                    Provenance& provenance, std::vector<std::string>& notes,
                                    const std::function<void()>& after_map) const;
    /// Throws bad_input for a field that leaves the grid; a note where it comes near its edge.
    void require_on_grid(const std::optional<PatientBox>& field, const Beam& beam,
                         std::vector<std::string>& notes) const;
    /// The density that a beam meets.
    const DensityGrid& density_of(const Beam& beam) const;
    /// Gy of one fraction, on the grid of the calculation.
    std::vector<float> dose_of(const std::vector<FluenceMap>& maps, const BeamModel& model,
                               const DensityGrid& density, const std::string& stage,
                               CalculationResult& result, const std::function<void(double)>& progress);
    Dose beam_dose(const Dose& with_header, const Beam& beam, std::vector<float> gy) const;
};

void PreparedPatient::State::prepare(const CtImage& ct, const StructureSet* structures,
                                     const MaterialTable& materials) {
    StageClock clock(&seconds);
    backend = choose_backend(options.backend, options.device, options.devices);
    if (options.progress) options.progress(0, "density");
    std::vector<std::string> field_notes;
    patient = patient_box(ct, structures, boluses_of(plan, structures));
    grid = dose_grid(ct, structures, plan, models, options, field_notes);
    require_memory(backend, options.backend, memory_needs(grid, plan, models, options, omp_get_max_threads()),
                   grid_note(grid) + ", plan " + plan.label, options.devices);
    densities.emplace(plan, [&](const auto& boluses) {
        return density_on_grid(ct, structures, options.hu_curve, materials, options.overrides, grid, boluses);
    });
    for (const std::string& note : densities->notes()) notes.push_back(note);
    if (!backend.note.empty()) notes.push_back(backend.note);
    notes.push_back(grid_note(grid, options));
    if (std::string note = small_field_note(plan, models, grid, stated_mm()); !note.empty())
        notes.push_back(std::move(note));
    notes.insert(notes.end(), field_notes.begin(), field_notes.end());
    designs = leaf_designs_for(plan, options);
    header = dose_header(ct, structures, plan, grid, options);
    header.provenance.backend = backend.get().description();
    clock.add("density");
}

std::shared_ptr<BeamFluence::Parts> PreparedPatient::State::parts_of(const Beam& beam) const {
    auto parts = std::make_shared<BeamFluence::Parts>();
    parts->patient = identity;
    parts->beam = beam;
    parts->model = &models(beam);
    parts->density = &density_of(beam);
    name_model(*parts->model, parts->provenance, parts->notes);
    return parts;
}

std::vector<LeafDesign> PreparedPatient::State::designs_of(const Beam& beam) const {
    if (!designs.empty() || beam.collimators.empty()) return designs;
    Plan alone;
    alone.beams = {beam};
    return leaf_designs_for(alone, options);
}

std::vector<FluenceMap> PreparedPatient::State::maps_of(const Beam& beam,
                                                        const std::vector<LeafDesign>& of_beam, double stated,
                                                        Provenance& provenance,
                                                        std::vector<std::string>& of_maps,
                                                        const std::function<void()>& after_map) const {
    const BeamModel& model = models(beam);
    const TermaTable terma(model.spectrum);
    FluenceOptions fluence;
    fluence.sub_arc_deg = options.sub_arc_deg;
    fluence.terma = &terma;
    fluence.after_map = after_map;
    note_wedges(beam, model, of_maps);
    fluence.pixel_mm = fluence_pixel_mm(beam, model.head, grid, stated);
    fluence.leaves = leaf_edges(beam, model, of_beam, options.leaves, provenance, of_maps);
    return backend.get().fluence(beam, plan.position, model.head, fluence);
}

void PreparedPatient::State::require_on_grid(const std::optional<PatientBox>& field, const Beam& beam,
                                             std::vector<std::string>& of_beam) const {
    if (!field) {
        of_beam.push_back(beam.place() + " misses the patient");
        return;
    }
    // Boxes of the grid and of the patient may differ by rounding.
    constexpr double rounding_mm = 1e-6;
    const Vec3 before = field->lower_mm - grid.lower_edge_mm(),
               behind = grid.upper_edge_mm() - field->upper_mm;
    if (std::min(before.minCoeff(), behind.minCoeff()) < -rounding_mm)
        throw bad_input("the field of the beam leaves the grid that the patient was prepared on",
                        beam.place(), "Prepare the patient again with this beam in the plan");
    double margin_mm = options.beam_margin_mm;
    for (int axis = 0; axis < 3; ++axis) {
        if (grid.lower_edge_mm()[axis] > patient.lower_mm[axis] + rounding_mm)
            margin_mm = std::min(margin_mm, before[axis]);
        if (grid.upper_edge_mm()[axis] < patient.upper_mm[axis] - rounding_mm)
            margin_mm = std::min(margin_mm, behind[axis]);
    }
    if (margin_mm < 0.5 * options.beam_margin_mm)
        of_beam.push_back(beam.place() + ": its field comes within " +
                          short_number(std::round(10 * margin_mm) / 10) + " mm of the edge of the grid; " +
                          short_number(options.beam_margin_mm) + " mm were asked for");
}

const DensityGrid& PreparedPatient::State::density_of(const Beam& beam) const {
    if (const DensityGrid* density = densities->find(beam)) return *density;
    throw bad_input("the beam wears boluses that no beam of the prepared plan does", beam.place(),
                    "Prepare the patient again with this beam in the plan");
}

std::vector<float> PreparedPatient::State::dose_of(const std::vector<FluenceMap>& maps,
                                                   const BeamModel& model, const DensityGrid& density,
                                                   const std::string& stage, CalculationResult& result,
                                                   const std::function<void(double)>& progress) {
    ComputeOptions compute;
    compute.algorithm = options.algorithm;
    compute.settings = quality_settings(options.quality);
    compute.grouping = options.grouping;
    compute.notes = &result.notes;
    compute.pencil.lateral_scaling = options.lateral_scaling;
    compute.seconds = &result.seconds;
    compute.progress = progress;
    std::vector<float> dose = compute_dose(on_backend(density), maps, model, compute);
    const DoseInGray gray(density, options.dose_to, gray_per_unit(model, options.algorithm));
    for (std::size_t v = 0; v < dose.size(); ++v) dose[v] = gray(v, dose[v], stage);
    return dose;
}

Dose PreparedPatient::State::beam_dose(const Dose& with_header, const Beam& beam,
                                       std::vector<float> gy) const {
    Dose dose = with_header;
    dose.summation = DoseSummation::beam;
    dose.fractions = 1;
    dose.beam_number = beam.number;
    dose.comment = beam.name;
    dose.gy.grid = grid;
    dose.gy.values = std::move(gy);
    put_on_given_grid(options, dose.gy);
    return dose;
}

PreparedPatient::PreparedPatient(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                 const MaterialTable& materials, const BeamModelProvider& models,
                                 const EngineOptions& options)
    : state_(std::make_unique<State>()) {
    check_request(ct, structures, plan, models, options);
    StructureReport found = examine_patient_structures(ct, structures, plan, options);
    for (const Beam& beam : plan.beams)
        require_no_beam_through(found.beyond_ct, beam, plan.position,
                                models(beam).head.maximum_field_radius_mm, options);
    const ThreadLimit limit(options.threads);
    state_->plan = plan;
    state_->options = options;
    state_->models = models;
    state_->notes = std::move(found.notes);
    state_->beyond_ct = std::move(found.beyond_ct);
    state_->prepare(ct, structures, materials);
    // The callback is of this call alone.
    state_->options.progress = {};
}

PreparedPatient::~PreparedPatient() = default;
PreparedPatient::PreparedPatient(PreparedPatient&&) noexcept = default;
PreparedPatient& PreparedPatient::operator=(PreparedPatient&&) noexcept = default;

const Grid& PreparedPatient::grid() const {
    return state_->options.grid ? *state_->options.grid : state_->grid;
}
const std::vector<std::string>& PreparedPatient::notes() const { return state_->notes; }
const DensityGrid& PreparedPatient::density(const Beam& beam) const { return state_->density_of(beam); }

BeamFluence PreparedPatient::fluence(const Beam& beam) const {
    const State& s = *state_;
    const ThreadLimit limit(s.options.threads);
    beam.check();
    const auto parts = s.parts_of(beam);
    const HeadModel& head = parts->model->head;
    const std::vector<LeafDesign> designs = s.designs_of(beam);
    require_modelled(beam, *parts->model, designs, s.options.leaves);
    const double radius_mm = head.maximum_field_radius_mm;
    require_no_beam_through(s.beyond_ct, beam, s.plan.position, radius_mm, s.options);
    s.require_on_grid(box_of_beam(s.patient, beam, s.plan.position, radius_mm, s.options, parts->notes), beam,
                      parts->notes);
    // The grid was made for the openings of the plan, which this beam need not have.
    if (std::string note = narrow_opening_note(beam, narrowest_opening_mm(beam, head), s.grid); !note.empty())
        parts->notes.push_back(std::move(note));
    parts->maps = s.maps_of(beam, designs, s.grid.spacing_mm.maxCoeff(), parts->provenance, parts->notes, {});
    return BeamFluence(parts);
}

BeamFluence PreparedPatient::fluence(const std::vector<FluenceRaster>& rasters, const Beam& beam) const {
    const State& s = *state_;
    if (rasters.empty()) throw bad_input("there is no fluence", beam.place());
    const auto parts = s.parts_of(beam);
    Beam open = beam;  // the spectrum off the axis is the head's; a wedge would be the caller's
    open.wedges.clear();
    open.tray_water_mm = 0;
    const std::shared_ptr<const BeamFilter> softening = beam_filter(open, {}, parts->model->head);
    for (std::size_t n = 0; n < rasters.size(); ++n) {
        const std::string where = beam.place() + ", fluence " + std::to_string(n);
        rasters[n].check(where);
        FluenceMap map = map_of(rasters[n], softening);
        s.require_on_grid(box_of_map(s.patient, map, where), beam, parts->notes);
        require_no_field_through(s.beyond_ct, map.frame, field_of_map_mm(map), "the fluence passes there",
                                 where);
        if (std::string note = narrow_opening_note(beam, narrowest_part_mm(map), s.grid); !note.empty())
            parts->notes.push_back(std::move(note));
        parts->maps.push_back(std::move(map));
    }
    parts->notes.push_back(beam.place() + ": a fluence of the caller, without contaminating electrons");
    parts->provenance.settings["fluence beam " + std::to_string(beam.number)] = "of the caller";
    return BeamFluence(parts);
}

Dose PreparedPatient::dose(const BeamFluence& fluence, const ProgressCallback& progress) {
    State& s = *state_;
    const BeamFluence::Parts& parts = fluence.parts();
    if (parts.patient != s.identity)
        throw bad_input("the fluence was made by another prepared patient", parts.beam.place(),
                        "Make it again with this one");
    const ThreadLimit limit(s.options.threads);
    const std::string stage = "beam " + parts.beam.name;
    CalculationResult result;
    std::vector<float> gy =
        s.dose_of(parts.maps, *parts.model, *parts.density, stage, result, [&](double part) {
            if (progress) progress(part, stage);
        });
    Dose header = s.header;
    header.provenance.model_hashes = parts.provenance.model_hashes;
    for (const auto& [name, value] : parts.provenance.settings) header.provenance.settings[name] = value;
    return s.beam_dose(header, parts.beam, std::move(gy));
}

namespace {

/// Beams of one model and the same boluses, which share a calculation, so that arcs can share a transport.
struct BeamGroup {
    const BeamModel* model;
    const DensityGrid* density;
    std::vector<const Beam*> beams;
    std::string stage() const {
        return beams.size() == 1 ? "beam " + beams.front()->name : std::to_string(beams.size()) + " beams";
    }
};

/// Groups in the order of the beams; each beam its own where the dose of every beam is wanted.
std::vector<BeamGroup> groups_of(const Plan& plan, const BeamModelProvider& models,
                                 const BolusDensities& densities, bool per_beam) {
    std::vector<BeamGroup> groups;
    for (const Beam& beam : plan.beams) {
        const BeamModel& model = models(beam);
        const DensityGrid* density = densities.find(beam);
        const auto found = std::find_if(groups.begin(), groups.end(), [&](const BeamGroup& g) {
            return g.model == &model && g.density == density && !per_beam;
        });
        if (found == groups.end())
            groups.push_back({&model, density, {&beam}});
        else
            found->beams.push_back(&beam);
    }
    return groups;
}

}  // namespace

CalculationResult PreparedPatient::calculate(const ProgressCallback& progress) {
    State& s = *state_;
    const ThreadLimit limit(s.options.threads);
    CalculationResult result;
    result.notes = s.notes;
    result.seconds = s.seconds;
    StageClock clock(&result.seconds);
    Dose header = s.header;
    const std::vector<BeamGroup> groups = groups_of(s.plan, s.models, *s.densities, s.options.per_beam);
    for (const BeamGroup& group : groups) name_model(*group.model, header.provenance, result.notes);
    const auto all = static_cast<double>(s.plan.beams.size());
    std::vector<float> total(s.grid.voxel_count(), 0.0f);
    double done = 0;
    for (const BeamGroup& group : groups) {
        const std::string stage = group.stage();
        const auto beams = static_cast<double>(group.beams.size());
        const auto report = [&](double part) {
            if (progress) progress((done + part * beams) / all, stage);
        };
        clock.skip();
        std::vector<FluenceMap> maps;
        for (const Beam* beam : group.beams)
            for (FluenceMap& map : s.maps_of(*beam, s.designs, s.stated_mm(), header.provenance, result.notes,
                                             [&] { report(0); }))
                maps.push_back(std::move(map));
        clock.add("fluence");
        std::vector<float> dose = s.dose_of(maps, *group.model, *group.density, stage, result, report);
        for (std::size_t v = 0; v < dose.size(); ++v) total[v] += dose[v];
        if (s.options.per_beam)
            result.beams.push_back(s.beam_dose(header, *group.beams.front(), std::move(dose)));
        done += beams;
    }
    for (float& value : total) value *= static_cast<float>(s.plan.fractions);
    result.plan = std::move(header);
    result.plan.summation = DoseSummation::plan;
    result.plan.fractions = s.plan.fractions;
    result.plan.gy.grid = s.grid;
    result.plan.gy.values = std::move(total);
    put_on_given_grid(s.options, result.plan.gy);
    if (progress) progress(1, "done");
    return result;
}

CalculationResult calculate(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                            const MaterialTable& materials, const BeamModelProvider& models,
                            const EngineOptions& options) {
    return PreparedPatient(ct, structures, plan, materials, models, options).calculate(options.progress);
}

DensityGrid patient_density(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                            const MaterialTable& materials, const BeamModelProvider& models,
                            const EngineOptions& options) {
    check_request(ct, structures, plan, models, options);
    std::vector<std::string> notes;
    const Grid grid = dose_grid(ct, structures, plan, models, options, notes);
    return density_on_grid(ct, structures, options.hu_curve, materials, options.overrides, grid);
}

MemoryEstimate estimate_memory(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                               const BeamModelProvider& models, const EngineOptions& options) {
    check_request(ct, structures, plan, models, options);
    const ThreadLimit limit(options.threads);
    std::vector<std::string> notes;
    const Grid grid = dose_grid(ct, structures, plan, models, options, notes);
    return {memory_bytes(memory_needs(grid, plan, models, options, omp_get_max_threads())),
            available_memory_bytes()};
}

}  // namespace libdose
