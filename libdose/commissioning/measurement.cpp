#include "libdose/measurement.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "libdose/error.h"

namespace libdose {

namespace {

constexpr std::pair<CurveKind, const char*> kinds[] = {
    {CurveKind::depth_dose, "depth_dose"},
    {CurveKind::tissue_phantom_ratio, "tpr"},
    {CurveKind::profile, "profile"},
    {CurveKind::output_factor, "output_factor"},
    {CurveKind::output_factor_in_air, "output_factor_in_air"},
    {CurveKind::primary_fluence, "primary_fluence"},
    {CurveKind::wedge_factor, "wedge_factor"},
    {CurveKind::leaf_gap, "leaf_gap"}};

[[noreturn]] void fail(const MeasuredCurve& curve, const std::string& problem,
                       const std::string& advice = {}) {
    throw bad_input(problem, curve.name + (curve.source.empty() ? "" : ", " + curve.source), advice);
}

bool is_output(CurveKind kind) {
    return kind == CurveKind::output_factor || kind == CurveKind::output_factor_in_air;
}
bool by_field(CurveKind kind) { return is_output(kind) || kind == CurveKind::wedge_factor; }

/// A rectangle of leaves within jaws that stand elsewhere.
void check_leaf_field(const MeasuredCurve& curve) {
    if (curve.kind != CurveKind::depth_dose && curve.kind != CurveKind::profile &&
        curve.kind != CurveKind::output_factor)
        fail(curve, "a " + to_string(curve.kind) + " of a field that leaves shape is not compared",
             "Known: depth doses, profiles and output factors in water");
    if (curve.wedge)
        fail(curve, "a field is behind a wedge and shaped by leaves",
             "Wedges are fitted to fields of the jaws");
    for (const auto& [jaw, axis] : {std::pair{curve.jaw_x_mm, "x"}, std::pair{curve.jaw_y_mm, "y"}})
        if (!(jaw > 0 && jaw <= 600))
            fail(curve,
                 std::string("the opening of the jaws along ") + axis + " is " + short_number(jaw) +
                     " mm, not between 0 and 600",
                 "Add a line such as \"# jaws: 100 x 100 mm\"");
    const auto within_jaws = [&](double x, double y) {
        for (const auto& [leaf, jaw, axis] :
             {std::tuple{x, curve.jaw_x_mm, "x"}, std::tuple{y, curve.jaw_y_mm, "y"}})
            if (leaf > jaw)
                fail(curve,
                     "the leaves are " + short_number(leaf) + " mm open along " + axis + ", the jaws " +
                         short_number(jaw) + " mm: the jaws would shape that side",
                     "Are both exchanged? State a field of the jaws without leaves");
    };
    if (curve.kind != CurveKind::output_factor) return within_jaws(curve.side_x_mm, curve.side_y_mm);
    if (curve.unity_of_leaves) within_jaws(curve.normalisation_mm, curve.normalisation_mm);
    for (std::size_t i = 0; i < curve.position_mm.size(); ++i)
        within_jaws(curve.position_mm[i], curve.side_y_of_mm[i]);
}

/// A curve behind a wedge that is fitted to or compared with.
void check_wedge(const MeasuredCurve& curve) {
    const MeasuredWedge& wedge = *curve.wedge;
    const bool enhanced = wedge.kind == "enhanced", profile = curve.kind == CurveKind::profile;
    if (wedge.kind == "virtual")
        fail(curve, "virtual wedges are not calculated: the constant of their dose has no published value",
             "Leave their files out");
    if (wedge.kind != "physical" && wedge.kind != "motorised" && !enhanced)
        fail(curve, "the wedge is \"" + wedge.kind + "\"", "It is physical, motorised or enhanced");
    if (!(wedge.angle_deg > 0 && wedge.angle_deg <= 75))
        fail(curve, "the angle of the wedge is not between 0 and 75 degrees");
    if (curve.kind != CurveKind::wedge_factor &&
        (enhanced || (curve.kind != CurveKind::depth_dose && !profile)))
        fail(curve, "a " + to_string(curve.kind) + " is not fitted to behind " + wedge.words(),
             "Known: wedge factors; depth doses and profiles behind physical and motorised wedges");
    if (profile && !wedge.orientation_deg)
        fail(curve, "where the thin end of the wedge is, is not stated",
             "Add it: \"# wedge: physical 60 degrees, thin end +y\"");
    if (profile && curve.axis == ProfileAxis::diagonal)
        fail(curve, "diagonals behind a wedge are not fitted to");
}

/// Readings of gaps of leaves that sweep a field.
void check_gaps(const MeasuredCurve& curve) {
    if (curve.leaves.empty())
        fail(curve, "the leaves are not stated",
             "Add a line such as \"# leaves: varian-millennium-120\"; dose model list has the names");
    if (!(curve.travel_mm >= 20 && curve.travel_mm <= 400))
        fail(curve, "the travel of the gap is not between 20 and 400 mm",
             "Add the way that the gap's middle goes, as \"# travel: 120 mm\"");
    if (curve.position_mm.front() < 0) fail(curve, "a gap is negative");
    if (curve.position_mm.back() > 0.5 * curve.travel_mm)
        fail(curve, "a gap is wider than half of its travel");
}

/// Wedges and leaves in the beam.
void check_device(const MeasuredCurve& curve) {
    if (curve.wedge)
        check_wedge(curve);
    else if (curve.kind == CurveKind::wedge_factor)
        fail(curve, "the wedge is not stated", "Add a line such as \"# wedge: physical 60 degrees\"");
    if (curve.shaped_by_leaves()) check_leaf_field(curve);
    if (curve.kind == CurveKind::leaf_gap) check_gaps(curve);
}

/// As many values as positions, and second sides for those kinds that are measured by field.
void check_shape(const MeasuredCurve& curve) {
    if (curve.position_mm.empty()) fail(curve, "the curve has no point");
    if (curve.value.size() != curve.position_mm.size())
        fail(curve, "there are not as many values as positions");
    const std::size_t second_sides = by_field(curve.kind) ? curve.position_mm.size() : 0;
    if (curve.side_y_of_mm.size() != second_sides)
        fail(curve, "the second sides of the fields are not as many as the first");
}

/// Points that are numbers, not negative, and ascend.
void check_points(const MeasuredCurve& curve) {
    for (std::size_t i = 0; i < curve.value.size(); ++i) {
        const std::string at = " at " + short_number(curve.position_mm[i]) + " mm";
        if (!std::isfinite(curve.position_mm[i])) fail(curve, "a position is not a number");
        if (!std::isfinite(curve.value[i])) fail(curve, "the value" + at + " is not a number");
        if (curve.value[i] < 0)
            fail(curve, "the value" + at + " is negative", "Take off the background, or leave the point out");
        if (i == 0) continue;
        const bool same = curve.position_mm[i] == curve.position_mm[i - 1] &&
                          (!by_field(curve.kind) || curve.side_y_of_mm[i] == curve.side_y_of_mm[i - 1]);
        if (same) fail(curve, "the position" + at + " is there twice", "Keep one of the two points");
        if (curve.position_mm[i] < curve.position_mm[i - 1]) fail(curve, "the positions do not ascend" + at);
    }
}

void require_within(const MeasuredCurve& curve, double value, const char* what, double smallest,
                    double largest) {
    if (!(value > smallest && value <= largest))
        fail(curve, std::string(what) + " is " + short_number(value) + " mm, not between " +
                        short_number(smallest) + " and " + short_number(largest));
}

/// Distances, field and depth of the set-up, as far as the kind has them.
void check_set_up(const MeasuredCurve& curve) {
    require_within(curve, curve.sad_mm, "the source-axis distance", 500, 2000);
    const bool has_field = !by_field(curve.kind) && curve.kind != CurveKind::primary_fluence;
    if (has_field) {
        require_within(curve, curve.side_x_mm, "the field's side along x", 0, 600);
        require_within(curve, curve.side_y_mm, "the field's side along y", 0, 600);
    }
    const bool at_depth = curve.kind == CurveKind::profile || curve.kind == CurveKind::output_factor ||
                          curve.kind == CurveKind::wedge_factor || curve.kind == CurveKind::leaf_gap;
    const bool has_surface = curve.kind == CurveKind::depth_dose || at_depth;
    if (has_surface) require_within(curve, curve.ssd_mm, "the source-surface distance", 300, 3000);
    if (at_depth) require_within(curve, curve.depth_mm, "the depth of the detector", 0, 1000);
}

/// Where the curve is 1, for the kinds that are relative to it.
void check_normalisation(const MeasuredCurve& curve) {
    if (curve.normalised && curve.normalisation_mm > 0) return;
    if (curve.kind == CurveKind::tissue_phantom_ratio)
        fail(curve, "the depth at which the ratio is 1 is not stated");
    if (is_output(curve.kind)) fail(curve, "the field whose output factor is 1 is not stated");
}

void check_curve(const MeasuredCurve& curve) {
    check_shape(curve);
    check_points(curve);
    check_set_up(curve);
    check_normalisation(curve);
    if (by_field(curve.kind))
        for (std::size_t i = 0; i < curve.value.size(); ++i) {
            require_within(curve, curve.position_mm[i], "a field's side along x", 0, 600);
            require_within(curve, curve.side_y_of_mm[i], "a field's side along y", 0, 600);
        }
    const bool from_zero = curve.kind == CurveKind::depth_dose ||
                           curve.kind == CurveKind::tissue_phantom_ratio ||
                           curve.kind == CurveKind::primary_fluence;
    if (from_zero && curve.position_mm.front() < 0) fail(curve, "a position is negative");
    check_device(curve);
}

/// The set-up and the dose per MU of the absolute measurement.
void check_absolute(const AbsoluteDose& absolute) {
    if (!(absolute.gy_per_mu > 1e-4 && absolute.gy_per_mu < 0.1))
        throw bad_input("the absolute dose is " + std::to_string(absolute.gy_per_mu) +
                            " Gy/MU, not between 0.0001 and 0.1",
                        "measurements");
    if (!(absolute.ssd_mm >= 500 && absolute.ssd_mm <= 2000 && absolute.depth_mm > 0 &&
          absolute.depth_mm < 400 && absolute.side_mm >= 20 && absolute.side_mm <= 400))
        throw bad_input("the set-up of the absolute dose is not one that can be calculated", "measurements",
                        "SSD 500 to 2000 mm, depth to 400 mm, side 20 to 400 mm");
}

void check_transmission(const char* what, const std::optional<double>& value) {
    if (value && !(*value >= 0 && *value <= 0.2))
        throw bad_input(std::string("the transmission of the ") + what + " is not between 0 and 0.2",
                        "measurements");
}

}  // namespace

std::string to_string(CurveKind kind) {
    for (const auto& [k, name] : kinds)
        if (k == kind) return name;
    return "";
}

CurveKind curve_kind_from_string(const std::string& text) {
    std::string known;
    for (const auto& [kind, name] : kinds) {
        if (text == name) return kind;
        known += (known.empty() ? "" : ", ") + std::string(name);
    }
    throw bad_input("unknown kind of measurement \"" + text + "\"", "", "Known: " + known);
}

std::string MeasuredWedge::words() const {
    return (kind == "enhanced" ? "enhanced dynamic" : kind) + " wedge " + short_number(angle_deg) +
           " degrees" + (id.empty() ? "" : " \"" + id + "\"");
}

std::string to_string(ProfileAxis axis) {
    return axis == ProfileAxis::crossplane ? "crossplane"
           : axis == ProfileAxis::inplane  ? "inplane"
                                           : "diagonal";
}

void MeasurementSet::check() const {
    if (curves.empty()) throw bad_input("there is no curve", "measurements");
    if (!(nominal_energy_mv >= 1 && nominal_energy_mv <= 50))
        throw bad_input("the nominal energy is not stated", "measurements", "Give --energy-mv");
    if (fluence_mode != "STANDARD" && fluence_mode != "FFF")
        throw bad_input("the fluence mode is not stated", "measurements",
                        "Give --fluence-mode STANDARD or FFF");
    std::set<std::string> names;
    for (const auto* list : {&curves, &device_curves})
        for (const MeasuredCurve& curve : *list) {
            check_curve(curve);
            if (curve.through_device() != (list == &device_curves))
                fail(curve, curve.through_device() ? "this is not of an open field of the jaws"
                                                   : "this is of an open field of the jaws");
            if (!names.insert(curve.name).second)
                fail(curve, "two curves are of the same quantity, field and depth", "Keep one of them");
        }
    check_transmission("jaw", jaw_transmission);
    check_transmission("leaf", leaf_transmission);
    if (absolute) check_absolute(*absolute);
}

}  // namespace libdose
