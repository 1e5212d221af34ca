// Wedges of a beam and where they are in its control points: DICOM PS3.3 C.8.8.14. A wedge that is never in
// does nothing and is not looked at further, for its beam may come from a template.
#include <algorithm>

#include "io/dicom/dicom_plan_parts.h"

namespace libdose::io {
namespace {

struct Entry {
    DicomItem item;
    int number = 0;
    std::vector<bool> in;  ///< one per control point
    bool ever_in() const { return std::find(in.begin(), in.end(), true) != in.end(); }
};

std::string name(int number) { return "wedge " + std::to_string(number); }

/// A required value of type 2C may be empty in a valid file: what it leaves open is not guessed.
Error unknown(const DicomItem& item, DcmTagKey tag, const std::string& what) {
    return refused_plan(what + " is not known", item.at(tag), "It has to be in the plan");
}

Wedge::Kind read_kind(const DicomItem& item) {
    const auto type = item.optional_text(DCM_WedgeType);
    if (!type) throw unknown(item, DCM_WedgeType, "the kind of the wedge");
    if (*type == "STANDARD") return Wedge::Kind::physical;
    if (*type == "MOTORIZED") return Wedge::Kind::motorised;
    if (*type == "DYNAMIC") return Wedge::Kind::dynamic;
    throw refused_plan("a wedge of the type " + *type + " is not modelled", item.at(DCM_WedgeType));
}

Wedge read_wedge(const Entry& entry) {
    const DicomItem& item = entry.item;
    Wedge wedge;
    wedge.number = entry.number;
    wedge.kind = read_kind(item);
    wedge.id = item.text_or_empty(DCM_WedgeID);
    const auto angle = item.optional_number(DCM_WedgeAngle);
    if (!angle) throw unknown(item, DCM_WedgeAngle, "the angle of the wedge");
    if (*angle <= 0 || *angle >= 90)
        throw bad_input("the wedge angle " + item.text(DCM_WedgeAngle) + " is not between 0 and 90 degrees",
                        item.at(DCM_WedgeAngle));
    wedge.angle_deg = *angle;
    const auto orientation = item.optional_number(DCM_WedgeOrientation);
    if (!orientation) throw unknown(item, DCM_WedgeOrientation, "the direction of the wedge");
    wedge.orientation_deg = *orientation;
    wedge.factor = item.optional_number(DCM_WedgeFactor);
    return wedge;
}

/// Fills Entry::in: what a control point leaves out is that of the one before.
void read_positions(const DicomItem& beam, std::vector<Entry>& wedges) {
    const auto points = beam.items(DCM_ControlPointSequence, "control point");
    for (std::size_t i = 0; i < points.size(); ++i) {
        const DicomItem point = points[i].renamed(beam.place() + ", control point " + std::to_string(i));
        for (Entry& wedge : wedges)
            if (i > 0) wedge.in.push_back(wedge.in.back());
        for (const DicomItem& item : point.items(DCM_WedgePositionSequence, "wedge position")) {
            const int number = item.integer(DCM_ReferencedWedgeNumber);
            const auto wedge = std::find_if(wedges.begin(), wedges.end(),
                                            [&](const Entry& w) { return w.number == number; });
            if (wedge == wedges.end())
                throw bad_input("a position of " + name(number) + ", which the beam does not declare",
                                item.at(DCM_ReferencedWedgeNumber));
            const std::string position = item.text(DCM_WedgePosition);
            if (position != "IN" && position != "OUT")
                throw bad_input("the wedge position '" + position + "' is neither IN nor OUT",
                                item.at(DCM_WedgePosition));
            if (wedge->in.size() == i) wedge->in.push_back(false);  // only in the first control point
            wedge->in.back() = position == "IN";
        }
        for (const Entry& wedge : wedges)
            if (wedge.in.empty())
                throw refused_plan("no position of " + name(wedge.number) + " of this beam",
                                   point.at(DCM_WedgePositionSequence),
                                   "It has to be in the first control point, from which the others take it");
    }
}

void refuse_two_positions(const DicomItem& beam) {
    for (const DicomItem& point : beam.items(DCM_ControlPointSequence, "control point")) {
        std::vector<int> seen;
        for (const DicomItem& item : point.items(DCM_WedgePositionSequence, "wedge position")) {
            const int number = item.integer(DCM_ReferencedWedgeNumber);
            if (std::find(seen.begin(), seen.end(), number) != seen.end())
                throw bad_input("two positions of " + name(number) + " in one control point",
                                item.at(DCM_ReferencedWedgeNumber));
            seen.push_back(number);
        }
    }
}

}  // namespace

void read_wedges(const DicomItem& item, Beam& beam, std::vector<std::string>& notes) {
    std::vector<Entry> wedges;
    for (const DicomItem& one : item.items(DCM_WedgeSequence, "wedge")) {
        Entry entry{one, one.integer(DCM_WedgeNumber), {}};
        for (const Entry& other : wedges)
            if (other.number == entry.number)
                throw bad_input("two wedges have the number " + std::to_string(entry.number),
                                one.at(DCM_WedgeNumber));
        wedges.push_back(std::move(entry));
    }
    require_count(item, DCM_NumberOfWedges, wedges.size(), "wedges");
    refuse_two_positions(item);
    read_positions(item, wedges);
    for (const Entry& entry : wedges) {
        if (!entry.ever_in()) {
            notes.push_back(item.place() +
                            ": has a wedge that is OUT in every control point: " + name(entry.number));
            continue;
        }
        const Wedge wedge = read_wedge(entry);
        beam.wedges.push_back(wedge);
        for (std::size_t i = 0; i < entry.in.size(); ++i)
            beam.control_points[i].wedge_in.push_back(entry.in[i]);
    }
}

}  // namespace libdose::io
