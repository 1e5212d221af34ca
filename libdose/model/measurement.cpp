#include "libdose/measurement.h"

#include "libdose/error.h"

namespace libdose {
std::string to_string(CurveKind) { return "x"; }
void MeasurementSet::check() const {}
std::vector<Finding> lint(const MeasurementSet&) { return {}; }
}  // namespace libdose
