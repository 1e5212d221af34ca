// Criteria of AAPM MPPG 5.b on lines of points through a field.
#pragma once

#include <string>
#include <vector>

#include "libdose/validate.h"

namespace libdose {

/// A line across a field at one depth, or down its middle.
struct FieldLine {
    bool across = true;
    std::vector<double> position_mm;  ///< ascending; across: from the middle of the field
    std::vector<double> calculated, reference;
};

/// High dose: largest difference in percent of the reference where it is above 80 % of the line's middle
/// (down: everywhere behind 20 mm). Penumbra: largest shift, mm, of the 20, 50 and 80 % levels. Tail: largest
/// difference in percent of the maximum, below 20 % of the middle.
std::vector<SuiteRow> judge_lines(const std::vector<FieldLine>& lines, double maximum,
                                  double high_dose_percent);

}  // namespace libdose
