// Causes that need recalculations: leaves, isocentre, densities, couch, energy.
#include "check/attribution_causes.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "check/attribution_densities.h"
#include "libdose/admission.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

// Sizes at which fields are found: large enough for a coarse grid, small enough for a penumbra.
constexpr double leaf_step_mm = 2, isocentre_step_mm = 3;
constexpr double largest_leaf_mm = 10, largest_isocentre_mm = 20;
constexpr int refinements = 4;  // of the leading causes, for the progress

bool has_leaves(const Plan& plan) {
    return std::any_of(plan.beams.begin(), plan.beams.end(),
                       [](const Beam& beam) { return !beam.collimators.empty(); });
}

/// Opens the banks of every collimator: the lower one towards smaller, the upper one towards larger
/// coordinates. Leaves end where they meet the one opposite.
Change opened(double lower_mm, double upper_mm) {
    Change change;
    change.beam = [lower_mm, upper_mm](Beam& beam) {
        for (ControlPoint& point : beam.control_points)
            for (LeafPositions& leaves : point.leaves)
                for (std::size_t i = 0; i < leaves.lower_mm.size(); ++i) {
                    double &lower = leaves.lower_mm[i], &upper = leaves.upper_mm[i];
                    const double gap = std::max(0.0, upper - lower + lower_mm + upper_mm);
                    // The bank that moves is the one that ends at the other.
                    if (upper_mm != 0) {
                        lower -= lower_mm;
                        upper = lower + gap;
                    } else {
                        lower = upper - gap;
                    }
                }
    };
    return change;
}

Change isocentre_moved(const Vec3& by_mm) {
    Change change;
    change.beam = [by_mm](Beam& beam) {
        for (ControlPoint& point : beam.control_points) point.isocentre_mm += by_mm;
    };
    return change;
}

}  // namespace

RecalculatedCauses::RecalculatedCauses(const CheckInput& input, const CheckOptions& options,
                                       const BeamModelProvider& models, const DoseSamples& samples)
    : input_(input),
      options_(options),
      progress_(options.progress, 12 + refinements),
      recalculation_(input, options, models, samples, progress_) {}

Candidate RecalculatedCauses::linear(Cause cause, double largest, const Sizes& steps,
                                     std::function<Change(const Sizes&)> change_of) {
    Candidate candidate;
    candidate.cause = std::move(cause);
    candidate.largest = largest;
    for (Eigen::Index i = 0; i < steps.size(); ++i) {
        const Sizes one = Sizes::Unit(steps.size(), i) * steps[i];
        const Field field = recalculation_.difference(change_of(one)) / steps[i];
        candidate.fields.conservativeResize(field.size(), i + 1);
        candidate.fields.col(i) = field;
    }
    candidate.recalculated = [this, change_of](const Sizes& sizes) {
        return recalculation_.difference(change_of(sizes));
    };
    return candidate;
}

Candidate RecalculatedCauses::choice(Cause cause, const Change& change) {
    Candidate candidate;
    candidate.cause = std::move(cause);
    candidate.choice = true;
    candidate.fields = recalculation_.difference(change);
    return candidate;
}

void RecalculatedCauses::try_cause(const std::string& stage, std::vector<Candidate>& list,
                                   const std::function<std::vector<Candidate>()>& make) {
    progress_.begin(stage);
    try {
        for (Candidate& candidate : make()) list.push_back(std::move(candidate));
    } catch (const Error& error) {
        if (progress_.cancelled() || error.kind() == ErrorKind::internal) throw;
        not_tried_.push_back(stage + ": " + error.what());
    }
}

std::vector<Candidate> RecalculatedCauses::aperture() {
    Candidate a = linear({"aperture", "leaf bank A opened by", 0, "mm", 0}, largest_leaf_mm,
                         Sizes::Constant(1, leaf_step_mm), [](const Sizes& s) { return opened(s[0], 0); });
    Candidate b = linear({"aperture", "leaf bank B opened by", 0, "mm", 0}, largest_leaf_mm,
                         Sizes::Constant(1, leaf_step_mm), [](const Sizes& s) { return opened(0, s[0]); });
    Candidate gap = a, both = a;
    gap.cause.name = "each leaf bank opened by";
    gap.fields = a.fields + b.fields;
    gap.recalculated = [this](const Sizes& s) { return recalculation_.difference(opened(s[0], s[0])); };
    both.cause.name = "both leaf banks moved towards larger coordinates by";
    both.fields = b.fields - a.fields;
    both.recalculated = [this](const Sizes& s) { return recalculation_.difference(opened(-s[0], s[0])); };
    return {a, b, gap, both};
}

