// Kernels from a spectrum.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "commissioning/point_kernels.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "libdose/kernels.h"

using namespace libdose;

namespace {

const PointKernels& monte_carlo() {
    static const PointKernels kernels =
        io::read_point_kernels(data_folder() / "kernels" / "water_point_kernels.h5");
    return kernels;
}
const AttenuationTable& attenuation() {
    static const AttenuationTable table = AttenuationTable::read(data_folder() / "materials");
    return table;
}

/// Kernels of two energies that are sums of two exponentials, forwards and backwards.
PointKernels made_up() {
    PointKernels k;
    k.energy_mev = {1, 3};
    k.theta_edges_deg = {0, 90, 180};
    k.radius_edges_cm = {0, 0.1, 0.2, 0.4, 0.7, 1, 2, 4, 8, 15, 30, 60};
    for (int e = 0; e < 2; ++e) {
        double kept = 0;
        for (const double part : {0.8, 0.2})
            for (std::size_t r = 0; r + 1 < k.radius_edges_cm.size(); ++r) {
                const auto c = [&](double radius) {
                    return part *
                           (0.6 * (1 - std::exp(-2.0 * radius)) + 0.4 * (1 - std::exp(-0.05 * radius)));
                };
                k.cells.push_back(c(k.radius_edges_cm[r + 1]) - c(k.radius_edges_cm[r]));
                kept += k.cells.back();
            }
        k.escaped.push_back(1 - kept);
    }
    return k;
}

std::string problem(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

#define EXPECT_HAS(text, word) EXPECT_NE((text).find(word), std::string::npos) << (text)

}  // namespace

TEST(Kernels, ASumOfExponentialsIsFoundAgain) {
    const Spectrum spectrum = make_spectrum({1, 2}, {1, 1}, attenuation());
    const ConeKernel cones = make_cone_kernel(spectrum, made_up(), {1.5, 0.08}, true);
    ASSERT_EQ(cones.rates_cm2_g.size(), 2u);
    EXPECT_NEAR(cones.rates_cm2_g[0], 2.0, 2e-3);
    EXPECT_NEAR(cones.rates_cm2_g[1], 0.05, 1e-4);
    for (std::size_t h = 0; h < cones.depth_g_cm2.size(); ++h) {
        const double* c = &cones.coefficients[h * 4];
        EXPECT_NEAR(c[0], 0.8 * 0.6, 1e-3);
        EXPECT_NEAR(c[1], 0.8 * 0.4, 1e-3);
        EXPECT_NEAR(c[2], 0.2 * 0.6, 1e-3);
        EXPECT_NEAR(c[3], 0.2 * 0.4, 1e-3);
    }
}

TEST(Kernels, EnergyThatPassesTwoStagesIsFoundAgain) {
    // Half of it left at 1/cm after it was passed on at 2/cm, 1 - 2 exp(-r) + exp(-2 r), which begins with
    // r², half as much at 0.05/cm after 0.1/cm. No sum of exponentials with positive coefficients does. The
    // fastest of the four rates finds nothing to carry.
    PointKernels kernels = made_up();
    kernels.cells.clear();
    kernels.escaped.clear();
    const auto passed_on = [](double radius) { return 1 - 2 * std::exp(-radius) + std::exp(-2 * radius); };
    for (int e = 0; e < 2; ++e) {
        double kept = 0;
        for (const double part : {0.8, 0.2})
            for (std::size_t r = 0; r + 1 < kernels.radius_edges_cm.size(); ++r) {
                const auto c = [&](double radius) {
                    return part * 0.5 * (passed_on(radius) + passed_on(0.05 * radius));
                };
                kernels.cells.push_back(c(kernels.radius_edges_cm[r + 1]) - c(kernels.radius_edges_cm[r]));
                kept += kernels.cells.back();
            }
        kernels.escaped.push_back(1 - kept);
    }
    const Spectrum spectrum = make_spectrum({1, 2}, {1, 1}, attenuation());
    const ConeKernel cones = make_cone_kernel(spectrum, kernels, {2, 1, 0.1, 0.05}, false);
    const double expected[] = {-0.5, 1, -0.5, 1};
    for (std::size_t i = 0; i < cones.coefficients.size(); ++i)
        EXPECT_NEAR(cones.coefficients[i], (i % 8 < 4 ? 0.8 : 0.2) * expected[i % 4], 1e-9) << i;
    const ConeKernel fitted = make_cone_kernel(spectrum, kernels, {2.6, 1.2, 0.12, 0.045}, true);
    for (std::size_t k = 0; k < 4; ++k)
        EXPECT_NEAR(fitted.rates_cm2_g[k] / cones.rates_cm2_g[k], 1, 5e-3) << k;
    // Three rates have positive coefficients, and do not have this shape.
    for (const double c : make_cone_kernel(spectrum, kernels, {2, 1, 0.05}, false).coefficients)
        EXPECT_GE(c, 0);
}

TEST(Kernels, NoConeDepositsLessThanNothing) {
    // Though coefficients are of either sign, at every hardening.
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    for (const int rates : {4, 5}) {
        const ConeKernel cones = make_cone_kernel(model.spectrum, monte_carlo(), start_rates(6, rates), true);
        EXPECT_LT(*std::min_element(cones.coefficients.begin(), cones.coefficients.end()), -1e-3);
        const auto count = static_cast<std::size_t>(rates);
        for (std::size_t cone = 0; cone * count < cones.coefficients.size(); ++cone)
            for (double radius = 0; radius < 200; radius += 0.02 + 0.1 * radius) {
                double deposit = 0;
                for (std::size_t k = 0; k < count; ++k)
                    deposit += cones.coefficients[cone * count + k] * cones.rates_cm2_g[k] *
                               std::exp(-cones.rates_cm2_g[k] * radius);
                ASSERT_GT(deposit, -1e-12) << rates << " rates, cone " << cone << ", " << radius << " g/cm2";
            }
        // Neighbours stay apart, so coefficients stay small.
        for (std::size_t k = 1; k < count; ++k)
            EXPECT_GE(cones.rates_cm2_g[k - 1] / cones.rates_cm2_g[k], 1.5 - 1e-9);
    }
}

TEST(Kernels, AttenuationIsThatOfTheTablesAndLogLogBetween) {
    const Spectrum spectrum = make_spectrum({1, 1.1}, {3, 1}, attenuation());
    EXPECT_NEAR(spectrum.fluence[0], 0.75, 1e-12);
    EXPECT_NEAR(spectrum.mu_water_cm2_g[0], 0.0707, 1e-4);  // NIST XCOM, 1 MeV, without coherent scattering
    EXPECT_GT(spectrum.mu_water_cm2_g[0], spectrum.mu_water_cm2_g[1]);
}

TEST(Kernels, EveryGenericModelHasThoseOfItsSpectrum) {
    for (const char* name :
         {"generic-4MV", "generic-6MV", "generic-10MV", "generic-15MV", "generic-6FFF", "generic-10FFF"}) {
        const BeamModel model = io::read_beam_model(data_folder() / "models" / (std::string(name) + ".h5"));
        const Spectrum spectrum =
            make_spectrum(model.spectrum.energy_mev, model.spectrum.fluence, attenuation());
        const ConeKernel cones =
            make_cone_kernel(spectrum, monte_carlo(), start_rates(model.nominal_energy_mv), true);
        for (std::size_t k = 0; k < 3; ++k)
            EXPECT_NEAR(cones.rates_cm2_g[k] / model.cone_kernel.rates_cm2_g[k], 1, 1e-6) << name;
        for (std::size_t i = 0; i < cones.coefficients.size(); ++i)
            ASSERT_NEAR(cones.coefficients[i], model.cone_kernel.coefficients[i], 1e-9) << name;
    }
}

TEST(Kernels, CumulativeEnergyIsThatOfMonteCarlo) {
    // Over all cones, at every hardening that matters: what the electrons leave (1 to 6 cm) within 0.9 %,
    // everywhere within 3.1 % of the energy.
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    const ConeKernel& cones = model.cone_kernel;
    const std::size_t count = cones.theta_edges_deg.size() - 1,
                      shells = monte_carlo().radius_edges_cm.size() - 1;
    for (std::size_t h = 0; h < 5; ++h) {
        const commission::AverageKernel truth =
            commission::average_kernel(model.spectrum, monte_carlo(), cones.depth_g_cm2[h]);
        double cumulative = 0;
        for (std::size_t r = 0; r < shells; ++r) {
            for (std::size_t m = 0; m < count; ++m) cumulative += truth.cells[m * shells + r];
            double fitted = 0;
            const double radius = monte_carlo().radius_edges_cm[r + 1];
            for (std::size_t m = 0; m < count; ++m)
                for (std::size_t k = 0; k < 3; ++k)
                    fitted += cones.coefficients[(h * count + m) * 3 + k] *
                              (1 - std::exp(-cones.rates_cm2_g[k] * radius));
            EXPECT_NEAR(fitted, cumulative, radius > 0.9 && radius < 6.1 ? 0.009 : 0.031)
                << "depth " << cones.depth_g_cm2[h] << " radius " << radius;
        }
    }
}

TEST(Kernels, ThePencilLeavesTheEnergyThatPhotonsReleaseLessWhatEscapes) {
    // Over 60 cm of depth and radius: what photons release there, less what goes out through the surface and
    // beyond.
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    const PencilKernel pencil = make_pencil_kernel(model.spectrum, monte_carlo());
    const std::size_t rings = pencil.radius_cm.size() - 1, components = pencil.components.size() / rings;
    std::vector<double> broad;
    for (std::size_t d = 0; d < pencil.depth_g_cm2.size(); ++d) {
        double sum = 0;
        for (std::size_t r = 0; r < rings; ++r)
            for (std::size_t i = 0; i < components; ++i)
                sum += pencil.weights[d * components + i] * pencil.components[i * rings + r] * M_PI *
                       (std::pow(pencil.radius_cm[r + 1], 2) - std::pow(pencil.radius_cm[r], 2));
        broad.push_back(sum);
    }
    double deposited = 0, released = 0;
    for (std::size_t d = 1; d < broad.size(); ++d)
        deposited += 0.5 * (broad[d] + broad[d - 1]) * (pencil.depth_g_cm2[d] - pencil.depth_g_cm2[d - 1]);
    for (std::size_t e = 0; e < model.spectrum.energy_mev.size(); ++e)
        released += 1.602176634e-10 * model.spectrum.fluence[e] * model.spectrum.energy_mev[e] *
                    (1 - std::exp(-60 * model.spectrum.mu_water_cm2_g[e]));
    EXPECT_LT(deposited, released);
    EXPECT_GT(deposited, 0.85 * released);
}

TEST(Kernels, BadInputIsRefused) {
    EXPECT_HAS(problem([] { make_spectrum({1, 1}, {1, 1}, attenuation()); }), "not ascending");
    EXPECT_HAS(problem([] { make_spectrum({1, 2}, {1, -1}, attenuation()); }), "negative");
    EXPECT_HAS(problem([] { make_spectrum({1, 2}, {0, 0}, attenuation()); }), "no photon");
    EXPECT_HAS(problem([] {
                   make_spectrum({1, 90}, {1, 1}, attenuation());
               }),
               "beyond the attenuation tables");
    const Spectrum hard = make_spectrum({1, 24}, {1, 1}, attenuation());
    EXPECT_HAS(problem([&] {
                   make_cone_kernel(hard, monte_carlo(), {2, 0.03}, false);
               }),
               "beyond the highest energy");
    const Spectrum spectrum = make_spectrum({1, 2}, {1, 1}, attenuation());
    EXPECT_HAS(problem([&] { make_cone_kernel(spectrum, monte_carlo(), {}, false); }), "one to five");
    EXPECT_HAS(problem([&] { make_cone_kernel(spectrum, monte_carlo(), {-1.0}, false); }), "one to five");
    EXPECT_HAS(problem([&] { make_cone_kernel(spectrum, monte_carlo(), {0.03, 2}, false); }), "that descend");
    PointKernels broken = made_up();
    broken.cells[3] = std::numeric_limits<double>::quiet_NaN();
    EXPECT_HAS(problem([&] { broken.check(); }), "negative or not a number");
    broken = made_up();
    broken.escaped[0] = 0.5;
    EXPECT_HAS(problem([&] { broken.check(); }), "do not add up");
    EXPECT_HAS(problem([] { io::read_point_kernels("/nowhere.h5"); }), "/nowhere.h5");
}
