// Stub.
#include "libdose/check/report.h"

namespace libdose::check {

std::string report_json(const CheckInput&, const CheckResult&, const CheckOptions&) { return {}; }

}  // namespace libdose::check
