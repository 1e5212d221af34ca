// From fitted parameters to a beam model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commissioning/least_squares.h"
#include "libdose/beam_model.h"
#include "libdose/kernels.h"
#include "libdose/measurement.h"

namespace libdose::commission {

/// What can be fitted. The order is that of the joint fit.
enum class Quantity {
    spectrum_tilt,      ///< power of the energy that the generic photon fluence is multiplied by
    spectrum_filter,    ///< water taken off (negative) or put on the generic spectrum, g/cm²
    spectrum_endpoint,  ///< factor on the energies, beside the ratio of the nominal ones
    extrafocal_amplitude,
    extrafocal_sigma,
    backscatter,  ///< to the monitor, relative to the generic model's
    spot_fwhm,
    electron_amplitude,    ///< relative to the generic model's
    electron_attenuation,  ///< relative to the generic model's
    electron_sigma,
    softening,  ///< relative to the generic model's
};

/// Start, bounds and prior of a quantity; the generic model is the prior.
Parameter parameter_for(Quantity quantity, const BeamModel& generic);

/// Makes models of one beam.
class ModelMaker {
public:
    /// `set` gives the energy, transmissions and, where measured, the primary fluence; `rates`: how many the
    /// cone kernel has.
    ModelMaker(const BeamModel& generic, const MeasurementSet& set, const PointKernels& kernels,
               const AttenuationTable& attenuation, int rates = 4);

    void set(Quantity quantity, double value) { values_[static_cast<std::size_t>(quantity)] = value; }
    double get(Quantity quantity) const { return values_[static_cast<std::size_t>(quantity)]; }

    /// Spectrum, cone kernel and head for the values as they stand; the rates of the kernel stay those of the
    /// last fit_rates().
    BeamModel model() const;
    /// Fits the rates of the cone kernel to the spectrum as it stands.
    void fit_rates();
    /// Radial profile of the open field as a detector in air reads it, 1 on the axis. Replaces the generic
    /// one.
    void set_open_field(std::vector<double> radius_mm, std::vector<double> value) {
        open_radius_ = std::move(radius_mm);
        open_value_ = std::move(value);
    }
    const std::vector<double>& open_radius_mm() const { return open_radius_; }
    const std::vector<double>& open_value() const { return open_value_; }

private:
    Spectrum spectrum() const;

    const BeamModel& generic_;
    const MeasurementSet& set_;
    const PointKernels& kernels_;
    const AttenuationTable& attenuation_;
    std::vector<double> values_, rates_, open_radius_, open_value_;
    double maximum_radius_mm_;
};

}  // namespace libdose::commission
