// dose model: list, show, calibrate.
#include <fmt/core.h>

#include "base/interpolation.h"
#include "cli/common.h"
#include "libdose/calibrate.h"
#include "libdose/couch.h"
#include "libdose/data.h"
#include "libdose/density.h"
#include "libdose/io/hdf5.h"
#include "libdose/kernels.h"
#include "libdose/leaf_design.h"

namespace libdose::cli {

namespace {

int list() {
    ModelStore store;
    for (const std::string& name : ModelStore::names()) {
        const BeamModel& model = store.get(name);
        fmt::print("{:<16} {:4g} MV {:<9} version {}  {}\n", model.name, model.nominal_energy_mv,
                   model.fluence_mode, model.version, model.content_hash.substr(0, 12));
    }
    for (const LeafDesign& design : read_leaf_designs(data_folder() / "mlc"))
        fmt::print(
            "{:<24} {}{}{} leaf pairs to {:g} mm, {}, positions are {}\n", design.name, design.device_type,
            design.device_type.empty() ? "" : ", ", design.leaf_boundaries_mm.size() - 1,
            design.leaf_boundaries_mm.back(),
            design.tip_radius_mm > 0 ? fmt::format("rounded ends of {:g} mm", design.tip_radius_mm)
                                     : std::string("flat ends"),
            design.position == LeafDesign::Position::tangent ? "tangents" : "where half comes through");
    for (const std::string& name : couch_names()) {
        const CouchModel couch = read_couch(name);
        fmt::print("{:<24} couch, {:g} mm wide, {:.2f} g/cm2 through its middle\n", name,
                   couch.highest_x_mm() - couch.lowest_x_mm(), couch.path_g_cm2(0.1));
    }
    for (const std::string& name : hu_curve_names()) {
        const HuCurve curve = read_hu_curve(name);
        fmt::print("{:<24} HU curve, HU 0 is {:.4f} g/cm3, {:g} to {:g} HU{}\n", name, curve.density(0),
                   curve.lowest_hu(), curve.highest_hu(),
                   name == HuCurve::default_curve().name() ? ", the default" : "");
    }
    return done;
}

double profile_at_100mm(const HeadModel& head) {
    return physics::table_value(head.profile_radius_mm, head.profile, 100);
}

int show(const std::string& name) {
    ModelStore store;
    const BeamModel& m = store.get(name);
    double mean = 0;
    for (std::size_t e = 0; e < m.spectrum.energy_mev.size(); ++e)
        mean += m.spectrum.energy_mev[e] * m.spectrum.fluence[e];
    fmt::print(
        "{} version {}\n{}\nhash       {}\nenergy     {:g} MV, fluence mode {}, mean photon energy {:.3f} "
        "MeV\n",
        m.name, m.version, m.description, m.content_hash, m.nominal_energy_mv, m.fluence_mode, mean);
    fmt::print("cones      {} x {} depths, rates", m.cone_kernel.theta_edges_deg.size() - 1,
               m.cone_kernel.depth_g_cm2.size());
    for (const double rate : m.cone_kernel.rates_cm2_g) fmt::print(" {:.4g}", rate);
    fmt::print(
        " cm2/g\nhead       spot {:g} x {:g} mm FWHM, collimator at {:g} mm, transmission {:g} (jaws) {:g} "
        "(leaves), radius {:g} mm\n",
        m.head.spot_fwhm_x_mm, m.head.spot_fwhm_y_mm, m.head.source_collimator_distance_mm,
        m.head.jaw_transmission, m.head.leaf_transmission, m.head.maximum_field_radius_mm);
    const HeadModel& h = m.head;
    fmt::print(
        "           extrafocal source {:g} of the focal one, {:g} mm (one standard deviation), at {:g} mm; "
        "monitor backscatter {:g} (x) {:g} (y)\n",
        h.extrafocal.amplitude, h.extrafocal.sigma_mm, h.extrafocal.distance_mm, h.monitor_backscatter_x,
        h.monitor_backscatter_y);
    fmt::print("           profile at 100 mm {:.3f}; softening {}; electrons {}; output table {}\n",
               profile_at_100mm(h), h.softening_g_cm2.empty() ? "none" : "yes",
               h.electrons.amplitude_gy_cm2 > 0 ? "yes" : "none", h.output_side_mm.empty() ? "none" : "yes");
    if (!h.leaf_design.empty())
        fmt::print(
            "           leaves of {}: ends {:+.2f} mm out of the opening against the design, transmission as "
            "above\n",
            h.leaf_design, h.leaf_offset_mm);
    fmt::print("wedges    ");
    for (const WedgeModel& wedge : h.wedges) fmt::print(" {} {:g}", wedge.kind, wedge.angle_deg);
    fmt::print("{}{}{}\n", h.wedges.empty() && h.dynamic_wedge.golden_position_mm.empty() ? " none" : "",
               h.dynamic_wedge.golden_position_mm.empty() ? "" : " enhanced dynamic",
               h.dynamic_wedge.virtual_attenuation_per_mm > 0 ? " virtual" : "");
    const Calibration& c = m.calibration;
    fmt::print("calibrated {:g} cGy/MU at {}, SSD 100 cm, 10x10 cm; maximum at {:.2f} cm depth\n",
               100 * c.reference_gy_per_mu, c.depth, c.depth_of_maximum_cm);
    fmt::print("           depth dose at 10 cm: collapsed cone {:.1f} %, pencil beam {:.1f} %\nsources\n",
               100 * c.collapsed_cone_10cm / c.collapsed_cone_maximum,
               100 * c.pencil_beam_10cm / c.pencil_beam_maximum);
    for (const auto& [quantity, source] : m.sources) fmt::print("  {}: {}\n", quantity, source);
    return done;
}

int output(const std::string& name, const std::vector<double>& sides, const std::string& algorithm,
           const std::filesystem::path& json_file) {
    ModelStore store;
    const BeamModel& model = store.get(name);
    nlohmann::json json = {{"model", model.name},
                           {"hash", model.content_hash},
                           {"engine", algorithm},
                           {"fields", nlohmann::json::array()}};
    fmt::print(
        "{}: square jaw fields, relative to 100 mm; in water 10 cm deep, SSD 90 cm\n{:>8} {:>9} {:>9}\n",
        model.name, "side mm", "in air", "in water");
    for (const OutputFactor& f : output_factors(model, sides, algorithm_from_string(algorithm))) {
        fmt::print("{:8g} {:9.4f} {:9.4f}\n", f.side_mm, f.in_air, f.in_water);
        json["fields"].push_back(
            {{"side_mm", f.side_mm}, {"in_air", finite(f.in_air)}, {"in_water", finite(f.in_water)}});
    }
    if (!json_file.empty()) write_json(json, json_file);
    return done;
}

int calibrate_file(const std::filesystem::path& file, int rates) {
    BeamModel model = io::read_unsealed_beam_model(file);
    if (model.cone_kernel.rates_cm2_g.empty() || rates > 0) {
        const PointKernels kernels =
            io::read_point_kernels(data_folder() / "kernels" / "water_point_kernels.h5");
        model.cone_kernel = make_cone_kernel(
            model.spectrum, kernels, start_rates(model.nominal_energy_mv, rates > 0 ? rates : 3), true);
        model.pencil_kernel = make_pencil_kernel(model.spectrum, kernels);
        fmt::print("{}: kernels made, rates", model.name);
        for (const double rate : model.cone_kernel.rates_cm2_g) fmt::print(" {:.4g}", rate);
        fmt::print(" cm2/g\n");
    }
    model.calibration = calibrate(model);
    const std::string hash = io::write_beam_model(model, file);
    fmt::print("{}: maximum at {:.2f} cm, sealed with {}\n", model.name,
               model.calibration.depth_of_maximum_cm, hash);
    return done;
}

}  // namespace

void add_model(CLI::App& app, Command& run) {
    CLI::App* model = app.add_subcommand("model", "Beam models");
    model->require_subcommand(1);
    model->footer(std::string("Examples:\n  dose model list\n  dose model show generic-6MV\n  dose model "
                              "output generic-6MV --side 30 --side 200\n  dose model "
                              "calibrate my-model.h5\n  dose model commission measured/ --out my-6MV.h5 "
                              "--report my-6MV.html\n") +
                  exit_code_text);
    CLI::App* list_command = model->add_subcommand(
        "list", "The beam models, leaf designs, couches and HU curves that come with libdose");
    list_command->callback([&run] { run = list; });
    auto name = std::make_shared<std::string>();
    CLI::App* show_command =
        model->add_subcommand("show", "What a model holds and where its numbers come from");
    show_command->add_option("name", *name, "Name or file")->required();
    show_command->callback([&run, name] { run = [name] { return show(*name); }; });
    struct OutputArguments {
        std::string name, algorithm = "collapsed-cone";
        std::vector<double> sides{30, 40, 60, 100, 150, 200, 300, 390};
        std::filesystem::path json;
    };
    auto wanted = std::make_shared<OutputArguments>();
    CLI::App* output_command =
        model->add_subcommand("output", "Output factors of square fields, in air and in water");
    output_command->add_option("name", wanted->name, "Name or file")->required();
    output_command->add_option("--side", wanted->sides, "Sides of the fields, mm")->capture_default_str();
    output_command
        ->add_option("--algorithm,--engine", wanted->algorithm,
                     "collapsed-cone or pencil-beam (--engine: a synonym)")
        ->capture_default_str();
    add_threads(*output_command);
    output_command->add_option("--json", wanted->json, "Also write them as JSON");
    output_command->callback([&run, wanted] {
        run = [wanted] { return output(wanted->name, wanted->sides, wanted->algorithm, wanted->json); };
    });
    add_commissioning(*model, run);
    auto file = std::make_shared<std::filesystem::path>();
    auto rates = std::make_shared<int>(0);
    CLI::App* calibrate_command =
        model->add_subcommand("calibrate",
                              "Make the kernels of a model that lacks them, calculate its reference dose and "
                              "seal the file with its hash");
    calibrate_command->add_option("file", *file, "Model file; replaced")->required();
    calibrate_command->add_option("--rates", *rates, "Make the kernels anew with this number of shared rates")
        ->check(CLI::Range(2, 5));
    add_cpu_only_backend(*calibrate_command);
    add_threads(*calibrate_command);
    calibrate_command->callback(
        [&run, file, rates] { run = [file, rates] { return calibrate_file(*file, *rates); }; });
}

}  // namespace libdose::cli
