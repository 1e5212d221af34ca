#include "libdose/admission.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/beam_modifiers.h"
#include "libdose/data.h"
#include "libdose/error.h"

namespace libdose {

bool model_fits(const BeamModel& model, const Beam& beam) {
    constexpr double same_energy_mv = 0.01;
    return std::abs(model.nominal_energy_mv - beam.nominal_energy_mv) < same_energy_mv &&
           model.fluence_mode == beam.fluence_mode &&
           (model.machine.empty() || model.machine == beam.machine);
}

const LeafDesign* design_by_name(const std::vector<LeafDesign>& designs, const std::string& name) {
    if (name.empty()) return nullptr;
    for (const LeafDesign& design : designs)
        if (design.name == name) return &design;
    throw bad_input("there are no leaves \"" + name + "\"", "--leaves",
                    "Leaves: " + list_of(designs, [](const LeafDesign& design) { return design.name; }));
}

std::vector<LeafDesign> leaf_designs_for(const Plan& plan, const EngineOptions& options) {
    if (options.leaf_ends == LeafEnds::sharp) {
        if (options.leaves.empty()) return {};
        throw bad_input("the leaves \"" + options.leaves + "\" are asked for, and sharp ends too", "--leaves",
                        "Leave out --leaf-ends sharp");
    }
    if (!options.leaf_designs.empty()) return options.leaf_designs;
    const bool any = std::any_of(plan.beams.begin(), plan.beams.end(),
                                 [](const Beam& beam) { return !beam.collimators.empty(); });
    return any || !options.leaves.empty() ? read_leaf_designs(data_folder() / "mlc")
                                          : std::vector<LeafDesign>{};
}

std::vector<GateEntry> admit_beams(const Plan& plan, const BeamModelProvider& models,
                                   const EngineOptions& options) {
    const std::vector<LeafDesign> designs = leaf_designs_for(plan, options);
    design_by_name(designs, options.leaves);
    std::vector<GateEntry> entries;
    for (const Beam& beam : plan.beams) {
        GateEntry entry;
        entry.beam = beam.number;
        try {
            const BeamModel& model = models(beam);
            require_modelled(beam, model, designs, options.leaves);
            entry.reason = "calculated with the beam model " + model.name;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::refused_plan) throw;
            entry.verdict = GateEntry::Verdict::refused;
            entry.reason = error.what();
        }
        entries.push_back(entry);
    }
    return entries;
}

}  // namespace libdose
