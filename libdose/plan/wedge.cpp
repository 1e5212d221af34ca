#include "plan/wedge.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "libdose/error.h"

namespace libdose {

namespace {

constexpr double steepest_enhanced_deg =
    60;  // the golden table is that of 60 degrees; others are mixed from it and the open field

std::string words_of(const std::string& kind, double angle_deg, const std::string& id) {
    return kind + " " + short_number(angle_deg) + " degrees" + (id.empty() ? "" : " \"" + id + "\"");
}
std::string words_of(const Wedge& wedge) {
    return words_of(to_string(wedge.kind), wedge.angle_deg, wedge.id);
}

std::string place_of(const Beam& beam, const Wedge& wedge) {
    return "beam " + std::to_string(beam.number) + " \"" + beam.name + "\", wedge " +
           std::to_string(wedge.number);
}

}  // namespace

const WedgeModel& wedge_model_for(const Wedge& wedge, const HeadModel& head) {
    constexpr double tolerance_deg = 0.1;
    const WedgeModel* found = nullptr;
    std::string known;
    for (const WedgeModel& model : head.wedges) {
        known += (known.empty() ? "" : ", ") + words_of(model.kind, model.angle_deg, model.id);
        if (model.kind != to_string(wedge.kind) ||
            std::abs(model.angle_deg - wedge.angle_deg) > tolerance_deg)
            continue;
        if (!model.id.empty() && model.id == wedge.id) return model;
        if (model.id.empty() && !found) found = &model;
    }
    if (found) return *found;
    throw refused_plan("the beam model does not hold the wedge " + words_of(wedge),
                       "wedge " + std::to_string(wedge.number),
                       known.empty() ? "It has no physical or motorised wedge" : "It has: " + known);
}

DynamicWedgeKind dynamic_wedge_kind(const Beam& beam, const Wedge& wedge) {
    const std::string id = lower_case(wedge.id), manufacturer = lower_case(beam.manufacturer);
    if (id.starts_with("edw")) return DynamicWedgeKind::enhanced;
    if (id.starts_with("vw")) return DynamicWedgeKind::virtual_wedge;
    const bool varian = manufacturer.find("varian") != std::string::npos,
               siemens = manufacturer.find("siemens") != std::string::npos;
    if (varian != siemens) return varian ? DynamicWedgeKind::enhanced : DynamicWedgeKind::virtual_wedge;
    throw refused_plan("which kind of dynamic wedge it is cannot be told: its id is \"" + wedge.id +
                           "\", the machine's manufacturer \"" + beam.manufacturer + "\"",
                       place_of(beam, wedge),
                       "Known are ids that begin with EDW (enhanced) or VW (virtual), and the manufacturers "
                       "Varian and Siemens");
}

void require_wedge(const Beam& beam, const Wedge& wedge, const BeamModel& model) {
    if (wedge.kind != Wedge::Kind::dynamic) {
        try {
            wedge_model_for(wedge, model.head);
        } catch (const Error& error) {
            throw refused_plan(error.problem() + " (" + model.name + ")", place_of(beam, wedge),
                               error.advice());
        }
        return;
    }
    if (dynamic_wedge_kind(beam, wedge) == DynamicWedgeKind::virtual_wedge) {
        if (!(model.head.dynamic_wedge.virtual_attenuation_per_mm > 0))
            throw refused_plan("the beam model " + model.name + " knows no virtual wedge",
                               place_of(beam, wedge));
        return;
    }
    if (model.head.dynamic_wedge.golden_position_mm.empty())
        throw refused_plan("the beam model " + model.name + " knows no enhanced dynamic wedge",
                           place_of(beam, wedge));
    if (!(wedge.angle_deg <= steepest_enhanced_deg))
        throw refused_plan(
            "an enhanced dynamic wedge of " + short_number(wedge.angle_deg) + " degrees is not modelled",
            place_of(beam, wedge), "The steepest has 60 degrees");
}

}  // namespace libdose
