// One beam of an RT Plan: DICOM PS3.3 C.8.8.14. Devices are matched by their type and values that a control
// point leaves out are those of the control point before.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "io/dicom/dicom_plan_parts.h"

namespace libdose::io {
namespace {

constexpr double leaf_overlap_mm = 0.01;   // rounding in the file: taken as closed
constexpr double weight_tolerance = 1e-4;  // part of the final weight: rounding of its decimal string
constexpr double same_angle_deg = 1e-6;
constexpr double angle_rounding_deg = 0.01;  // in the file: moves a point 200 mm from the axis by 0.03 mm

const char* const carry_advice = "It has to be in the first control point, from which the others take it";

struct Device {
    enum class Kind { jaw_x, jaw_y, collimator };
    std::string type;
    Kind kind = Kind::jaw_x;
    std::size_t collimator = 0;  ///< index in Beam::collimators
    std::size_t pairs = 1;
    bool positioned = false;  ///< a position was given at or before the current control point
};

Device::Kind kind_of(const std::string& type, const DicomItem& item) {
    if (type == "X" || type == "ASYMX") return Device::Kind::jaw_x;
    if (type == "Y" || type == "ASYMY") return Device::Kind::jaw_y;
    if (type == "MLCX" || type == "MLCY" || type == "MLCX1" || type == "MLCX2")
        return Device::Kind::collimator;
    throw refused_plan("the beam limiting device type " + type + " is not modelled",
                       item.at(DCM_RTBeamLimitingDeviceType));
}

const std::vector<DcmTagKey> words_of_a_beam{
    DCM_BeamName,          DCM_BeamDescription,      DCM_TreatmentMachineName, DCM_ManufacturerModelName,
    DCM_UserContentLabel,  DCM_UserContentLongLabel, DCM_EntityLabel,          DCM_EntityName,
    DCM_EntityDescription, DCM_EntityLongLabel};

/// The first text of an item that speaks of a beam without flattening filter; empty when there is none.
std::string words_of_no_filter(const DicomItem& item, const std::vector<DcmTagKey>& tags) {
    for (const DcmTagKey& tag : tags) {
        const std::string text = item.text_or_empty(tag), lower = lower_case(text);
        for (const char* words : {"fff", "filter free", "filter-free", "filterfree", "unflattened",
                                  "no flattening", "without flattening"})
            if (lower.find(words) != std::string::npos) return text;
    }
    return {};
}

class BeamReader {
public:
    BeamReader(const DicomItem& item, std::vector<std::string>& notes) : item_(item), notes_(notes) {}

    Beam read() {
        beam_.number = item_.integer(DCM_BeamNumber);
        beam_.name = item_.text_or_empty(DCM_BeamName);
        beam_.machine = item_.text_or_empty(DCM_TreatmentMachineName);
        beam_.manufacturer =
            item_.text_or_empty(DCM_Manufacturer);  // the file's own would be that of the planning system
        beam_.machine_model = item_.text_or_empty(DCM_ManufacturerModelName);
        beam_.source_axis_distance_mm = item_.number(DCM_SourceAxisDistance);
        if (beam_.source_axis_distance_mm <= 0)
            throw bad_input("the distance is not positive", item_.at(DCM_SourceAxisDistance));
        read_fluence_mode();
        read_devices();
        read_control_points();
        read_gantry_motion();
        read_accessories(item_, beam_, notes_);
        return std::move(beam_);
    }

private:
    void read_fluence_mode() {
        const auto modes = item_.items(DCM_PrimaryFluenceModeSequence, "fluence mode");
        if (modes.size() > 1)
            throw refused_plan("several fluence modes in one beam", item_.at(DCM_PrimaryFluenceModeSequence));
        const std::string mode = modes.empty() ? "" : modes.front().text(DCM_FluenceMode);
        if (mode == "NON_STANDARD") {
            read_fluence_mode_id(modes.front());
            return;
        }
        if (!mode.empty() && mode != "STANDARD")
            throw refused_plan("the fluence mode " + mode + " is not known",
                               modes.front().at(DCM_FluenceMode));
        std::string text = words_of_no_filter(item_, words_of_a_beam);
        if (text.empty() && !modes.empty()) text = words_of_no_filter(modes.front(), {DCM_FluenceModeID});
        if (!text.empty())
            notes_.push_back(item_.place() + ": '" + text +
                             "' speaks of a beam without flattening filter (FFF), but the plan " +
                             (mode.empty() ? "gives no fluence mode" : "gives the fluence mode STANDARD") +
                             ": calculated as STANDARD, with a flattening filter");
    }

