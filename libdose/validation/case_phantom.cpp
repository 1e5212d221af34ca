#include "validation/case_phantom.h"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/units.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"

namespace libdose {

namespace {}

/// "1: lung (ICRU 44 composition), 0.26 g/cm3" -> name of the material table.
std::string case_material_name(const std::string& text, const std::string& where) {
    static const std::pair<const char*, const char*> known[] = {
        {"lung", "lung"},
        {"cortical bone", "bone_cortical"},
        {"soft tissue (ICRU four", "soft_tissue_icru4"},
        {"soft tissue", "soft_tissue"},
        {"adipose", "adipose"},
        {"titanium", "titanium"},
        {"steel", "steel"},
        {"aluminium", "aluminium"},
        {"aluminum", "aluminium"},
        {"air", "air"},
        {"water", "water"},
        {"bone", "bone_cortical"}};
    for (const auto& [part, name] : known)
        if (text.find(part) != std::string::npos) return name;
    throw bad_input(
        "material \"" + text + "\" is not known", where,
        "Known: water, lung, soft tissue, adipose, cortical bone, air, titanium, aluminium, steel");
}

/// Point source with a sharp rectangular field on the plane 100 cm away; fluence falls as 1/R².
CaseBeam case_beam(const ReferenceCase& reference) {
    constexpr double sad_cm = 100;
    Vec3 axis(0, 0, 1);  // from the source
    if (reference.beam_angle_deg != 0) {
        axis = -reference.source_position_cm.normalized();
        const double angle = std::acos(std::clamp(axis[2], -1.0, 1.0)) * 180 / std::numbers::pi;
        if (std::abs(angle - std::abs(reference.beam_angle_deg)) > 0.5 ||
            std::abs(reference.source_position_cm.norm() - sad_cm) > 0.5)
            throw bad_input(
                "source_position_cm and beam_angle_deg contradict each other", reference.name,
                "A turned source must lie 100 cm from the origin at the stated angle to the z axis");
    }
    // u and v: x and y turned by the smallest rotation that takes z to the beam axis.
    const Mat3 turn = Eigen::Quaterniond::FromTwoVectors(Vec3(0, 0, 1), axis).toRotationMatrix();
    CaseBeam beam;
    beam.along_z = reference.beam_angle_deg == 0;
    beam.map.frame.axes << turn.col(0), turn.col(1), -axis;
    beam.map.frame.source_axis_distance_mm = sad_cm * mm_per_cm;
    beam.map.frame.isocentre_mm = (reference.source_position_cm + sad_cm * axis) * mm_per_cm;
    FluenceMap& map = beam.map;
    map.pixel_mm = 0.5;
    const double low_u = reference.field_x_cm[0] * mm_per_cm, high_u = reference.field_x_cm[1] * mm_per_cm;
    const double low_v = reference.field_y_cm[0] * mm_per_cm, high_v = reference.field_y_cm[1] * mm_per_cm;
    if (!(high_u > low_u) || !(high_v > low_v)) throw bad_input("the field is empty", reference.name);
    map.lower_u_mm = std::floor(low_u) - 1;
    map.lower_v_mm = std::floor(low_v) - 1;
    map.size_u = static_cast<int>(std::ceil((high_u + 1 - map.lower_u_mm) / map.pixel_mm));
    map.size_v = static_cast<int>(std::ceil((high_v + 1 - map.lower_v_mm) / map.pixel_mm));
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), 0.0f);
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u) {
            const double u0 = map.lower_u_mm + u * map.pixel_mm, v0 = map.lower_v_mm + v * map.pixel_mm;
            const double open = physics::overlap(u0, u0 + map.pixel_mm, low_u, high_u) *
                                physics::overlap(v0, v0 + map.pixel_mm, low_v, high_v) /
                                (map.pixel_mm * map.pixel_mm);
            const double uc = (u0 + 0.5 * map.pixel_mm) / (sad_cm * mm_per_cm),
                         vc = (v0 + 0.5 * map.pixel_mm) / (sad_cm * mm_per_cm);
            map.at(u, v) = static_cast<float>(open / (1 + uc * uc + vc * vc));
        }
    return beam;
}

Edges case_edges_mm(const ReferenceCase& reference) {
    Edges edges;
    for (std::size_t axis = 0; axis < 3; ++axis)
        for (const double edge : reference.edges_cm[axis]) edges[axis].push_back(edge * mm_per_cm);
    return edges;
}

DensityGrid case_density(const ReferenceCase& reference, const MaterialTable& materials,
                         const Vec3& grid_mm) {
    const Edges edges = case_edges_mm(reference);
    DensityGrid density;
    Grid& grid = density.grid;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const double extent = edges[axis].back() - edges[axis].front();
        const double step = grid_mm[static_cast<int>(axis)];
        grid.spacing_mm[static_cast<int>(axis)] = step;
        grid.size[axis] = std::max(1, static_cast<int>(std::ceil(extent / step - 1e-6)));
        grid.origin_mm[static_cast<int>(axis)] = edges[axis].front() + 0.5 * step;
    }
    std::vector<MaterialProperties> properties;
    for (const std::string& text : reference.materials)
        properties.push_back(materials.by_name(case_material_name(text, reference.name)));
    const std::size_t count = reference.density_g_cm3.size();
    std::vector<float> water(count), high_z(count), kernel(count), ratio(count);
    for (std::size_t v = 0; v < count; ++v) {
        if (reference.material_index[v] >= properties.size())
            throw bad_input("material_index out of range", reference.name);
        const MaterialProperties& p = properties[reference.material_index[v]];
        const double rho = static_cast<double>(reference.density_g_cm3[v]);
        water[v] = static_cast<float>(rho * p.water_part);
        high_z[v] = static_cast<float>(rho * p.high_z_part);
        kernel[v] = static_cast<float>(rho * p.kernel_scaling);
        ratio[v] = static_cast<float>(p.water_to_medium);
    }
    const Edges to = uniform_edges(grid);
    density.density = average_overlap(edges, reference.density_g_cm3, to, 0.0f);
    density.water_part = average_overlap(edges, water, to, 0.0f);
    density.high_z_part = average_overlap(edges, high_z, to, 0.0f);
    density.kernel_density = average_overlap(edges, kernel, to, 0.0f);
    density.water_to_medium = average_overlap(edges, ratio, to, 1.0f);
    density.inside.assign(grid.voxel_count(), 1.0f);
    return density;
}

}  // namespace libdose
