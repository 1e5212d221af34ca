// The order of a check: integrity, recalculation, doses, gamma, cause, context.
#include "libdose/check/check.h"

#include <chrono>
#include <map>

#include "check/attribution.h"
#include "check/dose_rows.h"
#include "check/gamma_rows.h"
#include "check/integrity.h"
#include "check/known_offsets.h"
#include "check/targets.h"
#include "libdose/couch.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/model_store.h"
#include "libdose/io/provenance.h"

namespace libdose::check {

namespace {

// Parts of the whole progress at which a stage ends; the calculation takes most of the time.
constexpr double integrity_end = 0.02, calculation_end = 0.60, doses_end = 0.72, gamma_end = 0.80;

/// Measures stages and passes their progress on.
class Stages {
public:
    Stages(const ProgressCallback& progress, std::map<std::string, double>& seconds)
        : progress_(progress), seconds_(seconds) {}

    /// Runs `work` as stage `name` from `begin` to `end` of the whole.
    template <class Work>
    void run(const std::string& name, double begin, const Work& work) {
        if (progress_) progress_(begin, name);
        const auto start = std::chrono::steady_clock::now();
        work();
        seconds_[name] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    /// The progress of a stage as a part of the whole.
    ProgressCallback part(double begin, double end) const {
        if (!progress_) return {};
        return [progress = progress_, begin, end](double fraction, const std::string& stage) {
            if (fraction < 1) progress(begin + fraction * (end - begin), stage);  // the next stage follows
        };
    }

private:
    const ProgressCallback& progress_;
    std::map<std::string, double>& seconds_;
};

Row not_checked(const std::string& section, const std::string& id, const std::string& name,
                const std::string& reason) {
    Row row;
    row.section = section;
    row.id = id;
    row.name = name;
    row.verdict = Verdict::not_checked;
    row.reason = reason;
    return row;
}

/// The input with the couch that was asked for among its structures.
CheckInput with_couch(const CheckInput& input, const CheckOptions& options,
                      std::vector<std::string>& assumptions) {
    CheckInput changed = input;
    if (options.couch.empty()) return changed;
    const CouchPlacement placement =
        insert_couch(*changed.structures, *changed.ct, changed.plan->position, read_couch(options.couch),
                     options.couch_top_mm, options.couch_lateral_mm.value_or(0));
    assumptions.push_back("Couch \"" + options.couch + "\" was put under the body");
    assumptions.insert(assumptions.end(), placement.notes.begin(), placement.notes.end());
    return changed;
}

/// A grid that a calculation can have: spacings as EngineOptions::grid allows, more than one plane.
bool can_be_calculated_on(const Dose& dose) {
    const Vec3& spacing = dose.gy.grid.spacing_mm;
    return !dose.plane && spacing.minCoeff() >= 0.5 && spacing.maxCoeff() <= 20.0;
}

CalculationResult recalculate(const CheckInput& input, const CheckOptions& options,
                              const BeamModelProvider& models, const ProgressCallback& progress) {
    EngineOptions engine = options.engine;
    engine.per_beam = true;
    engine.progress = progress;
    if (input.planned && can_be_calculated_on(*input.planned)) engine.grid = input.planned->gy.grid;
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    CalculationResult result =
        calculate(*input.ct, &*input.structures, *input.plan, materials, models, engine);
    io::add_inputs(result.plan.provenance, engine.hu_curve, *input.ct, &*input.structures, *input.plan);
    if (!options.couch.empty()) result.plan.provenance.settings["couch"] = options.couch;
    return result;
}

/// 0: not known.
double prescribed_gy_per_fraction(const CheckInput& input) {
    return input.plan && input.plan->fractions > 0 ? prescription_gy(input) / input.plan->fractions : 0;
}

void append(std::vector<Row>& rows, std::vector<Row> more) {
    rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void append(std::vector<std::string>& texts, const std::vector<std::string>& more) {
    texts.insert(texts.end(), more.begin(), more.end());
}

/// The beam model of each beam that has one; the integrity rows say what is wrong where there is none.
void name_models(const Plan& plan, const BeamModelProvider& models, CheckResult& result) {
    for (const Beam& beam : plan.beams) try {
            result.models[beam.number] = models(beam).name;
        } catch (const Error&) {
        }
}

/// Rows for what cannot be compared without a recalculation.
void nothing_recalculated(CheckResult& result, const std::string& why) {
    result.rows.push_back(not_checked("dose", "recalculation", "Dose against the planning system", why));
    result.rows.push_back(not_checked("gamma", "gamma", "Gamma index", why));
    result.attribution.verdict = "not tried";
    result.attribution.sentence = "No cause was looked for: " + why;
}

/// One cause that explains nearly all of a difference is a setting or a fault, even where every figure is
/// within its limits. Two sound systems differ by many small causes. Output that differs for all beams alike
/// is calibration, and has limits of its own.
bool wants_a_look(const Attribution& attribution, std::size_t beams) {
    constexpr double nearly_all = 0.9;
    if (attribution.verdict == "none" || attribution.causes.empty()) return false;
    const Cause& first = attribution.causes.front();
    const bool calibration = first.name == "output of all beams" || (first.kind == "output" && beams == 1);
    return !calibration && first.explained >= nearly_all;
}

Row cause_row(const Attribution& attribution, std::size_t beams) {
    Row row = not_checked("dose", "systematic-difference", "No single cause of the difference", "");
    row.value = attribution.difference_percent;
    row.unit = "%";
    row.source = "docs/theory/attribution.md";
    row.limit = "look where one cause, other than the output of all beams, explains 90 % or more";
    row.verdict = wants_a_look(attribution, beams) ? Verdict::look : Verdict::pass;
    if (row.verdict == Verdict::look) row.reason = attribution.sentence;
    return row;
}

/// All that needs the recalculated dose.
void compare(const CheckInput& input, const CheckOptions& options, const BeamModelProvider& models,
             Stages& stages, CheckResult& result) {
    const CalculationResult& calculation = *result.calculation;
    stages.run("doses", calculation_end, [&] {
        DoseComparison doses = compare_doses(input, calculation, options.protocol);
        append(result.rows, std::move(doses.rows));
        result.histograms = std::move(doses.histograms);
        result.points = std::move(doses.points);
    });
    stages.run("gamma", doses_end, [&] {
        GammaComparison gamma = compare_gamma(input, calculation, options.protocol, options.engine.threads);
        append(result.rows, std::move(gamma.rows));
        result.gammas = std::move(gamma.gammas);
        result.gamma_map = std::move(gamma.map);
    });
    result.known_offsets = known_offsets(input, calculation);
    result.attribution.verdict = "not tried";
    result.attribution.sentence = "No cause was looked for.";
    if (options.attribution)
        stages.run("cause", gamma_end, [&] {
            CheckOptions part = options;
            part.progress = stages.part(gamma_end, 1.0);
            result.attribution = attribute(input, calculation, part, models);
            if (input.planned) result.rows.push_back(cause_row(result.attribution, input.plan->beams.size()));
        });
}

/// Recalculates and compares; what stops the calculation is a row.
void recalculate_and_compare(const CheckInput& input, const CheckOptions& options,
                             const BeamModelProvider& models, Stages& stages, CheckResult& result) {
    try {
        const CheckInput complete = with_couch(input, options, result.assumptions);
        stages.run("recalculation", integrity_end, [&] {
            result.calculation =
                recalculate(complete, options, models, stages.part(integrity_end, calculation_end));
        });
        append(result.assumptions, result.calculation->notes);
        compare(complete, options, models, stages, result);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
        nothing_recalculated(result, error.what());
    }
}

}  // namespace

CheckResult check(const CheckInput& input, const CheckOptions& options) {
    CheckResult result;
    Stages stages(options.progress, result.seconds);
    io::ModelStore store;
    const BeamModelProvider models = [&](const Beam& beam) -> const BeamModel& {
        return store.for_beam(beam, options.model);
    };
    result.rows = input.problems;
    result.assumptions = input.notes;
    stages.run("integrity", 0.0, [&] { append(result.rows, integrity_rows(input, options, models)); });
    if (input.plan) {
        result.complexity = complexity(*input.plan, prescribed_gy_per_fraction(input));
        result.speed_notes = speed_notes(*input.plan);
        name_models(*input.plan, models, result);
    }
    if (input.can_calculate())
        recalculate_and_compare(input, options, models, stages, result);
    else
        nothing_recalculated(result,
                             "the plan was not recalculated, for an object is missing or cannot be "
                             "read (section integrity)");
    result.verdict = worst(result.rows);
    if (options.progress) options.progress(1.0, "done");
    return result;
}

}  // namespace libdose::check
