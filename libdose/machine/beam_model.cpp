#include "libdose/beam_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "libdose/error.h"

namespace libdose {

namespace {

class Checker {
public:
    explicit Checker(const std::string& model) : where_("beam model " + model) {}

    [[noreturn]] void fail(const std::string& quantity, const std::string& problem) const {
        throw bad_input(quantity + " " + problem, where_);
    }

    void size(const char* quantity, const std::vector<double>& values, std::size_t expected) const {
        if (values.size() != expected)
            fail(quantity,
                 "has " + std::to_string(values.size()) + " values, not " + std::to_string(expected));
    }
    void finite(const char* quantity, const std::vector<double>& values) const {
        if (values.empty()) fail(quantity, "is empty");
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!std::isfinite(values[i])) fail(quantity, "is not finite at element " + std::to_string(i));
    }
    void at_least(const char* quantity, const std::vector<double>& values, double least) const {
        finite(quantity, values);
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i] < least)
                fail(quantity, "is " + std::to_string(values[i]) + " at element " + std::to_string(i) +
                                   ", below " + std::to_string(least));
    }
    void ascending(const char* quantity, const std::vector<double>& values) const {
        finite(quantity, values);
        for (std::size_t i = 1; i < values.size(); ++i)
            if (!(values[i] > values[i - 1]))
                fail(quantity, "does not ascend at element " + std::to_string(i));
    }
    void between(const char* quantity, double value, double low, double high) const {
        if (!(value >= low && value <= high))
            fail(quantity, "is " + std::to_string(value) + ", not between " + std::to_string(low) + " and " +
                               std::to_string(high));
    }

private:
    std::string where_;
};

void check_head(const Checker& check, const HeadModel& head) {
    check.between("head/spot_fwhm_x_mm", head.spot_fwhm_x_mm, 0, 20);
    check.between("head/spot_fwhm_y_mm", head.spot_fwhm_y_mm, 0, 20);
    check.between("head/source_collimator_distance_mm", head.source_collimator_distance_mm, 50, 950);
    check.between("head/jaw_transmission", head.jaw_transmission, 0, 1);
    check.between("head/leaf_transmission", head.leaf_transmission, 0, 1);
    check.between("head/leaf_offset_mm", head.leaf_offset_mm, head.leaf_design.empty() ? 0 : -3,
                  head.leaf_design.empty() ? 0 : 3);
    check.between("head/maximum_field_radius_mm", head.maximum_field_radius_mm, 1, 500);
    check.ascending("head/profile_radius_mm", head.profile_radius_mm);
    check.between("head/profile_radius_mm, first value,", head.profile_radius_mm.front(), 0, 0);
    check.at_least("head/profile", head.profile, 0);
    check.size("head/profile", head.profile, head.profile_radius_mm.size());
    check.between("head/jaw_x_distance_mm", head.jaw_x_distance_mm, 100, 900);
    check.between("head/jaw_y_distance_mm", head.jaw_y_distance_mm, 100, 900);
    const auto table = [&](const char* x_name, const std::vector<double>& x, const char* y_name,
                           const std::vector<double>& y) {
        if (!x.empty()) check.ascending(x_name, x);
        if (!y.empty()) check.finite(y_name, y);
        check.size(y_name, y, x.size());
    };
    table("head/softening_radius_mm", head.softening_radius_mm, "head/softening_g_cm2", head.softening_g_cm2);
    for (const double value : head.softening_g_cm2) check.between("head/softening_g_cm2", value, -20, 40);
    check.between("head/extrafocal_amplitude", head.extrafocal.amplitude, 0, 1);
    check.between("head/extrafocal_sigma_mm", head.extrafocal.sigma_mm,
                  head.extrafocal.amplitude > 0 ? 0.1 : 0, 100);
    // Nearer to the source than every edge through which it is seen.
    check.between("head/extrafocal_distance_mm", head.extrafocal.distance_mm, 0,
                  std::min(head.jaw_x_distance_mm, head.jaw_y_distance_mm) - 1);
    check.between("head/electron_amplitude_gy_cm2", head.electrons.amplitude_gy_cm2, 0, 1e-8);
    check.between("head/electron_sigma_mm", head.electrons.sigma_mm, 0, 500);
    check.between("head/electron_attenuation_cm2_g", head.electrons.attenuation_cm2_g, 0.01, 100);
    check.between("head/electron_range_g_cm2", head.electrons.range_g_cm2, 0.1, 20);
    check.between("head/monitor_backscatter_x", head.monitor_backscatter_x, 0, 0.2);
    check.between("head/monitor_backscatter_y", head.monitor_backscatter_y, 0, 0.2);
    table("head/output_side_mm", head.output_side_mm, "head/output_correction", head.output_correction);
    for (const double value : head.output_correction)
        check.between("head/output_correction", value, 0.5, 1.5);
    for (const WedgeModel& wedge : head.wedges) {
        if (wedge.kind != "physical" && wedge.kind != "motorised")
            check.fail("head/wedge kind",
                       "is \"" + wedge.kind + "\", neither \"physical\" nor \"motorised\"");
        check.between("head/wedge angle_deg", wedge.angle_deg, 1, 80);
        if (wedge.position_mm.size() < 2)
            check.fail("head/wedge position_mm", "has fewer than two positions");
        table("head/wedge position_mm", wedge.position_mm, "head/wedge water_g_cm2", wedge.water_g_cm2);
        table("head/wedge position_mm", wedge.position_mm, "head/wedge high_z_g_cm2", wedge.high_z_g_cm2);
    }
    const DynamicWedgeModel& dynamic = head.dynamic_wedge;
    table("head/dynamic_wedge/golden_position_mm", dynamic.golden_position_mm,
          "head/dynamic_wedge/golden_fraction", dynamic.golden_fraction);
    if (dynamic.golden_position_mm.size() == 1)
        check.fail("head/dynamic_wedge/golden_position_mm", "has a single position");
    for (std::size_t i = 0; i < dynamic.golden_fraction.size(); ++i)
        if (!(dynamic.golden_fraction[i] > (i == 0 ? 0 : dynamic.golden_fraction[i - 1])))
            check.fail("head/dynamic_wedge/golden_fraction", "does not ascend from above 0");
    check.between("head/dynamic_wedge/closest_gap_mm", dynamic.closest_gap_mm, 0, 50);
    check.between("head/dynamic_wedge/virtual_attenuation_per_mm", dynamic.virtual_attenuation_per_mm, 0,
                  0.1);
}

