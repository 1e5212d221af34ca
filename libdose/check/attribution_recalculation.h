// The plan recalculated with one thing changed, on coarse voxels. Only differences between such doses are
// used.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "check/attribution_samples.h"
#include "libdose/check/check.h"
#include "libdose/engine.h"
#include "libdose/material.h"

namespace libdose::check {

/// What is changed. Empty: nothing.
struct Change {
    std::function<void(Beam&)> beam;   ///< for every beam
    const BeamModel* model = nullptr;  ///< of every beam, whatever its energy
    std::optional<HuCurve> hu_curve;
    std::function<void(StructureSet&)> structures;
    /// Structures without the change that take the same room, so that both doses have one grid. Empty: as
    /// they are.
    std::function<void(StructureSet&)> structures_without;
    bool without_overrides = false;  ///< of the options
};

/// Progress of a work of a known number of steps. Remembers that a callback has thrown.
class StepProgress {
public:
    StepProgress(ProgressCallback callback, int steps) : callback_(std::move(callback)), steps_(steps) {}
    void begin(const std::string& stage);  ///< of the next step
    void within(double fraction);          ///< of the step
    bool cancelled() const { return cancelled_; }

private:
    ProgressCallback callback_;
    std::string stage_;
    int steps_, begun_ = 0;
    double furthest_ = 0;  ///< of the whole: it does not go back
    bool cancelled_ = false;
};

/// Recalculations of a plan on the grid of the samples.
class Recalculation {
public:
    /// All of them must outlive it.
    Recalculation(const CheckInput& input, const CheckOptions& options, const BeamModelProvider& models,
                  const DoseSamples& samples, StepProgress& progress);

    /// Dose of the whole course with a change, minus that without. Throws what calculate() throws.
    Field difference(const Change& change);

    const HuCurve& hu_curve() const { return options_.hu_curve; }

private:
    Field dose(const Change& change);  ///< whole course, with the change

    const CheckInput& input_;
    const DoseSamples& samples_;
    StepProgress& progress_;
    MaterialTable materials_;
    EngineOptions options_;
    const BeamModelProvider& models_;
    std::optional<Field> unchanged_;
};

}  // namespace libdose::check
