#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <numeric>
#include <random>

#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/superposition.h"
#include "cpu/terma/release.h"
#include "fluence/fluence_map.h"
#include "geometry/ray_trace.h"
#include "support/small_case.h"
#include "terma/released_energy.h"
#include "terma/terma_table.h"

using namespace libdose;

namespace {

double sum_of_coefficients(const ConeKernel& kernel) {
    const std::size_t one = kernel.coefficients.size() / kernel.depth_g_cm2.size();
    return std::accumulate(kernel.coefficients.begin(),
                           kernel.coefficients.begin() + static_cast<std::ptrdiff_t>(one), 0.0);
}

/// Slopes of the rays through the sources, in their order.
std::vector<std::array<float, 2>> slopes_of(const ReleasedEnergy& source) {
    std::vector<std::array<float, 2>> slopes;
    for (std::size_t n = 0; n < source.size(); ++n) slopes.push_back(test::ray_slopes(source, n));
    return slopes;
}

/// The emission table over the range of the slopes, zero included.
EmissionTable table_of(const ConeKernel& kernel, const DirectionSet& directions, const ReleasedEnergy& source,
                       const std::vector<std::array<float, 2>>& slopes) {
    float low_u = 0, high_u = 0, low_v = 0, high_v = 0;
    for (const auto& [u, v] : slopes) {
        low_u = std::min(low_u, u);
        high_u = std::max(high_u, u);
        low_v = std::min(low_v, v);
        high_v = std::max(high_v, v);
    }
    return {kernel,
            directions,
            source.frame,
            static_cast<double>(low_u),
            static_cast<double>(high_u),
            static_cast<double>(low_v),
            static_cast<double>(high_v)};
}

/// The oracle: for every voxel and direction, back along the exact ray from points inside the voxel, in
/// double precision. Sources are even within their voxels. Dose = sum over directions, rates and segments of
/// the deposit per gram.
std::vector<double> exact_rays(const DensityGrid& density, const ConeKernel& kernel,
                               const ReleasedEnergy& source, const DirectionSet& directions,
                               int points_per_axis) {
    const Grid& grid = density.grid;
    std::vector<double> energy(grid.voxel_count(), 0.0);
    std::vector<std::size_t> entry(grid.voxel_count(), source.size());
    for (std::size_t n = 0; n < source.size(); ++n) {
        entry[source.voxel[n]] = n;
        energy[source.voxel[n]] = static_cast<double>(source.energy[n]);
    }
    const std::vector<std::array<float, 2>> slopes = slopes_of(source);
    const EmissionTable table = table_of(kernel, directions, source, slopes);
    const std::size_t rates = kernel.rates_cm2_g.size();
    std::vector<double> dose(grid.voxel_count(), 0.0);
    const int n = points_per_axis;
#pragma omp parallel for schedule(dynamic, 8)
    for (std::size_t v = 0; v < dose.size(); ++v) {
        const int i = static_cast<int>(v % static_cast<std::size_t>(grid.size[0])),
                  j = static_cast<int>(v / static_cast<std::size_t>(grid.size[0])) % grid.size[1];
        const int k = static_cast<int>(v / static_cast<std::size_t>(grid.size[0] * grid.size[1]));
        for (int s = 0; s < n * n * n; ++s) {
            const Vec3 offset((s % n + 0.5) / n - 0.5, (s / n % n + 0.5) / n - 0.5,
                              (s / (n * n) + 0.5) / n - 0.5);
            const Vec3 point = grid.centre_mm(i, j, k) + offset.cwiseProduct(grid.spacing_mm);
            for (std::size_t d = 0; d < directions.size(); ++d) {
                std::vector<double> optical(rates, 0.0);
                physics::march(
                    grid, point, -directions[d].direction, 0, 1e9, [&](std::size_t w, double in, double out) {
                        const double kernel_density = static_cast<double>(density.kernel_density[w]),
                                     length = (out - in) * 0.1;
                        std::vector<float> c(rates, 0.0f);
                        if (entry[w] < source.size())
                            c = table.coefficients(d, slopes[entry[w]][0], slopes[entry[w]][1],
                                                   source.depth_g_cm2[entry[w]]);
                        for (std::size_t r = 0; r < rates; ++r) {
                            const double a = kernel.rates_cm2_g[r], x = a * kernel_density * length;
                            // Energy released along the segment that reaches the point, times the fraction
                            // deposited per cm there.
                            const double through = x > 1e-9 ? length * (1 - std::exp(-x)) / x : length;
                            dose[v] += energy[w] * static_cast<double>(c[r]) * through *
                                       std::exp(-optical[r]) * a *
                                       static_cast<double>(density.kernel_density[v]) /
                                       static_cast<double>(density.density[v]) / (n * n * n);
                            optical[r] += x;
                        }
                    });
            }
        }
    }
    return dose;
}

struct Comparison {
    double worst = 0, rms = 0;
};

/// Released energy times a Gaussian about the axis (mm, isocentre plane).
ReleasedEnergy narrowed(ReleasedEnergy source, double sigma_mm) {
    for (std::size_t n = 0; n < source.size(); ++n) {
        const auto [slope_u, slope_v] = test::ray_slopes(source, n);
        const double u = 1000 * static_cast<double>(slope_u), v = 1000 * static_cast<double>(slope_v);
        source.energy[n] *= static_cast<float>(std::exp(-(u * u + v * v) / (2 * sigma_mm * sigma_mm)));
    }
    return source;
}

/// The same, sharpened by what the lattice will blur, as the engine does with fluence: less half of its
/// variance (mm²) times the Laplacian.
ReleasedEnergy sharpened(ReleasedEnergy source, double sigma_mm, double variance_mm2) {
    for (std::size_t n = 0; n < source.size(); ++n) {
        const auto [slope_u, slope_v] = test::ray_slopes(source, n);
        const double u = 1000 * static_cast<double>(slope_u), v = 1000 * static_cast<double>(slope_v),
                     s2 = sigma_mm * sigma_mm;
        source.energy[n] *=
            static_cast<float>(1 - 0.5 * variance_mm2 * ((u * u + v * v) / (s2 * s2) - 2 / s2));
    }
    return source;
}

Comparison compare(const std::vector<float>& dose, const std::vector<double>& oracle) {
    const double maximum = *std::max_element(oracle.begin(), oracle.end());
    Comparison c;
    for (std::size_t v = 0; v < oracle.size(); ++v) {
        const double difference = std::abs(static_cast<double>(dose[v]) - oracle[v]) / maximum;
        c.worst = std::max(c.worst, difference);
        c.rms += difference * difference / static_cast<double>(oracle.size());
    }
    c.rms = std::sqrt(c.rms);
    return c;
}

}  // namespace

