#include "cli/common.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "engine/devices.h"
#include "io/temporary_name.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "libdose/io/hdf5.h"

namespace libdose::cli {

namespace fs = std::filesystem;

std::vector<std::string> ModelStore::names() {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(data_folder() / "models", error))
        if (entry.path().extension() == ".h5") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

const BeamModel& ModelStore::get(const std::string& name_or_file) {
    const auto found = loaded_.find(name_or_file);
    if (found != loaded_.end()) return found->second;
    fs::path file = name_or_file;
    std::error_code error;
    if (!fs::is_regular_file(file, error)) {
        file = data_folder() / "models" / (name_or_file + ".h5");
        if (!fs::is_regular_file(file, error)) {
            std::string known;
            for (const std::string& name : names()) known += (known.empty() ? "" : ", ") + name;
            throw bad_input("there is no beam model \"" + name_or_file + "\"", "--model", "Models: " + known + "; or give the path of a model file");
        }
    }
    return loaded_.emplace(name_or_file, io::read_beam_model(file)).first->second;
}

const BeamModel& ModelStore::for_beam(const Beam& beam, const std::string& forced) {
    const std::string wanted = fmt::format("beam {} \"{}\", {:g} MV, fluence mode {}, machine \"{}\"", beam.number, beam.name, beam.nominal_energy_mv,
                                           beam.fluence_mode, beam.machine);
    const auto words = [](const BeamModel& model) {
        return fmt::format("{:g} MV, {}{}", model.nominal_energy_mv, model.fluence_mode, model.machine.empty() ? "" : ", machine \"" + model.machine + "\"");
    };
    if (!forced.empty()) {
        const BeamModel& model = get(forced);
        if (!model_fits(model, beam))
            throw refused_plan(fmt::format("the beam model {} is for {}", model.name, words(model)), wanted,
                               "Choose a model of the beam's energy and fluence mode that is generic or of its machine");
        return model;
    }
    std::string list;
    const BeamModel* generic = nullptr;
    for (const std::string& name : names()) {
        const BeamModel& model = get(name);
        // What was commissioned without the name of its machine serves nobody's plan unasked.
        const bool nameless = model.machine.empty() && !model.lineage.empty();
        if (!nameless && model_fits(model, beam)) {
            // What was commissioned for the machine goes before what fits any.
            if (!model.machine.empty()) return model;
            if (!generic) generic = &model;
        }
        list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", name, words(model));
    }
    if (generic) return *generic;
    throw refused_plan("there is no beam model for this energy and fluence mode", wanted, "Models: " + list);
}

std::vector<LeafDesign> leaf_designs(const std::string& leaf_ends, const std::string& leaves) {
    if (leaf_ends == "rounded") {
        auto designs = read_leaf_designs(data_folder() / "mlc");
        design_by_name(designs, leaves);
        return designs;
    }
    if (!leaves.empty()) throw bad_input("the leaves \"" + leaves + "\" are asked for, and sharp ends too", "--leaves", "Leave out --leaf-ends sharp");
    return {};
}

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
    if (open_) std::fputs("\n", stderr);
}

void Progress::operator()(double fraction, const std::string& stage) {
    if (quiet_) return;
    const int percent = static_cast<int>(std::lround(100 * std::clamp(fraction, 0.0, 1.0)));
    if (terminal_) {
        if (percent == percent_ && stage == stage_) return;
        const int filled = percent * 30 / 100;
        fmt::print(stderr, "\r\033[K[{}{}] {:3d} %  {}", std::string(static_cast<std::size_t>(filled), '#'),
                   std::string(static_cast<std::size_t>(30 - filled), '.'), percent, stage);
        std::fflush(stderr);
        open_ = true;
    } else if (stage != stage_) {
        fmt::print(stderr, "{:3d} %  {}\n", percent, stage);
    }
    percent_ = percent;
    stage_ = stage;
}

Dose read_any_dose(const fs::path& file) { return file.extension() == ".h5" || file.extension() == ".hdf5" ? io::read_dose_hdf5(file) : io::read_dose(file); }

void write_text(const std::string& text, const fs::path& file) {
    const fs::path temporary = io::temporary_name(file);
    std::ofstream stream(temporary);
    stream << text;
    stream.close();
    if (!stream) {
        std::error_code ignored;
        fs::remove(temporary, ignored);
        throw bad_input("the file cannot be written", file.string(), "Check the folder and its permissions");
    }
    io::rename_into_place(temporary, file);
}

void write_json(const nlohmann::json& json, const fs::path& file) {
    write_text(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", file);
}

double finite(double value) {
    if (!std::isfinite(value)) throw internal_error("a result is not a finite number");
    return value;
}

}  // namespace libdose::cli
