// The influence matrix in memory.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/memory.h"
#include "base/text.h"
#include "engine/influence_case.h"
#include "libdose/error.h"
#include "libdose/influence.h"

namespace libdose {

void InfluenceColumns::append(const InfluenceColumns& other) {
    const std::int64_t before = begin.back();
    for (std::size_t c = 1; c < other.begin.size(); ++c) begin.push_back(before + other.begin[c]);
    voxel.insert(voxel.end(), other.voxel.begin(), other.voxel.end());
    gy.insert(gy.end(), other.gy.begin(), other.gy.end());
}

InfluenceColumns InfluenceColumns::part(std::size_t first, std::size_t last) const {
    if (first > last || last > count())
        throw bad_input("columns " + std::to_string(first) + " to " + std::to_string(last) +
                            " are asked for, of " + std::to_string(count()),
                        "influence");
    InfluenceColumns columns;
    for (std::size_t c = first; c < last; ++c) columns.begin.push_back(begin[c + 1] - begin[first]);
    columns.voxel.assign(voxel.begin() + begin[first], voxel.begin() + begin[last]);
    columns.gy.assign(gy.begin() + begin[first], gy.begin() + begin[last]);
    return columns;
}

void InfluenceColumns::add_dose(const double* weights_mu, std::vector<double>& sum_gy) const {
    for (std::size_t c = 0; c < count(); ++c)
        for (auto n = static_cast<std::size_t>(begin[c]); n < static_cast<std::size_t>(begin[c + 1]); ++n)
            sum_gy[static_cast<std::size_t>(voxel[n])] += weights_mu[c] * static_cast<double>(gy[n]);
}

void require_weights(const std::vector<double>& weights_mu, std::size_t beamlets) {
    if (weights_mu.size() != beamlets)
        throw bad_input(std::to_string(weights_mu.size()) + " weights are given for " +
                            std::to_string(beamlets) + " beamlets",
                        "influence");
    for (std::size_t b = 0; b < beamlets; ++b)
        if (!(std::isfinite(weights_mu[b]) && weights_mu[b] >= 0))
            throw bad_input("the weight of beamlet " + std::to_string(b) + " is negative or not finite",
                            "influence", "The MU of a beamlet are a number of at least 0");
}

Volume<float> DoseInfluence::dose(const std::vector<double>& weights_mu) const {
    require_weights(weights_mu, columns.count());
    std::vector<double> sum(header.grid.voxel_count(), 0.0);
    columns.add_dose(weights_mu.data(), sum);
    Volume<float> dose(header.grid);
    std::transform(sum.begin(), sum.end(), dose.values.begin(),
                   [](double gy) { return static_cast<float>(gy); });
    return dose;
}

double memory_limit_bytes(const InfluenceOptions& options) {
    if (options.memory_bytes > 0) return options.memory_bytes;
    const double available = available_memory_bytes();
    return available > 0 ? 0.5 * available : std::numeric_limits<double>::infinity();
}

Error matrix_too_large(double limit_bytes, std::size_t columns, std::size_t all) {
    return bad_input("the influence matrix is larger than " +
                         short_number(std::round(limit_bytes / 1e4) / 100) + " MB after " +
                         std::to_string(columns) + " of " + std::to_string(all) + " beamlets",
                     "influence",
                     "Write it to a file, allow more memory, or choose a coarser grid, larger beamlets or a "
                     "larger cutoff");
}

}  // namespace libdose
