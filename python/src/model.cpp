#include "model.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <fstream>
#include <iterator>

#include "arrays.h"
#include "bindings.h"
#include "libdose/admission.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "libdose/io/model_store.h"

namespace libdose::python {

namespace {

using namespace nb::literals;

io::ModelStore& store() {
    static io::ModelStore models;
    return models;
}

/// A folder of its own for a moment.
class Scratch {
public:
    Scratch() {
        std::string pattern = (std::filesystem::temp_directory_path() / "libdose-XXXXXX").string();
        if (!mkdtemp(pattern.data())) throw bad_input("no temporary folder can be made", pattern);
        folder_ = pattern;
    }
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    std::filesystem::path operator/(const char* name) const { return folder_ / name; }

private:
    std::filesystem::path folder_;
};

std::string file_of(const BeamModel& model) {
    const Scratch scratch;
    const auto file = scratch / "model.h5";
    io::write_beam_model(model, file);
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::shared_ptr<BeamModel> model_from(const std::string& bytes) {
    const Scratch scratch;
    const auto file = scratch / "model.h5";
    std::ofstream stream(file, std::ios::binary);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    return std::make_shared<BeamModel>(io::read_beam_model(file));
}

}  // namespace

Models::Models(nb::handle model, nb::handle calibration_depth) {
    if (!calibration_depth.is_none()) {
        depth_ = nb::cast<std::string>(calibration_depth);
        if (depth_ != "maximum" && depth_ != "10cm")
            throw bad_input("\"" + depth_ + "\" is no calibration depth", "calibration_depth",
                            "It is maximum or 10cm");
    }
    if (model.is_none()) return;
    if (nb::isinstance<BeamModel>(model)) {
        forced_ = {store().keep(nb::cast<const BeamModel&>(model))};
    } else if (nb::isinstance<nb::list>(model) || nb::isinstance<nb::tuple>(model)) {
        for (const nb::handle one : model) forced_.push_back(store().keep(nb::cast<const BeamModel&>(one)));
        if (forced_.empty()) throw bad_input("the list of beam models is empty", "model");
    } else {
        forced_ = {nb::cast<std::string>(nb::str(model))};
    }
}

BeamModelProvider Models::provider() {
    return [this](const Beam& beam) -> const BeamModel& {
        // The first of several that fits; when none does the store says why not.
        std::string name = forced_.empty() ? std::string() : forced_.front();
        for (const std::string& one : forced_)
            if (model_fits(store().get(one), beam)) {
                name = one;
                break;
            }
        const BeamModel& model = store().for_beam(beam, name);
        if (depth_.empty()) return model;
        const std::lock_guard lock(mutex_);
        auto [entry, fresh] = copies_.try_emplace(model.name, model);
        if (fresh) entry->second.calibration.depth = depth_;
        return entry->second;
    };
}

void bind_model(nb::module_& m) {
    nb::class_<BeamModel>(m, "BeamModel", "Everything about one photon beam that is not in the plan.")
        .def_static(
            "load",
            [](const std::string& name_or_file) {
                return std::make_shared<BeamModel>(store().get(name_or_file));
            },
            "name_or_file"_a,
            "A model of the data folder by name, or a file. Raises BadInput, listing what there is.")
        .def_static("names", &io::ModelStore::names, "Models of the data folder")
        .def_ro("name", &BeamModel::name)
        .def_ro("version", &BeamModel::version)
        .def_ro("description", &BeamModel::description)
        .def_ro("machine", &BeamModel::machine,
                "Treatment machine that it was commissioned for; empty: generic")
        .def_ro("nominal_energy_mv", &BeamModel::nominal_energy_mv)
        .def_ro("fluence_mode", &BeamModel::fluence_mode)
        .def_ro("content_hash", &BeamModel::content_hash, "SHA-256 of all that counts")
        .def_ro("sources", &BeamModel::sources, "Where its numbers come from")
        .def_ro("lineage", &BeamModel::lineage, "Of a commissioned model")
        .def_prop_ro("reference_gy_per_mu",
                     [](const BeamModel& b) { return b.calibration.reference_gy_per_mu; })
        .def_prop_ro(
            "calibration_depth", [](const BeamModel& b) { return b.calibration.depth; }, "maximum or 10cm")
        .def_prop_ro("depth_of_maximum_cm",
                     [](const BeamModel& b) { return b.calibration.depth_of_maximum_cm; })
        .def_prop_ro(
            "spectrum_energy_mev", [](const BeamModel& b) { return array_of(b.spectrum.energy_mev); },
            nb::rv_policy::automatic, "Mean energy by bin")
        .def_prop_ro(
            "spectrum_fluence", [](const BeamModel& b) { return array_of(b.spectrum.fluence); },
            nb::rv_policy::automatic, "Fraction of the photons by bin")
        .def_prop_ro(
            "profile_radius_mm", [](const BeamModel& b) { return array_of(b.head.profile_radius_mm); },
            nb::rv_policy::automatic, "At the isocentre plane")
        .def_prop_ro(
            "profile", [](const BeamModel& b) { return array_of(b.head.profile); }, nb::rv_policy::automatic,
            "Open field in air relative to the axis")
        .def(
            "write",
            [](const BeamModel& b, const std::filesystem::path& file) {
                return io::write_beam_model(b, file);
            },
            "file"_a, "Writes the model as HDF5; returns its hash.")
        .def("__getstate__",
             [](const BeamModel& b) {
                 const std::string bytes = file_of(b);
                 return nb::bytes(bytes.data(), bytes.size());
             })
        .def("__setstate__",
             [](BeamModel& self, const nb::bytes& bytes) {
                 new (&self) BeamModel(*model_from({bytes.c_str(), bytes.size()}));
             })
        .def("__repr__", [](const BeamModel& b) { return "<BeamModel " + b.name + ">"; });
}

}  // namespace libdose::python
