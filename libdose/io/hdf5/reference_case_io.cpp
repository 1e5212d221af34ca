#include "io/hdf5/hdf5_file.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "libdose/reference_case.h"
#include "libdose/validate.h"

namespace libdose::io {

namespace {

std::array<double, 2> interval(const Hdf5Reader& file, const char* name) {
    const std::vector<double> values = file.numbers("/", name);
    if (values.size() != 2 || !(values[1] > values[0]))
        throw bad_input(std::string("the attribute \"") + name + "\" is not an interval", file.where("/"));
    return {values[0], values[1]};
}

}  // namespace

ReferenceCase read_reference_case(const std::filesystem::path& path) {
    const Hdf5Reader file(path);
    ReferenceCase result;
    result.name = file.has_attribute("/", "case") ? file.text("/", "case") : path.stem().string();
    if (file.has_attribute("/", "description")) result.description = file.text("/", "description");
    const char* names[] = {"/x_edges_cm", "/y_edges_cm", "/z_edges_cm"};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        result.edges_cm[axis] = file.doubles(names[axis]);
        const auto& edges = result.edges_cm[axis];
        if (edges.size() < 2) throw bad_input("fewer than two edges", file.where(names[axis]));
        for (std::size_t i = 1; i < edges.size(); ++i)
            if (!(edges[i] > edges[i - 1])) throw bad_input("edges do not ascend", file.where(names[axis]));
    }
    const auto n = result.size();
    const std::vector<std::size_t> shape{static_cast<std::size_t>(n[2]), static_cast<std::size_t>(n[1]),
                                         static_cast<std::size_t>(n[0])};
    const auto check_shape = [&](const char* name) {
        if (file.shape(name) != shape)
            throw bad_input("the shape is not [z, y, x] of the edges", file.where(name));
    };
    for (const char* name : {"/dose", "/relative_uncertainty", "/density_g_cm3", "/material_index"})
        check_shape(name);
    result.dose = file.floats("/dose");
    result.relative_uncertainty = file.floats("/relative_uncertainty");
    result.density_g_cm3 = file.floats("/density_g_cm3");
    result.material_index = file.bytes("/material_index");
    result.materials = file.texts("/", "materials");
    for (std::size_t v = 0; v < result.dose.size(); ++v) {
        if (result.dose[v] < 0 || result.relative_uncertainty[v] < 0 || result.density_g_cm3[v] < 0)
            throw bad_input("voxel " + std::to_string(v) + " has a negative dose, uncertainty or density",
                            path.string());
        if (result.material_index[v] >= result.materials.size())
            throw bad_input(
                "voxel " + std::to_string(v) + " has a material_index without a name in \"materials\"",
                file.where("/material_index"));
    }
    const std::vector<double> source = file.numbers("/", "source_position_cm");
    if (source.size() != 3)
        throw bad_input("the attribute \"source_position_cm\" does not hold three numbers", file.where("/"));
    result.source_position_cm = Vec3(source[0], source[1], source[2]);
    result.beam_angle_deg = file.number("/", "beam_angle_deg");
    result.field_x_cm = interval(file, "field_x_cm");
    result.field_y_cm = interval(file, "field_y_cm");
    result.source_spectrum = file.text("/", "source_spectrum");
    result.dose_to = file.has_attribute("/", "dose_to") ? file.text("/", "dose_to") : "";
    return result;
}

void write_validation(const ReferenceCase& reference, const ValidationResult& result,
                      const std::filesystem::path& path) {
    const auto n = reference.size();
    const std::vector<std::size_t> shape{static_cast<std::size_t>(n[2]), static_cast<std::size_t>(n[1]),
                                         static_cast<std::size_t>(n[0])};
    Hdf5Writer file(path);
    const char* names[] = {"/x_edges_cm", "/y_edges_cm", "/z_edges_cm"};
    for (std::size_t axis = 0; axis < 3; ++axis)
        file.doubles(names[axis], reference.edges_cm[axis], {reference.edges_cm[axis].size()});
    file.floats("/reference", reference.dose, shape);
    file.floats("/relative_uncertainty", reference.relative_uncertainty, shape);
    file.floats("/density_g_cm3", reference.density_g_cm3, shape);
    file.floats("/calculated", result.calculated, shape);
    file.bytes("/passed", result.passed, shape);
    std::vector<unsigned char> region;
    for (const Region r : result.region) region.push_back(static_cast<unsigned char>(r));
    file.bytes("/region", region, shape);
    file.text("/", "case", result.name);
    file.text("/", "engine", result.engine);
    file.text("/", "quality", result.quality);
    file.text("/", "model", result.model);
    file.text("/", "dose_unit", "Gy cm2");
    file.texts("/", "passed_values", {"0: not judged", "1: failed 2%/2mm", "2: passed 2%/2mm"});
    file.texts("/", "region_values",
               {"0: none", "1: build-up", "2: in-field", "3: penumbra", "4: out-of-field"});
    file.number("/", "maximum", result.maximum);
    file.commit();
}

}  // namespace libdose::io
