// A dose distribution with what is needed to know what it is and how it was made.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libdose/grid.h"

namespace libdose {

enum class DoseSummation { plan, fraction, beam };  ///< whole course / one fraction / one beam, one fraction
enum class DoseMedium { medium, water };            ///< dose to the local medium or to water

/// How a result came about; travels in every output. Keys of `settings` are command-line names.
struct Provenance {
    std::string engine_version;                       ///< library version
    std::string engine;                               ///< "collapsed-cone" or "pencil-beam"
    std::string backend = "cpu";                      ///< "cpu", or "cuda" with the device that calculated
    std::map<std::string, std::string> model_hashes;  ///< beam model name -> SHA-256
    std::string hu_curve_name, hu_curve_hash;
    std::map<std::string, std::string> settings;
    std::map<std::string, std::string> input_uids;  ///< "ct_series", "structure_set", "plan", …
    std::vector<std::string> gate;                  ///< a line for each attribute of the plan: honoured, harmless or accepted
};

/// Dose on a grid.
struct Dose {
    Volume<float> gy;  ///< Gy, finite
    DoseSummation summation = DoseSummation::plan;
    DoseMedium medium = DoseMedium::medium;
    std::string type = "PHYSICAL";  ///< DICOM Dose Type
    int beam_number = 0;            ///< for DoseSummation::beam
    int fraction_group = 1;
    int fractions = 1;  ///< fractions that the values include
    std::string comment;
    std::string frame_of_reference_uid, referenced_plan_uid, referenced_plan_class_uid;
    std::string referenced_structure_set_uid;
    std::string sop_instance_uid;  ///< set when read from a file
    Provenance provenance;
};

}  // namespace libdose