TEST(Superposition, EnergyClosesTo1e5) {
    DensityGrid density = test::water_cube(40, 5);
    std::mt19937 random(3);
    std::uniform_real_distribution<float> uniform(0.05f, 2.0f);
    for (std::size_t v = 0; v < density.density.size(); ++v) test::set_density(density, v, uniform(random));
    const ConeKernel kernel = test::simple_kernel();
    for (const Vec3& direction : {Vec3(0, 0, 1), Vec3(0.3, -0.5, 0.8), Vec3(-1, 0.2, 0.1)}) {
        const ReleasedEnergy source =
            cpu::released_energy(density, test::square_field(60, direction, Vec3(0, 0, 100)),
                                 TermaTable(test::simple_spectrum()), 5, 0);
        ASSERT_GT(source.size(), 100u);
        for (const auto mode : {LatticeMode::interpolated, LatticeMode::rounded}) {
            const auto result = cpu::superpose(density, kernel, {source},
                                               beam_aligned_directions(kernel, direction, 6, 8), mode);
            EXPECT_GT(result.escaped, 0);
            EXPECT_NEAR((result.deposited + result.escaped) / (result.released * sum_of_coefficients(kernel)),
                        1.0, 1e-5);
        }
    }
}

TEST(Superposition, EnergyClosesThroughMetal) {
    // A block of steel in the beam: high attenuation per voxel, a second material in the basis, kernels
    // scaled otherwise than by mass.
    DensityGrid density = test::water_cube(40, 5);
    for (int k = 8; k < 14; ++k)
        for (int j = 14; j < 26; ++j)
            for (int i = 14; i < 26; ++i) {
                const std::size_t v = density.grid.index(i, j, k);
                density.density[v] = 8.0f;
                density.water_part[v] = 7.5f;
                density.high_z_part[v] = 0.5f;
                density.kernel_density[v] = 0.94f * 8.0f;
            }
    const ConeKernel kernel = test::simple_kernel();
    const Vec3 direction(0.2, -0.1, 1);
    const ReleasedEnergy source =
        cpu::released_energy(density, test::square_field(80, direction, Vec3(0, 0, 60)),
                             TermaTable(test::simple_spectrum()), 2.5, 0);
    for (const auto mode : {LatticeMode::interpolated, LatticeMode::rounded}) {
        const auto result =
            cpu::superpose(density, kernel, {source}, beam_aligned_directions(kernel, direction, 6, 8), mode);
        EXPECT_NEAR((result.deposited + result.escaped) / (result.released * sum_of_coefficients(kernel)),
                    1.0, 1e-5);
    }
}

