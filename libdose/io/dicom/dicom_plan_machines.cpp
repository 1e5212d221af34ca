// Machines whose beams are not what the engine models, by the names that they have in plan files.
#include "io/dicom/dicom_plan_parts.h"
#include "plan/plan_meaning.h"

namespace libdose::io {
namespace {

void refuse_by_name(const DicomItem& item, const std::string& whose) {
    for (const DcmTagKey& tag : {DCM_Manufacturer, DCM_ManufacturerModelName}) {
        const std::string text = item.text_or_empty(tag);
        if (const char* kind = unmodelled_machine(text))
            throw refused_plan(
                whose + " '" + text + "' means a machine of the kind " + kind + ", which is not modelled",
                item.at(tag), "Only C-arm and ring linacs without a magnet are");
    }
}

}  // namespace

void refuse_unmodelled_machine(const DicomItem& root, const DicomItem& beam) {
    refuse_by_name(beam, "the machine");
    refuse_by_name(
        root,
        "the planning system");  // these machines have their own, which may not repeat the name in the beam
}

}  // namespace libdose::io
