// Cases on which backends are compared: small, odd sizes, every part of every stage.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "collapsed_cone/directions.h"
#include "libdose/gamma.h"
#include "patient/density.h"
#include "support/small_case.h"

namespace libdose::test {

inline DensityGrid box_of_water(const std::array<int, 3>& size, const Vec3& spacing_mm) {
    Grid grid;
    grid.size = size;
    grid.spacing_mm = spacing_mm;
    // Centred on x = y = 0, surface at z = 0.
    grid.origin_mm =
        Vec3(-0.5 * (size[0] - 1) * spacing_mm[0], -0.5 * (size[1] - 1) * spacing_mm[1], 0.5 * spacing_mm[2]);
    return uniform_density(grid, MaterialProperties{});
}

/// Lung and bone at random, air in a corner, a block of metal of another basis and kernel scaling.
inline DensityGrid mixed(DensityGrid density) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(0.2f, 1.8f);
    for (std::size_t v = 0; v < density.density.size(); ++v)
        set_density(density, v, v % 97 == 0 ? 0.0f : uniform(random));
    const auto [nx, ny, nz] = density.grid.size;
    for (int k = 0; k < nz; ++k)
        for (int j = 0; j < ny; ++j)
            for (int i = 0; i < nx; ++i) {
                const std::size_t v = density.grid.index(i, j, k);
                if (i < nx / 5 && j < ny / 5) set_density(density, v, 0.0f);
                if (i > nx / 2 && j > ny / 2 && k > nz / 2 && k < 2 * nz / 3) {
                    density.density[v] = 8.0f;
                    density.water_part[v] = 7.5f;
                    density.high_z_part[v] = 0.5f;
                    density.kernel_density[v] = 0.94f * 8.0f;
                }
            }
    return density;
}

inline std::shared_ptr<const BeamFilter> wedge_and_softening() {
    auto filter = std::make_shared<BeamFilter>();
    filter->softening_radius_mm = {0, 50, 100};
    filter->softening_g_cm2 = {0, 0.4, 1.1};
    filter->wedge_mm = {-60, 0, 60};
    filter->wedge_water_g_cm2 = {1.5, 1.0, 0.5};
    filter->wedge_high_z_g_cm2 = {3, 2, 1};
    filter->wedge_cos = std::cos(0.4);
    filter->wedge_sin = std::sin(0.4);
    filter->tray_water_g_cm2 = 0.3;
    return filter;
}

/// Electrons over the field and somewhat beyond.
inline void give_electrons(FluenceMap& map) {
    CoarseMap& e = map.electrons;
    e.pixel_mm = 4;
    e.size_u = e.size_v = static_cast<int>(map.size_u * map.pixel_mm / 4) + 8;
    e.lower_u_mm = e.lower_v_mm = -2.0 * e.size_u;
    for (int v = 0; v < e.size_v; ++v)
        for (int u = 0; u < e.size_u; ++u)
            e.values.push_back(
                std::exp(-0.01f * static_cast<float>((u - e.size_u / 2) * (u - e.size_u / 2) +
                                                     (v - e.size_v / 2) * (v - e.size_v / 2))));
}

/// A pencil kernel of three components and two depths on rings that become wider.
inline PencilKernel simple_pencil_kernel() {
    PencilKernel kernel;
    for (double r = 0; r < 30; r = 1.15 * r + 0.05) kernel.radius_cm.push_back(r);
    const double decay[] = {6, 1.5, 0.2};
    for (const double a : decay)
        for (std::size_t r = 0; r + 1 < kernel.radius_cm.size(); ++r) {
            const double low = kernel.radius_cm[r], high = kernel.radius_cm[r + 1];
            // Two-dimensional exponential exp(-a r) a² / 2π, averaged over the ring.
            const auto inside = [&](double x) { return 1 - (1 + a * x) * std::exp(-a * x); };
            kernel.components.push_back((inside(high) - inside(low)) /
                                        (std::numbers::pi * (high * high - low * low)));
        }
    for (int d = 0; d < 12; ++d) {
        kernel.depth_g_cm2.push_back(2.0 * d + 0.1 * d * d);
        for (const double w : {0.6, 0.25, 0.15})
            kernel.weights.push_back(w * std::exp(-0.05 * kernel.depth_g_cm2.back()) *
                                     (w < 0.2 ? 1 + 0.1 * d : 1));
    }
    return kernel;
}

inline BeamModel simple_model() {
    BeamModel model;
    model.name = "simple";
    model.spectrum = simple_spectrum();
    model.cone_kernel = simple_kernel();
    model.pencil_kernel = simple_pencil_kernel();
    model.head.electrons.amplitude_gy_cm2 = 1e-11;
    return model;
}