/// Coefficients may be of either sign, but no cone may deposit less than nothing anywhere.
void check_deposits(const Checker& check, const ConeKernel& cones) {
    const std::size_t rates = cones.rates_cm2_g.size();
    for (std::size_t cone = 0; cone * rates < cones.coefficients.size(); ++cone)
        for (double radius = 0; radius * cones.rates_cm2_g.back() < 20;
             radius = radius == 0 ? 0.05 / cones.rates_cm2_g.front() : 1.2 * radius) {
            double deposit = 0, size = 0;
            for (std::size_t k = 0; k < rates; ++k) {
                const double part = cones.coefficients[cone * rates + k] * cones.rates_cm2_g[k] *
                                    std::exp(-cones.rates_cm2_g[k] * radius);
                deposit += part;
                size += std::abs(part);
            }
            if (deposit < -1e-6 * size) {
                const std::size_t cone_count = cones.theta_edges_deg.size() - 1;
                check.fail("cone_kernel/coefficients", "leave less than nothing " + std::to_string(radius) +
                                                           " g/cm2 away in cone " +
                                                           std::to_string(cone % cone_count) + " at depth " +
                                                           std::to_string(cone / cone_count));
            }
        }
}

void check_kernels(const Checker& check, const ConeKernel& cones, const PencilKernel& pencil) {
    check.at_least("cone_kernel/rates_cm2_g", cones.rates_cm2_g, 1e-6);
    check.between("number of cone_kernel/rates_cm2_g", static_cast<double>(cones.rates_cm2_g.size()), 1, 8);
    for (std::size_t k = 1; k < cones.rates_cm2_g.size(); ++k)
        if (!(cones.rates_cm2_g[k] < cones.rates_cm2_g[k - 1]))
            check.fail("cone_kernel/rates_cm2_g", "does not descend");
    check.ascending("cone_kernel/theta_edges_deg", cones.theta_edges_deg);
    if (cones.theta_edges_deg.size() < 3)
        check.fail("cone_kernel/theta_edges_deg", "has fewer than two cones");
    check.between("cone_kernel/theta_edges_deg, first value,", cones.theta_edges_deg.front(), 0, 0);
    check.between("cone_kernel/theta_edges_deg, last value,", cones.theta_edges_deg.back(), 180, 180);
    const double width = cones.theta_edges_deg[1];
    for (std::size_t m = 0; m + 1 < cones.theta_edges_deg.size(); ++m)
        if (std::abs(cones.theta_edges_deg[m + 1] - cones.theta_edges_deg[m] - width) > 1e-6)
            check.fail("cone_kernel/theta_edges_deg", "is not evenly spaced");
    check.ascending("cone_kernel/depth_g_cm2", cones.depth_g_cm2);
    check.finite("cone_kernel/coefficients", cones.coefficients);
    const std::size_t one_set = (cones.theta_edges_deg.size() - 1) * cones.rates_cm2_g.size();
    check.size("cone_kernel/coefficients", cones.coefficients, one_set * cones.depth_g_cm2.size());
    check_deposits(check, cones);
    for (std::size_t h = 0; h < cones.depth_g_cm2.size(); ++h) {
        const auto begin = cones.coefficients.begin() + static_cast<std::ptrdiff_t>(h * one_set);
        check.between("sum of cone_kernel/coefficients",
                      std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(one_set), 0.0), 1 - 1e-6,
                      1 + 1e-6);
    }

    check.ascending("pencil_kernel/radius_cm", pencil.radius_cm);
    if (pencil.radius_cm.size() < 2) check.fail("pencil_kernel/radius_cm", "has no ring");
    check.between("pencil_kernel/radius_cm, first value,", pencil.radius_cm.front(), 0, 0);
    check.finite("pencil_kernel/components", pencil.components);
    const std::size_t rings = pencil.radius_cm.size() - 1;
    if (pencil.components.size() % rings != 0)
        check.fail("pencil_kernel/components", "does not fit the rings");
    check.ascending("pencil_kernel/depth_g_cm2", pencil.depth_g_cm2);
    if (pencil.depth_g_cm2.size() < 2) check.fail("pencil_kernel/depth_g_cm2", "has fewer than two nodes");
    check.finite("pencil_kernel/weights", pencil.weights);
    check.size("pencil_kernel/weights", pencil.weights,
               pencil.depth_g_cm2.size() * (pencil.components.size() / rings));
}

}  // namespace

