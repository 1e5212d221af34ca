// dose model lint, commission, diff, verify, sign.
#include "libdose/commission.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cmath>
#include <numeric>

#include "base/temporary_name.h"
#include "cli/commission_report.h"
#include "cli/common.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "libdose/io/measurements.h"

namespace libdose::cli {

namespace {

namespace fs = std::filesystem;

struct DataArguments {
    fs::path data, json;
    io::MeasurementQuestions asked;
};

void add_data_options(CLI::App& command, DataArguments& a) {
    command
        .add_option("data", a.data,
                    "Folder or file of measurements: CSV, measurements.yaml, RFA300 or w2CAD (.asc), MCC "
                    "(docs/reference/measurements.md)")
        ->required();
    command.add_option("--energy-mv", a.asked.energy_mv, "Nominal energy, where the files do not state it");
    command
        .add_option("--fluence-mode", a.asked.fluence_mode,
                    "STANDARD or FFF, where the files do not state it")
        ->check(CLI::IsMember({"STANDARD", "FFF"}));
    command.add_option(
        "--machine", a.asked.machine,
        "Name of the treatment machine as plans have it; the model then serves only its plans");
    command.add_option("--ssd-mm", a.asked.ssd_mm,
                       "Source-surface distance, where the files do not state it");
    command.add_option("--sad-mm", a.asked.sad_mm, "Source-axis distance, where the files do not state it");
    command.add_option("--depth-mm", a.asked.depth_mm,
                       "Depth of the detector, where the files do not state it");
    command.add_option("--unit", a.asked.unit, "mm or cm, of CSV columns whose names do not say")
        ->check(CLI::IsMember({"mm", "cm"}));
    command.add_option("--json", a.json, "Also write the result as JSON");
}

bool print(const std::vector<Finding>& findings) {
    bool bad = false;
    for (const Finding& f : findings) {
        fmt::print("  {:<8} {}{}{}\n", severity_name(f.severity), f.curve, f.curve.empty() ? "" : ": ",
                   f.text);
        bad = bad || f.severity == Finding::Severity::error;
    }
    return bad;
}

int lint_data(const DataArguments& arguments) {
    const MeasurementSet set = io::read_measurements(arguments.data, arguments.asked);
    fmt::print("{} curves, {:g} MV, {}{}\n", set.curves.size() + set.device_curves.size(),
               set.nominal_energy_mv, set.fluence_mode, set.title.empty() ? "" : ", " + set.title);
    for (const auto* list : {&set.curves, &set.device_curves})
        for (const MeasuredCurve& curve : *list)
            fmt::print("  {:<52} {:>4} points, {:g} to {:g} mm\n", curve.name, curve.value.size(),
                       curve.position_mm.front(), curve.position_mm.back());
    for (const std::string& note : set.notes) fmt::print("  note     {}\n", note);
    const std::vector<Finding> findings = lint(set);
    const bool bad = print(findings);
    fmt::print("{}\n", bad ? "a model must not be fitted to these data" : "no error");
    if (!arguments.json.empty())
        write_json(
            {{"findings", as_json(findings)}, {"passed_over", set.notes}, {"data_sha256", set.data_hash}},
            arguments.json);
    return bad ? failed_criteria : done;
}

/// The generic model of the same fluence mode whose energy is nearest, within a third.
const BeamModel& nearest_generic(ModelStore& store, const MeasurementSet& set) {
    const BeamModel* best = nullptr;
    const auto off = [&](const BeamModel& model) {
        return std::abs(std::log(model.nominal_energy_mv / set.nominal_energy_mv));
    };
    for (const std::string& name : ModelStore::names()) {
        const BeamModel& model = store.get(name);
        if (!model.machine.empty() || !model.lineage.empty() || model.fluence_mode != set.fluence_mode)
            continue;
        if (!best || off(model) < off(*best)) best = &model;
    }
    if (!best || off(*best) > std::log(1.34))
        throw bad_input(fmt::format("there is no generic model to start from for {:g} MV, {}",
                                    set.nominal_energy_mv, set.fluence_mode),
                        "dose model commission", "dose model list shows them; give one with --start");
    return *best;
}

struct CommissionArguments {
    DataArguments data;
    fs::path out, report;
    std::string name, start, centre, by, on;
    bool no_cross_validation = false, quiet = false;
    int rates = CommissionOptions{}.rates;
    int threads = 0;
};

/// Before minutes of work: whether its results can be written.
void require_writable(const fs::path& file) {
    if (file.empty()) return;
    const fs::path folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
    std::error_code error;
    if (!fs::is_directory(folder, error) || access(folder.c_str(), W_OK) != 0 ||
        fs::is_directory(file, error))
        throw bad_input("the file cannot be written", file.string(), "Check the folder and its permissions");
}

CommissionOptions options_of(const CommissionArguments& arguments) {
    CommissionOptions options;
    options.name = arguments.name;
    options.cross_validate = !arguments.no_cross_validation;
    options.rates = arguments.rates;
    options.threads = arguments.threads;
    options.leaf_designs = read_leaf_designs(data_folder() / "mlc");
    for (const auto& [key, value] : {std::pair{"centre", arguments.centre}, std::pair{"by", arguments.by},
                                     std::pair{"on", arguments.on}})
        if (!value.empty()) options.lineage[key] = value;
    return options;
}

CommissionResult fit_model(const MeasurementSet& set, const BeamModel& generic,
                           const CommissionArguments& arguments) {
    const PointKernels kernels = io::read_point_kernels(data_folder() / "kernels" / "water_point_kernels.h5");
    const AttenuationTable attenuation = AttenuationTable::read(data_folder() / "materials");
    fmt::print("{} curves of {} files, {:g} MV, {}; starting from {}\n",
               set.curves.size() + set.device_curves.size(), set.files.size(), set.nominal_energy_mv,
               set.fluence_mode, generic.name);
    CommissionOptions options = options_of(arguments);
    Progress progress(arguments.quiet);
    options.progress = std::ref(progress);
    return commission_beam_model(set, generic, kernels, attenuation, options);
}

void print_parameters(const CommissionResult& result) {
    fmt::print("{:<22} {:>10} {:>9}  {}\n", "parameter", "value", "+-", "unit");
    for (const FittedParameter& p : result.parameters)
        fmt::print("{:<22} {:10.4f} {:9.4f}  {}{}\n", p.name, p.value, p.sigma, p.unit,
                   p.at_bound() ? " (at its bound)" : "");
}

/// Largest difference of the pencil beam on the curve of another engine, percent; before the residual table
/// where that curve has one.
double pencil_max_abs_percent(const CommissionResult& result, const CurveComparison& c) {
    double pencil = 0;
    for (const CurveComparison& other : result.curves)
        if (other.engine != c.engine && other.name == c.name)
            pencil = c.before_residual_table.empty() ? other.max_abs_percent : other.before_max_abs_percent;
    return pencil;
}

void print_curves(const CommissionResult& result) {
    fmt::print("{:<52} {:>9} {:>7} {:>9} {:>9}\n", "curve, collapsed cone against measured, %", "largest",
               "RMS", "left out", "pencil");
    for (const CurveComparison& c : result.curves) {
        if (c.engine != to_string(Algorithm::collapsed_cone)) continue;
        const bool before = !c.before_residual_table.empty();
        fmt::print("{:<52} {:9.2f} {:7.2f} {:>9} {:9.2f}\n", before ? c.name + " *" : c.name,
                   before ? c.before_max_abs_percent : c.max_abs_percent,
                   before ? c.before_rms_percent : c.rms_percent,
                   c.held_out_rms_percent >= 0 ? fmt::format("{:.2f}", c.held_out_rms_percent) : "",
                   pencil_max_abs_percent(result, c));
    }
    fmt::print("* before the residual table\n");
}

/// Prints the criteria that failed; returns their number.
std::size_t print_failed_criteria(const CommissionResult& result) {
    std::size_t failed = 0;
    for (const CommissionCriterion& c : result.criteria)
        if (!c.passed) {
            ++failed;
            fmt::print("failed     {}, {}, {}: {:.2f} {} (at most {:g})\n", c.standard, c.test, c.curve,
                       c.value, c.unit, c.tolerance);
        }
    return failed;
}

int commission(const CommissionArguments& arguments) {
    for (const fs::path& file : {arguments.out, arguments.report, arguments.data.json})
        require_writable(file);
    const MeasurementSet set = io::read_measurements(arguments.data.data, arguments.data.asked);
    ModelStore store;
    const BeamModel& generic =
        arguments.start.empty() ? nearest_generic(store, set) : store.get(arguments.start);
    CommissionResult result = fit_model(set, generic, arguments);
    result.model.content_hash = io::write_beam_model(result.model, arguments.out);
    print(result.findings);
    print_parameters(result);
    print_curves(result);
    const std::size_t failed = print_failed_criteria(result);
    for (const std::string& note : result.notes) fmt::print("note       {}\n", note);
    double seconds = 0;
    for (const auto& [stage, time] : result.seconds) seconds += time;
    fmt::print("{} criteria passed, {} failed; {} in {:.0f} s, hash {}\n", result.criteria.size() - failed,
               failed, arguments.out.string(), seconds, result.model.content_hash.substr(0, 12));
    if (!arguments.report.empty()) write_text(commission_html(result, set), arguments.report);
    if (!arguments.data.json.empty()) write_json(commission_json(result, set), arguments.data.json);
    return done;
}

/// The numbers of a model by name.
std::map<std::string, std::vector<double>> numbers_of(const BeamModel& m) {
    const HeadModel& h = m.head;
    return {
        {"nominal_energy_mv", {m.nominal_energy_mv}},
        {"spectrum energy_mev", m.spectrum.energy_mev},
        {"spectrum fluence", m.spectrum.fluence},
        {"cone_kernel rates_cm2_g", m.cone_kernel.rates_cm2_g},
        {"cone_kernel coefficients", m.cone_kernel.coefficients},
        {"pencil_kernel components", m.pencil_kernel.components},
        {"pencil_kernel weights", m.pencil_kernel.weights},
        {"spot_fwhm_mm (x, y)", {h.spot_fwhm_x_mm, h.spot_fwhm_y_mm}},
        {"distances_mm (collimator, jaws x, y, extrafocal)",
         {h.source_collimator_distance_mm, h.jaw_x_distance_mm, h.jaw_y_distance_mm,
          h.extrafocal.distance_mm}},
        {"transmission (jaws, leaves)", {h.jaw_transmission, h.leaf_transmission}},
        {"leaf_offset_mm", {h.leaf_offset_mm}},
        {"maximum_field_radius_mm", {h.maximum_field_radius_mm}},
        {"profile radius_mm", h.profile_radius_mm},
        {"profile", h.profile},
        {"softening_g_cm2", h.softening_g_cm2},
        {"extrafocal amplitude", {h.extrafocal.amplitude}},
        {"extrafocal sigma_mm", {h.extrafocal.sigma_mm}},
        {"electron amplitude_gy_cm2", {h.electrons.amplitude_gy_cm2}},
        {"electron sigma_mm", {h.electrons.sigma_mm}},
        {"electron attenuation_cm2_g, range_g_cm2", {h.electrons.attenuation_cm2_g, h.electrons.range_g_cm2}},
        {"monitor backscatter (x, y)", {h.monitor_backscatter_x, h.monitor_backscatter_y}},
        {"output table sides_mm", h.output_side_mm},
        {"output table", h.output_correction},
        {"reference_gy_per_mu", {m.calibration.reference_gy_per_mu}},
        {"dose per fluence (cone maximum, 10 cm; pencil maximum, 10 cm)",
         {m.calibration.collapsed_cone_maximum, m.calibration.collapsed_cone_10cm,
          m.calibration.pencil_beam_maximum, m.calibration.pencil_beam_10cm}}};
}

/// Prints the quantities of two models that differ, and counts them.
class Differences {
public:
    int count() const { return count_; }

