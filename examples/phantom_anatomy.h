// The thorax phantom: simple solids in patient coordinates (LPS, mm), isocentre at the target.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "libdose/grid.h"

namespace phantom {

using libdose::Vec3;

/// Elliptic solid: an ellipsoid, or a cylinder along z when its half axis along z is 0.
struct Solid {
    Vec3 centre, half_axes;
    bool contains(const Vec3& p) const;
    /// Half axes of the section at z, {0, 0} when it does not reach there.
    std::array<double, 2> section(double z) const;
};

struct Organ {
    std::string name, type;  ///< RT ROI Interpreted Type
    Solid solid;
    double hu;   ///< of the tissue; not used for target volumes that only mark a region
    bool fills;  ///< whether it has a density of its own
    std::array<int, 3> colour;
};

/// In the order in which they are painted: later ones win.
std::vector<Organ> organs();
Vec3 isocentre();
double target_radius();  ///< of the PTV, mm

inline const std::string target_name = "PTV";
inline const std::string bolus_name = "Bolus 5 mm";
/// Outline of a bolus of 5 mm on the front of the body above the target (x, y; mm), empty where z is beyond
/// its ends. It is not in the CT.
std::vector<std::array<double, 2>> bolus_outline(double z);

/// Hounsfield units at a point; soft tissue carries a small, deterministic texture.
double hounsfield(const Vec3& p);

}  // namespace phantom
