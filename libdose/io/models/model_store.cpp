#include "libdose/io/model_store.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "libdose/admission.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"

namespace libdose::io {

namespace fs = std::filesystem;

namespace {

std::string words(const BeamModel& model) {
    return short_number(model.nominal_energy_mv) + " MV, " + model.fluence_mode +
           (model.machine.empty() ? "" : ", machine \"" + model.machine + "\"");
}

}  // namespace

std::vector<std::string> ModelStore::names() {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(data_folder() / "models", error))
        if (entry.path().extension() == ".h5") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

const BeamModel& ModelStore::get(const std::string& name_or_file) {
    const std::lock_guard lock(loading_);
    const auto found = loaded_.find(name_or_file);
    if (found != loaded_.end()) return found->second;
    fs::path file = name_or_file;
    std::error_code error;
    if (!fs::is_regular_file(file, error)) {
        file = data_folder() / "models" / (name_or_file + ".h5");
        if (!fs::is_regular_file(file, error)) {
            std::string known;
            for (const std::string& name : names()) known += (known.empty() ? "" : ", ") + name;
            throw bad_input("there is no beam model \"" + name_or_file + "\"", "--model",
                            "Models: " + known + "; or give the path of a model file");
        }
    }
    return loaded_.emplace(name_or_file, read_beam_model(file)).first->second;
}

std::string ModelStore::keep(const BeamModel& model) {
    const std::lock_guard lock(loading_);
    return loaded_.try_emplace(model.content_hash, model).first->first;
}

const BeamModel& ModelStore::for_beam(const Beam& beam, const std::string& forced) {
    const std::string wanted = "beam " + std::to_string(beam.number) + " \"" + beam.name + "\", " +
                               short_number(beam.nominal_energy_mv) + " MV, fluence mode " +
                               beam.fluence_mode + ", machine \"" + beam.machine + "\"";
    if (!forced.empty()) {
        const BeamModel& model = get(forced);
        if (!model_fits(model, beam))
            throw refused_plan(
                "the beam model " + model.name + " is for " + words(model), wanted,
                "Choose a model of the beam's energy and fluence mode that is generic or of its machine");
        return model;
    }
    std::string list;
    const BeamModel* generic = nullptr;
    for (const std::string& name : names()) {
        const BeamModel& model = get(name);
        // A model commissioned without the name of its machine serves nobody's plan unasked.
        const bool nameless = model.machine.empty() && !model.lineage.empty();
        if (!nameless && model_fits(model, beam)) {
            // A model commissioned for the machine goes before one that fits any.
            if (!model.machine.empty()) return model;
            if (!generic) generic = &model;
        }
        list += (list.empty() ? "" : ", ") + name + " (" + words(model) + ")";
    }
    if (generic) return *generic;
    throw refused_plan("there is no beam model for this energy and fluence mode", wanted, "Models: " + list);
}

}  // namespace libdose::io