    void words(const std::string& name, const std::string& x, const std::string& y) {
        if (x == y) return;
        ++count_;
        fmt::print("{:<52} \"{}\" | \"{}\"\n", name, x, y);
    }

    void numbers(const std::string& name, const std::vector<double>& x, const std::vector<double>& y) {
        if (x == y) return;
        ++count_;
        if (x.size() != y.size())
            fmt::print("{:<52} {} values | {} values\n", name, x.size(), y.size());
        else if (x.size() <= 4)
            fmt::print("{:<52} {}| {}\n", name, listed(x), listed(y));
        else
            fmt::print("{:<52} differ by up to {:.3g} % of the largest\n", name, percent_of_largest(x, y));
    }

    void wedges(const std::vector<WedgeModel>& x, const std::vector<WedgeModel>& y) {
        if (x.size() != y.size()) {
            ++count_;
            fmt::print("{:<52} {} | {}\n", "wedges", x.size(), y.size());
            return;
        }
        for (std::size_t w = 0; w < x.size(); ++w) wedge(fmt::format("wedge {}", w + 1), x[w], y[w]);
    }

    void texts(const std::string& name, const std::map<std::string, std::string>& x,
               const std::map<std::string, std::string>& y) {
        for (const auto& [key, value] : x) words(name + " " + key, value, y.contains(key) ? y.at(key) : "");
        for (const auto& [key, value] : y)
            if (!x.contains(key)) words(name + " " + key, "", value);
    }

private:
    static std::string listed(const std::vector<double>& values) {
        std::string text;
        for (const double value : values) text += fmt::format("{:.5g} ", value);
        return text;
    }

