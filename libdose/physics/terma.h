// Total energy released per unit mass (Ahnesjö and Aspradakis 1999, Phys. Med. Biol. 44:R99, eq. 28), poly-energetic, with
// the two-material attenuation basis of docs/methods/terma.md.
#pragma once

#include <cmath>

#include "libdose/beam_model.h"

namespace libdose::physics {

inline constexpr double gray_per_mev_per_gram = 1.602176634e-10;

/// Line integrals of the two basis materials, g/cm².
struct BasisPath {
    double water = 0, high_z = 0;
};

/// TERMA per unit photon fluence of one gram of each basis material, Gy cm², behind the line integrals (g/cm²) of the two.
struct BasisTerma {
    double water = 0, high_z = 0;
};

inline BasisTerma basis_terma(const Spectrum& spectrum, double water_g_cm2, double high_z_g_cm2) {
    BasisTerma sum;
    for (std::size_t e = 0; e < spectrum.energy_mev.size(); ++e) {
        const double mw = spectrum.mu_water_cm2_g[e], mh = spectrum.mu_high_z_cm2_g[e];
        const double energy_fluence = spectrum.fluence[e] * spectrum.energy_mev[e] * std::exp(-mw * water_g_cm2 - mh * high_z_g_cm2);
        sum.water += energy_fluence * mw;
        sum.high_z += energy_fluence * mh;
    }
    sum.water *= gray_per_mev_per_gram;
    sum.high_z *= gray_per_mev_per_gram;
    return sum;
}

}  // namespace libdose::physics
