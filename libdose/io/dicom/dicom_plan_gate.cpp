// The plan gate: walks through an RT Plan with the rules of dicom_plan_rules.cpp. What has no rule is refused
// until it is accepted by its tag.
#include "io/dicom/dicom_plan_gate.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "io/dicom/dicom_plan_rules.h"

namespace libdose::io {
namespace {

constexpr double table_tolerance_mm = 0.1;  // read-out of the table
constexpr double no_turn_deg = 0.01;        // moves a point 200 mm from the axis by 0.03 mm

const char* const cannot = "The plan cannot be calculated with it";

Error refusal(const DicomItem& item, DcmTagKey tag, const std::string& value, const std::string& reason) {
    return refused_plan(value + ": " + reason, item.at(tag), cannot);
}

}  // namespace

void refuse_radiation_type(const DicomItem& beam) {
    const std::string type = beam.text(DCM_RadiationType);
    if (type != "PHOTON")
        throw refusal(beam, DCM_RadiationType, "the value is " + type, "only photon beams are modelled");
}

namespace {

/// A table that moves during the beam moves the patient through it.
void refuse_moving_table(const std::vector<DicomItem>& points) {
    for (DcmTagKey tag :
         {DCM_TableTopVerticalPosition, DCM_TableTopLongitudinalPosition, DCM_TableTopLateralPosition}) {
        std::optional<double> before;
        for (const DicomItem& point : points) {
            const auto here = point.optional_number(tag);
            if (here && before && std::abs(*here - *before) > table_tolerance_mm)
                throw refusal(point, tag, "the table top moves within the beam",
                              "a moving table top is not modelled");
            if (here) before = here;
        }
    }
}

/// Belongs to ion beams; in a photon beam it must say the same as the Source-Axis Distance.
void refuse_virtual_source(const DicomItem& beam) {
    const auto axis = beam.optional_number(DCM_SourceAxisDistance);
    for (double distance : beam.optional_numbers(DCM_VirtualSourceAxisDistances))
        if (!axis || std::abs(distance - *axis) > 0.5)
            throw refusal(beam, DCM_VirtualSourceAxisDistances,
                          "a distance differs from the source-axis distance",
                          "only one point-like source position is modelled");
}

void refuse_chair(const DicomItem& beam) {
    if (const std::string support = beam.text_or_empty(DCM_PatientSupportType); support == "CHAIR")
        throw refusal(beam, DCM_PatientSupportType, "the value is " + support,
                      "only patients who lie are modelled");
}

/// "(gggg,eeee)", lower case, from what a user may write.
std::string normal_tag(const std::string& text) {
    std::string digits;
    for (const char c : text)
        if (std::isxdigit(static_cast<unsigned char>(c)))
            digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else if (c != '(' && c != ')' && c != ',' && c != ' ')
            digits += '?';
    if (digits.size() != 8 || digits.find('?') != std::string::npos)
        throw bad_input("\"" + text + "\" is not a tag", "accepted attributes", "Write it as 300a,01a0");
    return "(" + digits.substr(0, 4) + "," + digits.substr(4) + ")";
}

/// The value in words; empty when the rule does not refuse it.
std::string refused_value(const DicomItem& item, const GateRule& rule) {
    if (rule.rule == Rule::refused_with_items) {
        const auto items = item.items(rule.tag, "item");
        return items.empty() ? "" : std::to_string(items.size()) + " item(s)";
    }
    bool refused = false;
    if (rule.rule == Rule::refused_if_yes) {
        refused = item.text_or_empty(rule.tag) == "YES";
    } else if (const auto value = item.optional_number(rule.tag)) {
        refused = rule.rule == Rule::refused_above_zero ? *value > 0
                  : rule.rule == Rule::refused_unless_no_turn
                      ? std::abs(std::remainder(*value, 360.0)) > no_turn_deg
                      : *value != 1;
    }
    return refused ? "the value is " + item.text(rule.tag) : "";
}

/// Why an attribute without a rule of its place is harmless; null when it is not known to be.
const char* why_harmless(Place place, const DcmTagKey& tag) {
    for (const GateRange& range : gate_ranges())
        if (tag.getGroup() == range.group && tag.getElement() >= range.first &&
            tag.getElement() <= range.last)
            return range.reason;
    return harmless_group(place, tag.getGroup());
}

/// Sequences whose items have rules of their own.
struct Inside {
    Place place, inner;
    DcmTagKey tag;
    const char* name;
};
const Inside insides[] = {
    {Place::plan, Place::patient_setup, {0x300a, 0x0180}, "patient setup"},
    {Place::fraction_group, Place::referenced_beam, {0x300c, 0x0004}, "referenced beam"},
    {Place::beam, Place::limiting_device, {0x300a, 0x00b6}, "beam limiting device"},
    {Place::beam, Place::control_point, {0x300a, 0x0111}, "control point"},
    {Place::beam, Place::fluence_mode, {0x3002, 0x0050}, "fluence mode"},
    {Place::beam, Place::wedge, {0x300a, 0x00d1}, "wedge"},
    {Place::beam, Place::block, {0x300a, 0x00f4}, "block"},
    {Place::beam, Place::bolus, {0x300c, 0x00b0}, "bolus"},
    {Place::control_point, Place::device_position, {0x300a, 0x011a}, "device position"},
    {Place::control_point, Place::wedge_position, {0x300a, 0x0116}, "wedge position"},
};

}  // namespace

PlanGate::PlanGate(const std::vector<std::string>& accepted) {
    for (const std::string& tag : accepted) accepted_[normal_tag(tag)] = false;
}

void PlanGate::add(GateEntry entry) {
    for (GateEntry& there : entries_)
        if (there.beam == entry.beam && there.tag == entry.tag && there.verdict == entry.verdict &&
            there.reason == entry.reason && !entry.tag.empty()) {
            there.count += entry.count;
            return;
        }
    entries_.push_back(std::move(entry));
}

void PlanGate::look(Place place, const DicomItem& item, int beam) {
    for (const DcmTagKey& tag : item.tags()) {
        GateEntry entry;
        entry.beam = beam;
        const std::string text = tag_text(tag);
        entry.tag = text.substr(0, 11);
        entry.name = text.substr(12);
        entry.where = item.place();
        entry.value = item.shown(tag);
        const auto rules = gate_rules(place);
        const auto rule =
            std::find_if(rules.begin(), rules.end(), [&](const GateRule& r) { return r.tag == tag; });
        if (rule != rules.end()) {
            entry.reason = rule->reason;
            entry.verdict = rule->rule == Rule::honoured || rule->rule == Rule::by_reader
                                ? GateEntry::Verdict::honoured
                                : GateEntry::Verdict::harmless;
            if (rule->rule != Rule::honoured && rule->rule != Rule::by_reader &&
                rule->rule != Rule::harmless) {
                if (const std::string value = refused_value(item, *rule); !value.empty()) {
                    entry.verdict = GateEntry::Verdict::refused;
                    entry.value = value;
                } else
                    entry.reason = "says that there is none";
            }
        } else if (const char* reason = why_harmless(place, tag)) {
            entry.verdict = GateEntry::Verdict::harmless;
            entry.reason = reason;
        } else if (tag.getGroup() % 2 == 1) {
            entry.verdict = GateEntry::Verdict::harmless;
            entry.reason = "private: may not change the meaning of standard attributes (DICOM PS3.2)";
        } else if (const auto accepted = accepted_.find(entry.tag); accepted != accepted_.end()) {
            accepted->second = true;
            entry.verdict = GateEntry::Verdict::accepted;
            entry.reason = "not known to libdose; accepted by the user";
        } else {
            entry.verdict = GateEntry::Verdict::refused;
            entry.reason = "not known to libdose: it may change the dose";
            entry.acceptable = true;
        }
        // Names, birth dates and free text do not belong in results; what says that there is none ("0
        // blocks") does.
        const bool tested = rule != rules.end() && rule->rule != Rule::harmless;
        if (entry.verdict == GateEntry::Verdict::harmless && !tested) entry.value.clear();
        // An attribute unknown to an older libdose may be known to be harmless now.
        if (const auto accepted = accepted_.find(entry.tag);
            accepted != accepted_.end() && entry.verdict == GateEntry::Verdict::harmless)
            accepted->second = true;
        add(std::move(entry));
    }
    for (const Inside& inside : insides)
        if (inside.place == place)
            for (const DicomItem& inner : item.items(inside.tag, inside.name))
                look(inside.inner, inner, beam);
}

void PlanGate::plan(const DicomItem& root) { look(Place::plan, root, 0); }

void PlanGate::fraction_group(const DicomItem& group) { look(Place::fraction_group, group, 0); }

void PlanGate::beam(const DicomItem& beam, int number) { look(Place::beam, beam, number); }

void PlanGate::refused_by_reader(int beam, const std::string& reason) {
    GateEntry entry;
    entry.verdict = GateEntry::Verdict::refused;
    entry.beam = beam;
    entry.reason = reason;
    add(std::move(entry));
}

void PlanGate::left_out(int beam, const std::string& where, const std::string& reason) {
    GateEntry entry;
    entry.verdict = GateEntry::Verdict::harmless;
    entry.beam = beam;
    entry.where = where;
    entry.reason = "left out: " + reason;
    add(std::move(entry));
}

void PlanGate::require_open() const {
    for (const GateEntry& entry : entries_)
        if (entry.verdict == GateEntry::Verdict::refused) {
            const std::string where = entry.where + ", " + entry.tag + " " + entry.name;
            if (entry.acceptable)
                throw refused_plan("the attribute is " + entry.reason, where,
                                   "If it cannot, accept it: --accept " + entry.tag.substr(1, 9) +
                                       "; `dose gate` lists all");
            throw refused_plan(entry.value + ": " + entry.reason, where, cannot);
        }
}

void PlanGate::require_all_accepted_found() const {
    for (const auto& [tag, found] : accepted_)
        if (!found)
            throw bad_input("nothing in the plan needs to be accepted by the tag " + tag,
                            "accepted attributes", "Leave it out");
}

void refuse_by_meaning(const DicomItem& beam) {
    const auto points = beam.items(DCM_ControlPointSequence, "control point");
    refuse_moving_table(points);
    refuse_virtual_source(beam);
    refuse_chair(beam);
}

}  // namespace libdose::io
