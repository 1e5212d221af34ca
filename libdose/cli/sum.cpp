// dose sum: doses times their weights, added.
#include <fmt/core.h>

#include <algorithm>

#include "cli/common.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "libdose/io/hdf5.h"

namespace libdose::cli {

namespace {

namespace fs = std::filesystem;

struct Arguments {
    std::vector<fs::path> files;
    fs::path out, patient, json;
    std::vector<double> weights;
    std::string grid = "same";
    int fractions = 0;
};

bool is_hdf5(const fs::path& file) { return file.extension() == ".h5" || file.extension() == ".hdf5"; }

/// Patient and study of the RTDOSE that is written: of --patient, or of the first RTDOSE that is read.
CtImage patient_of(const Arguments& arguments) {
    if (!arguments.patient.empty()) return io::read_patient(arguments.patient);
    const auto found = std::find_if_not(arguments.files.begin(), arguments.files.end(), is_hdf5);
    if (found == arguments.files.end())
        throw bad_input("none of the doses says whose it is, as an RTDOSE must", "--out",
                        "Add --patient with any DICOM file of the patient, or write .h5");
    return io::read_patient(*found);
}

int add_up(const Arguments& arguments) {
    std::vector<Dose> doses;
    for (const fs::path& file : arguments.files) {
        doses.push_back(read_any_dose(file));
        if (arguments.fractions > 0 && !is_whole_course(doses.back())) {
            doses.back() = whole_course(doses.back(), arguments.fractions);
            fmt::print("{}: multiplied by {} fractions\n", file.string(), arguments.fractions);
        }
    }
    std::vector<const Dose*> terms;
    for (const Dose& dose : doses) terms.push_back(&dose);
    Dose sum = sum_of_doses(terms, arguments.weights, sum_grid_from_string(arguments.grid));
    const auto [lowest, highest] = std::minmax_element(sum.gy.values.begin(), sum.gy.values.end());
    fmt::print("{}\n{} dose of type {}, {:.3f} to {:.3f} Gy\n", sum.provenance.settings.at("sum"),
               to_string(sum.summation), sum.type, *lowest, *highest);
    if (is_hdf5(arguments.out))
        io::write_doses_hdf5(sum, {}, arguments.out);
    else
        io::write_dose(sum, patient_of(arguments), arguments.out);
    fmt::print("written: {}\n", arguments.out.string());
    if (!arguments.json.empty())
        write_json({{"sum", sum.provenance.settings.at("sum")},
                    {"summation", to_string(sum.summation)},
                    {"type", sum.type},
                    {"minimum_gy", finite(static_cast<double>(*lowest))},
                    {"maximum_gy", finite(static_cast<double>(*highest))},
                    {"file", arguments.out.string()}},
                   arguments.json);
    return done;
}

}  // namespace

void add_sum(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* sum = app.add_subcommand("sum", "Add doses, each times its weight");
    sum->add_option("doses", arguments->files, "RTDOSE (.dcm) or libdose HDF5 (.h5)")->required();
    sum->add_option("--out", arguments->out, "RTDOSE (.dcm), or HDF5 (.h5)")->required();
    sum->add_option("--weights", arguments->weights,
                    "One number for each dose; 1 -1 is a difference, of dose type ERROR");
    sum->add_option("--fractions", arguments->fractions,
                    "Multiply doses of one fraction by this number first: they become whole courses")
        ->check(CLI::Range(1, 1000));
    sum->add_option("--grid", arguments->grid,
                    "Doses on different grids: same (refused), first (interpolated on that of the first), "
                    "common (its part that all cover)")
        ->capture_default_str();
    sum->add_option("--patient", arguments->patient,
                    "DICOM file whose patient and study the RTDOSE gets; default: the first RTDOSE");
    sum->add_option("--json", arguments->json, "Also write what was made as JSON");
    sum->footer(std::string("Examples:\n  dose sum primary.dcm boost.dcm --out sum.dcm\n  dose sum tps.dcm "
                            "result/plan.dcm --weights 1 -1 --grid first --out difference.dcm\n") +
                exit_code_text);
    sum->callback([&run, arguments] { run = [arguments] { return add_up(*arguments); }; });
}

}  // namespace libdose::cli
