// Fits of what is put into the beam, to a model whose open fields are fitted already
// (docs/theory/commissioning.md).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "commissioning/least_squares.h"
#include "libdose/commission.h"
#include "libdose/leaf_design.h"

namespace libdose::commission {

/// What a fit of devices found; the model holds the values already.
struct DeviceFit {
    std::vector<FittedParameter> parameters;
    Eigen::MatrixXd correlation;          ///< of the parameters
    std::vector<CurveComparison> curves;  ///< both engines
    bool converged = true;
};

/// The design of the leaves that were measured; null where none were. Throws bad_input for leaves that
/// `designs` do not hold, for those of two designs, for openings that whole leaves do not make, and for gaps
/// without transmission of the leaves, without which a reading does not tell the offset.
const LeafDesign* measured_leaves(const MeasurementSet& set, const std::vector<LeafDesign>& designs);

/// Offset and transmission of the leaves from sweeping gaps, and offset from the widths of fields that they
/// shape, from 20 mm on. Every field of leaves is compared. Throws as measured_leaves.
DeviceFit fit_leaves(BeamModel& model, const MeasurementSet& set, const std::vector<LeafDesign>& designs,
                     const std::function<void(double)>& progress);

/// Thickness of physical and motorised wedges from their factors and profiles; the model is left with those
/// that were measured. Enhanced dynamic wedges are compared only. Throws bad_input where the model has no
/// wedge to start from.
DeviceFit fit_wedges(BeamModel& model, const MeasurementSet& set,
                     const std::function<void(double)>& progress);

/// Parameters with what least squares made of them.
std::vector<FittedParameter> fitted(const std::vector<Parameter>& parameters,
                                    const LeastSquaresResult& result);

}  // namespace libdose::commission
