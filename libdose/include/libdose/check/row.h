// Rows of a check: what was compared, with which limits, and the verdict. Part of libdose::check.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace libdose::check {

/// Ascending: the worst row decides the verdict of a check. A row that could not be evaluated is NOT CHECKED,
/// never a pass.
enum class Verdict { pass, look, not_checked, fail };
std::string to_string(Verdict verdict);  ///< "PASS", "LOOK", "NOT CHECKED", "FAIL"

/// One thing that was checked.
struct Row {
    std::string section;  ///< "integrity", "dose", "gamma"
    std::string id;       ///< stable name for programs: "isocentre-in-body", "target-d98", "gamma"
    std::string name;     ///< for people: "D98%", "Isocentre inside the body"
    std::string subject;  ///< structure, beam or object that it is about; may be empty
    Verdict verdict = Verdict::not_checked;
    std::string reason;  ///< one sentence: why the verdict is what it is; never empty unless PASS
    std::string planned, calculated;  ///< as text with unit: of the planning system, of libdose; may be empty
    std::string limit;                ///< as text: "look beyond 2 %, fail beyond 3 %"; may be empty
    std::string source;               ///< where the limit is from; may be empty
    std::optional<double> value;  ///< number that was held against the limit: a difference in percent, a rate
    std::string unit;             ///< of `value`
};

/// The worst verdict of the rows; NOT CHECKED when there are none.
Verdict worst(const std::vector<Row>& rows);

/// Verdict of a number whose magnitude has limits: PASS up to `look`, LOOK up to `fail`, else FAIL; NOT
/// CHECKED for a value that is not finite.
Verdict judge(double value, double look, double fail);

}  // namespace libdose::check
