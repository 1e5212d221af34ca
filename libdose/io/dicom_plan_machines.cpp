// Machines whose beams are not what the engine models, by the names that they have in plan files.
#include <array>
#include <cctype>
#include <cmath>

#include "io/dicom_plan_parts.h"

namespace libdose::io {
namespace {

constexpr double modelled_distance_mm = 1000, distance_tolerance_mm = 5;

/// To refuse one more machine, add its name in lower case and a case in tests/io/test_dicom_plan_gate.cpp.
struct Machine {
    const char* name;  ///< how a word of manufacturer or model begins
    const char* kind;
};
constexpr std::array machines{
    Machine{"tomotherapy", "TomoTherapy"}, Machine{"hi-art", "TomoTherapy"},
    Machine{"hi art", "TomoTherapy"},      Machine{"hiart", "TomoTherapy"},
    Machine{"radixact", "TomoTherapy"},    Machine{"cyberknife", "CyberKnife"},
    Machine{"accuray", "Accuray"},         Machine{"viewray", "MRIdian"},
    Machine{"mridian", "MRIdian"},         Machine{"unity", "Unity"},
    Machine{"mr-linac", "MR-linac"},       Machine{"mr linac", "MR-linac"},
    Machine{"mrlinac", "MR-linac"},        Machine{"gamma knife", "Gamma Knife"},
    Machine{"gammaknife", "Gamma Knife"},  Machine{"gammaplan", "Gamma Knife"},
    Machine{"leksell", "Gamma Knife"},     Machine{"perfexion", "Gamma Knife"},
};

/// Whether a word begins like this: "Elekta Unity" has a unity, a "community" has not.
bool names(const std::string& text, const std::string& name) {
    std::string lower;
    for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (auto at = lower.find(name); at != std::string::npos; at = lower.find(name, at + 1))
        if (at == 0 || !std::isalpha(static_cast<unsigned char>(lower[at - 1]))) return true;
    return false;
}

void refuse_by_name(const DicomItem& item, const std::string& whose) {
    for (const DcmTagKey& tag : {DCM_Manufacturer, DCM_ManufacturerModelName})
        for (const Machine& machine : machines)
            if (const std::string text = item.text_or_empty(tag); names(text, machine.name))
                throw refused_plan(whose + " '" + text + "' means a machine of the kind " + machine.kind + ", which is not modelled", item.at(tag),
                                   "Only C-arm and ring linacs without a magnet are");
}

}  // namespace

void refuse_unmodelled_machine(const DicomItem& root, const DicomItem& beam) {
    refuse_by_name(beam, "the machine");
    refuse_by_name(root, "the planning system");  // these machines have their own, which may not repeat the name in the beam
    const double distance = beam.number(DCM_SourceAxisDistance);
    if (distance > 0 && std::abs(distance - modelled_distance_mm) > distance_tolerance_mm)
        throw refused_plan("the source-axis distance is " + beam.text(DCM_SourceAxisDistance) + " mm: only C-arm and ring linacs with 1000 mm are modelled",
                           beam.at(DCM_SourceAxisDistance));
}

}  // namespace libdose::io
