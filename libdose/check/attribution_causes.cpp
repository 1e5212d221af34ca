// Causes that need recalculations: leaves, isocentre, densities, couch, energy.
#include "check/attribution_causes.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "libdose/admission.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

// Sizes at which fields are found: large enough for a coarse grid, small enough for a penumbra.
constexpr double leaf_step_mm = 2, isocentre_step_mm = 3;
constexpr double largest_leaf_mm = 10, largest_isocentre_mm = 20;
constexpr int groups = 7;  // of causes, at most: for the progress

// A cause that explains as much leaves nothing to look for.
constexpr double settled_part = 0.97;
// Sizes of a cause that explains less are not recalculated.
constexpr double refined_part = 0.3;
constexpr double nearly = 0.02;  // nor of one that is as far from the best
// Below these, causes that are much the same are not tried. Planted faults have 0.95 and 0.1 or more.
constexpr double promising_moved_part = 0.2, promising_output_part = 0.03;
constexpr double largest_multiple = 5;  // of a couch model

bool has_leaves(const Plan& plan) {
    return std::any_of(plan.beams.begin(), plan.beams.end(),
                       [](const Beam& beam) { return !beam.collimators.empty(); });
}

/// "X" or "Y", as the banks of all leaves are named in DICOM; empty where some move along x and some along y.
std::string axis_of_leaves(const Plan& plan) {
    bool x = false, y = false;
    for (const Beam& beam : plan.beams)
        for (const MultileafCollimator& mlc : beam.collimators)
            (mlc.motion == MultileafCollimator::Motion::along_x ? x : y) = true;
    return x && y ? "" : x ? "X" : "Y";
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

/// Models of other energies that serve every beam: those below the planned energy, from the nearest on, and
/// those above.
std::array<std::vector<const BeamModel*>, 2> other_energies(const Plan& plan, io::ModelStore& store) {
    std::array<std::vector<const BeamModel*>, 2> others;
    const double planned_mv = plan.beams.front().nominal_energy_mv;
    for (const std::string& name : io::ModelStore::names()) {
        const BeamModel& model = store.get(name);
        const auto serves = [&](const Beam& beam) {
            Beam other = beam;
            other.nominal_energy_mv = model.nominal_energy_mv;
            return model_fits(model, other);
        };
        // What was commissioned without the name of its machine serves nobody's plan unasked.
        const bool nameless = model.machine.empty() && !model.lineage.empty();
        if (nameless || model.nominal_energy_mv == planned_mv ||
            !std::all_of(plan.beams.begin(), plan.beams.end(), serves))
            continue;
        others[model.nominal_energy_mv < planned_mv ? 0 : 1].push_back(&model);
    }
    for (std::vector<const BeamModel*>& models : others)
        std::stable_sort(models.begin(), models.end(), [&](const BeamModel* a, const BeamModel* b) {
            return std::abs(a->nominal_energy_mv - planned_mv) < std::abs(b->nominal_energy_mv - planned_mv);
        });
    return others;
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
                                       const BeamModelProvider& models, const DoseSamples& samples,
                                       const Field& difference)
    : input_(input),
      options_(options),
      difference_(difference),
      progress_(options.progress, groups),
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

void RecalculatedCauses::try_group(const std::string& name, std::vector<Candidate>& candidates,
                                   const std::function<std::vector<Candidate>()>& make) {
    progress_.begin(name);
    if (best_part(candidates) >= settled_part) {
        not_tried_.push_back(name + ": another cause explains the difference");
        return;
    }
    try {
        std::vector<Candidate> group = make();
        for (Candidate& candidate : group) fit(candidate, difference_);
        const double worth =
            std::max(refined_part, std::max(best_part(group), best_part(candidates)) - nearly);
        for (Candidate& candidate : group)
            if (candidate.cause.explained >= worth) refine_size(candidate);
        std::move(group.begin(), group.end(), std::back_inserter(candidates));
    } catch (const Error& error) {
        if (progress_.cancelled() || error.kind() == ErrorKind::internal) throw;
        not_tried_.push_back(name + ": " + error.what());
    }
}

void RecalculatedCauses::refine_size(Candidate& candidate) {
    try {
        refine(candidate, difference_);
    } catch (const Error& error) {
        // A size that cannot be calculated, beyond the CT for one: the linear one stays.
        if (progress_.cancelled() || error.kind() == ErrorKind::internal) throw;
    }
}

std::vector<Candidate> RecalculatedCauses::leaves() {
    const std::string bank = "leaf bank " + axis_of_leaves(*input_.plan);
    const Sizes step = Sizes::Constant(1, leaf_step_mm);
    Candidate a = linear({"aperture", bank + "1 opened by", 0, "mm", 0}, largest_leaf_mm, step,
                         [](const Sizes& s) { return opened(s[0], 0); });
    Candidate b = linear({"aperture", bank + "2 opened by", 0, "mm", 0}, largest_leaf_mm, step,
                         [](const Sizes& s) { return opened(0, s[0]); });
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

Candidate RecalculatedCauses::patient(const PatientChange& change) {
    Candidate candidate = choice({"density", change.name, 1, "", 0}, change.change);
    if (change.multiple_of.empty()) return candidate;
    candidate.choice = false;
    candidate.least = 0;
    candidate.largest = largest_multiple;
    candidate.describe = [change](Candidate& c) {
        c.cause.size = c.sizes[0];
        c.cause.unit = "x " + change.multiple_of;
        c.description = fmt::format("{}, {:.1f} times {}", change.name, c.sizes[0], change.multiple_of);
    };
    return candidate;
}

std::vector<Candidate> RecalculatedCauses::energies() {
    std::vector<Candidate> choices;
    const double planned_mv = input_.plan->beams.front().nominal_energy_mv;
    // Outwards from the planned energy, as long as the difference goes the same way.
    for (const std::vector<const BeamModel*>& outwards : other_energies(*input_.plan, store_))
        for (const BeamModel* model : outwards) {
            Change change;
            change.model = model;
            choices.push_back(choice({"energy",
                                      fmt::format("{:g} MV instead of {:g} MV (model {})",
                                                  model->nominal_energy_mv, planned_mv, model->name),
                                      1, "", 0},
                                     change));
            if (choices.back().fields.col(0).dot(difference_) <= 0) break;
        }
    return choices;
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

void RecalculatedCauses::add_to(std::vector<Candidate>& candidates, const Parts& parts) {
    const Plan& plan = *input_.plan;
    const auto leave_out = [&](const std::string& name, const std::string& by) {
        not_tried_.push_back(name + ": " + by + " explains too little for it");
    };
    if (parts.moved >= promising_moved_part)
        try_group("isocentre", candidates, [&] { return isocentre(); });
    else
        leave_out("isocentre", "moving the dose");
    if (has_leaves(plan)) try_group("leaves", candidates, [&] { return leaves(); });
    for (const PatientChange& change : patient_changes(input_, options_)) {
        if (change.group == "couch" && parts.output < promising_output_part)
            leave_out("couch", "output");
        else
            try_group(change.group, candidates, [&] { return std::vector{patient(change)}; });
    }
    if (parts.output >= promising_output_part)
        try_group("energy", candidates, [&] { return energies(); });
    else
        leave_out("energy", "output");
    try_group("densities", candidates, [&] { return densities(); });
}

}  // namespace libdose::check
