// Options that every command has that calculates a plan: algorithm, patient, leaves, densities, couch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/common.h"

namespace libdose::cli {

/// As given on the command line.
struct CalculationArguments {
    std::string hu_curve, algorithm = "collapsed-cone", quality = "standard", grouping = "auto", model;
    std::vector<std::string> densities, materials;
    std::string dose_to = "medium", lateral_scaling = "on", leaf_ends = "rounded", leaves;
    double margin_mm = EngineOptions().beam_margin_mm, sub_arc_deg = EngineOptions().sub_arc_deg;
    std::string couch;
    std::optional<double> couch_top_mm, couch_lateral_mm;
    BackendArguments backend;
    int threads = 0;
    bool accept_gaps = false;

    /// Throws bad_input that names the option.
    EngineOptions options() const;
};

/// --algorithm, --model, --margin, --sub-arc, --accept-gaps, --quality, --grouping, --backend, --threads.
void add_engine_options(CLI::App& command, CalculationArguments& arguments);
/// --density, --material, --couch and its place.
void add_patient_options(CLI::App& command, CalculationArguments& arguments);
/// --dose-to, --lateral-scaling, --leaves, --leaf-ends, --hu-curve.
void add_physics_options(CLI::App& command, CalculationArguments& arguments);

}  // namespace libdose::cli
