// Fields that leaves shape or sweep, by the engine's own head.
#pragma once

#include <string>
#include <vector>

#include "commissioning/predict.h"
#include "libdose/leaf_design.h"
#include "libdose/plan.h"

namespace libdose::commission {

/// The same ends for every pair of leaves, mm at the isocentre plane.
LeafPositions all_pairs(const LeafDesign& design, double lower_mm, double upper_mm);

/// A rectangle about the axis. Pairs beside it are closed, their ends behind the jaw. Throws bad_input, at
/// `where`, unless leaves end at its sides along y.
LeafPositions rectangle_of_leaves(const LeafDesign& design, double side_x_mm, double side_y_mm,
                                  double jaw_x_mm, const std::string& where);

/// One MU through jaws (opening along x and y) while the leaves go from one place to another.
FluenceMap field_of_leaves(const BeamModel& model, const LeafDesign& design, double jaw_x_mm, double jaw_y_mm,
                           double sad_mm, const LeafPositions& first, const LeafPositions& last);

/// Values of some points of curves whose fields leaves shape, as the curves are normalised: depth doses to
/// the measurement at 100 mm, profiles to it around the axis, output factors at the field of leaves or jaws
/// that is 1.
std::vector<std::vector<double>> predict_leaf_fields(const BeamModel& model, const LeafDesign& design,
                                                     const std::vector<CurvePoints>& curves,
                                                     Algorithm algorithm);

}  // namespace libdose::commission
