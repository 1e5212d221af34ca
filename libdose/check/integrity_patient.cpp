// Whether all objects are of one patient.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "check/integrity_parts.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

struct StatedValue {
    std::string object, value;
};

using Attribute = std::string io::PatientFacts::*;

/// An attribute as each object states it.
std::vector<StatedValue> stated(const CheckInput& input, Attribute attribute) {
    std::vector<StatedValue> values;
    if (input.plan_facts) values.push_back({"plan", input.plan_facts->patient.*attribute});
    if (input.structure_facts) values.push_back({"structure set", input.structure_facts->patient.*attribute});
    if (input.ct_facts) values.push_back({"CT", input.ct_facts->patient.*attribute});
    for (const io::DoseFacts& dose : input.dose_facts)
        values.push_back({"dose " + dose.file.filename().string(), dose.patient.*attribute});
    return values;
}

/// Capitals, single spaces and no empty parts at the end: programs write names in many ways.
std::string plain_name(const std::string& name) {
    std::string plain;
    for (const char c : lower_case(name.substr(0, name.find('=')))) {  // behind "=": in other scripts
        const bool separator = c == ' ' || c == '^';
        while (c == '^' && !plain.empty() && plain.back() == ' ') plain.pop_back();
        if (separator && !plain.empty() && (plain.back() == ' ' || plain.back() == '^') && c == ' ') continue;
        plain += c;
    }
    plain.erase(plain.find_last_not_of(" ^") + 1);
    plain.erase(0, plain.find_first_not_of(' '));
    return plain;
}

std::string as_written(const std::string& text) { return text; }

/// How an attribute is compared, and what it means when it differs.
struct Comparison {
    Attribute attribute;
    std::string (*plain)(const std::string&);
    Verdict differs;
    bool needed;  ///< every object has to state it
};

std::vector<Row> compare(const IntegrityContext& context, const Row& blank, const Comparison& comparison) {
    const std::vector<StatedValue> values = stated(context.input, comparison.attribute);
    std::map<std::string, std::vector<StatedValue>> groups;
    std::vector<StatedValue> silent;
    for (const StatedValue& one : values) {
        const std::string plain = comparison.plain(one.value);
        if (plain.empty())
            silent.push_back(one);
        else
            groups[plain].push_back(one);
    }
    const auto objects = [](const std::vector<StatedValue>& list) {
        return list_of(list, [](const StatedValue& one) { return one.object; });
    };
    if (groups.size() > 1)
        return {judged(blank, comparison.differs,
                       "the objects differ: " + list_of(groups, [&](const auto& group) {
                           return "\"" + group.second.front().value + "\" (" + objects(group.second) + ")";
                       }))};
    if (groups.empty() && !comparison.needed) return {};
    if (groups.empty()) throw bad_input("no object states it");
    if (comparison.needed && !silent.empty())
        return {judged(blank, Verdict::look, "not stated by: " + objects(silent))};
    const std::vector<StatedValue>& stating = groups.begin()->second;
    if (stating.size() < 2) throw bad_input("only one object states it: " + objects(stating));
    return {passed(blank, stating.front().value)};
}

IntegrityPart part(const std::string& id, const std::string& name, const Comparison& comparison) {
    return {id, name, [comparison](const IntegrityContext& context, const Row& blank) {
                return compare(context, blank, comparison);
            }};
}

}  // namespace

std::vector<IntegrityPart> patient_parts() {
    return {part("patient-id", "Patient ID agrees", {&io::PatientFacts::id, as_written, Verdict::fail, true}),
            part("patient-name", "Patient's name agrees",
                 {&io::PatientFacts::name, plain_name, Verdict::look, false}),
            part("patient-birth-date", "Birth date agrees",
                 {&io::PatientFacts::birth_date, as_written, Verdict::look, false}),
            part("patient-sex", "Sex agrees", {&io::PatientFacts::sex, as_written, Verdict::look, false})};
}

}  // namespace libdose::check
