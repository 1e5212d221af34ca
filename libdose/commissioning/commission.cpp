// The stages of commissioning, top to bottom.
#include "libdose/commission.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <utility>

#include "base/text.h"
#include "base/threads.h"
#include "commissioning/commission_record.h"
#include "commissioning/compare.h"
#include "commissioning/criteria.h"
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

/// What the data can tell, in the order of the joint fit.
std::vector<Quantity> quantities_for(const MeasurementSet& set, const BeamModel& generic) {
    std::vector<Quantity> wanted{Quantity::spectrum_tilt, Quantity::spectrum_filter,
                                 Quantity::spectrum_endpoint};
    if (has(set.curves, CurveKind::output_factor) || has(set.curves, CurveKind::output_factor_in_air)) {
        wanted.push_back(Quantity::extrafocal_amplitude);
        wanted.push_back(Quantity::extrafocal_sigma);
        if (generic.head.monitor_backscatter_x + generic.head.monitor_backscatter_y > 0)
            wanted.push_back(Quantity::backscatter);
    }
    double smallest = 1e9;
    for (const MeasuredCurve& curve : set.curves)
        if (curve.kind == CurveKind::output_factor) smallest = std::min(smallest, curve.position_mm.front());
    if (smallest <= 20 || has(set.curves, CurveKind::profile)) wanted.push_back(Quantity::spot_fwhm);
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

/// Throws bad_input for measurements that the linter calls wrong.
void refuse_errors(const std::vector<Finding>& findings) {
    for (const Finding& finding : findings)
        if (finding.severity == Finding::Severity::error)
            throw bad_input(finding.text, finding.curve.empty() ? "measurements" : finding.curve,
                            "dose model lint lists every finding");
}

/// Sides of the fields that were measured, mm of the equivalent square.
std::set<int> fields_of(const MeasurementSet& set) {
    std::set<int> fields;
    for (const MeasuredCurve& curve : set.curves) {
        const std::size_t points = curve.kind == CurveKind::output_factor ? curve.position_mm.size() : 1;
        for (std::size_t i = 0; i < points; ++i)
            if (field_of(curve, i) > 0) fields.insert(field_of(curve, i));
    }
    return fields;
}

/// Every `folds`-th field, from the one of this fold on.
LeftOut fields_of_fold(const std::set<int>& fields, int fold, int folds) {
    LeftOut left_out;
    int n = 0;
    for (const int field : fields)
        if (n++ % folds == fold) left_out.insert(field);
    return left_out;
}

/// The commissioning of one beam: its stages, in the order in which they are called.
class Commissioning {
public:
    Commissioning(const MeasurementSet& set, const BeamModel& generic, const PointKernels& kernels,
                  const AttenuationTable& attenuation, const CommissionOptions& options)
        : set_(set),
          generic_(generic),
          kernels_(kernels),
          options_(options),
          maker_(generic, set, kernels, attenuation, options.rates),
          quantities_(quantities_for(set, generic)) {}

    CommissionResult run(std::vector<Finding> findings) {
        result_.findings = std::move(findings);
        fit_depth_doses();
        fit_profiles();
        fit_output_factors();
        fit_build_up();
        fit_everything();
        make_model();
        fit_devices();
        if (options_.cross_validate) cross_validate();
        clock("cross-validation");
        calibrate_model();
        result_.criteria = judge(result_.curves, result_.model, set_);
        clock("criteria");
        record();
        result_.model.check();
        if (options_.progress) options_.progress(1, "done");
        return std::move(result_);
    }

private:
    /// Adds the time since the last call to a stage's.
    void clock(const char* stage) {
        const auto now = std::chrono::steady_clock::now();
        result_.seconds[stage] += std::chrono::duration<double>(now - last_).count();
        last_ = now;
    }

    /// Progress of a stage, 0 to 1, as a part of the whole.
    std::function<void(double)> part(double begin, double end, std::string stage) const {
        return [this, begin, end, stage = std::move(stage)](double done) {
            if (options_.progress) options_.progress(begin + done * (end - begin), stage);
        };
    }

    /// Fits those of the wanted quantities that the measurements tell to one part of the data.
    void fit_part(std::initializer_list<Quantity> wanted, DataPart part, int evaluations,
                  const std::function<void(double)>& progress) {
        const std::vector<Quantity> some = those_of(quantities_, wanted);
        const FitData data = fit_data(set_, part);
        if (!some.empty() && data.size() > some.size())
            fit(maker_, generic_, some, data, cache_, evaluations, progress);
    }

    void fit_depth_doses() {
        fit_part({Quantity::spectrum_tilt, Quantity::spectrum_filter, Quantity::spectrum_endpoint},
                 DataPart::depth, 30, part(0, 0.1, "depth doses: spectrum"));
        maker_.fit_rates();
        clock("depth doses");
    }

    void fit_profiles() {
        if (!has(set_.curves, CurveKind::primary_fluence) && has(set_.curves, CurveKind::profile)) {
            fit_open_field(maker_, set_, cache_, part(0.1, 0.15, "profiles: horns"));
            fit_part({Quantity::softening, Quantity::spot_fwhm}, DataPart::profiles, 12,
                     part(0.15, 0.2, "profiles: softening, focal spot"));
            fit_open_field(maker_, set_, cache_, part(0.2, 0.22, "profiles: horns"));
        }
        clock("profiles");
    }

    void fit_output_factors() {
        fit_part({Quantity::extrafocal_amplitude, Quantity::extrafocal_sigma, Quantity::backscatter,
                  Quantity::spot_fwhm},
                 DataPart::output, 40, part(0.22, 0.28, "output factors: extrafocal source, focal spot"));
        clock("output factors");
    }

    void fit_build_up() {
        fit_part({Quantity::electron_amplitude, Quantity::electron_attenuation, Quantity::electron_sigma},
                 DataPart::shallow, 30, part(0.28, 0.35, "build-up: electrons"));
        clock("build-up");
    }

    void fit_everything() {
        const FitData everything = fit_data(set_, DataPart::everything);
        const int evaluations = 7 * (static_cast<int>(quantities_.size()) + 2);
        const LeastSquaresResult joint = fit(maker_, generic_, quantities_, everything, cache_, evaluations,
                                             part(0.35, 0.55, "all together"));
        maker_.fit_rates();
        result_.converged = joint.converged;
        result_.reduced_chi_square =
            joint.chi_square /
            std::max(1.0, static_cast<double>(joint.residuals) - static_cast<double>(quantities_.size()));
        result_.parameters = fitted(parameters_of(quantities_, maker_, generic_), joint);
        correlation_ = joint.correlation;
        clock("joint fit");
    }

    /// The fitted model with its residual table and pencil kernel, and every curve beside it.
    void make_model() {
        BeamModel& model = result_.model = maker_.model();
        const BeamModel before_table = model;
        if (has(set_.curves, CurveKind::output_factor)) set_residual_table(model, set_, cache_);
        model.name = options_.name.empty() ? default_name(set_) : options_.name;
        model.version = "1";
        model.pencil_kernel = make_pencil_kernel(model.spectrum, kernels_);
        result_.curves =
            compare(before_table, model, set_, cache_, part(0.55, 0.7, "every curve against the model"));
        clock("comparison");
    }

    /// Leaves and wedges. They do not change the open fields: they are fitted to the model as it stands, and
    /// correlate with nothing but each other.
    void fit_devices() {
        const DeviceFit leaves =
            fit_leaves(result_.model, set_, options_.leaf_designs, part(0.7, 0.72, "leaf ends"));
        leaves_fitted_ = !leaves.parameters.empty();
        take(leaves);
        take(fit_wedges(result_.model, set_, part(0.72, 0.75, "wedges")));
        for (Eigen::Index a = 0; a < correlation_.rows(); ++a)
            for (Eigen::Index b = 0; b < correlation_.cols(); ++b)
                result_.correlation.push_back(correlation_(a, b));
        clock("leaves and wedges");
    }

    void take(const DeviceFit& devices) {
        correlation_ = side_by_side(correlation_, devices.correlation);
        result_.converged = result_.converged && devices.converged;
        result_.parameters.insert(result_.parameters.end(), devices.parameters.begin(),
                                  devices.parameters.end());
        result_.curves.insert(result_.curves.end(), devices.curves.begin(), devices.curves.end());
    }

    /// Leaves the fields out in four groups; what the rest says of them is what a new field would get.
    void cross_validate() {
        const std::set<int> fields = fields_of(set_);
        const int folds = std::min<int>(4, static_cast<int>(fields.size()) / 2);
        for (int fold = 0; fold < folds; ++fold) {
            const LeftOut left_out = fields_of_fold(fields, fold, folds);
            ModelMaker trial = maker_;
            const FitData rest = fit_data(set_, DataPart::everything, left_out);
            if (rest.size() <= quantities_.size()) continue;
            const double begin = 0.75 + 0.15 * fold / folds;
            fit(trial, generic_, quantities_, rest, cache_, 2 * (static_cast<int>(quantities_.size()) + 2),
                part(begin, begin + 0.15 / folds,
                     "cross-validation " + std::to_string(fold + 1) + " of " + std::to_string(folds)));
            judge_held_out(result_.curves, trial.model(), set_, left_out, cache_);
        }
    }

    void calibrate_model() {
        BeamModel& model = result_.model;
        part(0.9, 1, "calibration")(0);
        if (set_.absolute) {
            set_absolute(model, *set_.absolute, cache_);
        } else {
            model.calibration.reference_gy_per_mu = 0.01;
            model.calibration.depth = "maximum";
            result_.notes.push_back(
                "no absolute dose was measured: 1 cGy/MU at the maximum, SSD 100 cm, 10x10 cm is assumed");
        }
        model.calibration = calibrate(model);
        clock("calibration");
    }

    /// What the model says of itself, and a note of each quantity that was not measured.
    void record() {
        BeamModel& model = result_.model;
        model.description = description_of(set_);
        model.sources = sources_of(model, set_, generic_, quantities_, leaves_fitted_);
        for (const std::string& note : notes_of_unmeasured(model.sources)) result_.notes.push_back(note);
        model.lineage = lineage_of(set_, generic_, options_.lineage);
        model.fit.clear();
        for (const FittedParameter& p : result_.parameters)
            model.fit.push_back({p.name, p.unit, p.value, p.sigma, p.prior, p.prior_sigma});
        model.fit_correlation = result_.correlation;
    }

    const MeasurementSet& set_;
    const BeamModel& generic_;
    const PointKernels& kernels_;
    const CommissionOptions& options_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
    ModelMaker maker_;
    FieldCache cache_;
    std::vector<Quantity> quantities_;  ///< of the joint fit
    Eigen::MatrixXd correlation_;       ///< of the parameters so far
    bool leaves_fitted_ = false;
    CommissionResult result_;
};

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
    std::vector<Finding> findings = lint(set);
    refuse_errors(findings);
    measured_leaves(set, options.leaf_designs);  // throws before minutes of work
    return Commissioning(set, generic, kernels, attenuation, options).run(std::move(findings));
}

}  // namespace libdose
