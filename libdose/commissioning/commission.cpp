// The stages of commissioning, top to bottom.
#include "libdose/commission.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "base/threads.h"
#include "commissioning/compare.h"
#include "commissioning/device_fit.h"
#include "commissioning/fit_data.h"
#include "commissioning/fit_model.h"
#include "commissioning/least_squares.h"
#include "commissioning/open_field.h"
#include "commissioning/predict.h"
#include "fluence/head_equations.h"
#include "libdose/calibrate.h"
#include "libdose/error.h"

namespace libdose {

namespace {

using namespace commission;

bool has(const std::vector<MeasuredCurve>& curves, CurveKind kind) {
    return std::any_of(curves.begin(), curves.end(),
                       [&](const MeasuredCurve& curve) { return curve.kind == kind; });
}
bool has(const MeasurementSet& set, CurveKind kind) { return has(set.curves, kind); }

/// What the data can tell, in the order of the joint fit.
std::vector<Quantity> quantities_for(const MeasurementSet& set, const BeamModel& generic) {
    std::vector<Quantity> wanted{Quantity::spectrum_tilt, Quantity::spectrum_filter,
                                 Quantity::spectrum_endpoint};
    if (has(set, CurveKind::output_factor) || has(set, CurveKind::output_factor_in_air)) {
        wanted.push_back(Quantity::extrafocal_amplitude);
        wanted.push_back(Quantity::extrafocal_sigma);
        if (generic.head.monitor_backscatter_x + generic.head.monitor_backscatter_y > 0)
            wanted.push_back(Quantity::backscatter);
    }
    double smallest = 1e9;
    for (const MeasuredCurve& curve : set.curves)
        if (curve.kind == CurveKind::output_factor) smallest = std::min(smallest, curve.position_mm.front());
    if (smallest <= 20 || has(set, CurveKind::profile)) wanted.push_back(Quantity::spot_fwhm);
    if (generic.head.electrons.amplitude_gy_cm2 > 0) {
        wanted.push_back(Quantity::electron_amplitude);
        wanted.push_back(Quantity::electron_attenuation);
        wanted.push_back(Quantity::electron_sigma);
    }
    if (!generic.head.softening_g_cm2.empty()) wanted.push_back(Quantity::softening);
    return wanted;
}

std::vector<Parameter> parameters_of(const std::vector<Quantity>& quantities, const ModelMaker& maker,
                                     const BeamModel& generic) {
    std::vector<Parameter> parameters;
    for (const Quantity quantity : quantities) {
        parameters.push_back(parameter_for(quantity, generic));
        parameters.back().value =
            std::clamp(maker.get(quantity), parameters.back().lower, parameters.back().upper);
    }
    return parameters;
}

/// Fits some quantities to some data and leaves their values in the maker.
LeastSquaresResult fit(ModelMaker& maker, const BeamModel& generic, const std::vector<Quantity>& quantities,
                       const FitData& data, FieldCache& cache, int most_evaluations,
                       const std::function<void(double)>& progress) {
    const auto residuals = [&](const std::vector<double>& values) {
        ModelMaker trial = maker;
        for (std::size_t i = 0; i < quantities.size(); ++i) trial.set(quantities[i], values[i]);
        const std::vector<double> r =
            data.residuals(predict(trial.model(), data.curves, Algorithm::collapsed_cone, cache));
        return Eigen::VectorXd(
            Eigen::Map<const Eigen::VectorXd>(r.data(), static_cast<Eigen::Index>(r.size())));
    };
    const LeastSquaresResult result =
        least_squares(parameters_of(quantities, maker, generic), residuals, most_evaluations, progress);
    for (std::size_t i = 0; i < quantities.size(); ++i) maker.set(quantities[i], result.values[i]);
    return result;
}

std::vector<Quantity> those_of(const std::vector<Quantity>& all, std::initializer_list<Quantity> wanted) {
    std::vector<Quantity> found;
    for (const Quantity q : wanted)
        if (std::find(all.begin(), all.end(), q) != all.end()) found.push_back(q);
    return found;
}

/// Measured over calculated output of the square fields in water, by side.
void set_residual_table(BeamModel& model, const MeasurementSet& set, FieldCache& cache) {
    std::map<double, std::pair<double, int>> table;
    for (const MeasuredCurve& curve : set.curves) {
        if (curve.kind != CurveKind::output_factor) continue;
        const CurvePoints points = all_points(curve);
        const auto calculated = predict(model, {points}, Algorithm::collapsed_cone, cache).front();
        for (std::size_t i = 0; i < calculated.size(); ++i) {
            const double x = curve.position_mm[i], y = curve.side_y_of_mm.empty() ? x : curve.side_y_of_mm[i];
            if (x != y) continue;
            auto& [sum, count] = table[x];
            sum += curve.value[i] / calculated[i];
            ++count;
        }
        // The calibration's field is 1 whether the table lists it or not.
        auto& [sum, count] = table[curve.normalisation_mm];
        if (count == 0) sum = count = 1;
    }
    for (const auto& [side, value] : table) {
        model.head.output_side_mm.push_back(side);
        model.head.output_correction.push_back(value.first / value.second);
    }
}

std::string default_name(const MeasurementSet& set) {
    std::string name;
    for (const char c : set.machine.empty() ? std::string("centre") : set.machine)
        if (std::isalnum(static_cast<unsigned char>(c)))
            name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else if (!name.empty() && name.back() != '-')
            name += '-';
    if (!name.empty() && name.back() == '-') name.pop_back();
    return name + "-" + short_number(set.nominal_energy_mv) + (set.fluence_mode == "FFF" ? "FFF" : "MV");
}

}  // namespace

CommissionResult commission_beam_model(const MeasurementSet& set, const BeamModel& generic,
                                       const PointKernels& kernels, const AttenuationTable& attenuation,
                                       const CommissionOptions& options) {
    set.check();
    if (generic.fluence_mode != set.fluence_mode)
        throw bad_input("the measurements are of fluence mode " + set.fluence_mode +
                            ", the starting model of " + generic.fluence_mode,
                        generic.name);
    const ThreadLimit limit(options.threads);
    CommissionResult result;
    result.findings = lint(set);
    for (const Finding& finding : result.findings)
        if (finding.severity == Finding::Severity::error)
            throw bad_input(finding.text, finding.curve.empty() ? "measurements" : finding.curve,
                            "dose model lint lists every finding");

    measured_leaves(set, options.leaf_designs);  // throws before minutes of work

    auto last = std::chrono::steady_clock::now();
    const auto clock = [&](const char* stage) {
        const auto now = std::chrono::steady_clock::now();
        result.seconds[stage] += std::chrono::duration<double>(now - last).count();
        last = now;
    };
    const auto part = [&](double begin, double end, std::string stage) {
        return [&options, begin, end, stage = std::move(stage)](double done) {
            if (options.progress) options.progress(begin + done * (end - begin), stage);
        };
    };

    ModelMaker maker(generic, set, kernels, attenuation, options.rates);
    FieldCache cache;
    const std::vector<Quantity> all = quantities_for(set, generic);
    const auto stage = [&](std::initializer_list<Quantity> wanted, DataPart data_part, int evaluations,
                           const std::function<void(double)>& progress) {
        const std::vector<Quantity> some = those_of(all, wanted);
        const FitData data = fit_data(set, data_part);
        if (!some.empty() && data.size() > some.size())
            fit(maker, generic, some, data, cache, evaluations, progress);
    };
    stage({Quantity::spectrum_tilt, Quantity::spectrum_filter, Quantity::spectrum_endpoint}, DataPart::depth,
          30, part(0, 0.1, "depth doses: spectrum"));
    maker.fit_rates();
    clock("depth doses");
    if (!has(set, CurveKind::primary_fluence) && has(set, CurveKind::profile)) {
        fit_open_field(maker, set, cache, part(0.1, 0.15, "profiles: horns"));
        stage({Quantity::softening, Quantity::spot_fwhm}, DataPart::profiles, 12,
              part(0.15, 0.2, "profiles: softening, focal spot"));
        fit_open_field(maker, set, cache, part(0.2, 0.22, "profiles: horns"));
    }
    clock("profiles");
    stage({Quantity::extrafocal_amplitude, Quantity::extrafocal_sigma, Quantity::backscatter,
           Quantity::spot_fwhm},
          DataPart::output, 40, part(0.22, 0.28, "output factors: extrafocal source, focal spot"));
    clock("output factors");
    stage({Quantity::electron_amplitude, Quantity::electron_attenuation, Quantity::electron_sigma},
          DataPart::shallow, 30, part(0.28, 0.35, "build-up: electrons"));
    clock("build-up");

    const FitData everything = fit_data(set, DataPart::everything);
    const int evaluations = 7 * (static_cast<int>(all.size()) + 2);
    LeastSquaresResult joint =
        fit(maker, generic, all, everything, cache, evaluations, part(0.35, 0.55, "all together"));
    maker.fit_rates();
    result.converged = joint.converged;
    result.reduced_chi_square = joint.chi_square / std::max(1.0, static_cast<double>(joint.residuals) -
                                                                     static_cast<double>(all.size()));
    result.parameters = fitted(parameters_of(all, maker, generic), joint);
    clock("joint fit");

    BeamModel& model = result.model = maker.model();
    const BeamModel before_table = model;
    if (has(set, CurveKind::output_factor)) set_residual_table(model, set, cache);
    model.name = options.name.empty() ? default_name(set) : options.name;
    model.version = "1";
    model.pencil_kernel = make_pencil_kernel(model.spectrum, kernels);
    result.curves =
        compare(before_table, model, set, cache, part(0.55, 0.7, "every curve against the model"));
    clock("comparison");

    // Devices do not change the open fields: they are fitted to the model as it stands, and correlate with
    // nothing but each other.
    Eigen::MatrixXd correlation = joint.correlation;
    const auto take = [&](const DeviceFit& fit) {
        correlation = side_by_side(correlation, fit.correlation);
        result.converged = result.converged && fit.converged;
        result.parameters.insert(result.parameters.end(), fit.parameters.begin(), fit.parameters.end());
        result.curves.insert(result.curves.end(), fit.curves.begin(), fit.curves.end());
    };
    const DeviceFit leaves = fit_leaves(model, set, options.leaf_designs, part(0.7, 0.72, "leaf ends"));
    const bool leaves_measured = !leaves.parameters.empty(),
               gaps_measured = has(set.device_curves, CurveKind::leaf_gap);
    take(leaves);
    take(fit_wedges(model, set, part(0.72, 0.75, "wedges")));
    for (Eigen::Index a = 0; a < correlation.rows(); ++a)
        for (Eigen::Index b = 0; b < correlation.cols(); ++b) result.correlation.push_back(correlation(a, b));
    clock("leaves and wedges");

    if (options.cross_validate) {
        // Fields are left out in four groups; what the rest says of them is what a new field would get.
        std::set<int> fields;
        for (const MeasuredCurve& curve : set.curves)
            for (std::size_t i = 0;
                 i < (curve.kind == CurveKind::output_factor ? curve.position_mm.size() : 1); ++i)
                if (field_of(curve, i) > 0) fields.insert(field_of(curve, i));
        const int folds = std::min<int>(4, static_cast<int>(fields.size()) / 2);
        for (int fold = 0; fold < folds; ++fold) {
            LeftOut left_out;
            int n = 0;
            for (const int field : fields)
                if (n++ % folds == fold) left_out.insert(field);
            ModelMaker trial = maker;
            const FitData rest = fit_data(set, DataPart::everything, left_out);
            if (rest.size() <= all.size()) continue;
            const double begin = 0.75 + 0.15 * fold / folds;
            fit(trial, generic, all, rest, cache, 2 * (static_cast<int>(all.size()) + 2),
                part(begin, begin + 0.15 / folds,
                     "cross-validation " + std::to_string(fold + 1) + " of " + std::to_string(folds)));
            judge_held_out(result.curves, trial.model(), set, left_out, cache);
        }
    }
    clock("cross-validation");

    part(0.9, 1, "calibration")(0);
    if (set.absolute) {
        set_absolute(model, *set.absolute, cache);
    } else {
        model.calibration.reference_gy_per_mu = 0.01;
        model.calibration.depth = "maximum";
        result.notes.push_back(
            "no absolute dose was measured: 1 cGy/MU at the maximum, SSD 100 cm, 10x10 cm is assumed");
    }
    model.calibration = calibrate(model);
    clock("calibration");
    result.criteria = judge(result.curves, model, set);
    clock("criteria");

    model.description = "Commissioned from measurements of " +
                        (set.machine.empty() ? std::string("a machine without a name") : set.machine);
    model.sources = {
        {"spectrum", "fitted: " + generic.name + " times a power of the energy and a water filter"},
        {"attenuation",
         generic.sources.contains("attenuation") ? generic.sources.at("attenuation") : "NIST XCOM"},
        {"cone_kernel", "from the spectrum and the point kernels"},
        {"pencil_kernel", "from the spectrum and the point kernels"},
        {"profile", has(set, CurveKind::primary_fluence)
                        ? "measured primary fluence, less the extrafocal source"
                    : has(set, CurveKind::profile) ? "from measured profiles"
                                                   : "of " + generic.name + ": not measured"},
        {"calibration", set.absolute ? "measured" : "assumed: 1 cGy/MU at the maximum; not measured"}};
    const auto fitted_or_generic = [&](const char* quantity, Quantity q) {
        model.sources[quantity] = std::find(all.begin(), all.end(), q) != all.end()
                                      ? "fitted"
                                      : "of " + generic.name + ": the measurements do not tell";
    };
    fitted_or_generic("extrafocal", Quantity::extrafocal_amplitude);
    fitted_or_generic("spot", Quantity::spot_fwhm);
    fitted_or_generic("electrons", Quantity::electron_amplitude);
    fitted_or_generic("softening", Quantity::softening);
    model.sources["transmission"] =
        std::string("jaws ") + (set.jaw_transmission ? "measured" : "of " + generic.name) + ", leaves " +
        (gaps_measured           ? "fitted, of " + model.head.leaf_design
         : set.leaf_transmission ? "measured"
         : leaves_measured
             ? "of the design " + model.head.leaf_design + ", or else of " + generic.name + ": not measured"
             : "of " + generic.name);
    model.sources["leaf offset"] =
        leaves_measured ? "fitted, of " + model.head.leaf_design : "none: not measured";
    model.sources["geometry, backscatter"] = "of " + generic.name + ": not measured";
    std::string wedges;
    for (const WedgeModel& wedge : model.head.wedges)
        wedges += (wedges.empty() ? "" : ", ") + wedge.kind + " " + short_number(wedge.angle_deg) +
                  " degrees" + (wedge.id.empty() ? "" : " \"" + wedge.id + "\"");
    model.sources["wedges"] = wedges.empty()
                                  ? "none: not measured; a plan with a physical or motorised wedge is refused"
                                  : "fitted, of steel: " + wedges;
    if (!model.head.dynamic_wedge.golden_position_mm.empty())
        model.sources["enhanced dynamic wedge"] = "table of " + generic.name;
    for (const auto& [quantity, source] : model.sources)
        if (source.find("not measured") != std::string::npos ||
            source.find("do not tell") != std::string::npos)
            result.notes.push_back(quantity + ": " + source);
    model.lineage = options.lineage;
    model.lineage["data_sha256"] = set.data_hash;
    std::string files;
    for (const std::string& file : set.files) files += (files.empty() ? "" : ", ") + file;
    model.lineage["files"] = files;
    model.lineage["engine_version"] = LIBDOSE_VERSION;
    model.lineage["started_from"] = generic.name + " " + generic.content_hash;
    model.fit.clear();
    for (const FittedParameter& p : result.parameters)
        model.fit.push_back({p.name, p.unit, p.value, p.sigma, p.prior, p.prior_sigma});
    model.fit_correlation = result.correlation;
    model.check();
    if (options.progress) options.progress(1, "done");
    return result;
}

}  // namespace libdose
