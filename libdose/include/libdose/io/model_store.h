// Which beam model serves a beam: those of the data folder and files, as the command line chooses. Part of
// libdose::io.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/plan.h"

namespace libdose::io {

/// Beam models by name (data folder) or file. Loaded once and kept as long as the store; may be used by
/// several threads at a time.
class ModelStore {
public:
    /// Throws bad_input, listing what there is, for a name that is neither a model of the data folder nor a
    /// file.
    const BeamModel& get(const std::string& name_or_file);
    /// The model of a beam's energy and fluence mode: one of its machine, else the generic one. `forced` (may
    /// be empty) must agree with all three. Throws refused_plan naming the beam and listing what there is.
    const BeamModel& for_beam(const Beam& beam, const std::string& forced = {});
    /// Keeps a model that is at hand; its content hash serves as its name.
    std::string keep(const BeamModel& model);
    static std::vector<std::string> names();  ///< models of the data folder, in order

private:
    std::mutex loading_;
    std::map<std::string, BeamModel> loaded_;
};

}  // namespace libdose::io
