#include "engine/algorithms.h"

#include <array>

#include "libdose/error.h"

namespace libdose {

namespace {

struct Entry {
    Algorithm number;
    const DoseAlgorithm& algorithm;
};

const std::array<Entry, 2>& all() {
    static const std::array<Entry, 2> entries{Entry{Algorithm::collapsed_cone, collapsed_cone_algorithm()},
                                              Entry{Algorithm::pencil_beam, pencil_beam_algorithm()}};
    return entries;
}

}  // namespace

const DoseAlgorithm& dose_algorithm(Algorithm algorithm) {
    for (const Entry& entry : all())
        if (entry.number == algorithm) return entry.algorithm;
    throw internal_error("an algorithm without an implementation");
}

std::string to_string(Algorithm algorithm) { return dose_algorithm(algorithm).name(); }

Algorithm algorithm_from_string(const std::string& text) {
    std::string names;
    for (const Entry& entry : all()) {
        if (entry.algorithm.name() == text) return entry.number;
        names += (names.empty() ? "" : " or ") + entry.algorithm.name();
    }
    throw bad_input("unknown engine \"" + text + "\"", {}, "Choose " + names);
}

void add_to(std::vector<float>& sum, std::vector<float> part) {
    if (sum.empty()) {
        sum = std::move(part);
        return;
    }
#pragma omp parallel for simd schedule(static)
    for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += part[v];
}

}  // namespace libdose
