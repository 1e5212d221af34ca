// Calculations.
#include "libdose/engine.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>

#include "arrays.h"
#include "bindings.h"
#include "libdose/admission.h"
#include "libdose/couch.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/model_store.h"
#include "libdose/io/provenance.h"
#include "libdose/leaf_design.h"
#include "libdose/prepared_patient.h"
#include "model.h"
#include "options.h"
#include "records.h"
#include "request.h"
#include "run.h"
#include "volumes.h"

namespace libdose::python {

using namespace nb::literals;

EngineOptions options_of(const nb::dict& settings) {
    const auto text = [&](const char* name) { return nb::cast<std::string>(settings[name]); };
    EngineOptions options;
    options.algorithm = algorithm_from_string(text("algorithm"));
    options.quality = quality_from_string(text("quality"));
    options.grouping = grouping_from_string(text("grouping"));
    options.backend = backend_from_string(text("backend"));
    options.device = nb::cast<int>(settings["device"]);
    options.devices = nb::cast<std::shared_ptr<OpenDevices>>(settings["_devices"]);
    if (const nb::object spacing = nb::borrow(settings["grid_mm"]); !spacing.is_none()) {
        options.grid_mm = nb::cast<double>(spacing);
        if (options.grid_mm == 0)
            throw bad_input("grid spacing 0 mm is not between 0.5 and 20", "grid_mm",
                            "Leave it out, and it is chosen");
    }
    if (const nb::object grid = nb::borrow(settings["grid"]); !grid.is_none()) {
        const auto [shape_zyx, spacing_mm, origin_mm] =
            nb::cast<std::tuple<std::array<std::size_t, 3>, Triple, Triple>>(grid);
        options.grid = grid_of(shape_zyx, spacing_mm, origin_mm, "grid");
    }
    options.threads = nb::cast<int>(settings["threads"]);
    options.beam_margin_mm = nb::cast<double>(settings["beam_margin_mm"]);
    options.sub_arc_deg = nb::cast<double>(settings["sub_arc_deg"]);
    options.per_beam = nb::cast<bool>(settings["per_beam"]);
    options.accept_gaps = nb::cast<bool>(settings["accept_gaps"]);
    options.lateral_scaling = nb::cast<bool>(settings["lateral_scaling"]);
    if (text("dose_to") != "medium" && text("dose_to") != "water")
        throw bad_input("\"" + text("dose_to") + "\" is neither medium nor water", "dose_to");
    options.dose_to = text("dose_to") == "water" ? DoseMedium::water : DoseMedium::medium;
    const auto densities = nb::cast<std::map<std::string, double>>(settings["densities"]);
    const auto materials = nb::cast<std::map<std::string, std::string>>(settings["materials"]);
    for (const auto& [structure, density] : densities) {
        const auto material = materials.find(structure);
        options.overrides.push_back(
            {structure, density, material == materials.end() ? "" : material->second});
    }
    for (const auto& [structure, material] : materials)
        if (!densities.contains(structure)) options.overrides.push_back({structure, 0, material});
    options.leaves = text("leaves");
    options.leaf_ends = leaf_ends_from_string(text("leaf_ends"));
    if (options.leaf_ends == LeafEnds::sharp && !options.leaves.empty())
        throw bad_input("leaf ends are rounded, or sharp without a design", "leaf_ends, leaves");
    if (const nb::object curve = nb::borrow(settings["hu_curve"]); !curve.is_none())
        options.hu_curve = read_hu_curve(nb::cast<std::string>(nb::str(curve)));
    return options;
}

Request::Request(nb::handle p, const CtImage& c, nb::handle s, const nb::dict& settings)
    : plan(plan_of(p)),
      ct(c),
      materials(MaterialTable::read_csv(data_folder() / "materials" / "basis.csv")),
      options(options_of(settings)),
      models(settings["model"], settings["calibration_depth"]) {
    if (!s.is_none()) structures = structures_of(s);
}

std::shared_ptr<PythonDose> dose_of(CalculationResult&& result, const Request& request) {
    auto dose = std::make_shared<PythonDose>(
        PythonDose{std::move(result.plan), std::move(result.notes), std::move(result.seconds), {}});
    const auto complete = [&](Dose& d) {
        io::add_inputs(d.provenance, request.options.hu_curve, request.ct, request.structure_set(),
                       request.plan);
    };
    complete(dose->dose);
    for (Dose& beam : result.beams) {
        complete(beam);
        dose->beams.push_back(std::make_shared<PythonDose>(PythonDose{std::move(beam), {}, {}, {}}));
    }
    return dose;
}

namespace {

/// Lists of what there is.
void bind_names(nb::module_& m) {
    m.def("beam_models", &io::ModelStore::names,
          "Beam models of the data folder, by name: for `model` and BeamModel.load().");
    m.def("leaf_designs", &leaf_design_names, "Leaf designs of the data folder, by name: for `leaves`.");
    m.def("couches", &couch_names, "Couches of the data folder, by name.");
    m.def("hu_curves", &hu_curve_names, "HU curves by name, the default first: for `hu_curve`.");
    m.def("cuda_devices", &cuda_devices,
          "CUDA devices that can be used, in CUDA's order; empty where there is none.");
}

}  // namespace

void bind_engine(nb::module_& m) {
    nb::class_<OpenDevices>(m, "OpenDevices",
                            "CUDA devices that an Engine has opened, with the memory that they took")
        .def(nb::init<>())
        .def("close", &OpenDevices::close, "Closes those that no calculation uses.")
        .def("__reduce__", [](nb::handle self) { return nb::make_tuple(self.type(), nb::make_tuple()); });
    m.def(
        "calculate",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings,
           nb::handle progress) {
            Request request(plan, ct, structures, settings);
            CalculationResult result = run(progress, [&](const Report& report) {
                request.options.progress = report;
                return calculate(ct, request.structure_set(), request.plan, request.materials,
                                 request.models.provider(), request.options);
            });
            return dose_of(std::move(result), request);
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a, "progress"_a.none());
    m.def(
        "estimate_memory",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings) {
            Request request(plan, ct, structures, settings);
            const nb::gil_scoped_release unlocked;
            const MemoryEstimate estimate = estimate_memory(ct, request.structure_set(), request.plan,
                                                            request.models.provider(), request.options);
            return std::pair(estimate.needed_bytes, estimate.available_bytes);
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a);
    m.def(
        "admit",
        [](nb::handle plan, const nb::dict& settings) {
            Models models(settings["model"], settings["calibration_depth"]);
            return to_python(admit_beams(plan_of(plan), models.provider(), options_of(settings)));
        },
        "plan"_a, "settings"_a);
    bind_names(m);
    m.def(
        "density",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings) {
            Request request(plan, ct, structures, settings);
            return run(nb::none(), [&](const Report&) {
                return std::make_shared<DensityGrid>(
                    patient_density(ct, request.structure_set(), request.plan, request.materials,
                                    request.models.provider(), request.options));
            });
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a);
}

}  // namespace libdose::python
