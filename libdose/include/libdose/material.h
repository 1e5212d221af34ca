// Tissue properties by mass density or by name: how a gram attenuates photons and how many electrons it has.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace libdose {

/// Properties of one gram. Attenuation µ/ρ(E) = water_part·water(E) + high_z_part·titanium(E).
struct MaterialProperties {
    double density_g_cm3 = 1;
    double water_part = 1, high_z_part = 0;
    double electrons_per_gram = 1;  ///< relative to water
    double kernel_scaling =
        1;  ///< grams of water that scale the kernel like one gram (docs/theory/collapsed-cone.md)
    double water_to_medium = 1;  ///< mean collision stopping power of water over that of the material
                                 ///< (docs/theory/dose-to-water.md)
};

/// Per-gram properties between `a` (part 0) and `b` (part 1), linear.
MaterialProperties mixture(const MaterialProperties& a, const MaterialProperties& b, double part);

/// The table `materials/basis.csv` of the data folder (made by make_beam_models.py).
class MaterialTable {
public:
    static MaterialTable read_csv(const std::filesystem::path& file);  ///< throws bad_input

    /// Throws bad_input with the list of names.
    const MaterialProperties& by_name(const std::string& name) const;
    const std::vector<std::string>& names() const { return names_; }

    /// Properties of human tissue (and metal) of this density: linear in density between air, lung, adipose,
    /// water (soft tissue), cortical bone (held up to 2.4 g/cm³, between bone and enamel), titanium (3
    /// to 4.54 g/cm³) and, from 8 g/cm³, steel. `density_g_cm3` of the result is the argument. Throws
    /// bad_input when negative or not finite.
    MaterialProperties by_density(double density_g_cm3) const;

private:
    std::vector<std::string> names_;
    std::vector<MaterialProperties> rows_;
    std::vector<MaterialProperties> ladder_;  ///< ascending density
};

}  // namespace libdose
