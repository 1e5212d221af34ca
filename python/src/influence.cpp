// Influence matrices.
#include "libdose/influence.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "arrays.h"
#include "bindings.h"
#include "libdose/error.h"
#include "libdose/io/influence.h"
#include "libdose/io/provenance.h"
#include "request.h"
#include "run.h"

namespace libdose::python {

namespace {

using namespace nb::literals;

using io::InfluenceMatrix;

InfluenceOptions influence_options(const EngineOptions& engine, const nb::dict& beamlets) {
    InfluenceOptions options;
    options.engine = engine;
    options.beamlets.side_mm = nb::cast<double>(beamlets["beamlet_mm"]);
    options.beamlets.margin_mm = nb::cast<double>(beamlets["margin_mm"]);
    options.beamlets.target = nb::cast<std::string>(beamlets["target"]);
    options.cutoff = nb::cast<double>(beamlets["cutoff"]);
    options.first = nb::cast<std::size_t>(beamlets["first"]);
    options.last = nb::cast<std::size_t>(beamlets["last"]);
    options.memory_bytes = nb::cast<double>(beamlets["memory_bytes"]);
    return options;
}

/// (column begins, voxels, Gy) of columns: views of `columns`, which the arrays keep alive.
using Columns = std::tuple<nb::ndarray<nb::numpy, const std::int64_t, nb::ndim<1>>,
                           nb::ndarray<nb::numpy, const std::int32_t, nb::ndim<1>>,
                           nb::ndarray<nb::numpy, const float, nb::ndim<1>>>;
Columns arrays_of(std::shared_ptr<const InfluenceColumns> columns) {
    auto* kept = new std::shared_ptr<const InfluenceColumns>(std::move(columns));
    const nb::capsule owner(
        kept, [](void* p) noexcept { delete static_cast<std::shared_ptr<const InfluenceColumns>*>(p); });
    const InfluenceColumns& c = **kept;
    const auto view = [&](const auto& v) {
        using T = std::remove_cvref_t<decltype(v[0])>;
        return nb::ndarray<nb::numpy, const T, nb::ndim<1>>(v.data(), {v.size()}, owner);
    };
    return {view(c.begin), view(c.voxel), view(c.gy)};
}

/// Columns of an influence matrix as arrays: beam, control point, position.
nb::dict beamlets_of_matrix(const InfluenceMatrix& i) {
    std::vector<std::int32_t> beam, point;
    std::vector<double> u, v;
    for (const Beamlet& b : i.header().beamlets) {
        beam.push_back(b.beam);
        point.push_back(b.control_point);
        u.push_back(b.u_mm);
        v.push_back(b.v_mm);
    }
    nb::dict d;
    d["beam"] = array_of(beam);
    d["control_point"] = array_of(point);
    d["u_mm"] = array_of(u);
    d["v_mm"] = array_of(v);
    return d;
}

/// Columns [first, last) of a matrix: of one in memory the whole without a copy, parts as copies.
auto columns_of(nb::handle_t<InfluenceMatrix> self, std::size_t first, std::size_t last) {
    const auto matrix = nb::cast<std::shared_ptr<InfluenceMatrix>>(self);
    const InfluenceColumns* all = matrix->in_memory();
    if (all && first == 0 && last == matrix->count())
        return arrays_of(std::shared_ptr<const InfluenceColumns>(matrix, all));
    return arrays_of(std::make_shared<const InfluenceColumns>(matrix->columns(first, last)));
}

void join_matrices(const std::vector<std::shared_ptr<InfluenceMatrix>>& parts,
                   const std::filesystem::path& file) {
    const nb::gil_scoped_release unlocked;
    std::vector<const InfluenceMatrix*> joined;
    for (const auto& part : parts) joined.push_back(part.get());
    io::join_influence(joined, file);
}

void bind_matrix(nb::module_& m) {
    nb::class_<InfluenceMatrix> matrix(m, "Influence",
                                       "Dose of every beamlet, column by column, in memory or in a file.");
    bind_grid(matrix, [](const InfluenceMatrix& i) -> const Grid& { return i.header().grid; });
    matrix.def_prop_ro("count", &InfluenceMatrix::count, "Beamlets")
        .def_prop_ro("entries", &InfluenceMatrix::entries, "Values")
        .def_prop_ro(
            "file", [](const InfluenceMatrix& i) { return i.file().string(); }, "Empty: in memory")
        .def_prop_ro("beamlet_mm", [](const InfluenceMatrix& i) { return i.header().side_mm; })
        .def_prop_ro("cutoff", [](const InfluenceMatrix& i) { return i.header().cutoff; })
        .def_prop_ro("frame_of_reference_uid",
                     [](const InfluenceMatrix& i) { return i.header().frame_of_reference_uid; })
        .def_prop_ro("notes", [](const InfluenceMatrix& i) { return i.header().notes; })
        .def_prop_ro("seconds", [](const InfluenceMatrix& i) { return i.header().seconds; })
        .def_prop_ro("settings", [](const InfluenceMatrix& i) { return i.header().provenance.settings; })
        .def_prop_ro("model_hashes",
                     [](const InfluenceMatrix& i) { return i.header().provenance.model_hashes; })
        .def_prop_ro("beamlets", &beamlets_of_matrix)
        .def("columns", &columns_of, "first"_a, "last"_a)
        .def("write", &InfluenceMatrix::write, "file"_a, nb::call_guard<nb::gil_scoped_release>())
        .def("__getstate__",
             [](const InfluenceMatrix& i) {
                 if (!i.in_memory()) return nb::make_tuple(i.file().string(), nb::none());
                 throw bad_input("an influence matrix in memory is not pickled", "Influence",
                                 "Write it to a file first, or pass its scipy matrix");
             })
        .def("__setstate__", [](InfluenceMatrix& self, const nb::tuple& state) {
            new (&self) InfluenceMatrix(std::filesystem::path(nb::cast<std::string>(state[0])));
        });
}

}  // namespace

void bind_influence(nb::module_& m) {
    bind_matrix(m);
    m.def(
        "read_influence",
        [](const std::filesystem::path& file) { return std::make_shared<InfluenceMatrix>(file); }, "file"_a);
    m.def("join_influence", &join_matrices, "parts"_a, "file"_a);
    m.def(
        "influence",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings,
           const nb::dict& beamlets, const std::filesystem::path& spill, nb::handle progress) {
            Request request(plan, ct, structures, settings);
            InfluenceOptions options = influence_options(request.options, beamlets);
            return std::make_shared<InfluenceMatrix>(run(progress, [&](const Report& report) {
                options.engine.progress = report;
                return io::influence_or_spill(ct, request.structure_set(), request.plan, request.materials,
                                              request.models.provider(), options, spill);
            }));
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a, "beamlets"_a, "spill"_a, "progress"_a.none());
    m.def(
        "count_beamlets",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings,
           const nb::dict& beamlets) {
            Request request(plan, ct, structures, settings);
            const InfluenceOptions options = influence_options(request.options, beamlets);
            return beamlets_of(ct, request.structure_set(), request.plan, request.models.provider(), options)
                .size();
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a, "beamlets"_a);
    m.def(
        "calculate_beamlets",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings,
           const nb::dict& beamlets, const std::vector<double>& weights_mu, nb::handle progress) {
            Request request(plan, ct, structures, settings);
            InfluenceOptions options = influence_options(request.options, beamlets);
            CalculationResult result = run(progress, [&](const Report& report) {
                options.engine.progress = report;
                return calculate_beamlets(ct, request.structure_set(), request.plan, request.materials,
                                          request.models.provider(), options, weights_mu);
            });
            return dose_of(std::move(result), request);
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a, "beamlets"_a, "weights_mu"_a,
        "progress"_a.none());
}

}  // namespace libdose::python