TEST(Superposition, MatchesExactRaysInWater) {
    // A smooth source (σ = 15 mm on voxels of 2 mm): the lattice and exact rays see the same.
    const DensityGrid density = test::water_cube(31, 2);
    const ConeKernel kernel = test::simple_kernel();
    const ReleasedEnergy source = narrowed(
        cpu::released_energy(density, test::square_field(100), TermaTable(test::simple_spectrum()), 4, 0),
        15);
    const auto directions = beam_aligned_directions(kernel, Vec3(0.1, 0.2, 1), 5, 7);
    const auto oracle = exact_rays(density, kernel, source, directions, 2);
    const auto interpolated = compare(
        cpu::superpose(density, kernel, {sharpened(source, 15, physics::lattice_parts_variance * 2 * 2)},
                       directions, LatticeMode::interpolated)
            .dose_gy,
        oracle);
    const auto rounded =
        compare(cpu::superpose(density, kernel, {source}, directions, LatticeMode::rounded).dose_gy, oracle);
    // The blur of the lattice takes (2 mm)²/3 / (15 mm)² = 0.6 % off the peak, which sharpening gives back
    // but for the second order; rounding adds up to half a voxel (1 mm) of shift where the source is
    // steepest: exp(-1/2) 1/15 = 4 %.
    EXPECT_LT(interpolated.worst, 0.01);
    EXPECT_LT(interpolated.rms, 0.002);
    EXPECT_LT(rounded.worst, 0.04);
    EXPECT_LT(rounded.rms, 0.004);
    EXPECT_LT(interpolated.rms, rounded.rms);
}

TEST(Superposition, MatchesExactRaysAcrossAnInterface) {
    DensityGrid density = test::water_cube(25, 4);
    for (int k = 8; k < 17; ++k)
        for (int j = 0; j < 25; ++j)
            for (int i = 0; i < 25; ++i) test::set_density(density, density.grid.index(i, j, k), 0.25f);
    const ConeKernel kernel = test::simple_kernel();
    const ReleasedEnergy source = narrowed(
        cpu::released_energy(density, test::square_field(80), TermaTable(test::simple_spectrum()), 4, 0), 15);
    const auto directions = beam_aligned_directions(kernel, Vec3(0, 0, 1), 5, 7);
    const auto oracle = exact_rays(density, kernel, source, directions, 2);
    const auto result = compare(
        cpu::superpose(density, kernel, {sharpened(source, 15, physics::lattice_parts_variance * 4 * 4)},
                       directions, LatticeMode::interpolated)
            .dose_gy,
        oracle);
    EXPECT_LT(result.worst, 0.025);
    EXPECT_LT(result.rms, 0.004);
}