/// simple_kernel() with what each cone leaves in stages: coefficients of either sign, three to five rates.
inline ConeKernel kernel_in_stages(std::size_t rates) {
    ConeKernel kernel = simple_kernel();
    const std::vector<double> positive = std::move(kernel.coefficients);
    kernel.coefficients.clear();
    // Energy that passes a rate of 2a before it is left at a: 2 (1 - exp(-a r)) - (1 - exp(-2 a r)).
    kernel.rates_cm2_g = rates == 3   ? std::vector<double>{4, 2, 0.05}
                         : rates == 4 ? std::vector<double>{4, 2, 0.1, 0.05}
                                      : std::vector<double>{4, 2, 0.2, 0.1, 0.05};
    for (std::size_t i = 0; i < positive.size(); i += 2) {
        const double fast = positive[i], slow = positive[i + 1];
        kernel.coefficients.insert(kernel.coefficients.end(), {-fast, 2 * fast});
        if (rates == 3) kernel.coefficients.push_back(slow);
        if (rates == 4) kernel.coefficients.insert(kernel.coefficients.end(), {-slow, 2 * slow});
        if (rates == 5)
            kernel.coefficients.insert(kernel.coefficients.end(),
                                       {-0.5 * slow, 0.5 * slow, slow});  // half at 0.1, half at 0.05
    }
    return kernel;
}

/// A way through a backend: from maps on a grid to a dose.
struct BackendCase {
    std::string name;
    DensityGrid density;
    std::vector<FluenceMap> maps;
    std::function<std::vector<float>(PatientOnBackend&, const BackendCase&)> run;
    float before = 0;  ///< dose of every voxel to which is added
};

inline std::vector<float> transported(PatientOnBackend& medium, const BackendCase& c, LatticeMode lattice,
                                      const DirectionSet& directions,
                                      const ConeKernel& kernel = simple_kernel()) {
    TransportSettings settings;
    settings.lattice = lattice;
    BeamModel model = simple_model();
    model.cone_kernel = kernel;
    return medium.transport(c.maps, model, directions, settings, {});
}

/// How a case is calculated.
using CaseRun = std::function<std::vector<float>(PatientOnBackend&, const BackendCase&)>;

inline DirectionSet aligned_directions(const Vec3& axis) {
    return beam_aligned_directions(simple_kernel(), axis, 5, 7);
}
inline CaseRun cone(LatticeMode lattice, const Vec3& axis) {
    return [=](PatientOnBackend& medium, const BackendCase& c) {
        return transported(medium, c, lattice, aligned_directions(axis));
    };
}
inline CaseRun isotropic(LatticeMode lattice, int count) {
    return [=](PatientOnBackend& medium, const BackendCase& c) {
        return transported(medium, c, lattice, isotropic_directions(count));
    };
}
inline CaseRun pencil(bool lateral) {
    return [=](PatientOnBackend& medium, const BackendCase& c) {
        return medium.pencil_beam(c.maps.front(), simple_model(), {lateral});
    };
}
inline CaseRun electrons() {
    return [](PatientOnBackend& medium, const BackendCase& c) {
        std::vector<float> dose(c.density.grid.voxel_count(), c.before);
        medium.add_electrons(dose, c.maps, simple_model().head.electrons);
        return dose;
    };
}

inline void add_case(std::vector<BackendCase>& cases, std::string name, const DensityGrid& density,
                     std::vector<FluenceMap> maps, const CaseRun& run) {
    cases.push_back({std::move(name), density, std::move(maps), run});
    if (cases.back().name.find("Electrons") != std::string::npos) cases.back().before = 1e-12f;
}

/// Axes of one voxel, blocks that are not full, blocks that just are.
inline void add_grids(std::vector<BackendCase>& cases) {
    const Vec3 down(0, 0, 1), oblique(0.3, -0.5, 0.8);
    for (const auto& size : std::vector<std::array<int, 3>>{{1, 1, 1},
                                                            {1, 17, 20},
                                                            {17, 1, 20},
                                                            {16, 17, 1},
                                                            {1, 1, 40},
                                                            {64, 2, 8},
                                                            {63, 3, 9},
                                                            {65, 1, 7}}) {
        const std::string name =
            std::to_string(size[0]) + "x" + std::to_string(size[1]) + "x" + std::to_string(size[2]);
        add_case(cases, "Grid" + name, box_of_water(size, Vec3(5, 4, 6)),
                 {square_field(30, oblique, Vec3(0, 0, 20))}, isotropic(LatticeMode::interpolated, 40));
        add_case(cases, "Pencil" + name, box_of_water(size, Vec3(5, 4, 6)),
                 {square_field(30, down, Vec3(0, 0, 20))}, pencil(false));
        FluenceMap map = square_field(30, oblique, Vec3(0, 0, 20));
        give_electrons(map);
        add_case(cases, "Electrons" + name, box_of_water(size, Vec3(5, 4, 6)), {map}, electrons());
    }
}