std::vector<Candidate> RecalculatedCauses::isocentre() {
    Candidate shift =
        linear({"shift", "isocentre moved", 0, "mm", 0}, largest_isocentre_mm,
               Sizes::Constant(3, isocentre_step_mm), [](const Sizes& s) { return isocentre_moved(s); });
    shift.describe = [](Candidate& c) {
        c.cause.size = c.sizes.norm();
        c.cause.name = "isocentre moved by " + text_of(c.sizes);
        c.description = c.cause.name;
    };
    return {shift};
}

std::vector<RecalculatedCauses::Model> RecalculatedCauses::other_energies() {
    std::vector<Model> others;
    for (const std::string& name : io::ModelStore::names()) {
        const BeamModel& model = store_.get(name);
        const auto serves = [&](const Beam& beam) {
            Beam other = beam;
            other.nominal_energy_mv = model.nominal_energy_mv;
            return model_fits(model, other) && model.nominal_energy_mv != beam.nominal_energy_mv;
        };
        // What was commissioned without the name of its machine serves nobody's plan unasked.
        const bool nameless = model.machine.empty() && !model.lineage.empty();
        if (!nameless && std::all_of(input_.plan->beams.begin(), input_.plan->beams.end(), serves))
            others.push_back({name, &model});
    }
    return others;
}

std::vector<Candidate> RecalculatedCauses::candidates() {
    std::vector<Candidate> list;
    if (has_leaves(*input_.plan)) try_cause("leaves", list, [&] { return aperture(); });
    for (const PatientChange& change : patient_changes(input_, options_))
        try_cause(change.stage, list, [&] {
            return std::vector{choice({"density", change.name, 1, "", 0}, change.change)};
        });
    try_cause("energy", list, [&] {
        std::vector<Candidate> energies;
        for (const Model& other : other_energies()) {
            Change change;
            change.model = other.model;
            energies.push_back(
                choice({"energy",
                        fmt::format("{:g} MV instead of {:g} MV (model {})", other.model->nominal_energy_mv,
                                    input_.plan->beams.front().nominal_energy_mv, other.name),
                        1, "", 0},
                       change));
        }
        return energies;
    });
    try_cause("HU table", list, [&] { return densities(); });
    try_cause("isocentre", list, [&] { return isocentre(); });
    return list;
}

std::vector<Candidate> RecalculatedCauses::densities() {
    const auto change_of = [this](const Sizes& percent) {
        Change change;
        change.hu_curve = scaled_curve(recalculation_.hu_curve(), percent);
        return change;
    };
    Candidate table = linear({"density", "HU table", 0, "%", 0}, largest_density_percent,
                             Sizes::Constant(density_ranges, density_step_percent), change_of);
    Candidate all = table;
    all.cause.name = "density of the body";
    all.fields = table.fields.rowwise().sum();
    all.recalculated = [this, change_of](const Sizes& s) {
        return recalculation_.difference(change_of(Sizes::Constant(density_ranges, s[0])));
    };
    table.describe = [](Candidate& c) {
        Eigen::Index most = 0;
        c.sizes.cwiseAbs().maxCoeff(&most);
        c.cause.size = c.sizes[most];
        c.cause.name =
            fmt::format("HU table: density of lung {:+.1f} %, soft tissue {:+.1f} %, bone {:+.1f} %",
                        c.sizes[0], c.sizes[1], c.sizes[2]);
        c.description = c.cause.name;
    };
    return {all, table};
}

void RecalculatedCauses::refine_candidate(Candidate& candidate, const Field& difference) {
    progress_.begin("size");
    std::vector<Candidate> none;
    try {
        refine(candidate, difference);
    } catch (const Error& error) {
        if (progress_.cancelled() || error.kind() == ErrorKind::internal) throw;
    }
}

}  // namespace libdose::check
