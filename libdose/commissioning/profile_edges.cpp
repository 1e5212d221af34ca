#include "commissioning/profile_edges.h"

#include <cmath>
#include <limits>

namespace libdose {

std::optional<std::array<double, 2>> edges_at(const std::vector<double>& position,
                                              const std::vector<double>& value, double level) {
    std::size_t axis = 0;
    for (std::size_t i = 1; i < position.size(); ++i)
        if (std::abs(position[i]) < std::abs(position[axis])) axis = i;
    const auto edge = [&](bool right) -> std::optional<double> {
        for (std::size_t i = axis; right ? i + 1 < position.size() : i > 0; right ? ++i : --i) {
            const std::size_t j = right ? i + 1 : i - 1;
            if (value[i] >= level && value[j] < level)
                return position[i] + (value[i] - level) / (value[i] - value[j]) * (position[j] - position[i]);
        }
        return std::nullopt;
    };
    const auto left = edge(false), right = edge(true);
    if (!left || !right) return std::nullopt;
    return std::array{*left, *right};
}

double width_at(const std::vector<double>& position, const std::vector<double>& value, double level) {
    const auto edges = edges_at(position, value, level);
    return edges ? (*edges)[1] - (*edges)[0] : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace libdose
