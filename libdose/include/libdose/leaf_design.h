// How the leaves of a multileaf collimator are built: what a plan does not say. docs/methods/leaves.md.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/plan.h"

namespace libdose {

struct LeafDesign {
    std::string name;                        ///< "varian-millennium-120"
    std::vector<double> leaf_boundaries_mm;  ///< at the isocentre, ascending
    double source_distance_mm = 0;           ///< middle of the leaves
    double tip_radius_mm = 0;
    double density_g_cm3 = 0;                  ///< of the tungsten alloy
    double tongue_and_groove_mm = 0;           ///< at the isocentre: width in which two neighbours overlap with half their height each
    std::vector<double> energy_mev, mu_cm2_g;  ///< attenuation of tungsten, energies ascending

    bool fits(const MultileafCollimator& collimator) const;  ///< the same boundaries within 0.1 mm
    /// Linear attenuation (1/mm) of the leaf for the first centimetre of it, energy weighted, in the beam's spectrum.
    double attenuation_per_mm(const Spectrum& spectrum) const;
};

/// Every design of a folder (`<name>.csv`, beside `tungsten.csv`), by name. Throws bad_input with file and quantity.
std::vector<LeafDesign> read_leaf_designs(const std::filesystem::path& folder);

}  // namespace libdose
