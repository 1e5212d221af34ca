#include "patient/density.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <utility>

#include "libdose/error.h"
#include "patient/overrides.h"

namespace libdose {

namespace {

std::string text_of(double value) {
    std::ostringstream stream;
    stream.precision(4);
    stream << value;
    return stream.str();
}

/// The part of the CT that touches a box.
Volume<float> cropped(const Volume<float>& volume, const Vec3& lower_mm, const Vec3& upper_mm) {
    Volume<float> part;
    std::array<int, 3> first{};
    part.grid.spacing_mm = volume.grid.spacing_mm;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const int a = static_cast<int>(axis);
        const double edge = volume.grid.lower_edge_mm()[a], step = volume.grid.spacing_mm[a];
        first[axis] = std::clamp(static_cast<int>(std::floor((lower_mm[a] - edge) / step)), 0,
                                 volume.grid.size[axis] - 1);
        const int last = std::clamp(static_cast<int>(std::ceil((upper_mm[a] - edge) / step)) - 1, first[axis],
                                    volume.grid.size[axis] - 1);
        part.grid.size[axis] = last - first[axis] + 1;
    }
    part.grid.origin_mm = volume.grid.centre_mm(first[0], first[1], first[2]);
    part.values.resize(part.grid.voxel_count());
    for (int k = 0; k < part.grid.size[2]; ++k)
        for (int j = 0; j < part.grid.size[1]; ++j)
            for (int i = 0; i < part.grid.size[0]; ++i)
                part.at(i, j, k) = volume.at(first[0] + i, first[1] + j, first[2] + k);
    return part;
}

/// Mass of a named material in the voxels of the dose grid.
struct NamedMass {
    const MaterialProperties* material;
    double density_g_cm3;        ///< where nothing else is
    std::vector<float> density;  ///< g of it per cm³ of the voxel
};

/// Which override set the density of each CT voxel, to name those that a later one replaces.
class OverrideOwners {
public:
    OverrideOwners(std::size_t voxels, double voxel_cm3) : owner_(voxels, none), voxel_cm3_(voxel_cm3) {}

    /// Enters the voxels of which the override has more than half, and notes what it takes from others.
    void enter(const std::vector<Override>& overrides, std::size_t number, const Volume<float>& part,
               std::vector<std::string>& notes) {
        std::vector<std::size_t> taken(number, 0);
        for (std::size_t v = 0; v < owner_.size(); ++v) {
            if (!(part.values[v] > 0.5f)) continue;
            if (owner_[v] != none) ++taken[owner_[v]];
            owner_[v] = static_cast<std::uint16_t>(std::min<std::size_t>(number, none - 1));
        }
        const Override& later = overrides[number];
        for (std::size_t n = 0; n < number; ++n) {
            const Override& earlier = overrides[n];
            const bool same =
                earlier.structure == later.structure ||
                (earlier.density_g_cm3 == later.density_g_cm3 && earlier.material == later.material);
            if (taken[n] == 0 || same) continue;
            notes.push_back("\"" + earlier.structure->name + "\" and \"" + later.structure->name +
                            "\" overlap in " + text_of(static_cast<double>(taken[n]) * voxel_cm3_) +
                            " cm3: the density of \"" + later.structure->name + "\" holds there, " +
                            text_of(later.density_g_cm3) + " g/cm3, not that of \"" +
                            earlier.structure->name + "\", " + text_of(earlier.density_g_cm3) + " g/cm3");
        }
    }

private:
    static constexpr std::uint16_t none = 65535;
    std::vector<std::uint16_t> owner_;
    double voxel_cm3_;
};

void set_properties(DensityGrid& grid, std::size_t voxel, double rho, const MaterialProperties& p) {
    grid.water_part[voxel] = static_cast<float>(rho * p.water_part);
    grid.high_z_part[voxel] = static_cast<float>(rho * p.high_z_part);
    grid.kernel_density[voxel] = static_cast<float>(rho * p.kernel_scaling);
    grid.water_to_medium[voxel] = static_cast<float>(p.water_to_medium);
}

void resize(DensityGrid& grid, std::size_t count) {
    for (auto* values : {&grid.water_part, &grid.high_z_part, &grid.kernel_density, &grid.water_to_medium})
        values->resize(count);
}

/// The structures that are part of the calculation as a whole: body, supports where there is a body, and the
/// boluses that the patient wears.
class CalculatedStructures {
public:
    CalculatedStructures(const StructureSet* structures, std::vector<const Structure*> worn)
        : body_(structures ? structures->external() : nullptr), worn_(std::move(worn)) {}

