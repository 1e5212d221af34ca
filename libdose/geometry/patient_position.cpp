#include <array>
#include <utility>

#include "libdose/ct_image.h"
#include "libdose/error.h"

namespace libdose {

namespace {
constexpr std::array<std::pair<PatientPosition, const char*>, 8> names{{{PatientPosition::hfs, "HFS"},
                                                                        {PatientPosition::hfp, "HFP"},
                                                                        {PatientPosition::ffs, "FFS"},
                                                                        {PatientPosition::ffp, "FFP"},
                                                                        {PatientPosition::hfdr, "HFDR"},
                                                                        {PatientPosition::hfdl, "HFDL"},
                                                                        {PatientPosition::ffdr, "FFDR"},
                                                                        {PatientPosition::ffdl, "FFDL"}}};
}

std::string to_string(PatientPosition position) {
    for (const auto& [value, name] : names)
        if (value == position) return name;
    throw internal_error("patient position without a name");
}

PatientPosition patient_position_from_string(const std::string& text) {
    for (const auto& [value, name] : names)
        if (text == name) return value;
    throw bad_input("unknown patient position \"" + text + "\"", "Patient Position (0018,5100)",
                    "Known: HFS, HFP, FFS, FFP, HFDR, HFDL, FFDR, FFDL");
}

}  // namespace libdose
