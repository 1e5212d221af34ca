// Gamma index, dose-volume histograms, masks.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrays.h"
#include "bindings.h"
#include "libdose/comparable.h"
#include "libdose/dvh_metric.h"
#include "libdose/error.h"
#include "libdose/gamma.h"
#include "records.h"
#include "volumes.h"

namespace libdose::python {

using namespace nb::literals;

namespace {

double metric_of(const DoseVolumeHistogram& histogram, const std::string& name, double prescription_gy) {
    return parse_dvh_metric(name).value(histogram, prescription_gy);
}

/// A Structure, or a CombinedStructure with its `operation`, `first` and `second`.
StructureExpression region_of(nb::handle region) {
    if (!nb::hasattr(region, "operation")) return StructureExpression(structure_of(region));
    const auto word = nb::cast<std::string>(region.attr("operation"));
    for (const auto& [name, operation] : {std::pair{"or", StructureOperation::unite},
                                          {"and", StructureOperation::intersect},
                                          {"minus", StructureOperation::subtract}})
        if (word == name)
            return {operation, region_of(region.attr("first")), region_of(region.attr("second"))};
    throw bad_input("\"" + word + "\" combines no structures", "CombinedStructure.operation",
                    "It is one of or, and, minus");
}

void bind_gamma_result(nb::module_& m) {
    nb::class_<GammaResult>(m, "GammaResult", "Three-dimensional gamma index.")
        .def_prop_ro(
            "array",
            [](nb::handle_t<GammaResult> self) {
                GammaResult& g = nb::cast<GammaResult&>(self);
                return view_of(g.gamma.values, g.gamma.grid, self);
            },
            "Gamma on the reference grid, float32 [z, y, x]; NaN where not evaluated")
        .def_prop_ro("spacing_mm", [](const GammaResult& g) { return triple(g.gamma.grid.spacing_mm); })
        .def_prop_ro("origin_mm", [](const GammaResult& g) { return triple(g.gamma.grid.origin_mm); })
        .def_ro("evaluated", &GammaResult::evaluated, "Voxels above the threshold")
        .def_ro("passed", &GammaResult::passed, "Of those, with gamma <= 1")
        .def_ro("outside", &GammaResult::outside, "Of those, not covered by the evaluated dose: failed")
        .def_ro("left_out", &GammaResult::left_out, "Voxels that margin_mm leaves out: not evaluated")
        .def_ro("normalisation_gy", &GammaResult::normalisation_gy, "Dose of 100 %")
        .def_ro("notes", &GammaResult::notes, "What the user should know of the two doses")
        .def_ro("pass_rate", &GammaResult::pass_rate_percent, "Percent")
        .def_ro("mean", &GammaResult::mean)
        .def_ro("maximum", &GammaResult::maximum)
        .def("__repr__", [](const GammaResult& g) {
            return "<GammaResult " + std::to_string(g.pass_rate_percent) + " % pass>";
        });
}

void bind_gamma(nb::module_& m) {
    m.def(
        "gamma",
        [](const PythonDose& reference, const PythonDose& evaluated, double dose_percent, double distance_mm,
           double threshold_percent, bool local, double normalisation_gy, double max_gamma,
           int steps_per_distance, double margin_mm, int threads) {
            const nb::gil_scoped_release unlocked;
            GammaOptions options{dose_percent,     distance_mm, threshold_percent,  local,
                                 normalisation_gy, max_gamma,   steps_per_distance, margin_mm,
                                 threads};
            return gamma_index(reference.dose, evaluated.dose, options);
        },
        "reference"_a, "evaluated"_a, "dose_percent"_a = 3, "distance_mm"_a = 2, "threshold_percent"_a = 10,
        "local"_a = false, "normalisation_gy"_a = 0, "max_gamma"_a = 2, "steps_per_distance"_a = 10,
        "margin_mm"_a = 0, "threads"_a = 0,
        "Gamma index (Low 1998) of two doses on any two grids of one frame, Gy. dose_percent: of "
        "normalisation_gy (0: the reference's maximum), or of the "
        "local reference dose. Reference voxels below threshold_percent of the normalisation are not "
        "evaluated. margin_mm above 0 leaves out those outside "
        "the evaluated dose, or this near to its edge. threads: 0 for all cores. Raises BadInput for doses "
        "of other frames of reference, of other summations "
        "(one fraction against the whole course), and that are not PHYSICAL.");
}

void bind_figures(nb::class_<DoseVolumeHistogram>& histogram) {
    histogram
        .def("dose_at_volume", &DoseVolumeHistogram::dose_at_volume_percent, "percent"_a,
             "D95 = dose_at_volume(95), Gy")
        .def("volume_at_dose", &DoseVolumeHistogram::volume_percent_at_dose, "dose_gy"_a,
             "V20 = volume_at_dose(20), percent")
        .def("dose_at_volume_cm3", &DoseVolumeHistogram::dose_at_volume_cm3, "volume_cm3"_a,
             "D0.1cc = dose_at_volume_cm3(0.1), Gy")
        .def("volume_cm3_at_dose", &DoseVolumeHistogram::volume_cm3_at_dose, "dose_gy"_a,
             "Volume that receives at least dose_gy")
        .def("metric", &metric_of, "name"_a, "prescription_gy"_a = 0,
             "A figure by its name: D95%, D0.1cc, DC1cc, V20Gy (percent), V20Gy[cm3], CV20Gy, V95% (of "
             "prescription_gy), Dmean, Dmin, Dmax; "
             "docs/theory/dvh.md. Raises BadInput for one that is not understood, or that this structure "
             "cannot have.")
        .def(
            "D",
            [](const DoseVolumeHistogram& h, const std::string& volume, double prescription_gy) {
                return metric_of(h, "D" + volume, prescription_gy);
            },
            "volume"_a, "prescription_gy"_a = 0, "Dose at a volume, Gy: D('95%'), D('0.1cc')")
        .def(
            "V",
            [](const DoseVolumeHistogram& h, const std::string& dose, double prescription_gy) {
                return metric_of(h, "V" + dose, prescription_gy);
            },
            "dose"_a, "prescription_gy"_a = 0,
            "Volume at a dose: V('20Gy') in percent, V('20Gy[cm3]'), V('95%', prescription_gy=60)")
        .def("__repr__",
             [](const DoseVolumeHistogram& h) { return "<DoseVolumeHistogram of " + h.structure + ">"; });
}

void bind_histogram(nb::module_& m) {
    nb::class_<DoseVolumeHistogram> histogram(m, "DoseVolumeHistogram", "Cumulative, from partial voxels.");
    histogram.def_ro("structure", &DoseVolumeHistogram::structure)
        .def_prop_ro(
            "dose_gy",
            [](const DoseVolumeHistogram& h) {
                std::vector<double> dose(h.cumulative_cm3.size());
                for (std::size_t i = 0; i < dose.size(); ++i)
                    dose[i] = static_cast<double>(i) * h.bin_width_gy;
                return array_of(dose);
            },
            nb::rv_policy::automatic, "Gy")
        .def_prop_ro(
            "cumulative_cm3", [](const DoseVolumeHistogram& h) { return array_of(h.cumulative_cm3); },
            nb::rv_policy::automatic, "Volume that receives at least dose_gy")
        .def_ro("volume_cm3", &DoseVolumeHistogram::volume_cm3)
        .def_ro("volume_outside_cm3", &DoseVolumeHistogram::volume_outside_cm3,
                "Part of it outside the dose grid")
        .def_ro("minimum_gy", &DoseVolumeHistogram::minimum_gy)
        .def_ro("maximum_gy", &DoseVolumeHistogram::maximum_gy)
        .def_ro("mean_gy", &DoseVolumeHistogram::mean_gy)
        .def_ro("roi_number", &DoseVolumeHistogram::structure_number, "0 for a combination or a mask")
        .def_ro("bin_width_gy", &DoseVolumeHistogram::bin_width_gy, "Of the cumulative curve")
        .def_ro("sampling_mm", &DoseVolumeHistogram::sampling_mm, "About the distance of the dose samples");
    bind_figures(histogram);
}

void bind_dvh(nb::module_& m) {
    m.def(
        "dvh",
        [](const PythonDose& dose, nb::handle structure, double bin_width_gy, double sampling_mm,
           int threads) {
            const StructureExpression region = region_of(structure);
            const nb::gil_scoped_release unlocked;
            check_histogram(dose.dose, region);
            return dose_volume_histogram(dose.dose.gy, region,
                                         DvhOptions{bin_width_gy, sampling_mm, threads});
        },
        "dose"_a, "structure"_a, "bin_width_gy"_a, "sampling_mm"_a, "threads"_a);
    m.def(
        "dvh_of_mask",
        [](const PythonDose& dose, const InputVolume& mask, const Triple& spacing_mm, const Triple& origin_mm,
           double bin_width_gy, double sampling_mm, int threads) {
            const Volume<float> coverage = volume_of(mask, spacing_mm, origin_mm, "mask");
            const nb::gil_scoped_release unlocked;
            check_histogram(dose.dose);
            return dose_volume_histogram(dose.dose.gy, coverage, "mask",
                                         DvhOptions{bin_width_gy, sampling_mm, threads});
        },
        "dose"_a, "mask"_a, "spacing_mm"_a, "origin_mm"_a, "bin_width_gy"_a, "sampling_mm"_a, "threads"_a);
}

void bind_mask(nb::module_& m) {
    m.def(
        "mask",
        [](nb::handle structure, const std::tuple<std::size_t, std::size_t, std::size_t>& shape_zyx,
           const Triple& spacing_mm, const Triple& origin_mm) {
            const Structure s = structure_of(structure);
            const Grid grid =
                grid_of({std::get<0>(shape_zyx), std::get<1>(shape_zyx), std::get<2>(shape_zyx)}, spacing_mm,
                        origin_mm, "mask");
            auto* volume = new Volume<float>;
            const nb::capsule owner(volume, [](void* p) noexcept { delete static_cast<Volume<float>*>(p); });
            {
                const nb::gil_scoped_release unlocked;
                *volume = coverage_mask(s, grid);
            }
            return view_of(volume->values, volume->grid, owner);
        },
        "structure"_a, "shape_zyx"_a, "spacing_mm"_a, "origin_mm"_a);
}

}  // namespace

void bind_analysis(nb::module_& m) {
    bind_gamma_result(m);
    bind_gamma(m);
    bind_histogram(m);
    bind_dvh(m);
    bind_mask(m);
}

}  // namespace libdose::python
