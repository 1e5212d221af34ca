// Stub.
#include "check/integrity.h"

namespace libdose::check {

std::vector<Row> integrity_rows(const CheckInput&, const CheckOptions&, const BeamModelProvider&) {
    return {};
}

}  // namespace libdose::check
