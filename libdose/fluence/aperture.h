// The opening of the devices at one moment: jaws, leaves and blocks on the isocentre plane.
#pragma once

#include <optional>
#include <vector>

#include "fluence/fluence_map.h"
#include "fluence/leaf_bank.h"
#include "geometry/rect.h"
#include "libdose/beam_model.h"
#include "libdose/plan.h"
#include "machine/leaf_edges.h"

namespace libdose {

/// Rectangle of the isocentre plane that the jaws leave open within a radius.
Rect jaw_opening_mm(const ControlPoint& point, double radius_mm);

/// Bounding rectangle (isocentre plane) of what jaws and leaves leave open, within a radius; nullopt where
/// they leave nothing. Pairs of leaves that are at most `closed_mm` apart count as closed.
std::optional<Rect> opening_mm(const Beam& beam, const ControlPoint& point, double radius_mm,
                               double closed_mm = 0);

/// A multileaf collimator over the raster of a beam's maps: what does not change from one moment to another.
/// Its strips run along the travel: one for each pair, one for the jaws alone where no leaf is, and those
/// between pairs, where tongue and groove overlap.
struct BankOnRaster {
    std::size_t number = 0;  ///< place among the beam's collimators
    physics::LeafBank bank;
    bool along_x = true;
    bool with_jaw =
        true;  ///< the jaws that move along with the leaves count here: with the first such collimator
    int pairs = 0, between = 0;
    double tip_shift_mm = 0;
    int travel_size = 0, stack_size = 0;  ///< pixels
    double travel_lower_mm = 0, pixel_mm = 1;
    std::vector<int> first_share;  ///< [stack + 1]: the shares of strips in a row of pixels across them
    std::vector<physics::StripShare> shares;

    int strips() const { return pairs + 1 + between; }
    physics::Interval cell(int i) const {
        return {travel_lower_mm + i * pixel_mm, travel_lower_mm + i * pixel_mm + pixel_mm};
    }
    physics::Interval jaw(const ControlPoint& point) const;
    /// Tangents of the ends of every pair.
    std::vector<physics::Interval> leaves(const ControlPoint& point) const;
};

/// All devices of a beam over the raster of its maps.
struct DevicesOnRaster {
    DevicesOnRaster(const FluenceMap& map, const Beam& beam, const HeadModel& head,
                    const std::vector<LeafEdges>& edges);
    std::vector<BankOnRaster> banks;
    std::vector<float> blocks;  ///< transmission by pixel; empty without blocks
    double jaw_transmission;
    bool x_jaw_in_bank = false, y_jaw_in_bank = false;
};

/// The devices at a moment of the irradiation.
struct WeightedAperture {
    ControlPoint devices;
    double weight;  ///< MU × output
};

/// The jaws of a control point; wide open where there are none.
physics::Interval jaw_x_of(const ControlPoint& point);
physics::Interval jaw_y_of(const ControlPoint& point);

}  // namespace libdose
