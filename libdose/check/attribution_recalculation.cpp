#include "check/attribution_recalculation.h"

#include <algorithm>

#include "libdose/data.h"

namespace libdose::check {

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
      options_(options.engine) {
    options_.grid = samples.grid();
    options_.quality = Quality::draft;
    options_.per_beam = false;
    options_.progress = {};
    models_ = [this, &models](const Beam& beam) -> const BeamModel& {
        return model_ ? *model_ : models(beam);
    };
}

PreparedPatient Recalculation::prepared(const StructureSet& structures, const EngineOptions& options) {
    return {*input_.ct, &structures, *input_.plan, materials_, models_, options};
}

Field Recalculation::dose(PreparedPatient& patient, const Change& change) {
    Field sum = Field::Zero(static_cast<Eigen::Index>(samples_.size()));
    const std::vector<Beam>& beams = input_.plan->beams;
    model_ = change.model;
    for (std::size_t b = 0; b < beams.size(); ++b) {
        Beam beam = beams[b];
        if (change.beam) change.beam(beam);
        const auto within = [&](double fraction, const std::string&) {
            progress_.within((static_cast<double>(b) + fraction) / static_cast<double>(beams.size()));
        };
        sum += samples_.of(patient.dose(patient.fluence(beam), within).gy);
    }
    return input_.plan->fractions * sum;
}

Field Recalculation::difference(const Change& change) {
    if (!unchanged_) {
        patient_.emplace(prepared(*input_.structures, options_));
        unchanged_ = dose(*patient_, {});
    }
    if (!change.of_patient()) return dose(*patient_, change) - *unchanged_;
    EngineOptions options = options_;
    if (change.hu_curve) options.hu_curve = *change.hu_curve;
    if (change.without_overrides) options.overrides.clear();
    StructureSet structures = *input_.structures;
    if (change.structures) change.structures(structures);
    model_ = change.model;
    PreparedPatient changed = prepared(structures, options);
    return dose(changed, change) - *unchanged_;
}

}  // namespace libdose::check
