#include "cli/common.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

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
    const auto fits = [&](const BeamModel& model) {
        return std::abs(model.nominal_energy_mv - beam.nominal_energy_mv) < 0.01 && model.fluence_mode == beam.fluence_mode;
    };
    const std::string wanted = fmt::format("beam {} \"{}\", {:g} MV, fluence mode {}", beam.number, beam.name, beam.nominal_energy_mv, beam.fluence_mode);
    if (!forced.empty()) {
        const BeamModel& model = get(forced);
        if (!fits(model))
            throw refused_plan(fmt::format("the beam model {} is for {:g} MV, fluence mode {}", model.name, model.nominal_energy_mv, model.fluence_mode),
                               wanted, "Choose a model of the beam's energy and mode");
        return model;
    }
    std::string list;
    for (const std::string& name : names()) {
        const BeamModel& model = get(name);
        if (fits(model)) return model;
        list += fmt::format("{}{} ({:g} MV, {})", list.empty() ? "" : ", ", name, model.nominal_energy_mv, model.fluence_mode);
    }
    throw refused_plan("there is no beam model for this energy and fluence mode", wanted, "Models: " + list);
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
