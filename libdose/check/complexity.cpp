// Stub.
#include "libdose/check/complexity.h"

namespace libdose::check {

std::vector<Complexity> complexity(const Plan&, double) { return {}; }

}  // namespace libdose::check
