// The influence matrix in memory.
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

Volume<float> DoseInfluence::dose(const std::vector<double>& weights_mu) const {
    if (weights_mu.size() != columns.count())
        throw bad_input(std::to_string(weights_mu.size()) + " weights are given for " +
                            std::to_string(columns.count()) + " beamlets",
                        "influence");
    std::vector<double> sum(header.grid.voxel_count(), 0.0);
    for (std::size_t c = 0; c < weights_mu.size(); ++c) {
        const double weight = required_weight(weights_mu, c);
        for (auto n = static_cast<std::size_t>(columns.begin[c]);
             n < static_cast<std::size_t>(columns.begin[c + 1]); ++n)
            sum[static_cast<std::size_t>(columns.voxel[n])] += weight * static_cast<double>(columns.gy[n]);
    }
    Volume<float> dose(header.grid);
    for (std::size_t v = 0; v < sum.size(); ++v) dose.values[v] = static_cast<float>(sum[v]);
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
