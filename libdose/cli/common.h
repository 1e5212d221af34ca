// Shared by the sub-commands: models, files, progress, exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/dose.h"
#include "libdose/engine.h"
#include "libdose/io/model_store.h"

namespace libdose::cli {

enum ExitCode {
    done = 0,
    failed_criteria = 1,
    bad_input_code = 2,
    refused_plan_code = 3,
    internal_code = 4,
    look_code = 5,
    not_checked_code = 6
};
inline constexpr const char* exit_code_text =
    "Exit codes: 0 done, 1 failed criteria, 2 bad input, 3 refused plan, 4 internal error.";

/// Each adds its sub-command; the function that runs it is called after parsing and returns the exit code.
using Command = std::function<int()>;
void add_info(CLI::App& app, Command& run);
void add_gate(CLI::App& app, Command& run);
void add_calc(CLI::App& app, Command& run);
void add_check(CLI::App& app, Command& run);
void add_gamma(CLI::App& app, Command& run);
void add_dvh(CLI::App& app, Command& run);
void add_sum(CLI::App& app, Command& run);
void add_model(CLI::App& app, Command& run);
void add_commissioning(CLI::App& model, Command& run);  ///< part of add_model
void add_validate(CLI::App& app, Command& run);

nlohmann::json as_json(const std::vector<GateEntry>& entries);

using io::ModelStore;

/// `--backend` and `--device` of a sub-command.
struct BackendArguments {
    std::string backend = "cpu";
    int device = 0;
    BackendChoice choice() const { return backend_from_string(backend); }
};
/// `--threads` of a sub-command; 0: all cores.
void add_threads(CLI::App& command, int& threads);
/// The same for a command whose library functions take no number: it holds for the whole process.
void add_threads(CLI::App& command);
void add_backend_options(CLI::App& command, BackendArguments& arguments);
/// For what ends in a model: `--backend` may be there, and is cpu.
void add_cpu_only_backend(CLI::App& command);

/// A bar on a terminal, a line per stage otherwise. (Debian 12 packages no progress-bar library.)
class Progress {
public:
    explicit Progress(bool quiet = false);
    ~Progress();
    void operator()(double fraction, const std::string& stage);
    void finish();  ///< ends the line of a bar; what is printed next begins a line

private:
    bool quiet_, terminal_, open_ = false;
    std::string stage_;
    int percent_ = -1;
};

Dose read_any_dose(const std::filesystem::path& file);                           ///< RTDOSE or libdose HDF5
void write_json(const nlohmann::json& json, const std::filesystem::path& file);  ///< temporary name, rename
/// The number that a text is; none when it is anything else.
std::optional<double> number_of(const std::string& text);
/// A number that JSON can hold; throws internal_error for NaN and infinity.
double finite(double value);

}  // namespace libdose::cli
