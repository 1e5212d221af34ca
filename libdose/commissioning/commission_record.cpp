#include "commissioning/commission_record.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "commissioning/fit_data.h"

namespace libdose::commission {

namespace {

std::string source_of_profile(const MeasurementSet& set, const BeamModel& generic) {
    if (has(set.curves, CurveKind::primary_fluence))
        return "measured primary fluence, less the extrafocal source";
    if (has(set.curves, CurveKind::profile)) return "from measured profiles";
    return "of " + generic.name + ": not measured";
}

std::string source_of_leaf_transmission(const BeamModel& model, const MeasurementSet& set,
                                        const BeamModel& generic, bool leaves_fitted) {
    if (has(set.device_curves, CurveKind::leaf_gap)) return "fitted, of " + model.head.leaf_design;
    if (set.leaf_transmission) return "measured";
    if (leaves_fitted)
        return "of the design " + model.head.leaf_design + ", or else of " + generic.name + ": not measured";
    return "of " + generic.name;
}

std::string source_of_wedges(const BeamModel& model) {
    std::string wedges;
    for (const WedgeModel& wedge : model.head.wedges)
        wedges += (wedges.empty() ? "" : ", ") + wedge.kind + " " + short_number(wedge.angle_deg) +
                  " degrees" + (wedge.id.empty() ? "" : " \"" + wedge.id + "\"");
    return wedges.empty() ? "none: not measured; a plan with a physical or motorised wedge is refused"
                          : "fitted, of steel: " + wedges;
}

}  // namespace

std::string description_of(const MeasurementSet& set) {
    return "Commissioned from measurements of " +
           (set.machine.empty() ? std::string("a machine without a name") : set.machine);
}

std::map<std::string, std::string> sources_of(const BeamModel& model, const MeasurementSet& set,
                                              const BeamModel& generic, const std::vector<Quantity>& fitted,
                                              bool leaves_fitted) {
    const auto fitted_or_generic = [&](Quantity quantity) {
        const bool is_fitted = std::find(fitted.begin(), fitted.end(), quantity) != fitted.end();
        return is_fitted ? "fitted" : "of " + generic.name + ": the measurements do not tell";
    };
    std::map<std::string, std::string> sources{
        {"spectrum", "fitted: " + generic.name + " times a power of the energy and a water filter"},
        {"attenuation",
         generic.sources.contains("attenuation") ? generic.sources.at("attenuation") : "NIST XCOM"},
        {"cone_kernel", "from the spectrum and the point kernels"},
        {"pencil_kernel", "from the spectrum and the point kernels"},
        {"profile", source_of_profile(set, generic)},
        {"calibration", set.absolute ? "measured" : "assumed: 1 cGy/MU at the maximum; not measured"},
        {"extrafocal", fitted_or_generic(Quantity::extrafocal_amplitude)},
        {"spot", fitted_or_generic(Quantity::spot_fwhm)},
        {"electrons", fitted_or_generic(Quantity::electron_amplitude)},
        {"softening", fitted_or_generic(Quantity::softening)},
        {"transmission", std::string("jaws ") + (set.jaw_transmission ? "measured" : "of " + generic.name) +
                             ", leaves " + source_of_leaf_transmission(model, set, generic, leaves_fitted)},
        {"leaf offset", leaves_fitted ? "fitted, of " + model.head.leaf_design : "none: not measured"},
        {"geometry, backscatter", "of " + generic.name + ": not measured"},
        {"wedges", source_of_wedges(model)}};
    if (!model.head.dynamic_wedge.golden_position_mm.empty())
        sources["enhanced dynamic wedge"] = "table of " + generic.name;
    return sources;
}

std::vector<std::string> notes_of_unmeasured(const std::map<std::string, std::string>& sources) {
    std::vector<std::string> notes;
    for (const auto& [quantity, source] : sources)
        if (source.find("not measured") != std::string::npos ||
            source.find("do not tell") != std::string::npos)
            notes.push_back(quantity + ": " + source);
    return notes;
}

std::map<std::string, std::string> lineage_of(const MeasurementSet& set, const BeamModel& generic,
                                              std::map<std::string, std::string> of_centre) {
    std::map<std::string, std::string> lineage = std::move(of_centre);
    lineage["data_sha256"] = set.data_hash;
    std::string files;
    for (const std::string& file : set.files) files += (files.empty() ? "" : ", ") + file;
    lineage["files"] = files;
    lineage["engine_version"] = LIBDOSE_VERSION;
    lineage["started_from"] = generic.name + " " + generic.content_hash;
    return lineage;
}

}  // namespace libdose::commission
