// Beam models in HDF5. One list of fields serves reading, writing and hashing
// (docs/reference/beam-model-file.md).
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/text.h"
#include "io/hdf5/hdf5_file.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"

namespace libdose::io {

namespace {

constexpr const char* schema = "libdose-beam-model";
/// Version 3 is the same without measured leaves, 2 also without commissioning.
constexpr long long schema_version = 4, oldest_version = 2;

// The fields of each part of a model, in a fixed order. Shapes come from the members before.

template <class Spectrum, class Visitor>
void spectrum_fields(Spectrum& spectrum, Visitor& visit) {
    visit.group("/spectrum");
    visit.array("/spectrum/energy_mev", spectrum.energy_mev, {});
    visit.array("/spectrum/fluence", spectrum.fluence, {});
    visit.array("/spectrum/mu_water_cm2_g", spectrum.mu_water_cm2_g, {});
    visit.array("/spectrum/mu_high_z_cm2_g", spectrum.mu_high_z_cm2_g, {});
}

template <class ConeKernel, class Visitor>
void cone_kernel_fields(ConeKernel& cones, Visitor& visit) {
    visit.group("/cone_kernel");
    visit.array("/cone_kernel/rates_cm2_g", cones.rates_cm2_g, {});
    visit.array("/cone_kernel/theta_edges_deg", cones.theta_edges_deg, {});
    visit.array("/cone_kernel/depth_g_cm2", cones.depth_g_cm2, {});
    visit.array(
        "/cone_kernel/coefficients", cones.coefficients,
        {cones.depth_g_cm2.size(), cones.theta_edges_deg.empty() ? 0 : cones.theta_edges_deg.size() - 1,
         cones.rates_cm2_g.size()});
}

template <class PencilKernel, class Visitor>
void pencil_kernel_fields(PencilKernel& pencil, Visitor& visit) {
    visit.group("/pencil_kernel");
    visit.array("/pencil_kernel/radius_cm", pencil.radius_cm, {});
    const std::size_t rings = pencil.radius_cm.empty() ? 0 : pencil.radius_cm.size() - 1;
    visit.array("/pencil_kernel/components", pencil.components, {0, rings});
    visit.array("/pencil_kernel/depth_g_cm2", pencil.depth_g_cm2, {});
    visit.array("/pencil_kernel/weights", pencil.weights, {pencil.depth_g_cm2.size(), 0});
}

template <class Head, class Visitor>
void head_fields(Head& head, Visitor& visit) {
    visit.group("/head");
    visit.number("/head", "spot_fwhm_x_mm", head.spot_fwhm_x_mm);
    visit.number("/head", "spot_fwhm_y_mm", head.spot_fwhm_y_mm);
    visit.number("/head", "source_collimator_distance_mm", head.source_collimator_distance_mm);
    visit.number("/head", "jaw_x_distance_mm", head.jaw_x_distance_mm);
    visit.number("/head", "jaw_y_distance_mm", head.jaw_y_distance_mm);
    visit.number("/head", "jaw_transmission", head.jaw_transmission);
    visit.number("/head", "leaf_transmission", head.leaf_transmission);
    visit.number("/head", "maximum_field_radius_mm", head.maximum_field_radius_mm);
    visit.array("/head/profile_radius_mm", head.profile_radius_mm, {});
    visit.array("/head/profile", head.profile, {});
    visit.array("/head/softening_radius_mm", head.softening_radius_mm, {});
    visit.array("/head/softening_g_cm2", head.softening_g_cm2, {});
    visit.number("/head", "extrafocal_amplitude", head.extrafocal.amplitude);
    visit.number("/head", "extrafocal_sigma_mm", head.extrafocal.sigma_mm);
    visit.number("/head", "extrafocal_distance_mm", head.extrafocal.distance_mm);
    visit.number("/head", "electron_amplitude_gy_cm2", head.electrons.amplitude_gy_cm2);
    visit.number("/head", "electron_sigma_mm", head.electrons.sigma_mm);
    visit.number("/head", "electron_attenuation_cm2_g", head.electrons.attenuation_cm2_g);
    visit.number("/head", "electron_range_g_cm2", head.electrons.range_g_cm2);
    visit.number("/head", "monitor_backscatter_x", head.monitor_backscatter_x);
    visit.number("/head", "monitor_backscatter_y", head.monitor_backscatter_y);
    visit.array("/head/output_side_mm", head.output_side_mm, {});
    visit.array("/head/output_correction", head.output_correction, {});
}

template <class Head, class Visitor>
void wedge_fields(Head& head, Visitor& visit) {
    visit.list("/head", "wedges", head.wedges);
    for (std::size_t w = 0; w < head.wedges.size(); ++w) {
        auto& wedge = head.wedges[w];
        const std::string at = "/head/wedge_" + std::to_string(w + 1);
        visit.group(at.c_str());
        visit.text(at.c_str(), "id", wedge.id);
        visit.text(at.c_str(), "kind", wedge.kind);
        visit.number(at.c_str(), "angle_deg", wedge.angle_deg);
        visit.array((at + "/position_mm").c_str(), wedge.position_mm, {});
        visit.array((at + "/water_g_cm2").c_str(), wedge.water_g_cm2, {});
        visit.array((at + "/high_z_g_cm2").c_str(), wedge.high_z_g_cm2, {});
    }
}

template <class Head, class Visitor>
void leaf_fields(Head& head, Visitor& visit) {
    if (visit.optional_group("/head/leaves", !head.leaf_design.empty())) {
        visit.text("/head/leaves", "design", head.leaf_design);
        visit.number("/head/leaves", "offset_mm", head.leaf_offset_mm);
    }
}

template <class DynamicWedge, class Visitor>
void dynamic_wedge_fields(DynamicWedge& wedge, Visitor& visit) {
    visit.group("/head/dynamic_wedge");
    visit.array("/head/dynamic_wedge/golden_position_mm", wedge.golden_position_mm, {});
    visit.array("/head/dynamic_wedge/golden_fraction", wedge.golden_fraction, {});
    visit.number("/head/dynamic_wedge", "closest_gap_mm", wedge.closest_gap_mm);
    visit.number("/head/dynamic_wedge", "virtual_attenuation_per_mm", wedge.virtual_attenuation_per_mm);
}

template <class Calibration, class Visitor>
void calibration_fields(Calibration& calibration, Visitor& visit) {
    visit.group("/calibration");
    visit.number("/calibration", "reference_gy_per_mu", calibration.reference_gy_per_mu);
    visit.text("/calibration", "depth", calibration.depth);
    visit.number("/calibration", "depth_of_maximum_cm", calibration.depth_of_maximum_cm);
    visit.number("/calibration", "collapsed_cone_maximum", calibration.collapsed_cone_maximum);
    visit.number("/calibration", "collapsed_cone_10cm", calibration.collapsed_cone_10cm);
    visit.number("/calibration", "pencil_beam_maximum", calibration.pencil_beam_maximum);
    visit.number("/calibration", "pencil_beam_10cm", calibration.pencil_beam_10cm);
}

template <class Model, class Visitor>
void commissioning_fields(Model& model, Visitor& visit) {
    if (!visit.optional_group("/commissioning", !model.fit.empty() || !model.lineage.empty())) return;
    visit.group("/commissioning/lineage");
    visit.texts("/commissioning/lineage", model.lineage);
    visit.group("/commissioning/fit");
    visit.fit("/commissioning/fit", model.fit);
    visit.array("/commissioning/fit/correlation", model.fit_correlation,
                {model.fit.size(), model.fit.size()});
}

/// Calls the visitor for every field that the hash covers, in a fixed order.
template <class Model, class Visitor>
void for_each_field(Model& model, Visitor&& visit) {
    visit.text("/", "name", model.name);
    visit.text("/", "version", model.version);
    visit.text("/", "description", model.description);
    visit.text("/", "machine", model.machine);
    visit.number("/", "nominal_energy_mv", model.nominal_energy_mv);
    visit.text("/", "fluence_mode", model.fluence_mode);
    spectrum_fields(model.spectrum, visit);
    cone_kernel_fields(model.cone_kernel, visit);
    pencil_kernel_fields(model.pencil_kernel, visit);
    head_fields(model.head, visit);
    wedge_fields(model.head, visit);
    leaf_fields(model.head, visit);
    dynamic_wedge_fields(model.head.dynamic_wedge, visit);
    calibration_fields(model.calibration, visit);
    visit.group("/sources");
    visit.texts("/sources", model.sources);
    commissioning_fields(model, visit);
}

/// The columns of the fitted quantities under their names.
constexpr std::pair<const char*, double FittedQuantity::*> fit_columns[] = {
    {"value", &FittedQuantity::value},
    {"sigma", &FittedQuantity::sigma},
    {"prior", &FittedQuantity::prior},
    {"prior_sigma", &FittedQuantity::prior_sigma}};

/// Canonical bytes: path, length and content of every field; numbers as little-endian IEEE doubles.
struct Hasher {
    std::string bytes;
    void word(std::uint64_t value) {
        for (int i = 0; i < 8; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
    }
    void string(const std::string& text) {
        word(text.size());
        bytes += text;
    }
    void group(const char*) {}
    bool optional_group(const char*, bool there) { return there; }
    void fit(const char* object, const std::vector<FittedQuantity>& values) {
        for (const FittedQuantity& q : values) {
            text(object, q.name.c_str(), q.unit);
            for (const auto& [name, column] : fit_columns) number(object, name, q.*column);
        }
    }
    void list(const char* object, const char* name, const std::vector<WedgeModel>& values) {
        number(object, name, static_cast<double>(values.size()));
    }
    void text(const char* object, const char* name, const std::string& value) {
        string(std::string(object) + "@" + name);
        string(value);
    }
    void number(const char* object, const char* name, double value) {
        string(std::string(object) + "@" + name);
        word(std::bit_cast<std::uint64_t>(value));
    }
    void array(const char* path, const std::vector<double>& values, const std::vector<std::size_t>&) {
        string(path);
        word(values.size());
        for (const double value : values) word(std::bit_cast<std::uint64_t>(value));
    }
    void texts(const char* object, const std::map<std::string, std::string>& values) {
        for (const auto& [name, value] : values) text(object, name.c_str(), value);
    }
};

std::string hash_of(const BeamModel& model) {
    Hasher hasher;
    for_each_field(model, hasher);
    return sha256(hasher.bytes);
}

struct FieldWriter {
    Hdf5Writer& file;
    void group(const char* path) { file.group(path); }
    bool optional_group(const char* path, bool there) {
        if (there) file.group(path);
        return there;
    }
    void fit(const char* object, const std::vector<FittedQuantity>& values) {
        std::vector<std::string> names, units;
        for (const FittedQuantity& q : values) {
            names.push_back(q.name);
            units.push_back(q.unit);
        }
        file.texts(object, "names", names);
        file.texts(object, "units", units);
        for (const auto& [name, column] : fit_columns) {
            std::vector<double> numbers;
            for (const FittedQuantity& q : values) numbers.push_back(q.*column);
            file.doubles(std::string(object) + "/" + name, numbers, {numbers.size()});
        }
    }
    void list(const char* object, const char* name, const std::vector<WedgeModel>& values) {
        number(object, name, static_cast<double>(values.size()));
    }
    void text(const char* object, const char* name, const std::string& value) {
        file.text(object, name, value);
    }
    void number(const char* object, const char* name, double value) { file.number(object, name, value); }
    void array(const char* path, const std::vector<double>& values, std::vector<std::size_t> shape) {
        // One extent may be open (0): it follows from the number of values.
        std::size_t known = 1;
        for (const std::size_t n : shape) known *= n ? n : 1;
        for (std::size_t& n : shape)
            if (n == 0) n = values.size() / known;
        if (shape.empty()) shape = {values.size()};
        file.doubles(path, values, shape);
    }
    void texts(const char* object, const std::map<std::string, std::string>& values) {
        for (const auto& [name, value] : values) file.text(object, name, value);
    }
};

struct FieldReader {
    const Hdf5Reader& file;
    bool without_kernels = false;  ///< as make_beam_models.py leaves them to `dose model calibrate`
    void list(const char* object, const char* name, std::vector<WedgeModel>& values) {
        const double count = file.number(object, name);
        if (!(count >= 0 && count <= 100) || count != std::floor(count))
            throw bad_input("the number of " + std::string(name) + " is not a small whole number",
                            file.where(object));
        values.resize(static_cast<std::size_t>(count));
    }
    void group(const char* path) {
        if (!file.has(path) && !is_left_out(path)) throw bad_input("the group is missing", file.where(path));
    }
    bool is_left_out(const std::string& path) const {
        return without_kernels && path.find("_kernel") != std::string::npos;
    }
    bool optional_group(const char* path, bool) { return file.has(path); }
    void fit(const char* object, std::vector<FittedQuantity>& values) {
        const std::vector<std::string> names = file.texts(object, "names"),
                                       units = file.texts(object, "units");
        if (units.size() != names.size())
            throw bad_input("there are not as many units as names", file.where(object));
        values.resize(names.size());
        for (std::size_t i = 0; i < names.size(); ++i) {
            values[i].name = names[i];
            values[i].unit = units[i];
        }
        for (const auto& [name, column] : fit_columns) {
            const std::string path = std::string(object) + "/" + name;
            const std::vector<double> numbers = file.doubles(path);
            if (numbers.size() != names.size())
                throw bad_input("there are not as many values as names", file.where(path));
            for (std::size_t i = 0; i < names.size(); ++i) values[i].*column = numbers[i];
        }
    }
    void text(const char* object, const char* name, std::string& value) { value = file.text(object, name); }
    void number(const char* object, const char* name, double& value) { value = file.number(object, name); }
    void array(const char* path, std::vector<double>& values, const std::vector<std::size_t>& shape) {
        if (is_left_out(path)) return;
        values = file.doubles(path);
        const std::vector<std::size_t> stored = file.shape(path);
        bool fits = stored.size() == std::max<std::size_t>(1, shape.size());
        for (std::size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] == 0 || shape[i] == stored[i];
        if (!fits)
            throw bad_input("the dataset does not have the shape that the schema gives it", file.where(path));
    }
    void texts(const char* object, std::map<std::string, std::string>& values) {
        for (const std::string& name : file.attribute_names(object)) values[name] = file.text(object, name);
    }
};

BeamModel read(const std::filesystem::path& path, bool sealed) {
    const Hdf5Reader file(path);
    if (!file.has_attribute("/", "schema") || file.text("/", "schema") != schema)
        throw bad_input("this is not a libdose beam model", path.string());
    const double version = file.number("/", "schema_version");
    if (version < static_cast<double>(oldest_version) || version > static_cast<double>(schema_version))
        throw bad_input(
            "the beam model has schema version " + short_number(version) +
                ", which this libdose does not read",
            path.string(),
            "It reads versions " + std::to_string(oldest_version) + " to " + std::to_string(schema_version));
    BeamModel model;
    FieldReader reader{file, !sealed && !file.has("/cone_kernel") && !file.has("/pencil_kernel")};
    for_each_field(model, reader);
    model.check(sealed);
    if (sealed) {
        if (!file.has_attribute("/", "content_hash"))
            throw bad_input("the beam model is not sealed: it has no content_hash", path.string(),
                            "Run: dose model calibrate FILE");
        model.content_hash = file.text("/", "content_hash");
        if (model.content_hash != hash_of(model))
            throw bad_input("the beam model does not match its hash: it was changed after it was sealed",
                            path.string(), "Use an intact copy, or calibrate it again to seal it");
        if (file.has_attribute("/", "signature")) model.signature = file.text("/", "signature");
    }
    return model;
}

}  // namespace

BeamModel read_beam_model(const std::filesystem::path& file) { return read(file, true); }
BeamModel read_unsealed_beam_model(const std::filesystem::path& file) { return read(file, false); }

std::string write_beam_model(const BeamModel& model, const std::filesystem::path& path) {
    model.check();
    Hdf5Writer file(path);
    FieldWriter writer{file};
    for_each_field(model, writer);
    const std::string hash = hash_of(model);
    file.text("/", "schema", schema);
    file.integer("/", "schema_version", model.head.leaf_design.empty() ? schema_version - 1 : schema_version);
    file.text("/", "content_hash", hash);
    // A signature of other content would be a lie; a model that was changed is no longer signed.
    if (!model.signature.empty() && hash == model.content_hash) file.text("/", "signature", model.signature);
    file.commit();
    return hash;
}

}  // namespace libdose::io
