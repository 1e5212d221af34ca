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

}  // namespace libdose::capi
