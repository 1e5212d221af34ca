#include "libdose/structure.h"

#include <algorithm>

#include "libdose/error.h"

namespace libdose {

namespace {

std::vector<const Structure*> all_of_name(const StructureSet& set, const std::string& name) {
    std::vector<const Structure*> result;
    for (const Structure& structure : set.structures)
        if (structure.name == name || "#" + std::to_string(structure.number) == name)
            result.push_back(&structure);
    // Those without contours are empty entries of a template.
    if (std::any_of(result.begin(), result.end(), [](const Structure* s) { return !s->contours.empty(); }))
        std::erase_if(result, [](const Structure* s) { return s->contours.empty(); });
    return result;
}

}  // namespace

const Structure* StructureSet::find(const std::string& name) const {
    const auto found = all_of_name(*this, name);
    return found.empty() ? nullptr : found.front();
}

const Structure& StructureSet::named(const std::string& name, const std::string& where) const {
    const auto found = all_of_name(*this, name);
    if (found.empty()) {
        std::string known;
        for (const Structure& structure : structures) known += (known.empty() ? "" : ", ") + structure.name;
        throw bad_input("there is no structure \"" + name + "\"", where,
                        known.empty() ? "The structure set is empty" : "Structures: " + known);
    }
    if (found.size() > 1) {
        std::string numbers;
        for (const Structure* structure : found)
            numbers += (numbers.empty() ? "\"#" : ", \"#") + std::to_string(structure->number) + "\"";
        throw bad_input(std::to_string(found.size()) + " structures have the name \"" + name + "\"", where,
                        "Name one by its ROI number: " + numbers);
    }
    return *found.front();
}

const Structure* StructureSet::external() const {
    for (const Structure& structure : structures)
        if (structure.type == "EXTERNAL" && !structure.contours.empty()) return &structure;
    return nullptr;
}

}  // namespace libdose
