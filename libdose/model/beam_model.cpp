#include "libdose/beam_model.h"

#include <cmath>
#include <numeric>

#include "libdose/error.h"

namespace libdose {

namespace {

class Checker {
public:
    explicit Checker(const std::string& model) : where_("beam model " + model) {}

    [[noreturn]] void fail(const std::string& quantity, const std::string& problem) const { throw bad_input(quantity + " " + problem, where_); }

    void size(const char* quantity, const std::vector<double>& values, std::size_t expected) const {
        if (values.size() != expected) fail(quantity, "has " + std::to_string(values.size()) + " values, not " + std::to_string(expected));
    }
    void finite(const char* quantity, const std::vector<double>& values) const {
        if (values.empty()) fail(quantity, "is empty");
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!std::isfinite(values[i])) fail(quantity, "is not finite at element " + std::to_string(i));
    }
    void at_least(const char* quantity, const std::vector<double>& values, double least) const {
        finite(quantity, values);
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i] < least) fail(quantity, "is " + std::to_string(values[i]) + " at element " + std::to_string(i) + ", below " + std::to_string(least));
    }
    void ascending(const char* quantity, const std::vector<double>& values) const {
        finite(quantity, values);
        for (std::size_t i = 1; i < values.size(); ++i)
            if (!(values[i] > values[i - 1])) fail(quantity, "does not ascend at element " + std::to_string(i));
    }
    void between(const char* quantity, double value, double low, double high) const {
        if (!(value >= low && value <= high))
            fail(quantity, "is " + std::to_string(value) + ", not between " + std::to_string(low) + " and " + std::to_string(high));
    }

private:
    std::string where_;
};

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
    check.between("sum of spectrum/fluence", std::accumulate(spectrum.fluence.begin(), spectrum.fluence.end(), 0.0), 1 - 1e-6, 1 + 1e-6);
    check.at_least("spectrum/mu_water_cm2_g", spectrum.mu_water_cm2_g, 1e-4);
    check.size("spectrum/mu_water_cm2_g", spectrum.mu_water_cm2_g, spectrum.energy_mev.size());
    check.at_least("spectrum/mu_high_z_cm2_g", spectrum.mu_high_z_cm2_g, 1e-4);
    check.size("spectrum/mu_high_z_cm2_g", spectrum.mu_high_z_cm2_g, spectrum.energy_mev.size());

    const ConeKernel& cones = cone_kernel;
    check.at_least("cone_kernel/rates_cm2_g", cones.rates_cm2_g, 1e-6);
    check.between("number of cone_kernel/rates_cm2_g", static_cast<double>(cones.rates_cm2_g.size()), 1, 8);
    for (std::size_t k = 1; k < cones.rates_cm2_g.size(); ++k)
        if (!(cones.rates_cm2_g[k] < cones.rates_cm2_g[k - 1])) check.fail("cone_kernel/rates_cm2_g", "does not descend");
    check.ascending("cone_kernel/theta_edges_deg", cones.theta_edges_deg);
    if (cones.theta_edges_deg.size() < 3) check.fail("cone_kernel/theta_edges_deg", "has fewer than two cones");
    check.between("cone_kernel/theta_edges_deg, first value,", cones.theta_edges_deg.front(), 0, 0);
    check.between("cone_kernel/theta_edges_deg, last value,", cones.theta_edges_deg.back(), 180, 180);
    const double width = cones.theta_edges_deg[1];
    for (std::size_t m = 0; m + 1 < cones.theta_edges_deg.size(); ++m)
        if (std::abs(cones.theta_edges_deg[m + 1] - cones.theta_edges_deg[m] - width) > 1e-6) check.fail("cone_kernel/theta_edges_deg", "is not evenly spaced");
    check.ascending("cone_kernel/depth_g_cm2", cones.depth_g_cm2);
    check.at_least("cone_kernel/coefficients", cones.coefficients, 0);
    const std::size_t one_set = (cones.theta_edges_deg.size() - 1) * cones.rates_cm2_g.size();
    check.size("cone_kernel/coefficients", cones.coefficients, one_set * cones.depth_g_cm2.size());
    for (std::size_t h = 0; h < cones.depth_g_cm2.size(); ++h) {
        const auto begin = cones.coefficients.begin() + static_cast<std::ptrdiff_t>(h * one_set);
        check.between("sum of cone_kernel/coefficients", std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(one_set), 0.0), 1 - 1e-6, 1 + 1e-6);
    }

    const PencilKernel& pencil = pencil_kernel;
    check.ascending("pencil_kernel/radius_cm", pencil.radius_cm);
    if (pencil.radius_cm.size() < 2) check.fail("pencil_kernel/radius_cm", "has no ring");
    check.between("pencil_kernel/radius_cm, first value,", pencil.radius_cm.front(), 0, 0);
    check.finite("pencil_kernel/components", pencil.components);
    const std::size_t rings = pencil.radius_cm.size() - 1;
    if (pencil.components.size() % rings != 0) check.fail("pencil_kernel/components", "does not fit the rings");
    check.ascending("pencil_kernel/depth_g_cm2", pencil.depth_g_cm2);
    if (pencil.depth_g_cm2.size() < 2) check.fail("pencil_kernel/depth_g_cm2", "has fewer than two nodes");
    check.finite("pencil_kernel/weights", pencil.weights);
    check.size("pencil_kernel/weights", pencil.weights, pencil.depth_g_cm2.size() * (pencil.components.size() / rings));

    check.between("head/spot_fwhm_x_mm", head.spot_fwhm_x_mm, 0, 20);
    check.between("head/spot_fwhm_y_mm", head.spot_fwhm_y_mm, 0, 20);
    check.between("head/source_collimator_distance_mm", head.source_collimator_distance_mm, 50, 950);
    check.between("head/jaw_transmission", head.jaw_transmission, 0, 1);
    check.between("head/leaf_transmission", head.leaf_transmission, 0, 1);
    check.between("head/maximum_field_radius_mm", head.maximum_field_radius_mm, 1, 500);
    check.ascending("head/profile_radius_mm", head.profile_radius_mm);
    check.between("head/profile_radius_mm, first value,", head.profile_radius_mm.front(), 0, 0);
    check.at_least("head/profile", head.profile, 0);
    check.size("head/profile", head.profile, head.profile_radius_mm.size());

    check.between("calibration/reference_gy_per_mu", calibration.reference_gy_per_mu, 1e-4, 1);
    if (calibration.depth != "maximum" && calibration.depth != "10cm")
        check.fail("calibration/depth", "is \"" + calibration.depth + "\", neither \"maximum\" nor \"10cm\"");
    if (!calibrated) return;
    check.between("calibration/depth_of_maximum_cm", calibration.depth_of_maximum_cm, 0.1, 10);
    for (const double value :
         {calibration.collapsed_cone_maximum, calibration.collapsed_cone_10cm, calibration.pencil_beam_maximum, calibration.pencil_beam_10cm})
        if (!(value > 0) || !std::isfinite(value)) check.fail("calibration", "is missing; run: dose model calibrate FILE");
}

}  // namespace libdose
