// Head model: from the devices of a beam to fluence maps.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/plan.h"
#include "physics/fluence.h"

namespace libdose::cpu {

/// Edges of the leaves of one multileaf collimator; as it stands, sharp and without overlap.
struct LeafEdges {
    double tip_decay = std::numeric_limits<double>::infinity();  ///< 1/sqrt(mm), physics::tip_decay
    double tongue_and_groove_mm = 0;
    double tip_shift_mm = 0;                       ///< tangents lie this much farther in the opening than the plan's positions
    std::optional<double> transmission;            ///< of the full leaf; absent: the head's
    std::optional<double> interleaf_transmission;  ///< between two closed leaves, in the width of tongue and groove
    std::optional<double> source_distance_mm;      ///< middle of the leaves; absent: as the jaws of the same axis
};

class TermaTable;

struct FluenceOptions {
    double pixel_mm = 1.0;
    double sub_arc_deg = 2.0;           ///< largest gantry, collimator or couch step that one map stands for, give or take a twentieth
    double travel_mm = 1.0;             ///< largest device travel between two samples of a moving aperture
    std::vector<LeafEdges> leaves;      ///< per collimator of the beam; empty: sharp
    const TermaTable* terma = nullptr;  ///< of the beam's spectrum; a beam with a wedge or a tray needs it
    std::function<void()> after_map;    ///< called after every map, by one thread at a time; may throw to stop
};

/// One map per geometry of the beam: all segments that share gantry, collimator, couch and isocentre are summed; a segment in
/// which one of them moves is cut into steps of at most sub_arc_deg, each with its own map at its middle. Values are
/// MU × relative fluence (FluenceMap). Devices move linearly with MU between control points. Throws refused_plan for a wedge that the
/// head does not hold.
std::vector<FluenceMap> beam_fluence(const Beam& beam, PatientPosition position, const HeadModel& head, const FluenceOptions& options);

/// Means over squares of n by n pixels from the lower corner on, [v][u]; what a square has beyond the map is zero.
std::vector<float> means_over_pixels(const FluenceMap& map, int n);

/// Smallest rectangle (mm) that holds every pixel that is not zero: {low u, high u, low v, high v}; empty map: all zero.
std::array<double, 4> support_mm(const FluenceMap& map);

/// What averages of a map are to lose along u and v: a variance, at the isocentre plane, by second differences between points so far apart.
struct Sharpening {
    double variance_u_mm2 = 0, variance_v_mm2 = 0;
    double distance_u_mm = 1, distance_v_mm = 1;
};

/// Box averages of a map in constant time, sharpened or as they are.
class FluenceIntegral {
public:
    explicit FluenceIntegral(const FluenceMap& map, const Sharpening& sharpening = {});
    /// Average over the rectangle centred on (u, v); parts outside the map count as zero. The variance that it loses grows with the square of the
    /// magnification.
    double average(double u_mm, double v_mm, double width_u_mm, double width_v_mm, double magnification = 1) const {
        return view().average(u_mm, v_mm, width_u_mm, width_v_mm, magnification);
    }
    physics::FluenceIntegralView view() const { return {size_u_, size_v_, pixel_mm_, lower_u_mm_, lower_v_mm_, sums_.data()}; }
    /// Running sums [v][u], one more than pixels along each axis. The raster reaches beyond the map's by what sharpening needs.
    const std::vector<physics::FluenceSums>& sums() const { return sums_; }
    /// Differences of large sums leave rounding noise where there is no fluence: what is below this is none.
    double noise() const { return noise_; }

private:
    int size_u_, size_v_;
    double pixel_mm_, lower_u_mm_, lower_v_mm_;
    std::vector<physics::FluenceSums> sums_;
    double noise_ = 0;
};

}  // namespace libdose::cpu
