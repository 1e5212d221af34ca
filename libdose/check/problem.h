// Rows of things that stop a check or a part of it.
#pragma once

#include <string>

#include "libdose/check/input.h"

namespace libdose::check {

/// Adds a row of section "integrity" to what could not be read.
inline void add_problem(CheckInput& input, const std::string& id, const std::string& name,
                        const std::string& subject, const std::string& reason,
                        Verdict verdict = Verdict::not_checked) {
    Row row;
    row.section = "integrity";
    row.id = id;
    row.name = name;
    row.subject = subject;
    row.verdict = verdict;
    row.reason = reason;
    input.problems.push_back(std::move(row));
}

}  // namespace libdose::check
