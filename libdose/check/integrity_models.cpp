// Which beam models stand in for the machine, and how old they are.
#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <optional>

#include "base/text.h"
#include "check/integrity_parts.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

using Rows = std::vector<Row>;
using std::chrono::sys_days;

/// Models of the plan's beams, each once, with the beams' machine.
std::map<const BeamModel*, std::string> models_of(const IntegrityContext& context) {
    std::map<const BeamModel*, std::string> found;
    for (const Beam& beam : context.plan().beams) found[&context.models(beam)] = beam.machine;
    if (found.empty()) throw bad_input("the plan has no beam that delivers dose");
    return found;
}

std::string description(const BeamModel& model) {
    return model.name + (model.version.empty() ? "" : " " + model.version) +
           (model.machine.empty() ? ", generic: of no machine" : ", of machine " + model.machine) +
           ", hash " + model.content_hash.substr(0, 12) +
           (model.signature.empty() ? ", not signed" : ", signed");
}

Rows model_rows(const IntegrityContext& context, const Row& blank) {
    Rows rows;
    for (const auto& [model, machine] : models_of(context)) {
        Row row = blank;
        row.subject = model->name;
        rows.push_back(
            model->machine.empty() && context.options.protocol.require_machine_model
                ? judged(row, Verdict::look,
                         "the beam model " + model->name + " is generic, not of machine " + machine)
                : passed(row, "machine " + machine, description(*model)));
    }
    return rows;
}

/// The day of a date as 20261201, 2026-12-01 or 2026-12-01T10:00:00Z; none for anything else.
std::optional<sys_days> day_of(const std::string& text) {
    std::string digits;
    for (const char c : text.substr(0, text.find_first_of("T ")))
        if (c != '-' && c != '/' && c != '.') digits += c;
    if (digits.size() != 8 ||
        !std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
        return std::nullopt;
    const std::chrono::year_month_day day{
        std::chrono::year(std::stoi(digits.substr(0, 4))),
        std::chrono::month(static_cast<unsigned>(std::stoi(digits.substr(4, 2)))),
        std::chrono::day(static_cast<unsigned>(std::stoi(digits.substr(6, 2))))};
    if (!day.ok()) return std::nullopt;
    return sys_days(day);
}

Row age_row(Row row, const BeamModel& model, int allowed_days) {
    row.subject = model.name;
    row.limit = "look beyond " + std::to_string(allowed_days) + " days";
    const auto date = model.lineage.find("on");  // as the centre gave it
    const std::optional<sys_days> day = date == model.lineage.end() ? std::nullopt : day_of(date->second);
    if (!day)
        return judged(row, Verdict::not_checked,
                      "the beam model " + model.name + " does not say when it was commissioned");
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    const auto age = (today - *day).count();
    row.value = static_cast<double>(age);
    row.unit = "days";
    if (age < 0)
        return judged(row, Verdict::look,
                      "the beam model " + model.name + " was commissioned in the future, on " + date->second);
    if (age > allowed_days)
        return judged(row, Verdict::look,
                      "the beam model " + model.name + " was commissioned on " + date->second + ", " +
                          std::to_string(age) + " days ago");
    return passed(row, "", date->second);
}

Rows age_rows(const IntegrityContext& context, const Row& blank) {
    const int allowed_days = context.options.protocol.model_age_days;
    if (allowed_days <= 0) return {};
    Rows rows;
    for (const auto& [model, machine] : models_of(context))
        rows.push_back(age_row(blank, *model, allowed_days));
    return rows;
}

}  // namespace

std::vector<IntegrityPart> model_parts() {
    return {{"beam-model", "Beam model", model_rows}, {"beam-model-age", "Age of the beam model", age_rows}};
}

}  // namespace libdose::check
