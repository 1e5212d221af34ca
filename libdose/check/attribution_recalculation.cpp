#include "check/attribution_recalculation.h"

#include <algorithm>

#include "libdose/data.h"

namespace libdose::check {

namespace {

constexpr double coarse_sub_arc_deg = 4;  // 7 mm at 10 cm from the isocentre: of the size of a voxel

}  // namespace

void StepProgress::begin(const std::string& stage) {
    stage_ = stage;
    ++begun_;
    within(0);
}

void StepProgress::within(double fraction) {
    if (!callback_) return;
    furthest_ = std::clamp((begun_ - 1 + fraction) / steps_, furthest_, 1.0);
    try {
        callback_(furthest_, "cause: " + stage_);
    } catch (...) {
        cancelled_ = true;
        throw;
    }
}

Recalculation::Recalculation(const CheckInput& input, const CheckOptions& options,
                             const BeamModelProvider& models, const DoseSamples& samples,
                             StepProgress& progress)
    : input_(input),
      samples_(samples),
      progress_(progress),
      materials_(MaterialTable::read_csv(data_folder() / "materials" / "basis.csv")),
      options_(options.engine),
      models_(models) {
    options_.grid = samples.grid();
    options_.quality = Quality::draft;
    options_.per_beam = false;
    // Of all beams at once: what directions fixed in the patient lose is the same with and without a change.
    options_.grouping = Grouping::shared;
    options_.sub_arc_deg = std::max(options_.sub_arc_deg, coarse_sub_arc_deg);
}

Field Recalculation::dose(const Change& change) {
    EngineOptions options = options_;
    if (change.hu_curve) options.hu_curve = *change.hu_curve;
    if (change.without_overrides) options.overrides.clear();
    options.progress = [this](double fraction, const std::string&) { progress_.within(fraction); };
    Plan plan = *input_.plan;
    if (change.beam)
        for (Beam& beam : plan.beams) change.beam(beam);
    StructureSet structures = *input_.structures;
    if (change.structures) change.structures(structures);
    const BeamModelProvider models = [&](const Beam& beam) -> const BeamModel& {
        return change.model ? *change.model : models_(beam);
    };
    return samples_.of(calculate(*input_.ct, &structures, plan, materials_, models, options).plan.gy);
}

Field Recalculation::difference(const Change& change) {
    if (change.structures_without) {
        Change without;
        without.structures = change.structures_without;
        return dose(change) - dose(without);
    }
    if (!unchanged_) unchanged_ = dose({});
    return dose(change) - *unchanged_;
}

}  // namespace libdose::check
