// Refusal of plans that the engine does not model. Every plan is checked here, from whatever source: DICOM,
// C++, C or Python.
#include "plan/plan_meaning.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "libdose/beam_model.h"
#include "libdose/error.h"

namespace libdose {
namespace {

constexpr double same_mm = 1e-6, same_deg = 1e-6;
constexpr double modelled_distance_mm = 1000, distance_tolerance_mm = 5;
constexpr double bank_tolerance_mm = 0.1;  // of leaf boundaries, as for leaf designs

// Attributes that say it, for whoever has a DICOM plan.
constexpr const char* manufacturer = "(0008,0070) Manufacturer";
constexpr const char* model_name = "(0008,1090) ManufacturerModelName";
constexpr const char* axis_distance = "(300a,00b4) SourceAxisDistance";
constexpr const char* limiting_devices = "(300a,00b6) BeamLimitingDeviceSequence";
constexpr const char* gantry_direction = "(300a,011f) GantryRotationDirection";
constexpr const char* jaw_positions = "(300a,011c) LeafJawPositions";
constexpr const char* collimator_angle = "(300a,0120) BeamLimitingDeviceAngle";
constexpr const char* couch_angle = "(300a,0122) PatientSupportAngle";
constexpr const char* wedge_type = "(300a,00d3) WedgeType";
constexpr const char* wedge_direction = "(300a,00d8) WedgeOrientation";
constexpr const char* wedge_positions = "(300a,0116) WedgePositionSequence";
constexpr const char* wedge_position = "(300a,0118) WedgePosition";
constexpr const char* block_type = "(300a,00f8) BlockType";

bool turned(double from_deg, double to_deg) {
    return std::abs(std::remainder(to_deg - from_deg, 360.0)) > same_deg;
}

std::string degrees(double angle) { return short_number(angle) + " degrees"; }

bool same(const std::optional<JawOpening>& a, const std::optional<JawOpening>& b) {
    return a.has_value() == b.has_value() && (!a || (std::abs(a->lower_mm - b->lower_mm) < same_mm &&
                                                     std::abs(a->upper_mm - b->upper_mm) < same_mm));
}

bool same(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](double p, double q) { return std::abs(p - q) < same_mm; });
}

bool same(const LeafPositions& a, const LeafPositions& b) {
    return same(a.lower_mm, b.lower_mm) && same(a.upper_mm, b.upper_mm);
}

/// Nothing turned or moved; wedges and weights aside.
bool same(const ControlPoint& a, const ControlPoint& b) {
    return !turned(a.gantry_deg, b.gantry_deg) && !turned(a.collimator_deg, b.collimator_deg) &&
           !turned(a.couch_deg, b.couch_deg) && same(a.jaw_x, b.jaw_x) && same(a.jaw_y, b.jaw_y) &&
           (a.isocentre_mm - b.isocentre_mm).norm() <= same_mm &&
           std::equal(a.leaves.begin(), a.leaves.end(), b.leaves.begin(), b.leaves.end(),
                      [](const LeafPositions& p, const LeafPositions& q) { return same(p, q); });
}

/// An interval of the isocentre plane along one axis of the beam-limiting-device frame.
struct Span {
    double lower_mm, upper_mm;
};

/// The devices of a control point by the axis along which they move: what limits the field.
class Limits {
public:
    Limits(const Beam& beam, const ControlPoint& point) : beam_(beam), point_(point) {}

    /// Everywhere that the field can be open it is limited along this axis: by jaws, or by leaves that are
    /// everywhere across it.
    bool limited(MultileafCollimator::Motion axis) const {
        if (jaw(axis)) return true;
        const Span across = reach(across_of(axis));
        return std::any_of(
            beam_.collimators.begin(), beam_.collimators.end(), [&](const MultileafCollimator& collimator) {
                return collimator.motion == axis &&
                       collimator.leaf_boundaries_mm.front() <= across.lower_mm + bank_tolerance_mm &&
                       collimator.leaf_boundaries_mm.back() >= across.upper_mm - bank_tolerance_mm;
            });
    }

    bool any_device(MultileafCollimator::Motion axis) const {
        return jaw(axis) ||
               std::any_of(beam_.collimators.begin(), beam_.collimators.end(),
                           [&](const MultileafCollimator& collimator) { return collimator.motion == axis; });
    }

    static MultileafCollimator::Motion across_of(MultileafCollimator::Motion axis) {
        return axis == MultileafCollimator::Motion::along_x ? MultileafCollimator::Motion::along_y
                                                            : MultileafCollimator::Motion::along_x;
    }

private:
    const std::optional<JawOpening>& jaw(MultileafCollimator::Motion axis) const {
        return axis == MultileafCollimator::Motion::along_x ? point_.jaw_x : point_.jaw_y;
    }

