// One error type for everything that can go wrong: what, where, and what to do about it.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace libdose {

enum class ErrorKind {
    bad_input,     ///< a file, value or argument that cannot be used (exit code 2)
    refused_plan,  ///< a plan element that the engine cannot model (exit code 3)
    internal       ///< a broken invariant of the library itself (exit code 4)
};

/// Thrown by every function of the library. what() reads "<what> [<where>]. <advice>".
class Error : public std::runtime_error {
public:
    Error(ErrorKind kind, std::string what_is_wrong, std::string where = {}, std::string advice = {})
        : std::runtime_error(compose(what_is_wrong, where, advice)),
          kind_(kind),
          problem_(std::move(what_is_wrong)),
          where_(std::move(where)),
          advice_(std::move(advice)) {}

    ErrorKind kind() const noexcept { return kind_; }
    const std::string& problem() const noexcept { return problem_; }
    const std::string& where() const noexcept { return where_; }    ///< file, tag, beam, …
    const std::string& advice() const noexcept { return advice_; }  ///< what the user can do

private:
    static std::string compose(const std::string& problem, const std::string& where,
                               const std::string& advice) {
        std::string text = problem;
        if (!where.empty()) text += " [" + where + "]";
        if (!advice.empty()) text += ". " + advice;
        return text;
    }

    ErrorKind kind_;
    std::string problem_, where_, advice_;
};

inline Error bad_input(std::string problem, std::string where = {}, std::string advice = {}) {
    return Error(ErrorKind::bad_input, std::move(problem), std::move(where), std::move(advice));
}
inline Error refused_plan(std::string problem, std::string where = {}, std::string advice = {}) {
    return Error(ErrorKind::refused_plan, std::move(problem), std::move(where), std::move(advice));
}
inline Error internal_error(std::string problem, std::string where = {}) {
    return Error(ErrorKind::internal, std::move(problem), std::move(where), "Please report this as a bug");
}

}  // namespace libdose