    /// The ID is free text: what speaks of FFF is FFF, anything else must be a fluence mode of a beam model.
    void read_fluence_mode_id(const DicomItem& mode) {
        const std::string id = mode.text(DCM_FluenceModeID);
        const bool free = !words_of_no_filter(mode, {DCM_FluenceModeID}).empty();
        beam_.fluence_mode = free ? "FFF" : id;
        if (beam_.fluence_mode != id)
            notes_.push_back(item_.place() + ": the fluence mode '" + id + "' is taken as FFF");
    }

    void read_devices() {
        const auto in_vain = jaws_declared_in_vain(item_, notes_);
        for (const DicomItem& device : item_.items(DCM_BeamLimitingDeviceSequence, "beam limiting device")) {
            Device entry;
            entry.type = device.text(DCM_RTBeamLimitingDeviceType);
            entry.kind = kind_of(entry.type, device);
            if (std::find(in_vain.begin(), in_vain.end(), entry.type) != in_vain.end()) continue;
            for (const Device& other : devices_) {
                const bool same_jaws = entry.kind != Device::Kind::collimator && entry.kind == other.kind;
                if (other.type == entry.type || same_jaws)
                    throw refused_plan("the beam has both the devices " + other.type + " and " + entry.type,
                                       device.at(DCM_RTBeamLimitingDeviceType));
            }
            const int pairs = device.integer(DCM_NumberOfLeafJawPairs);
            const bool leaves = entry.kind == Device::Kind::collimator;
            if (pairs < 1 || (!leaves && pairs != 1))
                throw bad_input("the device " + entry.type + " has " + std::to_string(pairs) + " pairs",
                                device.at(DCM_NumberOfLeafJawPairs));
            entry.pairs = static_cast<std::size_t>(pairs);
            if (leaves) entry.collimator = read_collimator(device, entry);
            devices_.push_back(entry);
        }
    }

    std::size_t read_collimator(const DicomItem& device, const Device& entry) {
        MultileafCollimator collimator;
        collimator.type = entry.type;
        collimator.motion = entry.type == "MLCY" ? MultileafCollimator::Motion::along_y
                                                 : MultileafCollimator::Motion::along_x;
        collimator.leaf_boundaries_mm = device.numbers(DCM_LeafPositionBoundaries, entry.pairs + 1);
        const auto& edges = collimator.leaf_boundaries_mm;
        for (std::size_t i = 1; i < edges.size(); ++i)
            if (edges[i] <= edges[i - 1])
                throw bad_input("the leaf boundaries of " + entry.type + " do not ascend at leaf pair " +
                                    std::to_string(i),
                                device.at(DCM_LeafPositionBoundaries));
        beam_.collimators.push_back(std::move(collimator));
        return beam_.collimators.size() - 1;
    }

    void read_control_points() {
        const auto points = item_.items(DCM_ControlPointSequence, "control point");
        const int declared = item_.integer(DCM_NumberOfControlPoints);
        if (declared != static_cast<int>(points.size()))
            throw bad_input("the beam says " + std::to_string(declared) + " control points and holds " +
                                std::to_string(points.size()),
                            item_.at(DCM_NumberOfControlPoints));
        if (points.size() < 2)
            throw bad_input("fewer than two control points", item_.at(DCM_ControlPointSequence));
        current_.leaves.resize(beam_.collimators.size());
        for (std::size_t i = 0; i < points.size(); ++i) {
            const DicomItem point = points[i].renamed(item_.place() + ", control point " + std::to_string(i));
            const int index = point.integer(DCM_ControlPointIndex);
            if (index != static_cast<int>(i))
                throw bad_input("the control point at position " + std::to_string(i) + " has the index " +
                                    std::to_string(index),
                                point.at(DCM_ControlPointIndex));
            update(point, i == 0);
            beam_.control_points.push_back(current_);
            beam_.gantry_rotation.push_back(gantry_);
            if (i > 0) check_motion(point, beam_.control_points[i - 1]);
            previous_collimator_direction_ = collimator_direction_;
            previous_couch_direction_ = couch_direction_;
        }
        check_weights();
    }

