// dose validate: the engine against Monte Carlo reference cases.
#include "libdose/validate.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/common.h"
#include "libdose/admission.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"

namespace libdose::cli {

namespace {

struct Arguments {
    std::vector<std::filesystem::path> cases;
    std::filesystem::path json, out;
    std::string algorithm = "collapsed-cone", quality = "standard", model, lattice, directions,
                lateral_scaling = "on", leaves = "varian-millennium-120";
    BackendArguments backend;
    std::vector<std::string> suites, without;
    std::vector<double> grid_mm;
    int threads = 0;
};

ModelSwitches switches_of(const Arguments& arguments) {
    ModelSwitches switches;
    switches.lattice = arguments.lattice;
    for (const std::string& name : arguments.without)
        (name == "tilt"        ? switches.tilt
         : name == "hardening" ? switches.hardening
                               : switches.sharpening) = false;
    if (!arguments.directions.empty()) {
        int used = 0;
        const char* text = arguments.directions.c_str();
        const bool aligned =
            std::sscanf(text, "%dx%d%n", &switches.rings, &switches.sectors, &used) == 2 && text[used] == 0;
        if (!aligned) {
            switches.rings = switches.sectors = 0;
            if (std::sscanf(text, "%d%n", &switches.isotropic, &used) != 1 || text[used] != 0)
                switches.isotropic = 0;
        }
        const int count = aligned ? switches.rings * switches.sectors : switches.isotropic;
        if (count < 8 || count > 10000 || (aligned && (switches.rings < 2 || switches.sectors < 3)))
            throw bad_input("\"" + arguments.directions +
                                "\" is neither RINGSxSECTORS nor a number of directions from 8 to 10000",
                            "--directions", "Examples: --directions 12x12, --directions 240");
    }
    return switches;
}

nlohmann::json as_json(const SuiteRow& row) {
    return {{"test", row.test},         {"value", finite(row.value)}, {"tolerance", row.tolerance},
            {"at_least", row.at_least}, {"unit", row.unit},           {"points", row.points},
            {"passed", row.passed}};
}

void print(const std::string& suite, const std::vector<SuiteRow>& rows) {
    for (const SuiteRow& row : rows)
        fmt::print("  {:<10} {} {:<64} {:8.2f} {} ({} {:g} {}, {} points)\n", suite,
                   row.passed ? "pass" : "FAIL", row.test, row.value, row.unit,
                   row.at_least ? "at least" : "at most", row.tolerance, row.unit, row.points);
}

nlohmann::json as_json(const ValidationResult& r) {
    nlohmann::json json = {{"name", r.name},
                           {"engine", r.engine},
                           {"backend", r.backend},
                           {"quality", r.quality},
                           {"model", r.model},
                           {"grid_mm", {r.grid_mm[0], r.grid_mm[1], r.grid_mm[2]}},
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
        json["axis"].push_back({{"depth_cm", p.depth_cm},
                                {"reference", p.reference},
                                {"calculated", finite(p.calculated)},
                                {"sigma", p.sigma}});
    return json;
}

void print(const ValidationResult& r) {
    fmt::print("{}: {}, {}, {}, model {}, grid {:g} x {:g} x {:g} mm, {:.2f} s, {} voxels\n", r.name,
               r.engine, r.backend, r.quality, r.model, r.grid_mm[0], r.grid_mm[1], r.grid_mm[2], r.seconds,
               r.evaluated);
    fmt::print("  gamma           ");
    for (const auto& [criterion, rate] : r.gamma) fmt::print("  {} {:6.2f} %", criterion, rate);
    fmt::print("\n  without widening");
    for (const auto& [criterion, rate] : r.gamma_raw) fmt::print("  {} {:6.2f} %", criterion, rate);
    fmt::print("\n  {:<28}{:>9}{:>9}{:>8}{:>8}{:>14}{:>12}\n", "difference, % of", "voxels", "local", "SD",
               "noise", "of maximum", "largest");
    for (const auto& [name, s] : r.regions)
        fmt::print("    {:<26}{:>9}{:>+9.2f}{:>8.2f}{:>8.2f}{:>+14.2f}{:>12.2f}\n", name, s.voxels,
                   s.mean_percent, s.sd_percent, s.reference_noise_percent, s.mean_percent_of_maximum,
                   s.largest_percent_of_maximum);
    if (!r.axis.empty()) {
        fmt::print("  axis (depth cm: calculated / reference)\n   ");
        for (std::size_t k = 0; k < r.axis.size(); k += std::max<std::size_t>(1, r.axis.size() / 14))
            fmt::print(" {:.1f}: {:.3f}", r.axis[k].depth_cm,
                       r.axis[k].reference > 0 ? r.axis[k].calculated / r.axis[k].reference : 0.0);
        fmt::print("\n");
    }
}

/// Fields that need a head model, without reference cases.
int validate_plans(const Arguments& arguments) {
    if (arguments.suites != std::vector<std::string>{"mppg5b"})
        throw bad_input("there is no reference case", "dose validate",
                        "Give their files, or --suite mppg5b alone for its tests 5.4 to 5.8");
    PlanCheckOptions options;
    options.algorithm = algorithm_from_string(arguments.algorithm);
    options.quality = quality_from_string(arguments.quality);
    if (arguments.grid_mm.size() > 1)
        throw bad_input("plans are calculated on voxels of one spacing", "--grid");
    if (!arguments.grid_mm.empty()) options.grid_mm = arguments.grid_mm[0];
    options.threads = arguments.threads;
    options.backend = arguments.backend.choice();
    options.device = arguments.backend.device;
    ModelStore store;
    const BeamModel& model = store.get(arguments.model.empty() ? "generic-6MV" : arguments.model);
    const auto designs = read_leaf_designs(data_folder() / "mlc");
    const LeafDesign& design = *design_by_name(designs, arguments.leaves);
    std::vector<PlanCheck> checks;
    {
        Progress progress;
        options.progress = std::ref(progress);
        checks = check_plans(model, design,
                             MaterialTable::read_csv(data_folder() / "materials" / "basis.csv"), options);
    }
    const PlanCheck& first = checks.front();
    fmt::print("{}, {}, {}, {}, leaves {}: plans in water against exact rays\n", model.name,
               arguments.algorithm, first.backend, arguments.quality, design.name);
    for (const std::string& note : first.notes)
        if (note.starts_with("backend:")) fmt::print("note: {}\n", note);
    nlohmann::json json = {{"model", model.name},           {"hash", model.content_hash},
                           {"engine", arguments.algorithm}, {"backend", first.backend},
                           {"leaves", design.name},         {"plans", nlohmann::json::array()}};
    std::size_t passed = 0, failed = 0;
    for (const PlanCheck& check : checks) {
        fmt::print("{}: {}, {:.1f} s\n", check.test, check.where, check.seconds);
        print("mppg5b", check.rows);
        json["plans"].push_back({{"test", check.test},
                                 {"where", check.where},
                                 {"seconds", finite(check.seconds)},
                                 {"rows", nlohmann::json::array()}});
        for (const SuiteRow& row : check.rows) {
            json["plans"].back()["rows"].push_back(as_json(row));
            ++(row.passed ? passed : failed);
        }
    }
    fmt::print("{} criteria passed, {} failed\n", passed, failed);
    if (!arguments.json.empty()) write_json(json, arguments.json);
    return failed > 0 ? failed_criteria : done;
}

int validate_cases(const Arguments& arguments) {
    if (arguments.cases.empty()) return validate_plans(arguments);
    ValidationOptions options;
    options.algorithm = algorithm_from_string(arguments.algorithm);
    options.quality = quality_from_string(arguments.quality);
    if (arguments.grid_mm.size() == 2)
        throw bad_input("--grid takes one spacing or three (x, y, z), not two", "--grid");
    if (arguments.grid_mm.size() == 1) options.grid_mm = Vec3::Constant(arguments.grid_mm[0]);
    if (arguments.grid_mm.size() == 3)
        options.grid_mm = Vec3(arguments.grid_mm[0], arguments.grid_mm[1], arguments.grid_mm[2]);
    options.switches = switches_of(arguments);
    options.lateral_scaling = arguments.lateral_scaling == "on";
    options.backend = arguments.backend.choice();
    options.device = arguments.backend.device;
    options.devices = std::make_shared<OpenDevices>();
    const auto suites = suite_names();
    for (const std::string& suite : arguments.suites)
        if (std::find(suites.begin(), suites.end(), suite) == suites.end())
            throw bad_input("unknown suite \"" + suite + "\"", "--suite",
                            fmt::format("Known: {}", fmt::join(suites, ", ")));
    options.threads = arguments.threads;
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    ModelStore store;
    nlohmann::json json;
    json["cases"] = nlohmann::json::array();
    std::size_t passed = 0, failed = 0;
    for (const auto& file : arguments.cases) {
        const ReferenceCase reference = io::read_reference_case(file);
        const BeamModel& model =
            store.get(arguments.model.empty() ? model_name_for(reference) : arguments.model);
        const ValidationResult result = validate(reference, model, materials, options);
        print(result);
        json["cases"].push_back(as_json(result));
        for (const auto& [suite, rows] : evaluate_suites(arguments.suites, reference, result)) {
            print(suite, rows);
            for (const SuiteRow& row : rows) {
                json["cases"].back()["suites"][suite].push_back(as_json(row));
                ++(row.passed ? passed : failed);
            }
        }
        if (!arguments.out.empty()) {
            std::error_code error;
            std::filesystem::create_directories(arguments.out, error);
            if (error)
                throw bad_input("the folder cannot be made: " + error.message(), arguments.out.string());
            io::write_validation(reference, result,
                                 arguments.out / (result.name + "-" + result.engine + ".h5"));
        }
    }
    if (!arguments.suites.empty()) fmt::print("{} criteria passed, {} failed\n", passed, failed);
    if (!arguments.json.empty()) write_json(json, arguments.json);
    return failed > 0 ? failed_criteria : done;
}

}  // namespace

void add_validate(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* validate = app.add_subcommand(
        "validate", "Compare the engine with Monte Carlo reference cases, in absolute dose");
    validate->add_option("cases", arguments->cases,
                         "Reference cases (HDF5, docs/reference/reference-case.md); none with --suite "
                         "mppg5b: its plans in water, tests 5.4 to 5.8");
    validate
        ->add_option("--algorithm,--engine", arguments->algorithm,
                     "collapsed-cone or pencil-beam (--engine: a synonym)")
        ->capture_default_str();
    validate->add_option("--quality", arguments->quality, "draft, standard or high")->capture_default_str();
    validate->add_option("--model", arguments->model,
                         "Beam model; default: the generic model of the case's spectrum");
    validate
        ->add_option("--grid", arguments->grid_mm,
                     "Grid spacing, mm, one for all or three for x, y, z; default: the case's smallest voxel "
                     "edge, 1 to 2.5 mm")
        ->expected(1, 3)
        ->check(CLI::Range(0.5, 20.0));
    validate->add_option("--suite", arguments->suites,
                         "Judge by the tolerances of: gates, venselaar, tg53, mppg5b; may be repeated");
    validate->add_option("--leaves", arguments->leaves, "Leaf design of the plans of mppg5b")
        ->capture_default_str();
    validate->add_option("--out", arguments->out,
                         "Folder for the calculated dose on the case's voxels (HDF5)");
    validate
        ->add_option("--lateral-scaling", arguments->lateral_scaling,
                     "Pencil beam: widen kernels by density, on or off")
        ->capture_default_str()
        ->check(CLI::IsMember({"on", "off"}));
    validate
        ->add_option("--without", arguments->without,
                     "Switch an ingredient off, to see what it costs: tilt, hardening, sharpening")
        ->check(CLI::IsMember({"tilt", "hardening", "sharpening"}));
    validate->add_option(
        "--directions", arguments->directions,
        "RINGSxSECTORS along the beam, or a number fixed in the patient; default: by quality");
    validate->add_option("--lattice", arguments->lattice, "rounded or interpolated; default: by quality")
        ->check(CLI::IsMember({"rounded", "interpolated"}));
    add_backend_options(*validate, arguments->backend);
    validate->add_option("--threads", arguments->threads, "CPU threads; 0: all cores")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    validate->add_option("--json", arguments->json, "Also write the results as JSON");
    validate->footer(std::string("Example:\n  dose validate tests/data/reference/*.h5 --suite gates --suite "
                                 "venselaar --json validation.json\n  dose validate "
                                 "--suite mppg5b --model my-6MV.h5\n") +
                     exit_code_text);
    validate->callback([&run, arguments] { run = [arguments] { return validate_cases(*arguments); }; });
}

}  // namespace libdose::cli
