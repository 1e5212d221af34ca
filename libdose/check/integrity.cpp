#include "check/integrity.h"

#include <cstdio>

#include "check/integrity_parts.h"
#include "check/targets.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

template <class Object>
const Object& required(const std::optional<Object>& object, const char* what) {
    if (!object) throw bad_input(std::string("not looked at: ") + what + " is missing or cannot be read");
    return *object;
}

std::vector<Row> guarded_rows(const IntegrityPart& part, const IntegrityContext& context) {
    Row blank;
    blank.section = "integrity";
    blank.id = part.id;
    blank.name = part.name;
    try {
        return part.rows(context, blank);
    } catch (const std::exception& error) {
        return {judged(blank, Verdict::not_checked, error.what())};
    }
}

}  // namespace

const Plan& IntegrityContext::plan() const { return required(input.plan, "the plan"); }
const io::PlanFacts& IntegrityContext::plan_facts() const { return required(input.plan_facts, "the plan"); }
const io::StructureFacts& IntegrityContext::structure_facts() const {
    return required(input.structure_facts, "the structure set");
}
const StructureSet& IntegrityContext::structures() const {
    return required(input.structures, "the structure set");
}
const CtImage& IntegrityContext::ct() const { return required(input.ct, "the CT"); }
const Dose& IntegrityContext::planned() const {
    return required(input.planned, "the planning system's dose");
}

const Structure& IntegrityContext::body() const {
    const Structure* external = structures().external();
    if (!external)
        throw bad_input("not looked at: no structure of type EXTERNAL with contours says what the body is");
    return *external;
}

const io::FractionGroupFacts& IntegrityContext::fraction_group() const {
    const auto& groups = plan_facts().fraction_groups;
    if (!input.plan && groups.size() == 1) return groups.front();
    for (const io::FractionGroupFacts& group : groups)
        if (group.number == plan().fraction_group) return group;
    throw bad_input("not looked at: the plan's fraction group cannot be read");
}

std::vector<const Structure*> IntegrityContext::targets() const {
    return targets_of(structures(), options.protocol);
}

Row passed(Row blank, const std::string& planned, const std::string& calculated) {
    blank.verdict = Verdict::pass;
    blank.planned = planned;
    blank.calculated = calculated;
    return blank;
}

Row judged(Row blank, Verdict verdict, const std::string& reason) {
    blank.verdict = verdict;
    blank.reason = reason;
    return blank;
}

std::string decimal_text(double value, int decimals) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    std::string result = text;
    if (result.find('.') != std::string::npos) {
        result.erase(result.find_last_not_of('0') + 1);
        if (result.back() == '.') result.pop_back();
    }
    return result;
}

std::vector<Row> integrity_rows(const CheckInput& input, const CheckOptions& options,
                                const BeamModelProvider& models) {
    const IntegrityContext context{input, options, models};
    std::vector<Row> rows;
    for (const auto& parts :
         {patient_parts(), reference_parts(), approval_parts(), beam_parts(), prescription_parts(),
          dose_grid_parts(), structure_parts(), density_parts(), model_parts()})
        for (const IntegrityPart& part : parts)
            for (Row& row : guarded_rows(part, context)) rows.push_back(std::move(row));
    return rows;
}

}  // namespace libdose::check
