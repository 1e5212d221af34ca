// Three-dimensional gamma index (Low 1998, Med. Phys. 25:656).
#pragma once

#include <string>
#include <vector>

#include "libdose/dose.h"
#include "libdose/grid.h"

namespace libdose {

/// Criteria of the gamma index.
struct GammaOptions {
    double dose_percent =
        3;  ///< dose criterion, percent of the normalisation (global) or of the local reference dose
    double distance_mm = 2;  ///< distance to agreement
    double threshold_percent =
        10;  ///< reference voxels below this part of the normalisation are not evaluated
    bool local = false;
    double normalisation_gy = 0;  ///< 0: maximum of the reference
    double max_gamma = 2;         ///< values above are reported as this
    int steps_per_distance = 10;  ///< search step = distance / steps
    /// Above 0: reference voxels outside the evaluated grid, or nearer to its faces than this, are left out
    /// and counted in `left_out`.
    double margin_mm = 0;
    int threads = 0;  ///< 0: all cores
};

/// A voxel passes up to this gamma. Doses are 32-bit numbers: a difference of exactly the criterion is known
/// only to about 2e-5 of it.
constexpr double largest_passing_gamma = 1 + 2e-5;

/// Gamma of every voxel, and how many pass.
struct GammaResult {
    Volume<float> gamma;  ///< on the reference grid; NaN where not evaluated
    std::size_t evaluated = 0, passed = 0;
    std::size_t outside = 0;       ///< reference voxels above the threshold that the evaluated grid does not
                                   ///< cover: counted as failed
    double pass_rate_percent = 0;  ///< 100 x passed / (evaluated), outside included in evaluated
    std::size_t left_out = 0;      ///< reference voxels above the threshold that the margin leaves out
    double normalisation_gy = 0;   ///< dose of 100 %
    double mean = 0, maximum = 0;
    std::vector<std::string> notes;  ///< what the user should know of the two doses
};

/// `reference` and `evaluated` in Gy on any two grids of the same frame. The evaluated dose is interpolated
/// trilinearly. No point is dropped: what cannot be evaluated is counted in `outside` and fails.
/// Throws bad_input on NaN, an empty volume, a zero reference, or criteria that are not positive.
GammaResult gamma_index(const Volume<float>& reference, const Volume<float>& evaluated,
                        const GammaOptions& options);
/// The same for doses that can be compared; throws bad_input as check_comparable() (libdose/comparable.h)
/// does.
GammaResult gamma_index(const Dose& reference, const Dose& evaluated, const GammaOptions& options);

}  // namespace libdose
