// What a check reads: a plan with its CT, structures and the planning system's doses, and what their DICOM
// objects say of themselves. A file that is missing or cannot be read is a row, not an error. Part of
// libdose::check.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "libdose/check/row.h"
#include "libdose/ct_image.h"
#include "libdose/dose.h"
#include "libdose/io/dicom.h"
#include "libdose/io/dicom_facts.h"
#include "libdose/plan.h"
#include "libdose/structure.h"

namespace libdose::check {

/// Which objects among the files are checked.
struct Selection {
    std::string plan;                   ///< SOP Instance UID or label; empty: the only one
    std::string series;                 ///< Series Instance UID of the CT; empty: by reference
    int fraction_group = 0;             ///< 0: the only one
    std::vector<std::string> accepted;  ///< tags of unknown plan attributes, as for io::read_plan()
};

/// All that could be read. Empty optionals have a row in `problems` that says why.
struct CheckInput {
    io::DicomIndex index;
    std::vector<io::DicomEntry> ct_files;
    std::optional<io::DicomEntry> plan_file, structures_file;
    std::optional<io::PlanFacts> plan_facts;
    std::optional<io::StructureFacts> structure_facts;
    std::optional<io::CtFacts> ct_facts;  ///< of the first slice
    std::optional<Plan> plan;
    std::optional<StructureSet> structures;
    std::optional<CtImage> ct;
    std::optional<Dose> planned;      ///< the planning system's dose, scaled to the whole course
    std::vector<Dose> planned_beams;  ///< its doses of single beams, one fraction; may be empty
    std::vector<io::DoseFacts>
        dose_facts;                  ///< of every RTDOSE that refers to the plan, and of one that is alone
    std::vector<Row> problems;       ///< section "integrity", verdict NOT CHECKED or FAIL
    std::vector<std::string> notes;  ///< what the readers decided

    bool can_calculate() const { return plan && structures && ct; }
};

/// Reads what is there. Throws bad_input only for paths that do not exist or hold no DICOM.
CheckInput read_check_input(const std::vector<std::filesystem::path>& paths, const Selection& selection = {});

}  // namespace libdose::check