    const Structure* body() const { return body_; }  ///< null: the whole CT is calculated
    const std::vector<const Structure*>& worn() const { return worn_; }
    bool whole(const Structure& s) const {
        return &s == body_ || (body_ && s.type == "SUPPORT") ||
               std::find(worn_.begin(), worn_.end(), &s) != worn_.end();
    }

private:
    const Structure* body_;
    std::vector<const Structure*> worn_;
};

/// Part of each CT voxel that is calculated, and the part where the CT itself says the density: in the place
/// of a bolus or a couch with a density of its own it does not.
class Coverage {
public:
    Coverage(const Grid& grid, const CalculatedStructures& calculated, const std::vector<Override>& overrides)
        : body_(calculated.body()),
          overrides_(overrides),
          inside_(grid, body_ ? 0.0f : 1.0f),
          scanned_(inside_) {}

    void add(const Structure& structure) {
        const Volume<float> mask = coverage_mask(structure, inside_.grid);
        const bool own = std::any_of(overrides_.begin(), overrides_.end(),
                                     [&](const Override& o) { return o.structure == &structure; });
        for (std::size_t v = 0; v < mask.values.size(); ++v) {
            inside_.values[v] = std::min(1.0f, inside_.values[v] + mask.values[v]);
            if (!own || &structure == body_)
                scanned_.values[v] = std::min(1.0f, scanned_.values[v] + mask.values[v]);
        }
    }
    const Volume<float>& inside() const { return inside_; }
    const Volume<float>& scanned() const { return scanned_; }

private:
    const Structure* body_;
    const std::vector<Override>& overrides_;
    Volume<float> inside_, scanned_;
};

void note_body(const Structure* body, const HuCurve& curve, std::vector<std::string>& notes) {
    notes.push_back(body ? "body: structure \"" + body->name +
                               "\" (EXTERNAL); everything outside it counts as vacuum"
                         : "no structure of type EXTERNAL: the whole CT is calculated, with couch and "
                           "everything else in it");
    notes.push_back("HU curve " + curve.name() + ": HU 0 is " + text_of(curve.density(0)) + " g/cm3" +
                    (curve.name() == HuCurve::default_curve().name()
                         ? ", as in tissue; for phantoms of water there is the curve \"water\""
                         : ""));
}

/// Adds supports and worn boluses to what is calculated, and notes the boluses that are not.
void add_structures(const StructureSet& structures, const CalculatedStructures& calculated,
                    Coverage& coverage, std::vector<std::string>& notes) {
    for (const Structure& structure : structures.structures) {
        if (structure.contours.empty()) continue;
        const bool bolus = structure.type == "BOLUS";
        if (&structure != calculated.body() && calculated.whole(structure)) {
            coverage.add(structure);
            notes.push_back((bolus ? "bolus: structure \"" : "support: structure \"") + structure.name +
                            "\" is part of the calculation");
        } else if (bolus) {
            notes.push_back("bolus: structure \"" + structure.name +
                            "\" is not on the patient and is left out, with its density");
        }
    }
}

/// Turns HU into mass density, g/cm³, and enters into `result` which HU were scanned and how many voxels lie
/// beyond the ends of the table. Throws bad_input for a voxel that is not a number.
void apply_curve(const HuCurve& curve, const Volume<float>& scanned, Volume<float>& volume,
                 DensityGrid& result) {
    result.lowest_hu = 1e30;
    result.highest_hu = -1e30;
    for (std::size_t v = 0; v < volume.values.size(); ++v) {
        const double hu = static_cast<double>(volume.values[v]);
        if (!std::isfinite(hu))
            throw bad_input("the CT holds a value that is not a number", "voxel " + std::to_string(v));
        if (scanned.values[v] > 0.5f) {
            if (hu < curve.lowest_hu()) ++result.below_table;
            if (hu >= curve.highest_hu()) ++result.above_table;
            result.lowest_hu = std::min(result.lowest_hu, hu);
            result.highest_hu = std::max(result.highest_hu, hu);
        }
        volume.values[v] = static_cast<float>(curve.density(hu));
    }
}

/// Notes the CT voxels beyond the ends of the HU table.
void note_table_ends(const HuCurve& curve, double voxel_mm3, DensityGrid& result) {
    const auto end_of_table = [&](double end) {
        return " the HU table (" + text_of(end) + " HU) and take the density there, " +
               text_of(curve.density(end)) + " g/cm3; lowest " + text_of(result.lowest_hu) + ", highest " +
               text_of(result.highest_hu) + " HU";
    };
    if (result.below_table > 0)
        result.notes.push_back(std::to_string(result.below_table) + " CT voxels are below" +
                               end_of_table(curve.lowest_hu()));
    if (result.above_table > 0)
        result.notes.push_back(std::to_string(result.above_table) + " CT voxels (" +
                               text_of(static_cast<double>(result.above_table) * voxel_mm3 / 1000) +
                               " cm3) are at or above the end of" + end_of_table(curve.highest_hu()) +
                               ". A CT does not tell what saturated metal is: name the material of its "
                               "structure (--material NAME=titanium)");
}

/// Part of what is inside each CT voxel that an override replaces. A structure that is calculated as a whole
/// is inside as far as it covers the voxel. Of an organ that crosses the body's surface in the voxel nothing
/// tells how much is inside: the same part as of the voxel.
Volume<float> part_of_inside(const Override& override_, const Volume<float>& inside, bool whole) {
    Volume<float> part = coverage_mask(*override_.structure, inside.grid);
    if (whole)
        for (std::size_t v = 0; v < part.values.size(); ++v)
            part.values[v] = inside.values[v] > 0 ? std::min(1.0f, part.values[v] / inside.values[v]) : 0.0f;
    return part;
}

/// Replaces the density in `part` of the CT voxels, and what earlier overrides named there.
void apply_override(const Override& override_, const Volume<float>& part, const Volume<float>& inside,
                    const Grid& grid, Volume<float>& density, std::vector<NamedMass>& named) {
    const auto value = static_cast<float>(override_.density_g_cm3);
    Volume<float> mass = part;
    for (std::size_t v = 0; v < part.values.size(); ++v) {
        mass.values[v] *= value * inside.values[v];
        density.values[v] += mass.values[v] - part.values[v] * density.values[v];
    }
    const Volume<float> covered = resample_conserving(part, grid, 0.0f);
    for (NamedMass& earlier : named)
        for (std::size_t v = 0; v < earlier.density.size(); ++v) earlier.density[v] *= 1 - covered.values[v];
    if (override_.material)
        named.push_back(
            {override_.material, override_.density_g_cm3, resample_conserving(mass, grid, 0.0f).values});
}

/// Sets the material properties of the voxels: those of the named materials by their mass, of the rest by its
/// density.
void set_composition(const MaterialTable& materials, const std::vector<NamedMass>& named,
                     DensityGrid& result) {
    const std::size_t count = result.grid.voxel_count();
    resize(result, count);
#pragma omp parallel for schedule(static)
    for (std::size_t v = 0; v < count; ++v) {
        const double rho = static_cast<double>(result.density[v]);
        double rest = rho, rest_volume = static_cast<double>(result.inside[v]);
        for (const NamedMass& mass : named) {
            rest -= static_cast<double>(mass.density[v]);
            rest_volume -= static_cast<double>(mass.density[v]) / mass.density_g_cm3;
        }
        // Composition goes by the density of the tissue itself, not thinned by the air or vacuum beside it.
        MaterialProperties p =
            materials.by_density(std::max(0.0, rest_volume > 1e-3 ? rest / rest_volume : rest));
        double mass_so_far = std::max(0.0, rest);
        for (const NamedMass& mass : named) {
            const double part = static_cast<double>(mass.density[v]);
            if (!(part > 0)) continue;
            mass_so_far += part;
            p = mixture(p, *mass.material, part / mass_so_far);
        }
        set_properties(result, v, rho, p);
    }
}

}  // namespace