    static double percent_of_largest(const std::vector<double>& x, const std::vector<double>& y) {
        double largest = 0, scale = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            largest = std::max(largest, std::abs(x[i] - y[i]));
            scale = std::max(scale, std::abs(x[i]));
        }
        return scale > 0 ? 100 * largest / scale : 0.0;
    }

    void wedge(const std::string& number, const WedgeModel& x, const WedgeModel& y) {
        const auto name = [](const WedgeModel& m) {
            return fmt::format("{} {:g} {}", m.kind, m.angle_deg, m.id);
        };
        words(number, name(x), name(y));
        if (x.position_mm == y.position_mm && x.water_g_cm2 == y.water_g_cm2 &&
            x.high_z_g_cm2 == y.high_z_g_cm2)
            return;
        ++count_;
        fmt::print("{:<52} differs in thickness\n", fmt::format("{} ({})", number, name(x)));
    }

    int count_ = 0;
};

int diff(const std::string& first, const std::string& second) {
    ModelStore store;
    const BeamModel a = store.get(first), b = store.get(second);
    if (a.content_hash == b.content_hash) {
        fmt::print("the same content, hash {}\n", a.content_hash);
        return done;
    }
    Differences differences;
    differences.words("name", a.name, b.name);
    differences.words("version", a.version, b.version);
    differences.words("machine", a.machine, b.machine);
    differences.words("leaf_design", a.head.leaf_design, b.head.leaf_design);
    differences.words("fluence_mode", a.fluence_mode, b.fluence_mode);
    differences.words("calibration depth", a.calibration.depth, b.calibration.depth);
    const auto left = numbers_of(a), right = numbers_of(b);
    for (const auto& [name, x] : left) differences.numbers(name, x, right.at(name));
    differences.wedges(a.head.wedges, b.head.wedges);
    differences.texts("source of", a.sources, b.sources);
    differences.texts("lineage", a.lineage, b.lineage);
    fmt::print("{} quantities differ\n", differences.count());
    return failed_criteria;
}

int verify(const fs::path& file, const fs::path& public_key) {
    const BeamModel model = io::read_beam_model(file);  // throws when a byte was changed
    fmt::print("{} version {}: intact, hash {}\n", model.name, model.version, model.content_hash);
    for (const auto& [key, value] : model.lineage) fmt::print("  {:<16} {}\n", key, value);
    if (model.signature.empty()) {
        fmt::print("  not signed\n");
        if (!public_key.empty())
            throw bad_input("the model is not signed", file.string(),
                            "The centre signs it with: dose model sign FILE --key private.pem");
        return done;
    }
    if (public_key.empty()) {
        fmt::print("  signed; give --public-key to check by whom\n");
        return done;
    }
    if (!io::signature_holds(model.content_hash, model.signature, public_key))
        throw bad_input("the signature is not one of this model by the owner of the key", file.string(),
                        "Ask the centre for its public key and the model anew");
    fmt::print("  signed by the owner of {}\n", public_key.string());
    return done;
}

int sign(const fs::path& file, const fs::path& key) {
    BeamModel model = io::read_beam_model(file);
    model.signature = io::sign_hash(model.content_hash, key);
    io::write_beam_model(model, file);
    fmt::print("{}: signed {}\n", file.string(), model.content_hash);
    return done;
}

}  // namespace

