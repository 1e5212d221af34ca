#include "check/targets.h"

#include <algorithm>

#include "base/text.h"

namespace libdose::check {

std::vector<const Structure*> targets_of(const StructureSet& structures, const Protocol& protocol) {
    std::vector<const Structure*> targets;
    const auto collect = [&](const auto& wanted) {
        for (const Structure& structure : structures.structures)
            if (!structure.contours.empty() && wanted(structure)) targets.push_back(&structure);
    };
    if (!protocol.targets.empty()) {
        collect([&](const Structure& s) {
            return std::any_of(
                protocol.targets.begin(), protocol.targets.end(),
                [&](const std::string& name) { return lower_case(name) == lower_case(s.name); });
        });
        return targets;
    }
    // The first type that there is: doses of a CTV inside a PTV say nothing that the PTV's do not.
    for (const std::string& type : protocol.target_types) {
        collect([&](const Structure& s) { return lower_case(s.type) == lower_case(type); });
        if (!targets.empty()) break;
    }
    return targets;
}

double prescription_gy(const CheckInput& input) {
    double largest = 0;
    if (input.plan_facts)
        for (const io::Prescription& p : input.plan_facts->prescriptions)
            largest = std::max(largest, p.target_dose_gy.value_or(0));
    return largest;
}

}  // namespace libdose::check