PatientBox patient_box(const CtImage& ct, const StructureSet* structures,
                       const std::vector<BeamBolus>& boluses) {
    PatientBox box{ct.hu.grid.lower_edge_mm(), ct.hu.grid.upper_edge_mm()};
    const auto worn = bolus_structures(structures, boluses, "structure set");
    const Structure* body = structures ? structures->external() : nullptr;
    if (!body) return box;
    Vec3 low = Vec3::Constant(1e30), high = -low;
    const auto include = [&](const Structure& structure) {
        for (const Contour& contour : structure.contours)
            for (const Vec3& point : contour.points_mm) {
                low = low.cwiseMin(point);
                high = high.cwiseMax(point);
            }
    };
    include(*body);
    for (const Structure& structure : structures->structures)
        if (structure.type == "SUPPORT") include(structure);
    for (const Structure* bolus : worn) include(*bolus);
    // Contours lie in the middle of slices.
    low[2] -= ct.hu.grid.spacing_mm[2];
    high[2] += ct.hu.grid.spacing_mm[2];
    box.lower_mm = box.lower_mm.cwiseMax(low);
    box.upper_mm = box.upper_mm.cwiseMin(high);
    if (!((box.upper_mm - box.lower_mm).array() > 0).all())
        throw bad_input("the structure \"" + body->name + "\" of type EXTERNAL lies outside the CT",
                        "structure set", "Check that structure set and CT belong together");
    return box;
}

