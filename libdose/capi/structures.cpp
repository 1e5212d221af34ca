#include <algorithm>
#include <cmath>

#include "capi/handles.h"
#include "libdose/io/dicom.h"

using namespace libdose;
using namespace libdose::capi;

namespace {

std::optional<double> density_override(double value, const char* name) {
    if (!(std::isfinite(value) && value >= 0))
        throw bad_input("the density is not a number of at least 0", name);
    return value > 0 ? std::optional<double>(value) : std::nullopt;
}

}  // namespace

void libdose_structure_init(libdose_structure* structure, size_t struct_size) {
    init_struct(structure, struct_size, libdose_structure{});
}

libdose_status libdose_structures_create(const char* frame_of_reference_uid,
                                         libdose_structures** structures) {
    return guarded([&] {
        Output<libdose_structures> made(structures, "structures");
        made->set.frame_of_reference_uid = text_or_empty(frame_of_reference_uid);
        made.hand_over();
    });
}

libdose_status libdose_structures_read(const char* file, libdose_structures** structures) {
    return guarded([&] {
        Output<libdose_structures> made(structures, "structures");
        made->set = io::read_structures(text_of(file, "file"));
        made.hand_over();
    });
}

libdose_status libdose_structures_add(libdose_structures* structures, const libdose_structure* structure,
                                      size_t* index) {
    return guarded([&] {
        StructureSet& set = handle(structures, "structures").set;
        const libdose_structure given = read_struct(structure, "structure");
        Structure added;
        added.name = text_of(given.name, "structure->name");
        if (set.find(added.name))
            throw bad_input("there is a structure \"" + added.name + "\" already", "structure->name");
        added.type = text_or_empty(given.type);
        added.material = text_or_empty(given.material);
        added.relative_mass_density =
            density_override(given.relative_mass_density, "structure->relative_mass_density");
        added.relative_electron_density =
            density_override(given.relative_electron_density, "structure->relative_electron_density");
        if (!(std::isfinite(given.plane_spacing_mm) && given.plane_spacing_mm >= 0))
            throw bad_input("the plane spacing is not a number of at least 0", "structure->plane_spacing_mm");
        added.plane_spacing_mm = given.plane_spacing_mm;
        added.xor_contours = given.xor_contours != 0;
        added.number = given.number;
        added.frame_of_reference_uid = set.frame_of_reference_uid;
        for (const Structure& other : set.structures) {
            if (given.number == 0) added.number = std::max(added.number, other.number);
            if (given.number != 0 && given.number == other.number)
                throw bad_input("there is a structure of number " + std::to_string(given.number) + " already",
                                "structure->number");
        }
        if (given.number == 0) ++added.number;
        set.structures.push_back(std::move(added));
        if (index) *index = set.structures.size() - 1;
    });
}

libdose_status libdose_structures_add_contour(libdose_structures* structures, size_t index,
                                              const double* points_mm, size_t point_count) {
    return guarded([&] {
        StructureSet& set = handle(structures, "structures").set;
        item(set.structures, index, "index");
        const double* p = &required(points_mm, "points_mm");
        if (point_count < 3)
            throw bad_input("a contour of " + std::to_string(point_count) + " points", "point_count",
                            "Give three or more");
        Contour contour;
        for (size_t n = 0; n < point_count; ++n, p += 3) {
            for (int a = 0; a < 3; ++a) require_finite(p[a], "points_mm");
            if (std::abs(p[2] - points_mm[2]) > 1e-3)
                throw bad_input("the contour is not in one axial plane", "points_mm");
            contour.points_mm.emplace_back(p[0], p[1], p[2]);
        }
        set.structures[index].contours.push_back(std::move(contour));
    });
}

libdose_status libdose_structures_count(const libdose_structures* structures, size_t* count) {
    return guarded(
        [&] { required(count, "count") = handle(structures, "structures").set.structures.size(); });
}

libdose_status libdose_structures_get(const libdose_structures* structures, size_t index,
                                      libdose_structure* structure) {
    return guarded([&] {
        const Structure& found = item(handle(structures, "structures").set.structures, index, "index");
        libdose_structure values{};
        values.name = found.name.c_str();
        values.type = found.type.c_str();
        values.material = found.material.c_str();
        values.relative_mass_density = found.relative_mass_density.value_or(0);
        values.relative_electron_density = found.relative_electron_density.value_or(0);
        values.plane_spacing_mm = found.plane_spacing_mm;
        values.number = found.number;
        values.xor_contours = found.xor_contours ? 1 : 0;
        write_struct(structure, values, "structure");
    });
}

libdose_status libdose_structures_frame(const libdose_structures* structures,
                                        const char** frame_of_reference_uid) {
    return guarded([&] {
        required(frame_of_reference_uid, "frame_of_reference_uid") =
            handle(structures, "structures").set.frame_of_reference_uid.c_str();
    });
}

void libdose_structures_free(libdose_structures** structures) { free_handle(structures); }
