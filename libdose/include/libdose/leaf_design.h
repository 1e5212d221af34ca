// How the leaves of a multileaf collimator are built: what a plan does not say. docs/theory/leaves.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/plan.h"

namespace libdose {

/// How the leaves of a make of collimator are built.
struct LeafDesign {
    /// Meaning of a position in a plan: the ray tangential to the rounded end (light field), or where half of
    /// the fluence comes through.
    enum class Position { tangent, half_fluence };
    std::string name;          ///< "varian-millennium-120"
    std::string manufacturer;  ///< lower case word that the plan's manufacturer holds; parts designs of the
                               ///< same boundaries
    std::string device_type;   ///< as in DICOM, "MLCX1"; empty: any
    std::string shared_with;   ///< another collimator of these boundaries that has no design: only the
                               ///< manufacturer's word or the user tells them apart
    std::vector<double> leaf_boundaries_mm;  ///< at the isocentre, ascending
    double source_distance_mm = 0;           ///< middle of the leaves
    double tip_radius_mm = 0;                ///< 0: flat ends that the rays are parallel to, sharp
    Position position = Position::tangent;
    double density_g_cm3 = 0;  ///< of the tungsten alloy
    double tongue_and_groove_mm =
        0;  ///< at the isocentre: width in which two neighbours overlap with half their height each
    std::optional<double>
        transmission;  ///< of the full leaf; generic beam models take it. Absent: the beam model's
    std::optional<double> interleaf_transmission;  ///< between two closed leaves, in the width of tongue and
                                                   ///< groove; absent: as through the leaf
    std::vector<double> energy_mev, mu_cm2_g;      ///< attenuation of tungsten, energies ascending

    bool fits(const MultileafCollimator& collimator) const;  ///< the same boundaries within 0.1 mm
    /// Linear attenuation (1/mm) of the leaf for the first centimetre of it, energy weighted, in the beam's
    /// spectrum.
    double attenuation_per_mm(const Spectrum& spectrum) const;
};

/// Every design of a folder (`<name>.csv`, beside `tungsten.csv`), by name. Throws bad_input with file and
/// quantity.
std::vector<LeafDesign> read_leaf_designs(const std::filesystem::path& folder);
std::vector<std::string> leaf_design_names();  ///< designs of the data folder, in order

}  // namespace libdose
