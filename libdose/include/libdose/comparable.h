// Which doses and structures may be set against each other.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libdose/dose.h"
#include "libdose/dvh.h"
#include "libdose/structure.h"
#include "libdose/structure_expression.h"

namespace libdose {

/// Throws bad_input when both frames of reference are known and differ. `what`: "the two doses", …; `where`:
/// place that the message names.
void check_same_frame(const std::string& one, const std::string& other, const std::string& what,
                      const std::string& where = {});

/// Throws bad_input, naming (3004,0004), unless the dose is a physical one. `purpose`: "for a gamma index", …
void check_physical(const Dose& dose, const std::string& purpose);

/// Throws bad_input unless both doses are physical, of one frame of reference, and of the same sum: a whole
/// course (PLAN, MULTI_PLAN) compares with a whole course, one fraction with one fraction, beams with beams.
/// Returns notes on what may be a mistake.
std::vector<std::string> check_comparable(const Dose& reference, const Dose& evaluated);

/// Throws bad_input unless a histogram in this dose means something: a physical dose with a volume, in the
/// frame of the structure, of every structure of a combination, or of the structure set. Returns notes on
/// what may be a mistake.
void check_histogram(const Dose& dose);
void check_histogram(const Dose& dose, const Structure& structure);
void check_histogram(const Dose& dose, const StructureExpression& region);
std::vector<std::string> check_histogram(const Dose& dose, const StructureSet& structures);

/// dose_volume_histogram() of a dose and a structure that belong together; throws bad_input as
/// check_histogram() does.
template <class... Options>
DoseVolumeHistogram dose_volume_histogram(const Dose& dose, const Structure& structure,
                                          Options&&... options) {
    check_histogram(dose, structure);
    return dose_volume_histogram(dose.gy, structure, std::forward<Options>(options)...);
}

}  // namespace libdose