void BeamModel::check(bool calibrated) const {
    const Checker check(name.empty() ? "without a name" : name);
    if (name.empty()) check.fail("name", "is empty");
    if (version.empty()) check.fail("version", "is empty");
    check.between("nominal_energy_mv", nominal_energy_mv, 1, 50);

    check.ascending("spectrum/energy_mev", spectrum.energy_mev);
    check.between("spectrum/energy_mev, first value,", spectrum.energy_mev.front(), 1e-3, 50);
    check.at_least("spectrum/fluence", spectrum.fluence, 0);
    check.size("spectrum/fluence", spectrum.fluence, spectrum.energy_mev.size());
    check.between("sum of spectrum/fluence",
                  std::accumulate(spectrum.fluence.begin(), spectrum.fluence.end(), 0.0), 1 - 1e-6, 1 + 1e-6);
    check.at_least("spectrum/mu_water_cm2_g", spectrum.mu_water_cm2_g, 1e-4);
    check.size("spectrum/mu_water_cm2_g", spectrum.mu_water_cm2_g, spectrum.energy_mev.size());
    check.at_least("spectrum/mu_high_z_cm2_g", spectrum.mu_high_z_cm2_g, 1e-4);
    check.size("spectrum/mu_high_z_cm2_g", spectrum.mu_high_z_cm2_g, spectrum.energy_mev.size());

    // A model that is not calibrated may lack its kernels: `dose model calibrate` makes them from the
    // spectrum.
    if (calibrated || !cone_kernel.rates_cm2_g.empty()) check_kernels(check, cone_kernel, pencil_kernel);
    check_head(check, head);

    for (const FittedQuantity& q : fit) {
        if (q.name.empty()) check.fail("commissioning/fit", "has a quantity without a name");
        check.finite(("commissioning/fit " + q.name).c_str(), {q.value, q.sigma, q.prior, q.prior_sigma});
    }
    if (!fit.empty()) check.finite("commissioning/fit/correlation", fit_correlation);
    check.size("commissioning/fit/correlation", fit_correlation, fit.size() * fit.size());

    check.between("calibration/reference_gy_per_mu", calibration.reference_gy_per_mu, 1e-4, 1);
    if (calibration.depth != "maximum" && calibration.depth != "10cm")
        check.fail("calibration/depth", "is \"" + calibration.depth + "\", neither \"maximum\" nor \"10cm\"");
    if (!calibrated) return;
    check.between("calibration/depth_of_maximum_cm", calibration.depth_of_maximum_cm, 0.1, 10);
    for (const double value : {calibration.collapsed_cone_maximum, calibration.collapsed_cone_10cm,
                               calibration.pencil_beam_maximum, calibration.pencil_beam_10cm})
        if (!(value > 0) || !std::isfinite(value))
            check.fail("calibration", "is missing; run: dose model calibrate FILE");
}

}  // namespace libdose
