// dose validate: the engine against Monte Carlo reference cases.
#include "libdose/validate.h"

#include <fmt/core.h>

#include "cli/common.h"
#include "libdose/data.h"
#include "libdose/io/hdf5.h"

namespace libdose::cli {

namespace {

struct Arguments {
    std::vector<std::filesystem::path> cases;
    std::filesystem::path json;
    std::string engine = "collapsed-cone", quality = "standard", model;
    double grid_mm = 0;
    int threads = 0;
};

nlohmann::json as_json(const ValidationResult& r) {
    nlohmann::json json = {{"name", r.name},
                           {"engine", r.engine},
                           {"quality", r.quality},
                           {"model", r.model},
                           {"grid_mm", r.grid_mm},
                           {"seconds", finite(r.seconds)},
                           {"maximum_gy_cm2", finite(r.maximum)},
                           {"voxels", r.evaluated},
                           {"gamma", r.gamma},
                           {"gamma_raw", r.gamma_raw}};
    for (const auto& [name, s] : r.regions)
        json["regions"][name] = {{"voxels", s.voxels},
                                 {"mean_percent", finite(s.mean_percent)},
                                 {"sd_percent", finite(s.sd_percent)},
                                 {"sd_beyond_noise_percent", finite(s.sd_beyond_noise_percent)},
                                 {"reference_noise_percent", finite(s.reference_noise_percent)},
                                 {"mean_percent_of_maximum", finite(s.mean_percent_of_maximum)},
                                 {"sd_percent_of_maximum", finite(s.sd_percent_of_maximum)},
                                 {"largest_percent_of_maximum", finite(s.largest_percent_of_maximum)}};
    json["axis"] = nlohmann::json::array();
    for (const AxisPoint& p : r.axis)
        json["axis"].push_back({{"depth_cm", p.depth_cm}, {"reference", p.reference}, {"calculated", finite(p.calculated)}, {"sigma", p.sigma}});
    return json;
}

void print(const ValidationResult& r) {
    fmt::print("{}: {}, {}, model {}, grid {:g} mm, {:.2f} s, {} voxels\n", r.name, r.engine, r.quality, r.model, r.grid_mm, r.seconds, r.evaluated);
    fmt::print("  gamma           ");
    for (const auto& [criterion, rate] : r.gamma) fmt::print("  {} {:6.2f} %", criterion, rate);
    fmt::print("\n  without widening");
    for (const auto& [criterion, rate] : r.gamma_raw) fmt::print("  {} {:6.2f} %", criterion, rate);
    fmt::print("\n  {:<28}{:>9}{:>9}{:>8}{:>8}{:>14}{:>12}\n", "difference, % of", "voxels", "local", "SD", "noise", "of maximum", "largest");
    for (const auto& [name, s] : r.regions)
        fmt::print("    {:<26}{:>9}{:>+9.2f}{:>8.2f}{:>8.2f}{:>+14.2f}{:>12.2f}\n", name, s.voxels, s.mean_percent, s.sd_percent, s.reference_noise_percent,
                   s.mean_percent_of_maximum, s.largest_percent_of_maximum);
    if (!r.axis.empty()) {
        fmt::print("  axis (depth cm: calculated / reference)\n   ");
        for (std::size_t k = 0; k < r.axis.size(); k += std::max<std::size_t>(1, r.axis.size() / 14))
            fmt::print(" {:.1f}: {:.3f}", r.axis[k].depth_cm, r.axis[k].reference > 0 ? r.axis[k].calculated / r.axis[k].reference : 0.0);
        fmt::print("\n");
    }
}

int validate_cases(const Arguments& arguments) {
    ValidationOptions options;
    options.algorithm = algorithm_from_string(arguments.engine);
    options.quality = quality_from_string(arguments.quality);
    options.grid_mm = arguments.grid_mm;
    options.threads = arguments.threads;
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    ModelStore store;
    nlohmann::json json;
    json["cases"] = nlohmann::json::array();
    for (const auto& file : arguments.cases) {
        const ReferenceCase reference = io::read_reference_case(file);
        const BeamModel& model = store.get(arguments.model.empty() ? model_name_for(reference) : arguments.model);
        const ValidationResult result = validate(reference, model, materials, options);
        print(result);
        json["cases"].push_back(as_json(result));
    }
    if (!arguments.json.empty()) write_json(json, arguments.json);
    return done;
}

}  // namespace

void add_validate(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* validate = app.add_subcommand("validate", "Compare the engine with Monte Carlo reference cases, in absolute dose");
    validate->add_option("cases", arguments->cases, "Reference cases (HDF5, docs/data/reference-case.md)")->required();
    validate->add_option("--engine", arguments->engine, "collapsed-cone or pencil-beam")->capture_default_str();
    validate->add_option("--quality", arguments->quality, "draft, standard or high")->capture_default_str();
    validate->add_option("--model", arguments->model, "Beam model; default: the generic model of the case's spectrum");
    validate->add_option("--grid", arguments->grid_mm, "Grid spacing, mm; default: the case's smallest voxel edge, 1 to 2.5 mm")->check(CLI::Range(0.5, 20.0));
    validate->add_option("--threads", arguments->threads, "CPU threads; 0: all cores")->capture_default_str()->check(CLI::NonNegativeNumber);
    validate->add_option("--json", arguments->json, "Also write the results as JSON");
    validate->footer(std::string("Example:\n  dose validate tests/data/reference/*.h5 --json validation.json\n") + exit_code_text);
    validate->callback([&run, arguments] { run = [arguments] { return validate_cases(*arguments); }; });
}

}  // namespace libdose::cli
