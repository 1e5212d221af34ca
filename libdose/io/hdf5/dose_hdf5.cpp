// Doses in HDF5 (docs/reference/dose-hdf5.md).
#include <cmath>

#include "io/hdf5/hdf5_file.h"
#include "io/hdf5/provenance_hdf5.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"

namespace libdose::io {

namespace {

constexpr const char* schema = "libdose-dose";

/// Attribute with the UID of the second, third, … plan of a sum.
std::string further_plan(int number) { return "referenced_plan_uid_" + std::to_string(number); }

void write_one(Hdf5Writer& file, const std::string& group, const Dose& dose) {
    const Grid& grid = dose.gy.grid;
    grid.check("dose");
    for (std::size_t v = 0; v < dose.gy.values.size(); ++v)
        if (!std::isfinite(dose.gy.values[v]))
            throw internal_error("the dose of voxel " + std::to_string(v) + " is not finite");
    file.group(group);
    file.floats(group + "/dose", dose.gy.values,
                {static_cast<std::size_t>(grid.size[2]), static_cast<std::size_t>(grid.size[1]),
                 static_cast<std::size_t>(grid.size[0])});
    const std::string data = group + "/dose";
    file.text(data, "units", "Gy");
    file.text(data, "dims", "z, y, x");
    file.numbers(data, "spacing_mm", {grid.spacing_mm[0], grid.spacing_mm[1], grid.spacing_mm[2]});
    file.numbers(data, "origin_mm", {grid.origin_mm[0], grid.origin_mm[1], grid.origin_mm[2]});
    file.text(data, "frame", "DICOM patient coordinates (LPS), centre of voxel 0, order x, y, z");
    file.text(group, "summation", to_string(dose.summation));
    file.text(group, "type", dose.type);
    file.text(group, "dose_to", dose.medium == DoseMedium::medium ? "medium" : "water");
    file.integer(group, "beam_number", dose.beam_number);
    file.integer(group, "fraction_group", dose.fraction_group);
    file.integer(group, "fractions", dose.fractions.value_or(0));  // 0: not known
    if (dose.plane) file.integer(group, "plane", 1);
    file.text(group, "comment", dose.comment);
    file.text(group, "frame_of_reference_uid", dose.frame_of_reference_uid);
    file.text(group, "referenced_plan_uid", dose.referenced_plan_uid);
    file.text(group, "referenced_plan_class_uid", dose.referenced_plan_class_uid);
    file.text(group, "referenced_structure_set_uid", dose.referenced_structure_set_uid);
    file.text(group, "sop_instance_uid", dose.sop_instance_uid);
    int number = 1;
    for (const std::string& uid : dose.further_plan_uids) file.text(group, further_plan(++number), uid);
}

}  // namespace

void write_doses_hdf5(const Dose& plan, const std::vector<Dose>& beams, const std::filesystem::path& path) {
    Hdf5Writer file(path);
    file.text("/", "schema", schema);
    file.integer("/", "schema_version", 1);
    write_provenance(file, plan.provenance);
    write_one(file, "/plan", plan);
    if (!beams.empty()) file.group("/beams");
    for (const Dose& beam : beams) write_one(file, "/beams/" + std::to_string(beam.beam_number), beam);
    file.commit();
}

Dose read_dose_hdf5(const std::filesystem::path& path) {
    const Hdf5Reader file(path);
    if (!file.has_attribute("/", "schema") || file.text("/", "schema") != schema)
        throw bad_input("this is not a libdose dose file", path.string());
    if (file.number("/", "schema_version") != 1)
        throw bad_input("the dose file has a schema version that this libdose does not read", path.string(),
                        "It reads version 1");
    Dose dose;
    const std::string data = "/plan/dose";
    const std::vector<std::size_t> shape = file.shape(data);
    if (shape.size() != 3) throw bad_input("the dose is not three-dimensional", file.where(data));
    if (const std::string units = file.text(data, "units"); units != "Gy")
        throw bad_input("the dose is in \"" + units + "\", not in Gy", file.where(data));
    const auto spacing = file.numbers(data, "spacing_mm"), origin = file.numbers(data, "origin_mm");
    if (spacing.size() != 3 || origin.size() != 3)
        throw bad_input("spacing_mm or origin_mm does not hold three numbers", file.where(data));
    for (int axis = 0; axis < 3; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        dose.gy.grid.size[a] = static_cast<int>(shape[2 - a]);
        dose.gy.grid.spacing_mm[axis] = spacing[a];
        dose.gy.grid.origin_mm[axis] = origin[a];
    }
    dose.gy.grid.check(file.where(data));
    dose.gy.values = file.floats(data);
    dose.summation = dose_summation_from_string(file.text("/plan", "summation"), file.where("/plan"));
    dose.type = file.text("/plan", "type");
    const std::string medium = file.text("/plan", "dose_to");
    if (medium != "medium" && medium != "water")
        throw bad_input("unknown dose_to \"" + medium + "\"", file.where("/plan"));
    dose.medium = medium == "water" ? DoseMedium::water : DoseMedium::medium;
    dose.beam_number = static_cast<int>(file.number("/plan", "beam_number"));
    dose.fraction_group = static_cast<int>(file.number("/plan", "fraction_group"));
    if (const int fractions = static_cast<int>(file.number("/plan", "fractions")); fractions > 0)
        dose.fractions = fractions;
    dose.plane = file.has_attribute("/plan", "plane");
    dose.comment = file.text("/plan", "comment");
    dose.frame_of_reference_uid = file.text("/plan", "frame_of_reference_uid");
    dose.referenced_plan_uid = file.text("/plan", "referenced_plan_uid");
    dose.referenced_plan_class_uid = file.text("/plan", "referenced_plan_class_uid");
    dose.referenced_structure_set_uid = file.text("/plan", "referenced_structure_set_uid");
    dose.sop_instance_uid = file.text("/plan", "sop_instance_uid");
    for (int n = 2; file.has_attribute("/plan", further_plan(n)); ++n)
        dose.further_plan_uids.push_back(file.text("/plan", further_plan(n)));
    dose.provenance = read_provenance(file);
    return dose;
}

}  // namespace libdose::io
