// Kernels of a beam from its spectrum: docs/theory/beam-model.md.
#pragma once

#include <filesystem>
#include <vector>

#include "libdose/beam_model.h"

namespace libdose {

/// Monte Carlo energy-deposition kernels of single energies in water, around the point where the photon
/// interacts. Read with io::read_point_kernels.
struct PointKernels {
    std::vector<double> energy_mev;       ///< [e] ascending
    std::vector<double> theta_edges_deg;  ///< [m + 1] 0 … 180
    std::vector<double> radius_edges_cm;  ///< [r + 1] from 0
    std::vector<double> cells;            ///< [e][m][r] part of the photon's energy that stays in the cell
    std::vector<double> escaped;          ///< [e] part that leaves the sphere

    void check() const;  ///< throws bad_input: shapes, finite, non-negative, every energy accounted for
};

/// Attenuation without coherent scattering of the two basis materials, log-log between the energies of the
/// tables.
struct AttenuationTable {
    std::vector<double> water_energy_mev, water_cm2_g, high_z_energy_mev, high_z_cm2_g;
    /// `folder`: data_folder() / "materials". Throws bad_input.
    static AttenuationTable read(const std::filesystem::path& folder);
};

/// Photon fluence (any scale) with the attenuation of the basis materials. Throws bad_input for energies that
/// are not ascending or beyond the tables, and for a fluence that is negative or nowhere positive.
Spectrum make_spectrum(const std::vector<double>& energy_mev, const std::vector<double>& fluence,
                       const AttenuationTable& attenuation);

/// Where a fit of `count` (2 to 5) shared rates starts for a beam of this energy, cm²/g.
std::vector<double> start_rates(double nominal_energy_mv, int count = 3);

/// Coefficients of the collapsed cones for the spectrum hardened by 0 to 55 g/cm² of water, with the rates
/// (cm²/g, descending) as they are, or fitted from there. Coefficients may be of either sign; no cone
/// deposits less than nothing anywhere. Throws bad_input for a spectrum beyond the kernels' energies.
ConeKernel make_cone_kernel(const Spectrum& spectrum, const PointKernels& kernels,
                            const std::vector<double>& rates_cm2_g, bool fit_rates);

/// TERMA of a pencil of photons in semi-infinite water convolved with the point kernels; five components.
PencilKernel make_pencil_kernel(const Spectrum& spectrum, const PointKernels& kernels);

}  // namespace libdose
