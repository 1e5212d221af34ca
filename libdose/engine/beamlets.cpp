// Which squares of the isocentre plane become beamlets.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "fluence/aperture.h"
#include "geometry/coordinates.h"
#include "libdose/error.h"
#include "libdose/influence.h"

namespace libdose {

namespace {

bool same_geometry(const ControlPoint& a, const ControlPoint& b) {
    return a.gantry_deg == b.gantry_deg && a.collimator_deg == b.collimator_deg &&
           a.couch_deg == b.couch_deg && a.isocentre_mm == b.isocentre_mm && a.wedge_in == b.wedge_in;
}

/// Row and column of a square: it reaches from index × side to (index + 1) × side.
using Square = std::pair<int, int>;

std::set<Square> squares_of_opening(const Beam& beam, const ControlPoint& point, double radius_mm,
                                    double side_mm) {
    std::set<Square> squares;
    const auto open_part = opening_mm(beam, point, radius_mm);
    if (!open_part) return squares;
    const auto& box = *open_part;
    const auto index = [&](double x) { return static_cast<int>(std::floor(x / side_mm)); };
    for (int v = index(box.low_v_mm); v <= index(box.high_v_mm); ++v)
        for (int u = index(box.low_u_mm); u <= index(box.high_u_mm); ++u) {
            const double x = (u + 0.5) * side_mm, y = (v + 0.5) * side_mm;
            if (!(x > box.low_u_mm && x < box.high_u_mm && y > box.low_v_mm && y < box.high_v_mm)) continue;
            bool open = true;
            for (std::size_t m = 0; m < beam.collimators.size() && open; ++m) {
                const MultileafCollimator& mlc = beam.collimators[m];
                const bool along_x = mlc.motion == MultileafCollimator::Motion::along_x;
                const double across = along_x ? y : x, along = along_x ? x : y;
                const auto above =
                    std::upper_bound(mlc.leaf_boundaries_mm.begin(), mlc.leaf_boundaries_mm.end(), across);
                if (above == mlc.leaf_boundaries_mm.begin() || above == mlc.leaf_boundaries_mm.end())
                    continue;
                const auto pair = static_cast<std::size_t>(above - mlc.leaf_boundaries_mm.begin() - 1);
                open = along > point.leaves[m].lower_mm[pair] && along < point.leaves[m].upper_mm[pair];
            }
            if (open) squares.insert({v, u});
        }
    return squares;
}

std::set<Square> squares_of_target(const physics::BeamFrame& frame, const Volume<float>& target,
                                   double radius_mm, const BeamletOptions& options) {
    std::set<Square> squares;
    const Grid& grid = target.grid;
    const double voxel = 0.5 * grid.spacing_mm.norm();
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) {
                if (!(target.at(i, j, k) >= 0.5f)) continue;
                const auto p = frame.project(grid.centre_mm(i, j, k));
                const double around =
                    options.margin_mm + voxel * frame.source_axis_distance_mm / p.distance_mm;
                const auto index = [&](double x) {
                    return static_cast<int>(std::floor(x / options.side_mm));
                };
                for (int v = index(p.v_mm - around); v <= index(p.v_mm + around); ++v)
                    for (int u = index(p.u_mm - around); u <= index(p.u_mm + around); ++u)
                        if (std::hypot((u + 0.5) * options.side_mm, (v + 0.5) * options.side_mm) < radius_mm)
                            squares.insert({v, u});
            }
    return squares;
}

}  // namespace

std::vector<Beamlet> make_beamlets(const Plan& plan, const StructureSet* structures, const Grid& grid,
                                   const BeamModelProvider& models, const BeamletOptions& options) {
    if (!(options.side_mm >= 1 && options.side_mm <= 100))
        throw bad_input(
            "beamlets of " + short_number(options.side_mm) + " mm are not between 1 and 100 mm wide",
            "beamlets");
    if (!(options.margin_mm >= 0 && options.margin_mm <= 100))
        throw bad_input("the margin of " + short_number(options.margin_mm) +
                            " mm around the target is not between 0 and 100",
                        "beamlets");
    Volume<float> target;
    if (!options.target.empty()) {
        if (!structures)
            throw bad_input("there is no structure \"" + options.target + "\"", "target of the beamlets",
                            "Structures: none");
        target = coverage_mask(structures->named(options.target, "target of the beamlets"), grid);
    }
    std::vector<Beamlet> beamlets;
    for (std::size_t b = 0; b < plan.beams.size(); ++b) {
        const Beam& beam = plan.beams[b];
        const double radius = models(beam).head.maximum_field_radius_mm;
        for (std::size_t c = 0; c < beam.control_points.size(); ++c) {
            const ControlPoint& point = beam.control_points[c];
            const auto before = beam.control_points.begin() + static_cast<std::ptrdiff_t>(c);
            if (std::any_of(beam.control_points.begin(), before,
                            [&](const ControlPoint& other) { return same_geometry(other, point); }))
                continue;
            std::set<Square> squares;
            if (options.target.empty()) {
                for (const ControlPoint& other : beam.control_points)
                    if (same_geometry(other, point))
                        squares.merge(squares_of_opening(beam, other, radius, options.side_mm));
            } else {
                squares = squares_of_target(
                    physics::beam_frame(plan.position, point.gantry_deg, point.collimator_deg,
                                        point.couch_deg, point.isocentre_mm, beam.source_axis_distance_mm),
                    target, radius, options);
            }
            for (const auto& [v, u] : squares)
                beamlets.push_back({static_cast<int>(b), static_cast<int>(c), (u + 0.5) * options.side_mm,
                                    (v + 0.5) * options.side_mm});
        }
    }
    if (beamlets.empty())
        throw bad_input(
            "the plan has no beamlet",
            options.target.empty() ? "openings of plan " + plan.label : "target " + options.target,
            "Check jaws, target and the size of the beamlets");
    return beamlets;
}

}  // namespace libdose
