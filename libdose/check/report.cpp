// Stub.
#include "libdose/check/report.h"

namespace libdose::check {

ReportFiles write_report(const CheckInput&, const CheckResult&, const CheckOptions&,
                         const std::filesystem::path&) {
    return {};
}

}  // namespace libdose::check
