#include "io/hdf5/provenance_hdf5.h"

#include <sstream>

namespace libdose::io {

namespace {

void write_map(Hdf5Writer& file, const std::string& group, const std::map<std::string, std::string>& values) {
    file.group(group);
    for (const auto& [name, value] : values) file.text(group, name, value);
}

std::map<std::string, std::string> read_map(const Hdf5Reader& file, const std::string& group) {
    std::map<std::string, std::string> values;
    for (const std::string& name : file.attribute_names(group)) values[name] = file.text(group, name);
    return values;
}

}  // namespace

void write_provenance(Hdf5Writer& file, const Provenance& p) {
    file.group("/provenance");
    file.text("/provenance", "engine_version", p.engine_version);
    file.text("/provenance", "engine", p.engine);
    file.text("/provenance", "backend", p.backend);
    file.text("/provenance", "hu_curve_name", p.hu_curve_name);
    file.text("/provenance", "hu_curve_hash", p.hu_curve_hash);
    write_map(file, "/provenance/model_hashes", p.model_hashes);
    write_map(file, "/provenance/settings", p.settings);
    write_map(file, "/provenance/input_uids", p.input_uids);
    // One text: a list of texts may not be longer than HDF5's 64 KiB for an attribute.
    std::string gate;
    for (const std::string& line : p.gate) gate += line + '\n';
    file.text("/provenance", "gate", gate);
}

Provenance read_provenance(const Hdf5Reader& file) {
    Provenance p;
    p.engine_version = file.text("/provenance", "engine_version");
    p.engine = file.text("/provenance", "engine");
    p.backend = file.text("/provenance", "backend");
    p.hu_curve_name = file.text("/provenance", "hu_curve_name");
    p.hu_curve_hash = file.text("/provenance", "hu_curve_hash");
    p.model_hashes = read_map(file, "/provenance/model_hashes");
    p.settings = read_map(file, "/provenance/settings");
    p.input_uids = read_map(file, "/provenance/input_uids");
    if (file.has_attribute("/provenance", "gate")) {
        std::istringstream lines(file.text("/provenance", "gate"));
        for (std::string line; std::getline(lines, line);) p.gate.push_back(line);
    }
    return p;
}

}  // namespace libdose::io
