// Stub.
#include "libdose/check/check.h"

namespace libdose::check {

CheckResult check(const CheckInput&, const CheckOptions&) { return {}; }

}  // namespace libdose::check
