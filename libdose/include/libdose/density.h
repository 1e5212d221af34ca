// From Hounsfield units to what the transport needs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "libdose/ct_image.h"
#include "libdose/grid.h"
#include "libdose/structure.h"

namespace libdose {

/// Piecewise linear HU -> mass density (g/cm³).
class HuCurve {
public:
    /// Points by ascending HU, density non-negative and finite; at least two. Throws bad_input.
    HuCurve(std::string name, std::vector<double> hu, std::vector<double> density_g_cm3);

    /// Schneider, Bortfeld, Schlegel, Phys. Med. Biol. 45 (2000) 459, mass density; -1000 … 3071 HU.
    static HuCurve default_curve();
    /// CSV with the header line `hu,density_g_cm3`; lines that begin with # are comments.
    static HuCurve read_csv(const std::filesystem::path& file);

    double density(double hu) const;  ///< value at the nearest end outside the table
    double lowest_hu() const { return hu_.front(); }
    double highest_hu() const { return hu_.back(); }
    const std::string& name() const { return name_; }
    std::string canonical_text() const;  ///< what a hash is taken over
    const std::vector<double>& hu() const { return hu_; }
    const std::vector<double>& densities() const { return density_; }

private:
    std::string name_;
    std::vector<double> hu_, density_;
};

/// Curves that go by a name: the default one, and the files of hu/ in the data folder.
std::vector<std::string> hu_curve_names();
/// The curve of a name, or of a CSV file. Throws bad_input, listing the names.
HuCurve read_hu_curve(const std::string& name_or_file);

/// Density or material that a structure is given.
struct DensityOverride {
    std::string structure;
    double density_g_cm3 = 0;  ///< 0: the usual density of `material`
    std::string material;      ///< name in the material table; empty: composition goes by density
};

/// Mass density and the quantities derived from it, on the dose grid.
/// Attenuation of a voxel: µ(E) = water_part·µ_w(E)/ρ_w + high_z_part·µ_h(E)/ρ_h, the two-material basis of
/// docs/theory/terma.md. All in g/cm³.
struct DensityGrid {
    Grid grid;
    std::vector<float> density;          ///< mass density
    std::vector<float> water_part;       ///< ρ·a
    std::vector<float> high_z_part;      ///< ρ·b, may be slightly negative
    std::vector<float> kernel_density;   ///< ρ·(kernel scaling of the material): scales the kernel
    std::vector<float> water_to_medium;  ///< stopping-power ratio: dose to water / dose to medium; no unit
    std::vector<float>
        inside;  ///< fraction of the voxel inside body, support or bolus; 1 everywhere without a body
    std::size_t below_table = 0;  ///< CT voxels below the HU table (inside the body if there is one)
    std::size_t above_table = 0;  ///< CT voxels at or above its end: metal, or saturated
    double lowest_hu = 0, highest_hu = 0;
    std::vector<std::string> notes;
};

}  // namespace libdose
