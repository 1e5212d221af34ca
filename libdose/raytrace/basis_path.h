// Path of a ray in units of the two basis materials.
#pragma once

namespace libdose::physics {

/// Line integrals of the two basis materials, g/cm².
struct BasisPath {
    double water = 0, high_z = 0;
};

}  // namespace libdose::physics
