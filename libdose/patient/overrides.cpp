#include "patient/overrides.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>

#include "libdose/error.h"

namespace libdose {

namespace {

std::string text_of(double value) {
    std::ostringstream stream;
    stream.precision(4);
    stream << value;
    return stream.str();
}

/// Mass density whose electron density relative to water is `relative`: bisection, the product ascends with
/// density.
double mass_density_of(double relative, const MaterialTable& materials) {
    double low = 0, high = 30;
    for (int i = 0; i < 80; ++i) {
        const double middle = 0.5 * (low + high);
        (middle * materials.by_density(middle).electrons_per_gram < relative ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

bool contains(const std::vector<const Structure*>& list, const Structure* structure) {
    return std::find(list.begin(), list.end(), structure) != list.end();
}

std::string names_of(const std::vector<Structure>& structures, const std::string& type) {
    std::string names;
    for (const Structure& s : structures)
        if (type.empty() || s.type == type) names += (names.empty() ? "" : ", ") + s.name;
    return names;
}

/// The material of this name; null for an empty name.
const MaterialProperties* named_material(const MaterialTable& materials, const std::string& name) {
    return name.empty() ? nullptr : &materials.by_name(name);
}

/// The override that a structure brings with itself, by its relative electron or mass density.
std::optional<Override> own_override(const Structure& structure, const MaterialTable& materials) {
    const MaterialProperties* material = named_material(materials, structure.material);
    const std::string of_material = material ? " of " + structure.material : "";
    if (structure.relative_electron_density)
        return Override{&structure, mass_density_of(*structure.relative_electron_density, materials),
                        material,
                        "relative electron density " + text_of(*structure.relative_electron_density) +
                            of_material + " of the structure"};
    if (structure.relative_mass_density)
        return Override{&structure, *structure.relative_mass_density, material,
                        "relative mass density" + of_material + " of the structure"};
    return {};
}

/// The structure of a request. Throws bad_input where it is not there or has no contours.
const Structure& requested_structure(const StructureSet* structures, const DensityOverride& request) {
    if (!structures)
        throw bad_input("density override for a structure that is not there: \"" + request.structure + "\"",
                        "density override", "There is no structure set");
    const Structure& structure = structures->named(request.structure, "density override");
    if (structure.contours.empty())
        throw bad_input("density override for \"" + request.structure + "\", which has no contours",
                        "density override", "Take the override away");
    return structure;
}

/// The override of a request. A material without a density (0) brings its own.
Override requested_override(const Structure& structure, const DensityOverride& request,
                            const MaterialProperties* material) {
    const double density =
        material && request.density_g_cm3 == 0 ? material->density_g_cm3 : request.density_g_cm3;
    return {&structure, density, material, material ? "request: " + request.material : "request"};
}

void require_density(const Override& o) {
    if (!(o.density_g_cm3 > 0) || !std::isfinite(o.density_g_cm3) || o.density_g_cm3 > 25)
        throw bad_input("density override " + text_of(o.density_g_cm3) + " g/cm3 is not between 0 and 25",
                        "structure " + o.structure->name);
}

}  // namespace

std::vector<const Structure*> bolus_structures(const StructureSet* structures,
                                               const std::vector<BeamBolus>& boluses,
                                               const std::string& where) {
    if (!boluses.empty() && !structures)
        throw bad_input("the plan has a bolus, but there is no structure set to say where it is", where,
                        "Give the RTSTRUCT that the plan refers to");
    std::vector<const Structure*> result;
    for (const BeamBolus& bolus : boluses) {
        const auto& all = structures->structures;
        const auto found = std::find_if(
            all.begin(), all.end(), [&](const Structure& s) { return s.number == bolus.structure_number; });
        const std::string which = "structure " + std::to_string(bolus.structure_number) +
                                  (bolus.id.empty() ? "" : " (\"" + bolus.id + "\")");
        if (found == all.end()) {
            const std::string known = names_of(all, "BOLUS");
            throw bad_input("the bolus is " + which + ", which is not in the structure set", where,
                            known.empty() ? "It has no structure of type BOLUS"
                                          : "Its structures of type BOLUS: " + known);
        }
        if (found->type != "BOLUS")
            throw bad_input("the bolus is " + which + ", \"" + found->name + "\", of type \"" + found->type +
                                "\" and not BOLUS",
                            where, "Check that plan and structure set belong together");
        if (found->contours.empty())
            throw bad_input("the bolus is " + which + ", \"" + found->name + "\", which has no contours",
                            where);
        if (!contains(result, &*found)) result.push_back(&*found);
    }
    return result;
}

std::vector<Override> all_overrides(const StructureSet* structures,
                                    const std::vector<DensityOverride>& requested,
                                    const MaterialTable& materials,
                                    const std::vector<const Structure*>& worn) {
    const auto counts = [&](const Structure& s) { return s.type != "BOLUS" || contains(worn, &s); };
    const auto is_requested = [&](const Structure& s) {
        return std::any_of(requested.begin(), requested.end(), [&](const DensityOverride& request) {
            return structures->find(request.structure) == &s;
        });
    };
    std::vector<Override> result;
    if (structures)
        for (const Structure& structure : structures->structures) {
            if (structure.contours.empty() || !counts(structure)) continue;
            if (const auto own = own_override(structure, materials))
                result.push_back(*own);
            else if (structure.type == "BOLUS" && !is_requested(structure))
                result.push_back(
                    {&structure, 1.0, nullptr, "bolus of which no density is known: taken as water"});
        }
    for (const DensityOverride& request : requested) {
        const Structure& structure = requested_structure(structures, request);
        const MaterialProperties* material = named_material(materials, request.material);
        if (counts(structure)) result.push_back(requested_override(structure, request, material));
    }
    for (const Override& o : result) require_density(o);
    return result;
}

}  // namespace libdose
