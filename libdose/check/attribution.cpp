// Stub.
#include "check/attribution.h"

namespace libdose::check {

Attribution attribute(const CheckInput&, const CalculationResult&, const CheckOptions&,
                      const BeamModelProvider&) {
    return {};
}

}  // namespace libdose::check
