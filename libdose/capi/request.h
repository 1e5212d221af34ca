// Request of a calculation through the C ABI: its options and models.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "capi/handles.h"
#include "libdose/engine.h"

namespace libdose::capi {

/// The caller's options with the defaults where there are none. Throws bad_input for a struct that is too
/// short.
libdose_options options_or_defaults(const libdose_options* options);

/// Throws bad_input, naming the member, for a value out of range.
EngineOptions engine_options(const libdose_options& given);

/// Copies of the chosen models with the depth that the caller's calibration holds at.
class CalibratedModels {
public:
    /// `depth` may be NULL. Throws bad_input for another depth than "maximum" and "10cm".
    CalibratedModels(const libdose_models& choice, const char* depth);
    const BeamModel& of(const Beam& beam);

private:
    const libdose_models& choice_;
    std::string depth_;
    std::map<const BeamModel*, BeamModel> changed_;
};

/// Work that takes the engine's progress callback; the callback is empty where the caller has none.
using ReportingWork = std::function<void(const ProgressCallback&)>;
/// Does the work and calls the caller's callback on this thread. Throws Cancelled when it asked to stop.
void run_reporting(libdose_progress progress, void* user, const ReportingWork& work);

/// The arguments of a calculation. They must outlive it.
class Request {
public:
    /// `structures`, `models` and `options` may be NULL.
    Request(const libdose_ct* ct, const libdose_structures* structures, const libdose_plan* plan,
            const libdose_models* models, const libdose_options* options);

    const CtImage& ct;
    const StructureSet* structures;  ///< null: the whole CT
    const Plan& plan;
    EngineOptions engine;
    MaterialTable materials;

    BeamModelProvider models();
    /// Does the work with the caller's progress callback in `engine`, as run_reporting() does.
    void run(const std::function<void()>& work);
    /// What a calculation gave, as the caller gets it: with the inputs in the provenance, and the notes of
    /// the reader of the structure set, which are not to be had elsewhere in C.
    void hand_to(libdose_dose& dose, CalculationResult&& result) const;

private:
    const libdose_options given_;
    const libdose_models automatic_;
    CalibratedModels chosen_;
};

}  // namespace libdose::capi
