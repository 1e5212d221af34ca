// What leaves and jaws leave open at a control point, pair by pair.
#pragma once

#include <vector>

#include "libdose/plan.h"

namespace libdose::check {

/// A gap up to this counts as closed: dynamic leaves keep one of about 0.5 mm, mm.
constexpr double closed_gap_mm = 0.5;

/// A pair of leaves at a control point. Positions along the leaves' motion, mm at the isocentre plane.
struct PairOpening {
    double lower_mm = 0, upper_mm = 0;  ///< leaf tips
    double open_mm = 0;                 ///< of the gap, what the jaws leave; 0: closed or under the jaws
    double open_lower_mm = 0, open_upper_mm = 0;  ///< its ends
    double width_mm = 0;                          ///< of the leaves, what the jaws leave; 0: under them
    bool under_jaws() const { return width_mm <= 0; }
    bool open() const { return open_mm > 0; }
    double gap_mm() const { return upper_mm - lower_mm; }
};

/// Openings of one multileaf collimator at a control point, in the order of its pairs.
std::vector<PairOpening> openings(const MultileafCollimator& mlc, const LeafPositions& leaves,
                                  const ControlPoint& point);

/// Area of an aperture, mm².
double area_mm2(const std::vector<PairOpening>& aperture);

/// Length of the leaf sides that see the beam, mm: along each boundary of two pairs, what is open on one side
/// of it only.
double side_length_mm(const std::vector<PairOpening>& aperture);

}  // namespace libdose::check