TEST(Superposition, MatchesExactRaysAlongAnInterface) {
    // A cylinder of tissue in lung, and one of air in tissue, along the beam: most energy follows the border.
    // Exact rays see its corners, lines a mixture of two by two voxels; sources that lines took of their
    // neighbours whatever the densities would be 0.0415 and 0.112 off at most.
    struct Cylinder {
        float inside, outside;
        double worst, rms;
    };
    for (const Cylinder& c : {Cylinder{1.0f, 0.25f, 0.038, 0.0034}, Cylinder{0.0012f, 1.0f, 0.102, 0.0098}}) {
        DensityGrid density = test::water_cube(25, 4);
        for (int k = 0; k < 25; ++k)
            for (int j = 0; j < 25; ++j)
                for (int i = 0; i < 25; ++i)
                    test::set_density(density, density.grid.index(i, j, k),
                                      std::hypot(i - 12, j - 11) < 4.3 ? c.inside : c.outside);
        const ConeKernel kernel = test::simple_kernel();
        const ReleasedEnergy source = narrowed(
            cpu::released_energy(density, test::square_field(80), TermaTable(test::simple_spectrum()), 4, 0),
            15);
        const auto directions = beam_aligned_directions(kernel, Vec3(0, 0, 1), 5, 7);
        const auto oracle = exact_rays(density, kernel, source, directions, 2);
        const ReleasedEnergy sharp = sharpened(source, 15, physics::lattice_parts_variance * 4 * 4);
        const auto result = compare(
            cpu::superpose(density, kernel, {sharp}, directions, LatticeMode::interpolated).dose_gy, oracle);
        EXPECT_LT(result.worst, c.worst) << c.inside;
        EXPECT_LT(result.rms, c.rms) << c.inside;
    }
}

TEST(Superposition, SharpeningUndoesTheBlurOfTheLattice) {
    // A 2 cm field with sharp edges on 2.5 mm voxels against the same on voxels a third as wide, averaged:
    // the sharpened source comes closer than the plain one.
    const DensityGrid density = test::water_cube(24, 2.5);
    const ConeKernel kernel = test::simple_kernel();
    const auto directions = beam_aligned_directions(kernel, Vec3(0, 0, 1), 12, 12);
    const TermaTable table(test::simple_spectrum());
    const FluenceMap field = test::square_field(20);
    const DensityGrid fine = test::water_cube(72, 2.5 / 3);
    const auto fine_dose =
        cpu::superpose(fine, kernel,
                       {cpu::released_energy(fine, field, table, 2.5 / 3,
                                             lattice_blur_variance(LatticeMode::interpolated))},
                       directions, LatticeMode::interpolated)
            .dose_gy;
    Volume<float> volume(fine.grid);
    volume.values = fine_dose;
    const auto averaged = resample_conserving(volume, density.grid, 0).values;
    const std::vector<double> reference(averaged.begin(), averaged.end());
    const auto mode = LatticeMode::interpolated;
    const auto plain =
        compare(cpu::superpose(density, kernel, {cpu::released_energy(density, field, table, 2.5, 0)},
                               directions, mode)
                    .dose_gy,
                reference);
    const auto sharp = compare(
        cpu::superpose(density, kernel,
                       {cpu::released_energy(density, field, table, 2.5, lattice_blur_variance(mode))},
                       directions, mode)
            .dose_gy,
        reference);
    EXPECT_LT(sharp.rms, 0.6 * plain.rms);
    EXPECT_LT(sharp.worst, 0.6 * plain.worst);
}

TEST(Superposition, SameBitsForAnyNumberOfThreads) {
    const DensityGrid density = test::water_cube(30, 5);
    const ConeKernel kernel = test::simple_kernel();
    const ReleasedEnergy source =
        cpu::released_energy(density, test::square_field(50), TermaTable(test::simple_spectrum()), 5, 0);
    const auto directions = isotropic_directions(50);
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    const auto one = cpu::superpose(density, kernel, {source}, directions, LatticeMode::interpolated);
    for (const int threads : {2, 3, 5}) {
        omp_set_num_threads(threads);
        const auto more = cpu::superpose(density, kernel, {source}, directions, LatticeMode::interpolated);
        EXPECT_EQ(one.dose_gy, more.dose_gy) << threads;
        EXPECT_EQ(one.escaped, more.escaped) << threads;
    }
    omp_set_num_threads(before);
}

