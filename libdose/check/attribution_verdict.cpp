#include "check/attribution_verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace libdose::check {

namespace {

// 3 % more output of one of four equal beams changes the plan by 0.3 to 0.5 % (root mean square), and must be
// found. Doses of the CPU and of a device differ by up to 0.1 %.
constexpr double small_percent = 0.1, small_region_percent = 0.5;
constexpr double region_part = 0.01;  // of the samples that may differ by more
// Causes that explain parts within this are told apart by nothing but their order.
constexpr double nearly = 0.01;
// A cause that explains less than half is no explanation.
constexpr double least_part = 0.5;
// A second cause counts when it explains this much of the whole and this much of what the first leaves.
constexpr double second_part = 0.02, second_of_rest = 0.5;
// Contributions add up when their sum is within a fifth of what they explain together.
constexpr double adds_up = 0.2;

/// Largest part explained first; but of the kinds that are nearly the best, the most specific leads.
std::vector<const Candidate*> ordered(const std::vector<Candidate>& candidates) {
    std::vector<const Candidate*> order;
    for (const Candidate& candidate : candidates) order.push_back(&candidate);
    std::stable_sort(order.begin(), order.end(), [](const Candidate* a, const Candidate* b) {
        return a->cause.explained > b->cause.explained;
    });
    const double best = order.front()->cause.explained;
    const auto specific = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
        return candidate.cause.explained >= best - nearly;
    });
    const auto leader = std::find_if(order.begin(), order.end(), [&](const Candidate* candidate) {
        return candidate->cause.kind == specific->cause.kind;
    });
    std::rotate(order.begin(), leader, leader + 1);
    return order;
}

std::string capital(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

double percent(double part) { return 100 * part; }

/// The two causes that explain most together. One of them is the best single one.
struct Pair {
    const Candidate* first = nullptr;
    const Candidate* second = nullptr;
    Together together;
};

Pair best_pair(const std::vector<const Candidate*>& order, const Field& difference) {
    Pair best;
    for (std::size_t i = 1; i < order.size(); ++i) {
        const Together together = fit_together(*order[0], *order[i], difference);
        if (together.part > best.together.part) best = {order[0], order[i], together};
    }
    return best;
}

bool second_counts(const Pair& pair) {
    if (!pair.second) return false;
    const double first = pair.first->cause.explained, more = pair.together.part - first;
    return more >= second_part && more >= second_of_rest * (1 - first);
}

void judge_pair(Attribution& attribution, const Pair& pair) {
    const double a = pair.first->cause.explained, b = pair.second->cause.explained, all = pair.together.part;
    const bool adds = std::abs(a + b - all) <= adds_up * all;
    attribution.verdict = adds ? "several" : "interaction";
    attribution.sentence = fmt::format(
        "No single cause: {} (alone {:.0f} %) and {} (alone {:.0f} %) explain {:.0f} % of the difference "
        "together{}.",
        scaled(*pair.first, pair.together.factors[0]).description, percent(a),
        scaled(*pair.second, pair.together.factors[1]).description, percent(b), percent(all),
        adds ? "" : "; their parts do not add up, so that neither is known by itself");
}

}  // namespace

Attribution size_of(const Field& difference, double planned_maximum_gy) {
    Attribution attribution;
    const auto count = static_cast<std::size_t>(difference.size());
    const double to_percent = 100 / planned_maximum_gy;
    attribution.difference_percent =
        to_percent * std::sqrt(difference.squaredNorm() / static_cast<double>(count));
    std::vector<double> magnitudes(count);
    for (std::size_t i = 0; i < count; ++i)
        magnitudes[i] = std::abs(difference[static_cast<Eigen::Index>(i)]);
    const auto region =
        magnitudes.begin() + static_cast<std::ptrdiff_t>((1 - region_part) * static_cast<double>(count - 1));
    std::nth_element(magnitudes.begin(), region, magnitudes.end());
    if (attribution.difference_percent < small_percent && to_percent * *region < small_region_percent) {
        attribution.verdict = "none";
        attribution.sentence = fmt::format(
            "None: planned and calculated dose differ by {:.2f} % of the planned maximum (root mean square), "
            "too little to look for a cause.",
            attribution.difference_percent);
    }
    return attribution;
}

void judge_causes(Attribution& attribution, const std::vector<Candidate>& candidates,
                  const Field& difference) {
    const std::vector<const Candidate*> order = ordered(candidates);
    for (const Candidate* candidate : order) attribution.causes.push_back(candidate->cause);
    const Candidate& best = *order.front();
    const Pair pair = best_pair(order, difference);
    if (pair.together.part >= least_part && second_counts(pair)) {
        judge_pair(attribution, pair);
    } else if (best.cause.explained >= least_part) {
        attribution.verdict = best.cause.kind;
        attribution.sentence = fmt::format("{}: explains {:.0f} % of the difference.",
                                           capital(best.description), percent(best.cause.explained));
    } else {
        attribution.verdict = "unexplained";
        attribution.sentence = fmt::format(
            "No cause that was tried explains half of the difference; the best explains {:.0f} %: {}.",
            percent(best.cause.explained), best.description);
    }
}

}  // namespace libdose::check
