// The stages of a calculation: a patient that is prepared once, the fluence of a beam, its dose.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <memory>

#include "arrays.h"
#include "bindings.h"
#include "libdose/error.h"
#include "libdose/io/provenance.h"
#include "libdose/prepared_patient.h"
#include "records.h"
#include "request.h"
#include "run.h"
#include "volumes.h"

namespace libdose::python {

using namespace nb::literals;

namespace {

using InputRaster = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Axes = std::array<std::array<double, 3>, 3>;

/// A prepared patient with what it was asked for: the models must outlive it.
struct PythonPatient {
    std::unique_ptr<Request> request;
    PreparedPatient patient;
};

/// The beam of a plan that holds just one.
const Beam& only_beam(const Plan& plan) {
    if (plan.beams.size() != 1) throw bad_input("one beam is needed", "beam");
    return plan.beams.front();
}

Axes axes_of(const Eigen::Matrix3d& axes) {
    Axes rows;
    for (int r = 0; r < 3; ++r)
        for (int c = 0; c < 3; ++c)
            rows[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)] = axes(r, c);
    return rows;
}

/// The dictionary that libdose.FluenceRaster is made of.
nb::dict dict_of(FluenceRaster raster) {
    nb::dict fields;
    fields["isocentre_mm"] = triple(raster.isocentre_mm);
    fields["axes"] = axes_of(raster.axes);
    fields["source_axis_distance_mm"] = raster.source_axis_distance_mm;
    fields["pixel_mm"] = raster.pixel_mm;
    fields["lower_mm"] = std::pair(raster.lower_u_mm, raster.lower_v_mm);
    fields["shape"] = std::pair(raster.size_v, raster.size_u);
    fields["values"] = array_of(std::move(raster.values));
    return fields;
}

FluenceRaster raster_of(nb::handle raster) {
    FluenceRaster result;
    result.isocentre_mm = vector(nb::cast<Triple>(raster.attr("isocentre_mm")));
    const auto axes = nb::cast<Axes>(raster.attr("axes"));
    for (int r = 0; r < 3; ++r)
        for (int c = 0; c < 3; ++c)
            result.axes(r, c) = axes[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)];
    result.source_axis_distance_mm = nb::cast<double>(raster.attr("source_axis_distance_mm"));
    result.pixel_mm = nb::cast<double>(raster.attr("pixel_mm"));
    const auto lower = nb::cast<std::pair<double, double>>(raster.attr("lower_mm"));
    result.lower_u_mm = lower.first;
    result.lower_v_mm = lower.second;
    const auto values = nb::cast<InputRaster>(raster.attr("values"));
    if (values.shape(0) > 100000 || values.shape(1) > 100000)
        throw bad_input("the fluence is too long along an axis", "values");
    result.size_v = static_cast<int>(values.shape(0));
    result.size_u = static_cast<int>(values.shape(1));
    result.values.assign(values.data(), values.data() + values.size());
    return result;
}

std::shared_ptr<PythonPatient> prepare(nb::handle plan, const CtImage& ct, nb::handle structures,
                                       const nb::dict& settings, nb::handle progress) {
    auto request = std::make_unique<Request>(plan, ct, structures, settings);
    Request& r = *request;
    PreparedPatient patient = run(progress, [&](const Report& report) {
        r.options.progress = report;
        PreparedPatient made(ct, r.structure_set(), r.plan, r.materials, r.models.provider(), r.options);
        return made;
    });
    return std::make_shared<PythonPatient>(PythonPatient{std::move(request), std::move(patient)});
}

std::shared_ptr<PythonDose> dose_of_fluence(PythonPatient& p, const BeamFluence& fluence,
                                            nb::handle progress) {
    Dose dose = run(progress, [&](const Report& report) { return p.patient.dose(fluence, report); });
    const Request& r = *p.request;
    io::add_inputs(dose.provenance, r.options.hu_curve, r.ct, r.structure_set(), r.plan);
    return std::make_shared<PythonDose>(PythonDose{std::move(dose), fluence.notes(), {}, {}});
}

}  // namespace

void bind_prepared(nb::module_& m) {
    nb::class_<BeamFluence>(m, "BeamFluence", "Fluence of one beam, made by a PreparedPatient")
        .def_prop_ro("notes", &BeamFluence::notes)
        .def("raster_fields", [](const BeamFluence& fluence) {
            nb::list rasters;
            for (FluenceRaster& raster : fluence.rasters()) rasters.append(dict_of(std::move(raster)));
            return rasters;
        });
    nb::class_<PythonPatient> patient(m, "PreparedPatient", "A patient whose density is on the dose grid");
    bind_grid(patient, [](const PythonPatient& p) -> const Grid& { return p.patient.grid(); });
    patient.def_prop_ro("notes", [](const PythonPatient& p) { return p.patient.notes(); })
        .def("fluence",
             [](const PythonPatient& p, nb::handle plan) {
                 const Plan one = plan_of(plan);
                 return run(nb::none(), [&](const Report&) { return p.patient.fluence(only_beam(one)); });
             })
        .def("own_fluence",
             [](const PythonPatient& p, const nb::list& rasters, nb::handle plan) {
                 std::vector<FluenceRaster> given;
                 for (const nb::handle raster : rasters) given.push_back(raster_of(raster));
                 return p.patient.fluence(given, only_beam(plan_of(plan)));
             })
        .def("dose", &dose_of_fluence, "fluence"_a, "progress"_a.none())
        .def(
            "calculate",
            [](PythonPatient& p, nb::handle progress) {
                CalculationResult result =
                    run(progress, [&](const Report& report) { return p.patient.calculate(report); });
                return dose_of(std::move(result), *p.request);
            },
            "progress"_a.none());
    m.def("prepare", &prepare, "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a, "progress"_a.none(),
          nb::keep_alive<0, 2>());
    m.def("beam_axes",
          [](const std::string& position, double gantry_deg, double collimator_deg, double couch_deg) {
              return axes_of(
                  beam_axes(patient_position_from_string(position), gantry_deg, collimator_deg, couch_deg));
          });
}

}  // namespace libdose::python
