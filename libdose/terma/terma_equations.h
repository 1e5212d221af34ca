// Total energy released per unit mass (Ahnesjö and Aspradakis 1999, Phys. Med. Biol. 44:R99, eq. 28),
// poly-energetic, with the two-material attenuation basis of docs/theory/terma.md.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/host_device.h"
#include "libdose/beam_model.h"
#include "raytrace/basis_path.h"

namespace libdose::physics {

inline constexpr double gray_per_mev_per_gram = 1.602176634e-10;

/// TERMA per unit photon fluence of one gram of each basis material, Gy cm², behind the line integrals
/// (g/cm²) of the two.
struct BasisTerma {
    double water = 0, high_z = 0;
};

/// A Spectrum as plain arrays.
struct SpectrumView {
    std::size_t bins = 0;
    const double *energy_mev = nullptr, *fluence = nullptr, *mu_water_cm2_g = nullptr,
                 *mu_high_z_cm2_g = nullptr;
};
inline SpectrumView view_of(const Spectrum& spectrum) {
    return {spectrum.energy_mev.size(), spectrum.energy_mev.data(), spectrum.fluence.data(),
            spectrum.mu_water_cm2_g.data(), spectrum.mu_high_z_cm2_g.data()};
}

LIBDOSE_HD inline BasisTerma basis_terma(const SpectrumView& spectrum, double water_g_cm2,
                                         double high_z_g_cm2) {
    BasisTerma sum;
    for (std::size_t e = 0; e < spectrum.bins; ++e) {
        const double mw = spectrum.mu_water_cm2_g[e], mh = spectrum.mu_high_z_cm2_g[e];
        const double energy_fluence =
            spectrum.fluence[e] * spectrum.energy_mev[e] * std::exp(-mw * water_g_cm2 - mh * high_z_g_cm2);
        sum.water += energy_fluence * mw;
        sum.high_z += energy_fluence * mh;
    }
    sum.water *= gray_per_mev_per_gram;
    sum.high_z *= gray_per_mev_per_gram;
    return sum;
}
inline BasisTerma basis_terma(const Spectrum& spectrum, double water_g_cm2, double high_z_g_cm2) {
    return basis_terma(view_of(spectrum), water_g_cm2, high_z_g_cm2);
}

/// Look-up table of basis_terma, bilinear in the logarithm. Arrays are [high z][water].
struct TermaTableView {
    static constexpr double water_step = 0.5, water_min = -20.0,
                            water_max = 90.0;  // below zero: spectra softer than the axis
    static constexpr double high_z_step = 2.0, high_z_min = -12.0, high_z_max = 60.0;
    static constexpr int water_nodes = static_cast<int>((water_max - water_min) / water_step) + 1;
    static constexpr int high_z_nodes = static_cast<int>((high_z_max - high_z_min) / high_z_step) + 1;

    SpectrumView spectrum;
    const double *log_water = nullptr, *log_high_z = nullptr;

    LIBDOSE_HD BasisTerma terma(const BasisPath& path) const {
        Cell cell;
        if (!find(path, cell)) return basis_terma(spectrum, path.water, path.high_z);
        return {std::exp(mean(cell, log_water)), std::exp(mean(cell, log_high_z))};
    }
    LIBDOSE_HD double log_water_terma(const BasisPath& path) const {
        Cell cell;
        return find(path, cell) ? mean(cell, log_water)
                                : std::log(basis_terma(spectrum, path.water, path.high_z).water);
    }
    /// TERMA of water behind path and filter over that behind the path alone, for the same reading of a
    /// detector in air.
    LIBDOSE_HD double filtered_part(const BasisPath& path, const BasisPath& filter) const {
        return std::exp(log_water_terma({path.water + filter.water, path.high_z + filter.high_z}) -
                        log_water_terma(path) + log_water_terma({}) - log_water_terma(filter));
    }
    /// Factor by which the fluence that a detector reads in air behind `filter` turns into the one that
    /// terma(path + filter) asks for.
    LIBDOSE_HD double unfiltered(const BasisPath& filter) const {
        return terma({}).water / terma(filter).water;
    }

private:
    /// Cell of the table and the parts of its upper nodes.
    struct Cell {
        std::size_t at;
        double x, y;
    };
    /// False outside of the table.
    LIBDOSE_HD static bool find(const BasisPath& path, Cell& cell) {
        const double x = (path.water - water_min) / water_step, y = (path.high_z - high_z_min) / high_z_step;
        if (!(x >= 0 && x < water_nodes - 1 && y >= 0 && y < high_z_nodes - 1)) return false;
        const auto i = static_cast<std::size_t>(x), j = static_cast<std::size_t>(y);
        cell = {j * water_nodes + i, x - static_cast<double>(i), y - static_cast<double>(j)};
        return true;
    }
    LIBDOSE_HD static double mean(const Cell& cell, const double* table) {
        const double *p = table + cell.at, *q = p + water_nodes;
        return (1 - cell.y) * ((1 - cell.x) * p[0] + cell.x * p[1]) +
               cell.y * ((1 - cell.x) * q[0] + cell.x * q[1]);
    }
};

}  // namespace libdose::physics
