// Jaws that a beam declares twice: templates of some machines name X, Y, ASYMX and ASYMY, and give positions
// of two of them.
#include <set>

#include "io/dicom/dicom_plan_parts.h"

namespace libdose::io {

std::vector<std::string> jaws_declared_in_vain(const DicomItem& beam, std::vector<std::string>& notes) {
    std::set<std::string> declared, positioned;
    for (const DicomItem& device : beam.items(DCM_BeamLimitingDeviceSequence, "beam limiting device"))
        declared.insert(device.text_or_empty(DCM_RTBeamLimitingDeviceType));
    for (const DicomItem& point : beam.items(DCM_ControlPointSequence, "control point"))
        for (const DicomItem& device : point.items(DCM_BeamLimitingDevicePositionSequence, "device position"))
            positioned.insert(device.text_or_empty(DCM_RTBeamLimitingDeviceType));
    std::vector<std::string> in_vain;
    for (const auto& [one, other] : {std::pair("X", "ASYMX"), {"ASYMX", "X"}, {"Y", "ASYMY"}, {"ASYMY", "Y"}})
        if (declared.contains(one) && positioned.contains(other) && declared.contains(other) &&
            !positioned.contains(one)) {
            in_vain.emplace_back(one);
            notes.push_back(beam.place() + ": declares the device " + one + " beside " + other +
                            " and gives it no position: it is passed over");
        }
    return in_vain;
}

}  // namespace libdose::io