    /// How far along an axis the field can be open: to the jaws; without any to the leaf tips, and beside the
    /// leaves' bank, where there are no tips, to the primary collimator.
    Span reach(MultileafCollimator::Motion axis) const {
        if (const auto& opening = jaw(axis)) return {opening->lower_mm, opening->upper_mm};
        const double radius = HeadModel().maximum_field_radius_mm;
        Span least{-radius, radius};
        for (std::size_t c = 0; c < beam_.collimators.size(); ++c) {
            const MultileafCollimator& collimator = beam_.collimators[c];
            if (collimator.motion != axis) continue;
            const double bank =
                std::min(-collimator.leaf_boundaries_mm.front(), collimator.leaf_boundaries_mm.back());
            const double beside = bank > 0 ? std::sqrt(std::max(0.0, radius * radius - bank * bank)) : radius;
            const LeafPositions& leaves = point_.leaves[c];
            const double lowest = *std::min_element(leaves.lower_mm.begin(), leaves.lower_mm.end());
            const double highest = *std::max_element(leaves.upper_mm.begin(), leaves.upper_mm.end());
            least = {std::max(least.lower_mm, std::min(lowest, -beside)),
                     std::min(least.upper_mm, std::max(highest, beside))};
        }
        return least;
    }

    const Beam& beam_;
    const ControlPoint& point_;
};

class BeamMeaning {
public:
    explicit BeamMeaning(const Beam& beam) : beam_(beam), points_(beam.control_points) {}

    void require_modelled() const {
        refuse_machine();
        refuse_gantry_motion();
        refuse_long_ways();
        refuse_wedges();
        for (std::size_t i = 0; i < points_.size(); ++i) refuse_unlimited_field(i);
        refuse_closed_jaws();
        refuse_several_apertures();
    }

private:
    void refuse(const std::string& problem, const std::string& where, const std::string& advice = {}) const {
        throw refused_plan(problem, where.empty() ? beam_.place() : beam_.place() + ", " + where, advice);
    }

    static std::string at(std::size_t point) { return "control point " + std::to_string(point); }

    void refuse_machine() const {
        for (const auto& [name, tag] :
             {std::pair(beam_.manufacturer, manufacturer), std::pair(beam_.machine_model, model_name)})
            if (const char* kind = unmodelled_machine(name))
                refuse("the machine '" + name + "' means a machine of the kind " + kind +
                           ", which is not modelled",
                       tag, "Only C-arm and ring linacs without a magnet are");
        if (std::abs(beam_.source_axis_distance_mm - modelled_distance_mm) > distance_tolerance_mm)
            refuse("the source-axis distance is " + short_number(beam_.source_axis_distance_mm) +
                       " mm: only C-arm and ring linacs with 1000 mm are modelled",
                   axis_distance);
    }

    void refuse_gantry_motion() const {
        bool moves = false, directed = false;
        for (std::size_t i = 0; i + 1 < points_.size(); ++i) {
            const bool directed_here = beam_.gantry_rotation[i] != Rotation::none;
            const bool turns = turned(points_[i].gantry_deg, points_[i + 1].gantry_deg);
            if (turns && !directed_here)
                refuse("the gantry moves from " + degrees(points_[i].gantry_deg) + " to " +
                           degrees(points_[i + 1].gantry_deg) + " in no given direction",
                       at(i) + ", " + gantry_direction,
                       "Say whether it turns clockwise or counter-clockwise");
            moves = moves || turns;
            directed = directed || directed_here;
        }
        if (directed && !moves)
            refuse("the gantry turns, but all its angles are the same: a full turn or none", gantry_direction,
                   "Plan an arc with control points along it, a static beam without a direction");
    }

    /// Between two control points collimator and couch take the shorter way; of half a turn there is none.
    void refuse_long_ways() const {
        for (std::size_t i = 1; i < points_.size(); ++i) {
            const auto half_turn = [&](double from_deg, double to_deg, const char* what, const char* tag) {
                if (std::abs(std::remainder(to_deg - from_deg, 360.0)) < 180 - same_deg) return;
                refuse(std::string("the ") + what + " turns from " + degrees(from_deg) + " to " +
                           degrees(to_deg) + ", half a turn: which way is not known",
                       at(i) + ", " + tag, "Plan a control point in between");
            };
            half_turn(points_[i - 1].collimator_deg, points_[i].collimator_deg, "collimator",
                      collimator_angle);
            half_turn(points_[i - 1].couch_deg, points_[i].couch_deg, "couch", couch_angle);
        }
    }

