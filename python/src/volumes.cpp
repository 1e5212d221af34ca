#include "volumes.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "arrays.h"
#include "base/text.h"
#include "bindings.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "libdose/io/hdf5.h"

namespace libdose::python {

namespace {

using namespace nb::literals;

using Direction = std::tuple<double, double, double, double, double, double, double, double, double>;
constexpr Direction direction{1, 0, 0, 0, 1, 0, 0, 0, 1};

std::string word(DoseSummation s) { return lower_case(to_string(s)); }
DoseSummation summation_of(const std::string& text) {
    for (const DoseSummation s :
         {DoseSummation::plan, DoseSummation::fraction, DoseSummation::beam, DoseSummation::multi_plan})
        if (word(s) == text) return s;
    throw bad_input("\"" + text + "\" is no summation", "Dose", "It is plan, fraction, beam or multi_plan");
}

std::optional<int> fractions_of(const std::optional<int>& fractions) {
    if (fractions && *fractions < 1)
        throw bad_input("the number of fractions is " + std::to_string(*fractions), "Dose",
                        "None: not known");
    return fractions;
}

std::shared_ptr<PythonDose> made(Dose&& dose) {
    return std::make_shared<PythonDose>(PythonDose{std::move(dose), {}, {}, {}});
}

using Points = nb::ndarray<const double, nb::shape<-1, 3>, nb::c_contig, nb::device::cpu>;

nb::ndarray<nb::numpy, double, nb::ndim<1>> values_at(const PythonDose& self, const Points& points) {
    std::vector<Vec3> places;
    for (std::size_t n = 0; n < points.shape(0); ++n)
        places.emplace_back(points(n, 0), points(n, 1), points(n, 2));
    return array_of(dose_at(self.dose, places));
}

nb::dict provenance_of(const Provenance& p) {
    nb::dict d;
    d["engine_version"] = p.engine_version;
    d["engine"] = p.engine;
    d["backend"] = p.backend;
    d["model_hashes"] = p.model_hashes;
    d["hu_curve_name"] = p.hu_curve_name;
    d["hu_curve_hash"] = p.hu_curve_hash;
    d["settings"] = p.settings;
    d["input_uids"] = p.input_uids;
    d["gate"] = p.gate;
    return d;
}
Provenance provenance_from(const nb::dict& d) {
    using Texts = std::map<std::string, std::string>;
    const auto text = [&](const char* name) { return nb::cast<std::string>(d[name]); };
    Provenance p;
    p.engine_version = text("engine_version");
    p.engine = text("engine");
    p.backend = text("backend");
    p.hu_curve_name = text("hu_curve_name");
    p.hu_curve_hash = text("hu_curve_hash");
    p.model_hashes = nb::cast<Texts>(d["model_hashes"]);
    p.settings = nb::cast<Texts>(d["settings"]);
    p.input_uids = nb::cast<Texts>(d["input_uids"]);
    p.gate = nb::cast<std::vector<std::string>>(d["gate"]);
    return p;
}

/// Part of a dose that pickle keeps beside its voxels.
nb::dict dose_state(const PythonDose& self) {
    const Dose& dose = self.dose;
    nb::dict d;
    d["summation"] = word(dose.summation);
    d["dose_to"] = dose.medium == DoseMedium::water ? "water" : "medium";
    d["type"] = dose.type;
    d["beam_number"] = dose.beam_number;
    d["fraction_group"] = dose.fraction_group;
    d["fractions"] = dose.fractions;
    d["comment"] = dose.comment;
    d["plane"] = dose.plane;
    d["patient_id"] = dose.patient_id;
    d["further_plan_uids"] = dose.further_plan_uids;
    d["uids"] =
        nb::make_tuple(dose.frame_of_reference_uid, dose.referenced_plan_uid, dose.referenced_plan_class_uid,
                       dose.referenced_structure_set_uid, dose.sop_instance_uid);
    d["provenance"] = provenance_of(dose.provenance);
    d["notes"] = self.notes;
    d["seconds"] = self.seconds;
    d["beams"] = self.beams;
    return d;
}
void restore(PythonDose& self, const nb::dict& d) {
    Dose& dose = self.dose;
    dose.summation = summation_of(nb::cast<std::string>(d["summation"]));
    dose.medium = nb::cast<std::string>(d["dose_to"]) == "water" ? DoseMedium::water : DoseMedium::medium;
    dose.type = nb::cast<std::string>(d["type"]);
    dose.beam_number = nb::cast<int>(d["beam_number"]);
    dose.fraction_group = nb::cast<int>(d["fraction_group"]);
    dose.fractions = nb::cast<std::optional<int>>(d["fractions"]);
    dose.comment = nb::cast<std::string>(d["comment"]);
    dose.plane = nb::cast<bool>(d["plane"]);
    dose.patient_id = nb::cast<std::string>(d["patient_id"]);
    dose.further_plan_uids = nb::cast<std::vector<std::string>>(d["further_plan_uids"]);
    const auto uids = nb::cast<std::vector<std::string>>(nb::list(d["uids"]));
    dose.frame_of_reference_uid = uids.at(0);
    dose.referenced_plan_uid = uids.at(1);
    dose.referenced_plan_class_uid = uids.at(2);
    dose.referenced_structure_set_uid = uids.at(3);
    dose.sop_instance_uid = uids.at(4);
    dose.provenance = provenance_from(nb::cast<nb::dict>(d["provenance"]));
    self.notes = nb::cast<std::vector<std::string>>(d["notes"]);
    self.seconds = nb::cast<std::map<std::string, double>>(d["seconds"]);
    self.beams = nb::cast<std::vector<std::shared_ptr<PythonDose>>>(d["beams"]);
}

template <class T>
FloatVolume array_view(nb::handle_t<T> self, Volume<float>& volume) {
    return view_of(volume.values, volume.grid, self);
}

/// The texts of an image that pickling keeps, in order.
std::vector<std::string*> texts_of(CtImage& ct) {
    return std::vector<std::string*>{
        &ct.patient_id, &ct.patient_name, &ct.study_uid, &ct.series_uid,       &ct.frame_of_reference_uid,
        &ct.study_date, &ct.study_time,   &ct.study_id,  &ct.accession_number, &ct.patient_birth_date,
        &ct.patient_sex};
}

void bind_ct_state(nb::class_<CtImage>& image) {
    image
        .def("__getstate__",
             [](nb::handle_t<CtImage> self) {
                 CtImage& ct = nb::cast<CtImage&>(self);
                 std::vector<std::string> values;
                 for (const std::string* text : texts_of(ct)) values.push_back(*text);
                 return nb::make_tuple(array_view(self, ct.hu).cast(), triple(ct.hu.grid.spacing_mm),
                                       triple(ct.hu.grid.origin_mm), to_string(ct.position),
                                       ct.position_stated, values, ct.sop_instance_uids, ct.notes);
             })
        .def("__setstate__",
             [](CtImage& self,
                const std::tuple<InputVolume, Triple, Triple, std::string, bool, std::vector<std::string>,
                                 std::vector<std::string>, std::vector<std::string>>& state) {
                 CtImage ct;
                 ct.hu = volume_of(std::get<0>(state), std::get<1>(state), std::get<2>(state), "CtImage");
                 ct.position = patient_position_from_string(std::get<3>(state));
                 ct.position_stated = std::get<4>(state);
                 const auto to = texts_of(ct);
                 for (std::size_t i = 0; i < to.size(); ++i) *to[i] = std::get<5>(state).at(i);
                 ct.sop_instance_uids = std::get<6>(state);
                 ct.notes = std::get<7>(state);
                 new (&self) CtImage(std::move(ct));
             })
        .def("__repr__", [](const CtImage& ct) { return "<CtImage " + text_of(ct.hu.grid) + ">"; });
}

void bind_ct(nb::module_& m) {
    nb::class_<CtImage> image(
        m, "CtImage",
        "CT in Hounsfield units on a regular grid whose axes are the patient's (LPS), all ascending.");
    image
        .def(
            "__init__",
            [](CtImage* self, const InputVolume& array, const Triple& spacing, const Triple& origin,
               const std::string& position, const std::string& frame) {
                CtImage ct;
                ct.hu = volume_of(array, spacing, origin, "CtImage");
                ct.position = patient_position_from_string(position);
                ct.frame_of_reference_uid = frame;
                new (self) CtImage(std::move(ct));
            },
            "array"_a, "spacing_mm"_a, "origin_mm"_a, "position"_a = "HFS", "frame_of_reference_uid"_a = "",
            "array: float [z, y, x], HU. spacing_mm, origin_mm: (x, y, z), the origin is the centre of voxel "
            "[0, 0, 0]. position: HFS, HFP, FFS, FFP, HFDR, "
            "HFDL, "
            "FFDR or FFDL. Raises BadInput for a value that is not finite and a grid that cannot be.")
        .def_prop_ro(
            "array", [](nb::handle_t<CtImage> self) { return array_view(self, nb::cast<CtImage&>(self).hu); },
            "HU, float32 [z, y, x]: a view, not a copy.")
        .def_prop_ro(
            "spacing_mm", [](const CtImage& ct) { return triple(ct.hu.grid.spacing_mm); }, "(x, y, z), mm")
        .def_prop_ro(
            "origin_mm", [](const CtImage& ct) { return triple(ct.hu.grid.origin_mm); },
            "Centre of voxel [0, 0, 0], (x, y, z), mm, LPS")
        .def_prop_ro(
            "direction", [](const CtImage&) { return direction; },
            "Row-major direction cosines: always the identity")
        .def_prop_ro(
            "position", [](const CtImage& ct) { return to_string(ct.position); }, "Patient position, as HFS")
        .def_ro("patient_id", &CtImage::patient_id)
        .def_ro("patient_name", &CtImage::patient_name)
        .def_ro("study_uid", &CtImage::study_uid)
        .def_ro("series_uid", &CtImage::series_uid)
        .def_ro("frame_of_reference_uid", &CtImage::frame_of_reference_uid)
        .def_ro("notes", &CtImage::notes, "What the reader decided or repaired");
    bind_ct_state(image);
}

void bind_density(nb::module_& m) {
    const auto part = [](std::vector<float> DensityGrid::*member) {
        return [member](nb::handle_t<DensityGrid> self) {
            DensityGrid& density = nb::cast<DensityGrid&>(self);
            return view_of(density.*member, density.grid, self);
        };
    };
    nb::class_<DensityGrid>(
        m, "DensityGrid",
        "What the transport sees of the patient, on the dose grid; arrays are float32 [z, y, x] views.")
        .def_prop_ro("array", part(&DensityGrid::density), "Mass density, g/cm3")
        .def_prop_ro("water_part", part(&DensityGrid::water_part),
                     "Density times the water part of the attenuation, g/cm3")
        .def_prop_ro("high_z_part", part(&DensityGrid::high_z_part),
                     "Density times the titanium part of the attenuation, g/cm3")
        .def_prop_ro("kernel_density", part(&DensityGrid::kernel_density),
                     "Density that scales the kernel, g/cm3")
        .def_prop_ro("water_to_medium", part(&DensityGrid::water_to_medium),
                     "Dose to water over dose to medium")
        .def_prop_ro("inside", part(&DensityGrid::inside),
                     "Fraction of the voxel inside body, support or bolus")
        .def_prop_ro(
            "spacing_mm", [](const DensityGrid& d) { return triple(d.grid.spacing_mm); }, "(x, y, z), mm")
        .def_prop_ro(
            "origin_mm", [](const DensityGrid& d) { return triple(d.grid.origin_mm); },
            "Centre of voxel [0, 0, 0], (x, y, z), mm, LPS")
        .def_ro("notes", &DensityGrid::notes)
        .def("__repr__", [](const DensityGrid& d) { return "<DensityGrid " + text_of(d.grid) + ">"; });
}

void bind_dose_description(nb::class_<PythonDose>& dose) {
    dose.def_prop_ro(
            "summation", [](const PythonDose& d) { return word(d.dose.summation); },
            "plan (whole course), fraction, beam (one fraction), or multi_plan")
        .def_prop_ro(
            "type", [](const PythonDose& d) { return d.dose.type; },
            "DICOM Dose Type: PHYSICAL, EFFECTIVE, or ERROR (a difference)")
        .def_prop_ro(
            "plane", [](const PythonDose& d) { return d.dose.plane; },
            "Whether it is one plane without a thickness")
        .def_prop_ro("dose_to",
                     [](const PythonDose& d) {
                         return std::string(d.dose.medium == DoseMedium::water ? "water" : "medium");
                     })
        .def_prop_rw(
            "fractions", [](const PythonDose& d) { return d.dose.fractions; },
            [](PythonDose& d, const std::optional<int>& fractions) {
                d.dose.fractions = fractions_of(fractions);
            },
            nb::for_setter("fractions"_a.none()), "Fractions that the values include; None when not known")
        .def_prop_ro(
            "beam_number", [](const PythonDose& d) { return d.dose.beam_number; }, "Of a beam's dose, else 0")
        .def_prop_ro("comment", [](const PythonDose& d) { return d.dose.comment; })
        .def_prop_ro("frame_of_reference_uid",
                     [](const PythonDose& d) { return d.dose.frame_of_reference_uid; })
        .def_prop_ro("sop_instance_uid", [](const PythonDose& d) { return d.dose.sop_instance_uid; })
        .def_prop_ro("referenced_plan_uid", [](const PythonDose& d) { return d.dose.referenced_plan_uid; })
        .def_prop_ro(
            "provenance", [](const PythonDose& d) { return provenance_of(d.dose.provenance); },
            "Engine, backend, models by hash, settings: a copy")
        .def_ro("notes", &PythonDose::notes, "What the user should know: densities, grid, transport")
        .def_ro("seconds", &PythonDose::seconds, "Time by stage")
        .def_ro("beams", &PythonDose::beams, "Dose of every beam and fraction, where it was asked for");
}

void bind_dose_arithmetic(nb::class_<PythonDose>& dose) {
    dose.def(
            "at",
            [](const PythonDose& d, const Triple& point) { return dose_at(d.dose, {vector(point)}).front(); },
            "point_mm"_a, "Gy at a point (x, y, z), mm, LPS: trilinear, NaN outside.")
        .def("at", &values_at, "points_mm"_a, "Gy at points [n, 3], mm, LPS: trilinear, NaN outside.")
        .def(
            "__add__",
            [](const PythonDose& a, const PythonDose& b) {
                return made(sum_of_doses({&a.dose, &b.dose}));
            },
            nb::is_operator(), "Sum on one grid: see sum_doses.")
        .def(
            "__radd__",
            [](const PythonDose& a, int zero) {
                if (zero != 0) throw nb::type_error("only doses are added to a dose");
                return made(Dose(a.dose));
            },
            nb::is_operator(), "For sum(doses), which begins with 0.")
        .def(
            "__sub__",
            [](const PythonDose& a, const PythonDose& b) {
                return made(difference_of_doses(a.dose, b.dose));
            },
            nb::is_operator(), "Difference on one grid, of type ERROR.")
        .def(
            "__mul__", [](const PythonDose& a, double factor) { return made(scaled_dose(a.dose, factor)); },
            nb::is_operator())
        .def(
            "__rmul__", [](const PythonDose& a, double factor) { return made(scaled_dose(a.dose, factor)); },
            nb::is_operator())
        .def(
            "__truediv__",
            [](const PythonDose& a, double divisor) {
                if (divisor == 0) throw bad_input("a dose is divided by 0", "Dose");
                return made(scaled_dose(a.dose, 1 / divisor));
            },
            nb::is_operator())
        .def(
            "__neg__", [](const PythonDose& a) { return made(scaled_dose(a.dose, -1)); }, nb::is_operator())
        .def(
            "whole_course",
            [](const PythonDose& a, int fractions) { return made(whole_course(a.dose, fractions)); },
            "fractions"_a,
            "Dose of all fractions from that of one. Raises BadInput for the dose of a whole course.");
}

void bind_dose_files(nb::class_<PythonDose>& dose) {
    dose.def(
            "write_dicom",
            [](const PythonDose& d, const std::filesystem::path& file, const CtImage& ct) {
                const nb::gil_scoped_release unlocked;
                return io::write_dose(d.dose, ct, file);
            },
            "file"_a, "ct"_a,
            "Writes an RT Dose with patient and study of the CT; returns its SOP Instance UID.")
        .def(
            "write_hdf5",
            [](const PythonDose& d, const std::filesystem::path& file) {
                std::vector<Dose> beams;
                for (const auto& beam : d.beams) beams.push_back(beam->dose);
                const nb::gil_scoped_release unlocked;
                io::write_doses_hdf5(d.dose, beams, file);
            },
            "file"_a, "Writes the dose with its provenance, and those of the beams.")
        .def_static(
            "read",
            [](const std::filesystem::path& file) {
                const nb::gil_scoped_release unlocked;
                const bool hdf5 = file.extension() == ".h5" || file.extension() == ".hdf5";
                return std::make_shared<PythonDose>(
                    PythonDose{hdf5 ? io::read_dose_hdf5(file) : io::read_dose(file), {}, {}, {}});
            },
            "file"_a, "Reads an RT Dose, or HDF5 (.h5, .hdf5) as write_hdf5() makes it.")
        .def("__getstate__",
             [](nb::handle_t<PythonDose> self) {
                 PythonDose& d = nb::cast<PythonDose&>(self);
                 return nb::make_tuple(array_view(self, d.dose.gy).cast(), triple(d.dose.gy.grid.spacing_mm),
                                       triple(d.dose.gy.grid.origin_mm), dose_state(d));
             })
        .def("__setstate__",
             [](PythonDose& self, const std::tuple<InputVolume, Triple, Triple, nb::dict>& state) {
                 PythonDose d;
                 d.dose.gy = volume_of(std::get<0>(state), std::get<1>(state), std::get<2>(state), "Dose");
                 restore(d, std::get<3>(state));
                 new (&self) PythonDose(std::move(d));
             })
        .def("__repr__", [](const PythonDose& d) {
            return "<Dose (" + word(d.dose.summation) + ") " + text_of(d.dose.gy.grid) + ">";
        });
}

void bind_dose(nb::module_& m) {
    nb::class_<PythonDose> dose(
        m, "Dose", "A dose distribution with what is needed to know what it is and how it was made.");
    dose.def(
            "__init__",
            [](PythonDose* self, const InputVolume& array, const Triple& spacing, const Triple& origin,
               const std::string& summation, const std::optional<int>& fractions, const std::string& frame,
               const std::string& type) {
                PythonDose dose;
                dose.dose.gy = volume_of(array, spacing, origin, "Dose");
                dose.dose.summation = summation_of(summation);
                dose.dose.fractions = fractions_of(fractions);
                dose.dose.frame_of_reference_uid = frame;
                require_dose_type(type, "Dose");
                dose.dose.type = type;
                new (self) PythonDose(std::move(dose));
            },
            "array"_a, "spacing_mm"_a, "origin_mm"_a, "summation"_a = "plan", "fractions"_a = nb::none(),
            "frame_of_reference_uid"_a = "", "type"_a = "PHYSICAL",
            "array: float [z, y, x], Gy. spacing_mm, origin_mm: (x, y, z). summation: plan (whole course), "
            "fraction, beam or multi_plan. fractions: that the "
            "values include, None when not known. type: DICOM Dose Type; ERROR is a difference, the only one "
            "with negative values. Raises BadInput for a value "
            "that is not finite.")
        .def_prop_ro(
            "array",
            [](nb::handle_t<PythonDose> self) {
                return array_view(self, nb::cast<PythonDose&>(self).dose.gy);
            },
            "Gy, float32 [z, y, x]: a view, not a copy.")
        .def_prop_ro(
            "spacing_mm", [](const PythonDose& d) { return triple(d.dose.gy.grid.spacing_mm); },
            "(x, y, z), mm")
        .def_prop_ro(
            "origin_mm", [](const PythonDose& d) { return triple(d.dose.gy.grid.origin_mm); },
            "Centre of voxel [0, 0, 0], (x, y, z), mm, LPS")
        .def_prop_ro(
            "direction", [](const PythonDose&) { return direction; },
            "Row-major direction cosines: always the identity");
    bind_dose_description(dose);
    bind_dose_arithmetic(dose);
    bind_dose_files(dose);
}

void bind_sum(nb::module_& m) {
    m.def(
        "sum_doses",
        [](const std::vector<std::shared_ptr<PythonDose>>& doses, const std::vector<double>& weights,
           const std::string& grid) {
            std::vector<const Dose*> terms;
            for (const auto& dose : doses) terms.push_back(&dose->dose);
            const nb::gil_scoped_release unlocked;
            return made(sum_of_doses(terms, weights, sum_grid_from_string(grid)));
        },
        "doses"_a, "weights"_a, "grid"_a);
}

}  // namespace

std::string text_of(const Grid& grid) {
    std::string text;
    for (std::size_t axis = 3; axis-- > 0;)
        text += std::to_string(grid.size[axis]) + (axis ? " x " : " voxels [z, y, x]");
    return text;
}

void bind_volumes(nb::module_& m) {
    bind_ct(m);
    bind_density(m);
    bind_dose(m);
    bind_sum(m);
}

}  // namespace libdose::python