TEST(Superposition, IsLinearInItsSources) {
    // Two fields in one transport against one after the other.
    const DensityGrid density = test::water_cube(30, 5);
    const ConeKernel kernel = test::simple_kernel();
    const TermaTable table(test::simple_spectrum());
    const auto a = cpu::released_energy(density, test::square_field(40), table, 5, 0);
    const auto b =
        cpu::released_energy(density, test::square_field(30, Vec3(1, 0, 0.2), Vec3(0, 0, 75)), table, 5, 0);
    const auto directions = isotropic_directions(60);
    const auto together =
        cpu::superpose(density, kernel, {a, b}, directions, LatticeMode::interpolated).dose_gy;
    const auto only_a = cpu::superpose(density, kernel, {a}, directions, LatticeMode::interpolated).dose_gy;
    const auto only_b = cpu::superpose(density, kernel, {b}, directions, LatticeMode::interpolated).dose_gy;
    std::vector<double> sum;
    for (std::size_t v = 0; v < only_a.size(); ++v)
        sum.push_back(static_cast<double>(only_a[v]) + static_cast<double>(only_b[v]));
    EXPECT_LT(compare(together, sum).worst, 2e-6);
}

TEST(Superposition, BackwardEnergyIsNotLost) {
    // A thin slab of sources deep in the phantom: dose appears upstream of it.
    const DensityGrid density = test::water_cube(30, 5);
    ReleasedEnergy source =
        cpu::released_energy(density, test::square_field(50), TermaTable(test::simple_spectrum()), 5, 0);
    const std::size_t slice = 30 * 30;
    for (std::size_t n = 0; n < source.size(); ++n)
        if (source.voxel[n] / slice != 20) source.energy[n] = 0;
    const ConeKernel kernel = test::simple_kernel();
    const auto dose =
        cpu::superpose(density, kernel, {source}, beam_aligned_directions(kernel, Vec3(0, 0, 1), 8, 8),
                       LatticeMode::interpolated)
            .dose_gy;
    const float here = dose[density.grid.index(15, 15, 20)], before = dose[density.grid.index(15, 15, 18)],
                far = dose[density.grid.index(15, 15, 14)];
    EXPECT_GT(before, 0.005f * here);
    EXPECT_GT(far, 0.0005f * here);
}

TEST(Superposition, NonCubicVoxelsGiveTheSameDose) {
    const ConeKernel kernel = test::simple_kernel();
    const TermaTable table(test::simple_spectrum());
    const auto dose_on = [&](Vec3 spacing) {
        Grid grid;
        grid.spacing_mm = spacing;
        for (std::size_t a = 0; a < 3; ++a)
            grid.size[a] = static_cast<int>(120 / spacing[static_cast<int>(a)]);
        grid.origin_mm = Vec3(-60, -60, 0) + 0.5 * spacing;
        Volume<float> volume(grid);
        volume.values =
            cpu::superpose(uniform_density(grid, MaterialProperties{}), kernel,
                           {cpu::released_energy(uniform_density(grid, MaterialProperties{}),
                                                 test::square_field(50), table, 2.5, 0)},
                           beam_aligned_directions(kernel, Vec3(0, 0, 1), 8, 8), LatticeMode::interpolated)
                .dose_gy;
        Grid coarse;
        coarse.size = {20, 20, 20};
        coarse.spacing_mm = Vec3::Constant(6);
        coarse.origin_mm = Vec3(-57, -57, 3);
        return resample_conserving(volume, coarse, 0).values;
    };
    const auto cubic = dose_on(Vec3(3, 3, 3)), flat = dose_on(Vec3(2, 3, 6));
    const std::vector<double> reference(cubic.begin(), cubic.end());
    const auto c = compare(flat, reference);
    EXPECT_LT(c.rms, 0.01);
    // On the axis, away from edges and surface.
    for (int k = 2; k < 18; ++k)
        EXPECT_NEAR(flat[static_cast<std::size_t>((k * 20 + 10) * 20 + 10)] /
                        cubic[static_cast<std::size_t>((k * 20 + 10) * 20 + 10)],
                    1.0f, 0.006f)
            << k;
}