    /// Refuses a field without a limit. Where both axes have none, the one along which nothing moves is
    /// named: it is why the other has none.
    void refuse_unlimited_field(std::size_t point) const {
        using Motion = MultileafCollimator::Motion;
        const Limits limits(beam_, points_[point]);
        const bool x = limits.limited(Motion::along_x), y = limits.limited(Motion::along_y);
        if (x && y) return;
        const std::string axis = x || (!y && limits.any_device(Motion::along_x)) ? "y" : "x";
        refuse("the field is not limited in both directions: along " + axis +
                   " there are neither jaws, nor leaves over the whole width",
               at(point) + ", " + limiting_devices,
               "Jaws along " + axis +
                   ", or leaves beside each other as far as the field can be open, have to be in the plan");
    }

    /// Closed leaves leave their transmission; what comes through closed jaws, over the whole primary
    /// collimator, is not modelled.
    void refuse_closed_jaws() const {
        const auto closed = [](const std::optional<JawOpening>& jaw) {
            return jaw && !(jaw->upper_mm > jaw->lower_mm);
        };
        const auto shut = [&](const ControlPoint& point) {
            return closed(point.jaw_x) || closed(point.jaw_y);
        };
        if (std::all_of(points_.begin(), points_.end(), shut))
            refuse(
                "the jaws are closed in every control point: what comes through closed jaws alone is not "
                "modelled",
                jaw_positions, "Leave the beam out");
    }

    bool in(std::size_t point, std::size_t wedge) const { return points_[point].wedge_in[wedge]; }

    void refuse_wedges() const {
        for (std::size_t i = 0; i < points_.size(); ++i)
            if (const auto together =
                    std::count(points_[i].wedge_in.begin(), points_[i].wedge_in.end(), true);
                together > 1)
                refuse(std::to_string(together) + " wedges are IN at once", at(i) + ", " + wedge_positions);
        for (std::size_t w = 0; w < beam_.wedges.size(); ++w) {
            refuse_wedge_moves(w);
            const bool ever_in = std::any_of(points_.begin(), points_.end(),
                                             [&](const ControlPoint& point) { return point.wedge_in[w]; });
            if (ever_in && beam_.wedges[w].kind == Wedge::Kind::dynamic) refuse_sweep(beam_.wedges[w]);
        }
    }

    /// Only a motorised wedge goes in and out, and it does while the beam is off: at two control points of
    /// the same weight.
    void refuse_wedge_moves(std::size_t w) const {
        const Wedge& wedge = beam_.wedges[w];
        for (std::size_t i = 1; i < points_.size(); ++i) {
            if (in(i, w) == in(i - 1, w)) continue;
            const std::string where = at(i) + ", " + name_of(wedge) + ", " + wedge_position;
            if (wedge.kind != Wedge::Kind::motorised)
                refuse("a " + to_string(wedge.kind) + " wedge goes in or out within the beam", where);
            if (points_[i].cumulative_weight > points_[i - 1].cumulative_weight)
                refuse(
                    "the wedge goes in or out while meterset is given: how much of it goes through the wedge "
                    "is not known",
                    where, "The wedge has to move between two control points of the same weight");
        }
    }

    /// A jaw sweeps over the field, which the control points do not show: nothing else may move then.
    void refuse_sweep(const Wedge& wedge) const {
        const double to_y = std::abs(std::remainder(wedge.orientation_deg, 180.0));
        const bool along_y = to_y < same_deg, along_x = std::abs(to_y - 90) < same_deg;
        if (!along_x && !along_y)
            refuse("the direction of the dynamic wedge, " + degrees(wedge.orientation_deg) +
                       ", is not that of a jaw",
                   name_of(wedge) + ", " + wedge_direction);
        const ControlPoint& first = points_.front();
        if (!(along_y ? first.jaw_y : first.jaw_x))
            refuse("a dynamic wedge in a beam that has no " + std::string(along_y ? "y" : "x") +
                       " jaws to make it",
                   name_of(wedge) + ", " + wedge_type);
        for (const ControlPoint& point : points_)
            if (!same(point, first))
                refuse(
                    "a dynamic wedge in a beam whose gantry, table, jaws or leaves move: what moves when is "
                    "not known",
                    name_of(wedge) + ", " + wedge_type);
    }

    void refuse_several_apertures() const {
        int apertures = 0;
        for (const Block& block : beam_.blocks)
            if (block.aperture && ++apertures > 1)
                refuse("the beam has several apertures: whether they add or cut is not known",
                       "block " + std::to_string(block.number) + ", " + block_type,
                       "One aperture with shielding blocks says it");
    }

    static std::string name_of(const Wedge& wedge) { return "wedge " + std::to_string(wedge.number); }

    const Beam& beam_;
    const std::vector<ControlPoint>& points_;
};

}  // namespace

void require_modelled_meaning(const Beam& beam) { BeamMeaning(beam).require_modelled(); }

}  // namespace libdose
