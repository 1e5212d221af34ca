// A Monte Carlo reference: phantom, beam and dose. Lengths in cm, in the phantom's own frame
// (docs/reference/reference-case.md); arrays indexed [z][y][x], x fastest.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "libdose/grid.h"

namespace libdose {

/// A phantom, a beam and the dose of Monte Carlo.
struct ReferenceCase {
    std::string name, description;
    std::array<std::vector<double>, 3> edges_cm;  ///< voxel edges along x, y, z; not uniform
    std::vector<float> dose;  ///< Gy cm²: per unit photon fluence on the axis at 100 cm, in vacuum
    std::vector<float> relative_uncertainty;  ///< one standard deviation / dose
    std::vector<float> density_g_cm3;
    std::vector<unsigned char> material_index;
    std::vector<std::string> materials;  ///< "0: water, 1.0 g/cm3", …
    Vec3 source_position_cm = Vec3(0, 0, -100);
    double beam_angle_deg = 0;  ///< rotation of source and field about the y axis through the origin
    std::array<double, 2> field_x_cm{}, field_y_cm{};  ///< on the plane 100 cm from the source
    std::string source_spectrum;                       ///< name as in the file
    std::string dose_to;

    std::array<int, 3> size() const {
        return {static_cast<int>(edges_cm[0].size()) - 1, static_cast<int>(edges_cm[1].size()) - 1,
                static_cast<int>(edges_cm[2].size()) - 1};
    }
};

}  // namespace libdose
