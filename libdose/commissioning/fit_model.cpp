#include "commissioning/fit_model.h"

#include <algorithm>
#include <cmath>

#include "fluence/head_equations.h"
#include "libdose/error.h"

namespace libdose::commission {

Parameter parameter_for(Quantity quantity, const BeamModel& generic) {
    const ExtrafocalSource& extrafocal = generic.head.extrafocal;
    switch (quantity) {
        case Quantity::spectrum_tilt:
            return {"spectrum tilt", "power of the energy", 0, -2.5, 2.5, 0, 0.7, 0.05};
        case Quantity::spectrum_filter:
            return {"spectrum filter", "g/cm2 of water", 0, -40, 60, 0, 10, 0.5};
        case Quantity::spectrum_endpoint:
            return {"spectrum endpoint", "of the nominal energy's", 1, 0.75, 1.3, 1, 0.08, 0.01};
        case Quantity::extrafocal_amplitude:
            return {"extrafocal amplitude",
                    "of the focal source",
                    extrafocal.amplitude,
                    0,
                    0.3,
                    extrafocal.amplitude,
                    0.04,
                    0.005};
        case Quantity::extrafocal_sigma:
            return {"extrafocal width",
                    "mm, one standard deviation",
                    extrafocal.sigma_mm,
                    4,
                    80,
                    extrafocal.sigma_mm,
                    10,
                    1};
        case Quantity::backscatter:
            return {"monitor backscatter", "of the generic model's", 1, 0, 5, 1, 1, 0.1};
        case Quantity::spot_fwhm:
            return {"focal spot", "mm FWHM", generic.head.spot_fwhm_x_mm, 0.2, 8, generic.head.spot_fwhm_x_mm,
                    1.5,          0.1};
        case Quantity::electron_amplitude:
            return {"electron amplitude", "of the generic model's", 1, 0, 5, 1, 0.5, 0.05};
        case Quantity::electron_attenuation:
            return {"electron attenuation", "of the generic model's", 1, 0.3, 4, 1, 0.3, 0.05};
        case Quantity::electron_sigma:
            return {"electron width",
                    "mm, one standard deviation",
                    generic.head.electrons.sigma_mm,
                    10,
                    200,
                    generic.head.electrons.sigma_mm,
                    30,
                    3};
        case Quantity::softening:
            return {"off-axis softening", "of the generic model's", 1, 0, 2.5, 1, 0.4, 0.05};
    }
    throw internal_error("a quantity without bounds", "commissioning");
}

ModelMaker::ModelMaker(const BeamModel& generic, const MeasurementSet& set, const PointKernels& kernels,
                       const AttenuationTable& attenuation, int rates)
    : generic_(generic),
      set_(set),
      kernels_(kernels),
      attenuation_(attenuation),
      rates_(make_cone_kernel(generic.spectrum, kernels, start_rates(generic.nominal_energy_mv, rates), true)
                 .rates_cm2_g),
      maximum_radius_mm_(generic.head.maximum_field_radius_mm) {
    for (int q = 0; q <= static_cast<int>(Quantity::softening); ++q)
        values_.push_back(parameter_for(static_cast<Quantity>(q), generic).value);
    const auto measured = std::find_if(set.curves.begin(), set.curves.end(), [](const MeasuredCurve& curve) {
        return curve.kind == CurveKind::primary_fluence;
    });
    if (measured == set.curves.end()) return;
    open_radius_ = measured->position_mm;
    open_value_ = measured->value;
    const double axis = physics::table_value(open_radius_, open_value_, 0);
    for (double& value : open_value_) value /= axis;
    // The field ends where the primary collimator lets less than a tenth through; a set that stops before
    // keeps the generic radius.
    constexpr double closed = 0.1;
    const auto end =
        std::find_if(open_value_.begin(), open_value_.end(), [](double value) { return value < closed; });
    if (end != open_value_.end()) {
        const auto n = static_cast<std::size_t>(end - open_value_.begin());
        maximum_radius_mm_ = open_radius_[n];
        open_radius_.resize(n + 1);
        open_value_.resize(n + 1);
    }
    if (open_radius_.front() > 0) {
        open_radius_.insert(open_radius_.begin(), 0.0);
        open_value_.insert(open_value_.begin(), 1.0);
    }
}

Spectrum ModelMaker::spectrum() const {
    const Spectrum& generic = generic_.spectrum;
    // There are no kernels beyond their highest energy, and a little below it for rounding.
    const double highest = 0.9999 * kernels_.energy_mev.back() / generic.energy_mev.back();
    const double stretch = std::min(
        highest, get(Quantity::spectrum_endpoint) * set_.nominal_energy_mv / generic_.nominal_energy_mv);
    std::vector<double> energy, fluence;
    double mean = 0;
    for (std::size_t e = 0; e < generic.energy_mev.size(); ++e)
        mean += generic.energy_mev[e] * generic.fluence[e];
    const double tilt = get(Quantity::spectrum_tilt), filter = get(Quantity::spectrum_filter);
    double sum = 0;
    for (std::size_t e = 0; e < generic.energy_mev.size(); ++e) {
        energy.push_back(stretch * generic.energy_mev[e]);
        // The axis' attenuation is taken out of the filter, which only changes the shape.
        fluence.push_back(generic.fluence[e] * std::exp(tilt * std::log(generic.energy_mev[e] / mean) -
                                                        filter * (generic.mu_water_cm2_g[e] - 0.05)));
        sum += fluence.back();
    }
    for (double& value : fluence) value /= sum;
    return make_spectrum(energy, fluence, attenuation_);
}

BeamModel ModelMaker::model() const {
    BeamModel model = generic_;
    model.nominal_energy_mv = set_.nominal_energy_mv;
    model.fluence_mode = set_.fluence_mode;
    model.machine = set_.machine;
    model.content_hash.clear();
    model.spectrum = spectrum();
    model.cone_kernel = make_cone_kernel(model.spectrum, kernels_, rates_, false);
    HeadModel& head = model.head;
    head.extrafocal.amplitude = get(Quantity::extrafocal_amplitude);
    head.extrafocal.sigma_mm = get(Quantity::extrafocal_sigma);
    head.monitor_backscatter_x *= get(Quantity::backscatter);
    head.monitor_backscatter_y *= get(Quantity::backscatter);
    head.spot_fwhm_x_mm = head.spot_fwhm_y_mm = get(Quantity::spot_fwhm);
    head.electrons.amplitude_gy_cm2 *= get(Quantity::electron_amplitude);
    head.electrons.attenuation_cm2_g *= get(Quantity::electron_attenuation);
    head.electrons.sigma_mm = get(Quantity::electron_sigma);
    for (double& value : head.softening_g_cm2) value *= get(Quantity::softening);
    head.maximum_field_radius_mm = maximum_radius_mm_;
    if (set_.jaw_transmission) head.jaw_transmission = *set_.jaw_transmission;
    if (set_.leaf_transmission) head.leaf_transmission = *set_.leaf_transmission;
    head.output_side_mm.clear();
    head.output_correction.clear();
    // Measured is the focal source with the extrafocal one, which the open head does not hide.
    if (!open_value_.empty()) {
        const double a = head.extrafocal.amplitude;
        head.profile_radius_mm = open_radius_;
        head.profile.clear();
        for (const double value : open_value_) head.profile.push_back(std::max(0.0, value * (1 + a) - a));
    }
    return model;
}

void ModelMaker::fit_rates() { rates_ = make_cone_kernel(spectrum(), kernels_, rates_, true).rates_cm2_g; }

}  // namespace libdose::commission
