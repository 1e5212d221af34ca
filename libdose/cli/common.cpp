#include "cli/common.h"

#include <fmt/core.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "base/temporary_name.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "libdose/io/hdf5.h"

namespace libdose::cli {

namespace fs = std::filesystem;

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { finish(); }

void Progress::finish() {
    if (open_) std::fputs("\n", stderr);
    open_ = false;
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

Dose read_any_dose(const fs::path& file) {
    return file.extension() == ".h5" || file.extension() == ".hdf5" ? io::read_dose_hdf5(file)
                                                                    : io::read_dose(file);
}

void write_json(const nlohmann::json& json, const fs::path& file) {
    write_text(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", file);
}

double finite(double value) {
    if (!std::isfinite(value)) throw internal_error("a result is not a finite number");
    return value;
}

std::optional<double> number_of(const std::string& text) {
    try {
        std::size_t used = 0;
        const double value = std::stod(text, &used);
        if (used == text.size() && std::isfinite(value)) return value;
    } catch (const std::exception&) {
    }
    return std::nullopt;
}

void add_threads(CLI::App& command, int& threads) {
    command.add_option("--threads", threads, "CPU threads; 0: all cores")
        ->capture_default_str()
        ->check(CLI::Range(0, 4096));
}

void add_threads(CLI::App& command) {
    const auto limit = [](int threads) {
        if (threads > 0) omp_set_num_threads(threads);
    };
    command.add_option_function<int>("--threads", limit, "CPU threads; 0: all cores")
        ->default_str("0")
        ->check(CLI::Range(0, 4096));
}

void add_backend_options(CLI::App& command, BackendArguments& arguments) {
    command
        .add_option("--backend", arguments.backend, "cpu, cuda, or auto: a CUDA device where there is one")
        ->capture_default_str();
    command.add_option("--device", arguments.device, "Number of the CUDA device")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
}

void add_cpu_only_backend(CLI::App& command) {
    command
        .add_option_function<std::string>(
            "--backend",
            [](const std::string& backend) {
                if (backend != "cpu")
                    throw CLI::ValidationError("--backend",
                                               "a model's numbers are those of the CPU, so that they and "
                                               "their hash are the same on every machine; leave it out");
            },
            "Only cpu: a model's numbers are the same on every machine")
        ->default_str("cpu");
}

}  // namespace libdose::cli
