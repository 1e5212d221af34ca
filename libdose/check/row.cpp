// Verdicts and the worst of them.
#include "libdose/check/row.h"

#include <algorithm>
#include <cmath>

namespace libdose::check {

std::string to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return "PASS";
        case Verdict::look:
            return "LOOK";
        case Verdict::not_checked:
            return "NOT CHECKED";
        case Verdict::fail:
            return "FAIL";
    }
    return "NOT CHECKED";
}

Verdict worst(const std::vector<Row>& rows) {
    if (rows.empty()) return Verdict::not_checked;
    return std::max_element(rows.begin(), rows.end(),
                            [](const Row& a, const Row& b) { return a.verdict < b.verdict; })
        ->verdict;
}

Verdict judge(double value, double look, double fail) {
    if (!std::isfinite(value)) return Verdict::not_checked;
    const double magnitude = std::abs(value);
    if (magnitude <= look) return Verdict::pass;
    return magnitude <= fail ? Verdict::look : Verdict::fail;
}

}  // namespace libdose::check
