// A part of the progress of a calculation as the whole of a smaller one.
#pragma once

#include <functional>

namespace libdose {

/// `progress` may be empty.
inline std::function<void(double)> part_of_progress(const std::function<void(double)>& progress, double begin,
                                                    double end) {
    if (!progress) return {};
    return [progress, begin, end](double part) { progress(begin + part * (end - begin)); };
}

}  // namespace libdose