    /// Brings current_ from the previous control point to this one.
    void update(const DicomItem& point, bool first) {
        read_energy(point, first);
        carry(point, DCM_GantryAngle, current_.gantry_deg, first);
        carry(point, DCM_BeamLimitingDeviceAngle, current_.collimator_deg, first);
        carry(point, DCM_PatientSupportAngle, current_.couch_deg, first);
        carry(point, DCM_GantryRotationDirection, gantry_);
        carry(point, DCM_BeamLimitingDeviceRotationDirection, collimator_direction_);
        carry(point, DCM_PatientSupportRotationDirection, couch_direction_);
        if (const auto isocentre = point.optional_numbers(DCM_IsocenterPosition);
            !isocentre.empty() || first) {
            const auto xyz = point.numbers(DCM_IsocenterPosition, 3);
            current_.isocentre_mm = Vec3(xyz[0], xyz[1], xyz[2]);
        }
        read_positions(point);
        for (const Device& device : devices_)
            if (!device.positioned)
                throw refused_plan("no position of the device " + device.type + " of this beam",
                                   point.at(DCM_BeamLimitingDevicePositionSequence), carry_advice);
        current_.cumulative_weight = point.number(DCM_CumulativeMetersetWeight);
    }

    void read_energy(const DicomItem& point, bool first) {
        const auto energy =
            first ? point.number(DCM_NominalBeamEnergy) : point.optional_number(DCM_NominalBeamEnergy);
        if (!energy) return;
        if (*energy <= 0) throw bad_input("the energy is not positive", point.at(DCM_NominalBeamEnergy));
        if (!first && *energy != beam_.nominal_energy_mv)
            throw refused_plan("the energy changes within the beam to " + point.text(DCM_NominalBeamEnergy),
                               point.at(DCM_NominalBeamEnergy));
        beam_.nominal_energy_mv = *energy;
    }

    static void carry(const DicomItem& point, DcmTagKey tag, double& value, bool first) {
        const auto given = point.optional_number(tag);
        if (!given && first) throw refused_plan("no value to begin with", point.at(tag), carry_advice);
        if (given) value = *given;
    }

    static void carry(const DicomItem& point, DcmTagKey tag, Rotation& rotation) {
        const auto given = point.optional_text(tag);
        if (!given) return;
        if (*given == "NONE")
            rotation = Rotation::none;
        else if (*given == "CW")
            rotation = Rotation::clockwise;
        else if (*given == "CC")
            rotation = Rotation::counter_clockwise;
        else
            throw bad_input("the rotation direction '" + *given + "' is none of NONE, CW, CC", point.at(tag));
    }

    void read_positions(const DicomItem& point) {
        std::vector<std::string> seen;
        for (const DicomItem& item : point.items(DCM_BeamLimitingDevicePositionSequence, "device position")) {
            const std::string type = item.text(DCM_RTBeamLimitingDeviceType);
            const auto device = std::find_if(devices_.begin(), devices_.end(),
                                             [&](const Device& d) { return d.type == type; });
            if (device == devices_.end())
                throw bad_input("a position of " + type + ", which the beam does not declare",
                                item.at(DCM_RTBeamLimitingDeviceType));
            if (std::find(seen.begin(), seen.end(), type) != seen.end())
                throw bad_input("two positions of " + type + " in one control point",
                                item.at(DCM_RTBeamLimitingDeviceType));
            seen.push_back(type);
            set_positions(*device, item.numbers(DCM_LeafJawPositions, 2 * device->pairs), item);
            device->positioned = true;
        }
    }

    void set_positions(const Device& device, const std::vector<double>& values, const DicomItem& item) {
        const auto half = values.begin() + static_cast<std::ptrdiff_t>(device.pairs);
        LeafPositions leaves{{values.begin(), half}, {half, values.end()}};
        for (std::size_t i = 0; i < device.pairs; ++i) {
            double &lower = leaves.lower_mm[i], &upper = leaves.upper_mm[i];
            if (lower > upper + leaf_overlap_mm)
                throw bad_input(device.type + " crosses at pair " + std::to_string(i + 1) + ": " +
                                    std::to_string(lower) + " to " + std::to_string(upper) + " mm",
                                item.at(DCM_LeafJawPositions));
            if (lower > upper) lower = upper = 0.5 * (lower + upper);
        }
        const JawOpening opening{leaves.lower_mm[0], leaves.upper_mm[0]};
        if (device.kind == Device::Kind::jaw_x)
            current_.jaw_x = opening;
        else if (device.kind == Device::Kind::jaw_y)
            current_.jaw_y = opening;
        else
            current_.leaves[device.collimator] = std::move(leaves);
    }