void add_commissioning(CLI::App& model, Command& run) {
    auto data = std::make_shared<DataArguments>();
    CLI::App* lint_command =
        model.add_subcommand("lint", "Look at a centre's measurements before a model is fitted to them");
    add_data_options(*lint_command, *data);
    lint_command->footer(std::string("Exit code 1 when an error is found. ") + exit_code_text);
    lint_command->callback([&run, data] { run = [data] { return lint_data(*data); }; });

    auto wanted = std::make_shared<CommissionArguments>();
    CLI::App* command =
        model.add_subcommand("commission", "Fit a beam model to a centre's measurements; takes minutes");
    add_data_options(*command, wanted->data);
    command->add_option("--out", wanted->out, "Model file to write (.h5)")->required();
    command->add_option("--report", wanted->report, "Also write a report as HTML");
    command->add_option("--name", wanted->name, "Name of the model; else from the machine and the energy");
    command->add_option("--start", wanted->start,
                        "Generic model to start from; else the one of the nearest energy");
    command->add_option("--centre", wanted->centre, "Kept in the model: which centre");
    add_cpu_only_backend(*command);
    command->add_option("--by", wanted->by, "Kept in the model: who commissions it");
    command->add_option("--on", wanted->on, "Kept in the model: when");
    command
        ->add_option(
            "--rates", wanted->rates,
            "Rates of the collapsed-cone kernel: fewer are faster, more nearer to Monte Carlo in much water")
        ->check(CLI::Range(3, 5))
        ->capture_default_str();
    command->add_option("--threads", wanted->threads, "Threads; 0: all cores")->check(CLI::NonNegativeNumber);
    command->add_flag("--no-cross-validation", wanted->no_cross_validation,
                      "Leave the cross-validation out: half the time");
    command->add_flag("--quiet", wanted->quiet, "No progress");
    command->footer(std::string("Example:\n  dose model commission measured/ --out my-6MV.h5 --report "
                                "my-6MV.html --machine TrueBeam1\n") +
                    exit_code_text);
    command->callback([&run, wanted] { run = [wanted] { return commission(*wanted); }; });

    struct Pair {
        std::string first, second;
        fs::path file, key;
    };
    auto pair = std::make_shared<Pair>();
    CLI::App* diff_command =
        model.add_subcommand("diff", "What differs between two models; exit code 1 when anything does");
    diff_command->add_option("first", pair->first, "Name or file")->required();
    diff_command->add_option("second", pair->second, "Name or file")->required();
    diff_command->callback([&run, pair] { run = [pair] { return diff(pair->first, pair->second); }; });
    CLI::App* verify_command =
        model.add_subcommand("verify", "Whether a model file is intact, and who signed it");
    verify_command->add_option("file", pair->file, "Model file")->required();
    verify_command->add_option("--public-key", pair->key,
                               "Public Ed25519 key (PEM) of the centre that should have signed it");
    verify_command->callback([&run, pair] { run = [pair] { return verify(pair->file, pair->key); }; });
    CLI::App* sign_command = model.add_subcommand("sign", "Sign a model file with the centre's private key");
    sign_command->add_option("file", pair->file, "Model file; replaced")->required();
    sign_command
        ->add_option("--key", pair->key,
                     "Private Ed25519 key (PEM); made by: openssl genpkey -algorithm ed25519 -out key.pem")
        ->required();
    sign_command->callback([&run, pair] { run = [pair] { return sign(pair->file, pair->key); }; });
}

}  // namespace libdose::cli
