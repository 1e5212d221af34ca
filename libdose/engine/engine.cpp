// The pipeline, top to bottom.
#include "libdose/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "base/threads.h"
#include "engine/backend_choice.h"
#include "engine/beam_modifiers.h"
#include "engine/compute.h"
#include "engine/memory_needs.h"
#include "engine/patient_structures.h"
#include "engine/setup.h"
#include "engine/small_fields.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "libdose/error.h"
#include "patient/bolus_density.h"
#include "patient/density.h"
#include "terma/terma_table.h"

namespace libdose {

CalculationResult calculate(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                            const MaterialTable& materials, const BeamModelProvider& models,
                            const EngineOptions& options) {
    check_request(ct, structures, plan, models, options);
    const std::vector<std::string> structure_notes =
        check_patient_structures(ct, structures, plan, models, options);
    const ThreadLimit limit(options.threads);
    ChosenBackend backend = choose_backend(options.backend, options.device, options.devices);
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
    std::vector<std::string> field_notes;
    const Grid grid = dose_grid(ct, structures, plan, models, options, field_notes);
    require_memory(backend, options.backend, memory_needs(grid, plan, models, options, omp_get_max_threads()),
                   grid_note(grid) + ", plan " + plan.label, options.devices);
    const BolusDensities densities(plan, [&](const auto& boluses) {
        return density_on_grid(ct, structures, options.hu_curve, materials, options.overrides, grid, boluses);
    });
    result.notes = structure_notes;
    for (const std::string& note : densities.notes()) result.notes.push_back(note);
    if (!backend.note.empty()) result.notes.push_back(backend.note);
    result.notes.push_back(grid_note(grid, options));
    const double stated_mm = options.grid ? grid.spacing_mm.maxCoeff() : options.grid_mm;
    if (std::string note = small_field_note(plan, models, grid, stated_mm); !note.empty())
        result.notes.push_back(std::move(note));
    result.notes.insert(result.notes.end(), field_notes.begin(), field_notes.end());
    clock("density");

    // Beams of one model and the same boluses share a calculation, so that arcs can share a transport; beam
    // by beam when each is wanted.
    FluenceOptions fluence;
    fluence.sub_arc_deg = options.sub_arc_deg;
    struct Task {
        const BeamModel* model;
        const DensityGrid* density;
        std::vector<const Beam*> beams;
    };
    const std::vector<LeafDesign> designs = leaf_designs_for(plan, options);
    std::vector<Task> tasks;
    for (const Beam& beam : plan.beams) {
        const BeamModel& model = models(beam);
        const DensityGrid* density = &densities.of(beam);
        const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const Task& t) {
            return t.model == &model && t.density == density && !options.per_beam;
        });
        if (found == tasks.end())
            tasks.push_back({&model, density, {&beam}});
        else
            found->beams.push_back(&beam);
    }
    std::vector<float> total(grid.voxel_count(), 0.0f);
    Dose header = dose_header(ct, structures, plan, grid, options);
    header.provenance.backend = backend.get().description();
    for (const Task& task : tasks) name_model(*task.model, header.provenance, result.notes);

    std::size_t done = 0;
    for (const Task& task : tasks) {
        std::string stage = task.beams.size() == 1 ? "beam " + task.beams.front()->name
                                                   : std::to_string(task.beams.size()) + " beams";
        std::vector<FluenceMap> maps;
        const TermaTable terma(task.model->spectrum);
        fluence.terma = &terma;
        fluence.after_map = [&] {
            report(static_cast<double>(done) / static_cast<double>(plan.beams.size()), stage);
        };
        for (const Beam* beam : task.beams) {
            note_wedges(*beam, *task.model, result.notes);
            fluence.pixel_mm = fluence_pixel_mm(*beam, task.model->head, grid, stated_mm);
            fluence.leaves =
                leaf_edges(*beam, *task.model, designs, options.leaves, header.provenance, result.notes);
            for (FluenceMap& map : backend.get().fluence(*beam, plan.position, task.model->head, fluence))
                maps.push_back(std::move(map));
        }
        clock("fluence");
        ComputeOptions compute;
        compute.algorithm = options.algorithm;
        compute.settings = quality_settings(options.quality);
        compute.transport = options.transport;
        compute.backend = &backend.get();
        compute.notes = &result.notes;
        compute.pencil.lateral_scaling = options.lateral_scaling;
        compute.seconds = &result.seconds;
        compute.progress = [&](double part) {
            report((static_cast<double>(done) + part * static_cast<double>(task.beams.size())) /
                       static_cast<double>(plan.beams.size()),
                   stage);
        };
        std::vector<float> dose = compute_dose(*task.density, maps, *task.model, compute);
        last = std::chrono::steady_clock::now();
        const double scale = gray_per_unit(*task.model, options.algorithm);
        for (std::size_t v = 0; v < dose.size(); ++v) {
            double gray = scale * static_cast<double>(dose[v]);
            if (options.dose_to == DoseMedium::water)
                gray *= static_cast<double>(task.density->water_to_medium[v]);
            if (!std::isfinite(gray))
                throw internal_error("the dose of a voxel is not finite",
                                     stage + ", voxel " + std::to_string(v));
            dose[v] = static_cast<float>(gray);
            total[v] += dose[v];
        }
        if (options.per_beam) {
            Dose beam_dose = header;
            beam_dose.summation = DoseSummation::beam;
            beam_dose.fractions = 1;
            beam_dose.beam_number = task.beams.front()->number;
            beam_dose.comment = task.beams.front()->name;
            beam_dose.gy.grid = grid;
            beam_dose.gy.values = std::move(dose);
            put_on_given_grid(options, beam_dose.gy);
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
    put_on_given_grid(options, result.plan.gy);
    report(1, "done");
    return result;
}

}  // namespace libdose
