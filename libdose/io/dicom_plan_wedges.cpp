// Wedges of a beam and where they are in its control points: DICOM PS3.3 C.8.8.14. A wedge that is never in does nothing
// and is not looked at further, for its beam may come from a template.
#include <algorithm>
#include <cmath>

#include "io/dicom_plan_parts.h"

namespace libdose::io {
namespace {

constexpr double same_mm = 1e-6, same_deg = 1e-6;

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
        throw bad_input("the wedge angle " + item.text(DCM_WedgeAngle) + " is not between 0 and 90 degrees", item.at(DCM_WedgeAngle));
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
            const auto wedge = std::find_if(wedges.begin(), wedges.end(), [&](const Entry& w) { return w.number == number; });
            if (wedge == wedges.end())
                throw bad_input("a position of " + name(number) + ", which the beam does not declare", item.at(DCM_ReferencedWedgeNumber));
            const std::string position = item.text(DCM_WedgePosition);
            if (position != "IN" && position != "OUT")
                throw bad_input("the wedge position '" + position + "' is neither IN nor OUT", item.at(DCM_WedgePosition));
            if (wedge->in.size() == i) wedge->in.push_back(false);  // only in the first control point
            wedge->in.back() = position == "IN";
        }
        for (const Entry& wedge : wedges)
            if (wedge.in.empty())
                throw refused_plan("no position of " + name(wedge.number) + " of this beam", point.at(DCM_WedgePositionSequence),
                                   "It has to be in the first control point, from which the others take it");
        const auto together = std::count_if(wedges.begin(), wedges.end(), [](const Entry& w) { return w.in.back(); });
        if (together > 1) throw refused_plan(std::to_string(together) + " wedges are IN at once", point.at(DCM_WedgePositionSequence));
    }
}

void refuse_two_positions(const DicomItem& beam) {
    for (const DicomItem& point : beam.items(DCM_ControlPointSequence, "control point")) {
        std::vector<int> seen;
        for (const DicomItem& item : point.items(DCM_WedgePositionSequence, "wedge position")) {
            const int number = item.integer(DCM_ReferencedWedgeNumber);
            if (std::find(seen.begin(), seen.end(), number) != seen.end())
                throw bad_input("two positions of " + name(number) + " in one control point", item.at(DCM_ReferencedWedgeNumber));
            seen.push_back(number);
        }
    }
}

/// Only a motorised wedge goes in and out, and it does while the beam is off: at two control points of the same weight.
void check_moves(const Entry& entry, Wedge::Kind kind, const Beam& beam) {
    for (std::size_t i = 1; i < entry.in.size(); ++i) {
        if (entry.in[i] == entry.in[i - 1]) continue;
        const std::string where = entry.item.place() + ", control point " + std::to_string(i) + ", " + tag_text(DCM_WedgePosition);
        if (kind != Wedge::Kind::motorised) throw refused_plan("a " + to_string(kind) + " wedge goes in or out within the beam", where);
        if (beam.control_points[i].cumulative_weight > beam.control_points[i - 1].cumulative_weight)
            throw refused_plan("the wedge goes in or out while meterset is given: how much of it goes through the wedge is not known", where,
                               "The wedge has to move between two control points of the same weight");
    }
}

bool same(const std::optional<JawOpening>& a, const std::optional<JawOpening>& b) {
    return a.has_value() == b.has_value() && (!a || (std::abs(a->lower_mm - b->lower_mm) < same_mm && std::abs(a->upper_mm - b->upper_mm) < same_mm));
}

bool same(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double p, double q) { return std::abs(p - q) < same_mm; });
}

bool same(const ControlPoint& a, const ControlPoint& b) {
    const auto turned = [](double p, double q) { return std::abs(std::remainder(p - q, 360.0)) > same_deg; };
    if (turned(a.gantry_deg, b.gantry_deg) || turned(a.collimator_deg, b.collimator_deg) || turned(a.couch_deg, b.couch_deg)) return false;
    if (!same(a.jaw_x, b.jaw_x) || !same(a.jaw_y, b.jaw_y) || (a.isocentre_mm - b.isocentre_mm).norm() > same_mm) return false;
    for (std::size_t c = 0; c < a.leaves.size(); ++c)
        if (!same(a.leaves[c].lower_mm, b.leaves[c].lower_mm) || !same(a.leaves[c].upper_mm, b.leaves[c].upper_mm)) return false;
    return true;
}

/// A jaw sweeps over the field, which the control points do not show: nothing else may move then.
void check_sweep(const Entry& entry, const Wedge& wedge, const Beam& beam) {
    const std::string where = entry.item.at(DCM_WedgeType);
    const double to_y = std::abs(std::remainder(wedge.orientation_deg, 180.0));
    const bool along_y = to_y < same_deg, along_x = std::abs(to_y - 90) < same_deg;
    if (!along_x && !along_y)
        throw refused_plan("the direction of the dynamic wedge, " + entry.item.text(DCM_WedgeOrientation) + " degrees, is not that of a jaw",
                           entry.item.at(DCM_WedgeOrientation));
    const ControlPoint& first = beam.control_points.front();
    if (!(along_y ? first.jaw_y : first.jaw_x))
        throw refused_plan("a dynamic wedge in a beam that has no " + std::string(along_y ? "y" : "x") + " jaws to make it", where);
    for (const ControlPoint& point : beam.control_points)
        if (!same(point, first)) throw refused_plan("a dynamic wedge in a beam whose gantry, table, jaws or leaves move: what moves when is not known", where);
}

}  // namespace

void read_wedges(const DicomItem& item, Beam& beam, std::vector<std::string>& notes) {
    std::vector<Entry> wedges;
    for (const DicomItem& one : item.items(DCM_WedgeSequence, "wedge")) {
        Entry entry{one, one.integer(DCM_WedgeNumber), {}};
        for (const Entry& other : wedges)
            if (other.number == entry.number) throw bad_input("two wedges have the number " + std::to_string(entry.number), one.at(DCM_WedgeNumber));
        wedges.push_back(std::move(entry));
    }
    require_count(item, DCM_NumberOfWedges, wedges.size(), "wedges");
    refuse_two_positions(item);
    read_positions(item, wedges);
    for (const Entry& entry : wedges) {
        if (!entry.ever_in()) {
            notes.push_back(item.place() + ": has a wedge that is OUT in every control point: " + name(entry.number));
            continue;
        }
        const Wedge wedge = read_wedge(entry);
        check_moves(entry, wedge.kind, beam);
        if (wedge.kind == Wedge::Kind::dynamic) check_sweep(entry, wedge, beam);
        beam.wedges.push_back(wedge);
        for (std::size_t i = 0; i < entry.in.size(); ++i) beam.control_points[i].wedge_in.push_back(entry.in[i]);
    }
}

}  // namespace libdose::io