/// By name; every backend must give the same dose for each.
inline std::vector<BackendCase> backend_cases() {
    const Vec3 down(0, 0, 1), oblique(0.3, -0.5, 0.8), sideways(-1, 0.2, 0.1), along_y(0.1, -1, -0.05);
    using enum LatticeMode;
    const Vec3 deep(0, 0, 60);
    FluenceMap empty = square_field(40);
    std::fill(empty.values.begin(), empty.values.end(), 0.0f);
    FluenceMap wedged = square_field(60, oblique, deep);
    wedged.filter = wedge_and_softening();
    FluenceMap missing = square_field(20, down, Vec3(900, 0, 0));
    FluenceMap with_electrons = square_field(50, oblique, deep);
    give_electrons(with_electrons);
    const DensityGrid cube = mixed(box_of_water({31, 29, 33}, Vec3(4, 4, 4)));
    const DensityGrid flat = mixed(box_of_water({37, 9, 21}, Vec3(3, 5, 4)));

    std::vector<BackendCase> cases;
    const auto add = [&](std::string name, const DensityGrid& density, std::vector<FluenceMap> maps,
                         const CaseRun& run) {
        add_case(cases, std::move(name), density, std::move(maps), run);
    };
    for (const auto lattice : {interpolated, rounded}) {
        const std::string of = lattice == rounded ? "Rounded" : "Interpolated";
        add("OneBeam" + of, cube, {square_field(50, down, deep)}, cone(lattice, down));
        add("Oblique" + of, flat, {square_field(40, oblique, deep)}, cone(lattice, oblique));
        add("AlongX" + of, cube, {square_field(40, sideways, deep)}, cone(lattice, sideways));
        add("SeveralMaps" + of, cube,
            {square_field(30, down, deep), empty, square_field(40, sideways, deep), wedged, missing},
            isotropic(lattice, 60));
    }
    add("AlongY", flat, {square_field(30, along_y, deep)}, cone(interpolated, along_y));
    for (const std::size_t rates : {3, 4, 5})
        add("Stages" + std::to_string(rates), cube, {square_field(40, oblique, deep)},
            [=](PatientOnBackend& medium, const BackendCase& c) {
                return transported(medium, c, interpolated, aligned_directions(oblique),
                                   kernel_in_stages(rates));
            });
    add("Wedge", cube, {wedged}, cone(interpolated, oblique));
    add("Empty", cube, {empty}, cone(interpolated, down));
    add("BesideTheGrid", cube, {missing}, cone(interpolated, down));
    add_grids(cases);
    add("Pencil", cube, {square_field(50, down, deep)}, pencil(false));
    add("PencilLateral", cube, {square_field(30, oblique, deep)}, pencil(true));
    add("PencilWedge", flat, {wedged}, pencil(true));
    add("PencilEmpty", cube, {empty}, pencil(false));
    add("Electrons", cube, {with_electrons, empty, with_electrons}, electrons());
    add("NoElectrons", cube, {square_field(30)}, electrons());
    return cases;
}

struct Agreement {
    double largest = 0;  ///< difference, in parts of the largest reference dose
    std::size_t at = 0;
};

/// A dose that is not a number differs by infinity.
inline Agreement agreement(const std::vector<float>& dose, const std::vector<float>& reference) {
    Agreement result;
    if (dose.size() != reference.size()) return {std::numeric_limits<double>::infinity(), 0};
    double maximum = 0;
    for (const float r : reference) maximum = std::max(maximum, std::abs(static_cast<double>(r)));
    for (std::size_t v = 0; v < dose.size(); ++v) {
        double difference = std::abs(static_cast<double>(dose[v]) - static_cast<double>(reference[v]));
        difference = difference == 0 ? 0
                     : maximum > 0   ? difference / maximum
                                     : std::numeric_limits<double>::infinity();
        if (!(difference <= result.largest))
            result = {std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference, v};
    }
    return result;
}

/// Pass rate of gamma 0.1 % of the largest reference dose / 0.1 mm over all voxels, percent.
inline double gamma_percent(const Grid& grid, const std::vector<float>& dose,
                            const std::vector<float>& reference) {
    const float maximum = *std::max_element(reference.begin(), reference.end());
    GammaOptions options;
    options.dose_percent = 0.1;
    options.distance_mm = 0.1;
    options.threshold_percent = 0;
    options.normalisation_gy = static_cast<double>(maximum);
    // Doses beside sharp edges may be a little below zero, and gamma leaves such voxels out: both are raised.
    Volume<float> a(grid), b(grid);
    for (std::size_t v = 0; v < reference.size(); ++v) {
        a.values[v] = reference[v] + maximum;
        b.values[v] = dose[v] + maximum;
    }
    const GammaResult result = gamma_index(a, b, options);
    return result.evaluated == reference.size() ? result.pass_rate_percent : 0;
}

}  // namespace libdose::test
