// Report of how the contours of a structure were understood (docs/reference/structures.md).
#pragma once

#include <cstddef>

#include "libdose/structure.h"

namespace libdose {

/// Volumes in cm³. z of the first and the last plane where it happens, mm.
struct ContourReport {
    double covered_cm3 = 0;  ///< volume of the structure
    double filled_cm3 = 0;   ///< the same without holes
    /// Enclosed by outlines and yet outside, and no hole: areas that one contour goes round twice, and copies
    /// and overlaps of xor_contours.
    double lost_cm3 = 0;

    struct Finding {
        std::size_t count = 0;  ///< contours, of overlaps: planes
        double first_z_mm = 0, last_z_mm = 0;
    };
    Finding copies, overlaps, crossings;
    double overlap_cm3 = 0;  ///< that overlapping parts share
};

/// `single_plane_mm` as for stack_contours(), which also says what is thrown.
ContourReport report_contours(const Structure& structure, double single_plane_mm);

}  // namespace libdose