    /// Way from a to b by the shorter side, -180 < way <= 180.
    static double shorter_way_deg(double a, double b) {
        const double way = std::remainder(b - a, 360.0);
        return way <= -180 ? 180 : way;
    }

    /// Between two control points collimator and couch are taken the shorter way round: the plan must mean
    /// the same.
    void check_motion(const DicomItem& point, const ControlPoint& before) const {
        const auto check = [&](double a, double b, Rotation direction, DcmTagKey tag) {
            const double way = shorter_way_deg(a, b);
            const bool against = (direction == Rotation::clockwise && way < 0) ||
                                 (direction == Rotation::counter_clockwise && way > 0);
            if (std::abs(way) >= 180 || (against && std::abs(way) > angle_rounding_deg))
                throw refused_plan("the rotation from " + std::to_string(a) + " to " + std::to_string(b) +
                                       " degrees is not the shorter way",
                                   point.at(tag),
                                   "Motion by more than half a turn between control points is not modelled");
        };
        check(before.collimator_deg, current_.collimator_deg, previous_collimator_direction_,
              DCM_BeamLimitingDeviceAngle);
        check(before.couch_deg, current_.couch_deg, previous_couch_direction_, DCM_PatientSupportAngle);
    }

    /// Directions only where the gantry turns, angles equal where it stands. Beam::check() refuses motion
    /// without a direction, and a direction without motion unless the beam is STATIC: then the gantry stands.
    void read_gantry_motion() {
        auto& points = beam_.control_points;
        bool moves = false, directed = false;
        for (std::size_t i = 0; i + 1 < points.size(); ++i) {
            const Rotation rotation = beam_.gantry_rotation[i];
            const double way = std::abs(shorter_way_deg(points[i].gantry_deg, points[i + 1].gantry_deg));
            const bool turns = way > (rotation == Rotation::none ? angle_rounding_deg : same_angle_deg);
            directed = directed || rotation != Rotation::none;
            moves = moves || turns;
            if (!turns) points[i + 1].gantry_deg = points[i].gantry_deg;
        }
        const bool stands = directed && !moves && item_.text_or_empty(DCM_BeamType) == "STATIC";
        for (std::size_t i = 0; i < points.size(); ++i) {
            const bool last = i + 1 == points.size();
            const bool turns = !last && points[i].gantry_deg != points[i + 1].gantry_deg;
            if (last || stands || (moves && !turns)) beam_.gantry_rotation[i] = Rotation::none;
        }
        if (stands)
            notes_.push_back(item_.place() +
                             ": gives a direction of gantry rotation, but is STATIC and all its angles are "
                             "the same: the gantry stands");
    }

    void check_weights() {
        const auto& points = beam_.control_points;
        const std::string where = item_.at(DCM_CumulativeMetersetWeight);
        if (points.front().cumulative_weight != 0)
            throw bad_input(
                "the first weight is " + std::to_string(points.front().cumulative_weight) + ", not 0", where);
        for (std::size_t i = 1; i < points.size(); ++i)
            if (points[i].cumulative_weight < points[i - 1].cumulative_weight)
                throw bad_input("the weight decreases at control point " + std::to_string(i), where);
        const double last = points.back().cumulative_weight,
                     final_weight = item_.number(DCM_FinalCumulativeMetersetWeight);
        if (last <= 0 || final_weight <= 0)
            throw bad_input("the final weight is not positive", item_.at(DCM_FinalCumulativeMetersetWeight));
        if (std::abs(last - final_weight) > weight_tolerance * final_weight)
            throw bad_input("the final weight is " + std::to_string(final_weight) +
                                ", but the last control point has " + std::to_string(last),
                            item_.at(DCM_FinalCumulativeMetersetWeight));
        beam_.final_cumulative_weight = last;  // so that the segments add up to the meterset
    }

    const DicomItem& item_;
    std::vector<std::string>& notes_;
    Beam beam_;
    std::vector<Device> devices_;
    ControlPoint current_;
    Rotation gantry_ = Rotation::none, collimator_direction_ = Rotation::none,
             couch_direction_ = Rotation::none;
    Rotation previous_collimator_direction_ = Rotation::none, previous_couch_direction_ = Rotation::none;
};

}  // namespace

Beam read_beam(const DicomItem& item, std::vector<std::string>& notes) {
    return BeamReader(item, notes).read();
}

}  // namespace libdose::io
