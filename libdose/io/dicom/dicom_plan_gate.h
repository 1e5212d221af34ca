// The first step of every reading of a plan: honoured, harmless or refused, attribute by attribute.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "io/dicom/dicom_item.h"
#include "io/dicom/dicom_plan_rules.h"
#include "libdose/plan.h"

namespace libdose::io {

class PlanGate {
public:
    /// Tags that the user accepts although they are not known: "300a,01a0" or "(300a,01a0)". Throws bad_input
    /// for what is no tag.
    explicit PlanGate(const std::vector<std::string>& accepted);

    void plan(const DicomItem& root);  ///< without its beams and fraction groups
    void fraction_group(const DicomItem& group);
    void beam(const DicomItem& beam, int number);
    /// Findings of the reader of a beam that no single attribute shows.
    void refused_by_reader(int beam, const std::string& reason);
    void left_out(int beam, const std::string& where, const std::string& reason);

    void require_open() const;                ///< throws refused_plan for the first entry that is refused
    void require_all_accepted_found() const;  ///< throws bad_input for an accepted tag that nothing needed
    const std::vector<GateEntry>& entries() const { return entries_; }

private:
    void look(Place place, const DicomItem& item, int beam);
    void add(GateEntry entry);

    std::vector<GateEntry> entries_;
    std::map<std::string, bool> accepted_;  ///< tag -> whether it was found
};

/// Throws refused_plan for a beam that is not of photons.
void refuse_radiation_type(const DicomItem& beam);

/// Throws refused_plan for what takes several attributes to see: a table that moves, another source.
void refuse_by_meaning(const DicomItem& beam);

}  // namespace libdose::io
