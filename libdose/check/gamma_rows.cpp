// Stub.
#include "check/gamma_rows.h"

namespace libdose::check {

GammaComparison compare_gamma(const CheckInput&, const CalculationResult&, const Protocol&, int) {
    return {};
}

}  // namespace libdose::check
