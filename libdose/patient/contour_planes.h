// The planes that a structure is contoured on, and how far each reaches along z.
#pragma once

#include <utility>
#include <vector>

#include "libdose/structure.h"

namespace libdose {

struct ContourPlane {
    double z_mm = 0;
    double lower_mm = 0, upper_mm = 0;     ///< slab that the plane stands for along z
    std::vector<const Contour*> contours;  ///< all contours in this plane, at least three points each
};

struct ContourStack {
    std::vector<ContourPlane> planes;                ///< by ascending z
    std::vector<std::pair<double, double>> gaps_mm;  ///< z of the two planes on either side of a gap
};

/// Lower median of the distances between neighbouring planes; 0 with fewer than two planes.
double usual_plane_spacing_mm(const Structure& structure);

/// Groups the contours by plane and cuts the structure where planes are missing
/// (docs/reference/structures.md). `single_plane_mm` is the thickness of a single plane where the structure
/// set does not give one. Throws bad_input, naming the structure, on contours that are not axial or not
/// finite.
ContourStack stack_contours(const Structure& structure, double single_plane_mm);

}  // namespace libdose
