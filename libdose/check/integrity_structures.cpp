// Whether the structures are whole, and what stands in for the CT.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "check/integrity_parts.h"
#include "libdose/error.h"
#include "libdose/structure_expression.h"

namespace libdose::check {

namespace {

using Rows = std::vector<Row>;

Rows body_rows(const IntegrityContext& context, const Row& blank) {
    std::vector<std::string> names;
    for (const Structure& structure : context.structures().structures)
        if (structure.type == "EXTERNAL" && !structure.contours.empty()) names.push_back(structure.name);
    const std::string list = list_of(names, [](const std::string& name) { return name; });
    if (names.empty())
        return {judged(blank, Verdict::look,
                       "no structure of type EXTERNAL with contours says what the body is, so the whole CT "
                       "counts as the patient")};
    if (names.size() > 1)
        return {judged(blank, Verdict::look,
                       "several structures are of type EXTERNAL, and the first is the body: " + list)};
    return {passed(blank, list)};
}

/// Names that goals, targets and prescriptions give structures, in small letters.
class NamedStructures {
public:
    explicit NamedStructures(const IntegrityContext& context) : context_(context) {
        for (const Goal& goal : context.options.protocol.goals) add_goal(goal.structure);
        for (const std::string& name : context.options.protocol.targets) names_.insert(lower_case(name));
        if (context.input.plan_facts)
            for (const io::Prescription& one : context.input.plan_facts->prescriptions)
                numbers_.insert(one.structure_number);
        for (const std::string& type : context.options.protocol.target_types) types_.insert(type);
    }
    bool names(const Structure& structure) const {
        return names_.contains(lower_case(structure.name)) ||
               (structure.number != 0 && numbers_.contains(structure.number)) ||
               types_.contains(structure.type);
    }

private:
    /// One name, or those of an expression.
    void add_goal(const std::string& text) {
        names_.insert(lower_case(text));
        try {
            for (const Structure* structure :
                 parse_structure_expression(text, context_.structures()).structures())
                names_.insert(lower_case(structure->name));
        } catch (const Error&) {  // the goal's own row says what is wrong with it
        }
    }

    const IntegrityContext& context_;
    std::set<std::string> names_, types_;
    std::set<int> numbers_;
};

Rows empty_rows(const IntegrityContext& context, const Row& blank) {
    const NamedStructures named(context);
    std::vector<std::string> empty;
    for (const Structure& structure : context.structures().structures)
        if (structure.contours.empty() && named.names(structure)) empty.push_back(structure.name);
    if (empty.empty()) return {passed(blank)};
    return {judged(
        blank, Verdict::look,
        "structures without contours: " + list_of(empty, [](const std::string& name) { return name; }))};
}

Rows gap_rows(const IntegrityContext& context, const Row& blank) {
    std::vector<const Structure*> looked_at = context.targets();
    if (const Structure* body = context.structures().external()) looked_at.push_back(body);
    if (looked_at.empty()) throw bad_input("there is neither a body nor a target with contours");
    Rows rows;
    for (const Structure* structure : looked_at)
        for (const std::string& note : contour_notes(*structure)) {
            if (!note.starts_with("no contours between")) continue;
            Row row = blank;
            row.subject = structure->name;
            rows.push_back(judged(row, Verdict::look, structure->name + " has " + note));
        }
    if (rows.empty())
        rows.push_back(
            passed(blank, list_of(looked_at, [](const Structure* structure) { return structure->name; })));
    return rows;
}

std::string density_text(const Structure& structure) {
    const bool mass = structure.relative_mass_density.has_value();
    return structure.name + " (" + (mass ? "mass" : "electron") + " density " +
           decimal_text(mass ? *structure.relative_mass_density : *structure.relative_electron_density, 3) +
           " of water)";
}

Rows override_rows(const IntegrityContext& context, const Row& blank) {
    std::vector<std::string> of_tissue, of_devices;
    for (const Structure& structure : context.structures().structures) {
        if (structure.contours.empty() ||
            (!structure.relative_mass_density && !structure.relative_electron_density))
            continue;
        // A couch and a bolus have densities because the CT does not show them.
        const bool device = structure.type == "SUPPORT" || structure.type == "BOLUS";
        (device ? of_devices : of_tissue).push_back(density_text(structure));
    }
    for (const DensityOverride& one : context.options.engine.overrides)
        of_tissue.push_back(one.structure + " (as asked for)");
    const auto as_it_is = [](const std::string& text) { return text; };
    if (!of_tissue.empty())
        return {judged(blank, Verdict::look,
                       "densities are assumed in place of the CT's: " + list_of(of_tissue, as_it_is))};
    return {passed(blank, "bolus and couch: " + list_of(of_devices, as_it_is))};
}

Rows couch_rows(const IntegrityContext& context, const Row& blank) {
    std::vector<std::string> supports;
    for (const Structure& structure : context.structures().structures)
        if (structure.type == "SUPPORT" && !structure.contours.empty()) supports.push_back(structure.name);
    if (!context.options.couch.empty()) supports.push_back("couch model " + context.options.couch);
    const std::string list = list_of(supports, [](const std::string& name) { return name; });
    if (!supports.empty()) return {passed(blank, list)};
    if (context.options.protocol.couch_expected)
        return {judged(blank, Verdict::look,
                       "the protocol expects a couch, and there is neither a structure of type SUPPORT nor a "
                       "couch model. Give one (--couch)")};
    return {passed(blank, "none, and the protocol expects none")};
}

}  // namespace

std::vector<IntegrityPart> structure_parts() {
    return {{"body", "Body", body_rows},
            {"empty-structures", "Targets and organs have contours", empty_rows},
            {"contour-gaps", "Body and targets have no gaps", gap_rows},
            {"density-overrides", "Densities come from the CT", override_rows},
            {"couch", "Couch", couch_rows}};
}

}  // namespace libdose::check