DensityGrid uniform_density(const Grid& grid, const MaterialProperties& material) {
    DensityGrid density;
    density.grid = grid;
    const std::size_t count = grid.voxel_count();
    density.density.assign(count, static_cast<float>(material.density_g_cm3));
    resize(density, count);
    for (std::size_t v = 0; v < count; ++v) set_properties(density, v, material.density_g_cm3, material);
    density.inside.assign(count, 1.0f);
    return density;
}

DensityGrid density_on_grid(const CtImage& ct, const StructureSet* structures, const HuCurve& curve,
                            const MaterialTable& materials, const std::vector<DensityOverride>& requested,
                            const Grid& grid, const std::vector<BeamBolus>& boluses) {
    DensityGrid result;
    result.grid = grid;
    const CalculatedStructures calculated(structures, bolus_structures(structures, boluses, "structure set"));
    const std::vector<Override> overrides =
        all_overrides(structures, requested, materials, calculated.worn());
    // One CT voxel more than the grid on every side: the averages need whole neighbours.
    Volume<float> density = cropped(ct.hu, grid.lower_edge_mm() - ct.hu.grid.spacing_mm,
                                    grid.upper_edge_mm() + ct.hu.grid.spacing_mm);
    Coverage coverage(density.grid, calculated, overrides);
    if (calculated.body()) coverage.add(*calculated.body());
    note_body(calculated.body(), curve, result.notes);
    if (structures) add_structures(*structures, calculated, coverage, result.notes);

    apply_curve(curve, coverage.scanned(), density, result);
    note_table_ends(curve, density.grid.spacing_mm.prod(), result);
    // From here on mass per volume of the whole voxel, of which a part may be vacuum.
    const Volume<float>& inside = coverage.inside();
    for (std::size_t v = 0; v < density.values.size(); ++v) density.values[v] *= inside.values[v];
    std::vector<NamedMass> named;
    OverrideOwners owners(overrides.size() > 1 ? density.values.size() : 0, density.grid.voxel_volume_cm3());
    for (std::size_t n = 0; n < overrides.size(); ++n) {
        const Override& override_ = overrides[n];
        const Volume<float> part = part_of_inside(override_, inside, calculated.whole(*override_.structure));
        apply_override(override_, part, inside, grid, density, named);
        result.notes.push_back("density of \"" + override_.structure->name + "\" set to " +
                               text_of(override_.density_g_cm3) + " g/cm3 (" + override_.origin + ")");
        owners.enter(overrides, n, part, result.notes);
    }

    result.density = resample_conserving(density, grid, 0.0f).values;
    result.inside = resample_conserving(inside, grid, 0.0f).values;
    set_composition(materials, named, result);
    return result;
}

}  // namespace libdose
