// Tissue properties by mass density or by name: how a gram attenuates photons and how many electrons it has.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace libdose {

/// Of one gram. Attenuation µ/ρ(E) = water_part·water(E) + high_z_part·titanium(E).
struct MaterialProperties {
    double density_g_cm3 = 1;
    double water_part = 1, high_z_part = 0;
    double electrons_per_gram = 1;  ///< relative to water
};

/// The table `materials/basis.csv` of the data folder (made by make_beam_models.py).
class MaterialTable {
public:
    static MaterialTable read_csv(const std::filesystem::path& file);  ///< throws bad_input

    /// Throws bad_input with the list of names.
    const MaterialProperties& by_name(const std::string& name) const;

    /// Properties of human tissue (and metal) of this density: linear in density between air, lung, adipose, water (soft
    /// tissue), cortical bone (held up to 2.4 g/cm³, between bone and enamel) and, above 3 g/cm³, titanium.
    /// `density_g_cm3` of the result is the argument. Throws bad_input when negative or not finite.
    MaterialProperties by_density(double density_g_cm3) const;

private:
    std::vector<std::string> names_;
    std::vector<MaterialProperties> rows_;
    std::vector<MaterialProperties> ladder_;  ///< ascending density
};

}  // namespace libdose
