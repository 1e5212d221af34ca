// measurements.yaml: the set-up of a folder's files where they do not state it themselves.
// docs/reference/measurements.md.
#include <yaml-cpp/yaml.h>

#include <set>

#include "base/text.h"
#include "io/measurements/measurement_text.h"
#include "libdose/error.h"

namespace libdose::io {

namespace {

std::string where_of(const std::filesystem::path& file, const YAML::Node& node) {
    return file.string() + ", line " + std::to_string(node.Mark().line + 1);
}

void only(const std::filesystem::path& file, const YAML::Node& map, const std::set<std::string>& known) {
    std::string list;
    for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
    for (const auto& entry : map) {
        const auto key = entry.first.as<std::string>();
        if (!known.contains(key))
            throw bad_input("unknown key \"" + key + "\"", where_of(file, entry.first), "Known: " + list);
    }
}

double number(const std::filesystem::path& file, const YAML::Node& node) {
    return number_of(node.as<std::string>(), where_of(file, node));
}

std::string in_mm_text(const std::filesystem::path& file, const YAML::Node& node) {
    return short_number(number(file, node)) + " mm";
}

AbsoluteDose absolute_dose(const std::filesystem::path& file, const YAML::Node& node) {
    only(file, node, {"gy_per_mu", "ssd_mm", "depth_mm", "side_mm"});
    for (const char* key : {"gy_per_mu", "ssd_mm", "depth_mm", "side_mm"})
        if (!node[key]) throw bad_input(std::string("the absolute dose lacks ") + key, where_of(file, node));
    return {number(file, node["gy_per_mu"]), number(file, node["ssd_mm"]), number(file, node["depth_mm"]),
            number(file, node["side_mm"])};
}

/// Takes the keys that hold for all files into the set.
void read_beam(const std::filesystem::path& file, const YAML::Node& root, SetBuilder& builder) {
    only(file, root,
         {"machine", "title", "energy_mv", "fluence_mode", "absolute", "jaw_transmission",
          "leaf_transmission", "files"});
    if (root["machine"]) builder.machine(root["machine"].as<std::string>(), file.string());
    if (root["title"]) builder.title(root["title"].as<std::string>());
    if (root["energy_mv"]) builder.energy(number(file, root["energy_mv"]), file.string());
    if (root["fluence_mode"]) builder.fluence_mode(root["fluence_mode"].as<std::string>(), file.string());
    if (root["jaw_transmission"]) builder.set.jaw_transmission = number(file, root["jaw_transmission"]);
    if (root["leaf_transmission"]) builder.set.leaf_transmission = number(file, root["leaf_transmission"]);
    if (root["absolute"]) builder.set.absolute = absolute_dose(file, root["absolute"]);
}

/// A rectangle [x, y] as comments write it: "100 x 100 mm".
std::string rectangle_text(const std::filesystem::path& file, const YAML::Node& field,
                           const std::string& key) {
    if (!field.IsSequence() || field.size() != 2)
        throw bad_input(key + " is not [x, y]", where_of(file, field));
    return short_number(number(file, field[0])) + " x " + in_mm_text(file, field[1]);
}

/// The field whose output factor is 1, as comments write it: "leaves 100 x 100 mm = 1". Empty: not stated.
std::string normalisation_text(const std::filesystem::path& file, const YAML::Node& entry) {
    const std::string unity_of = entry["unity_of"] ? entry["unity_of"].as<std::string>() : "";
    if (!unity_of.empty() && ((unity_of != "leaves" && unity_of != "jaws") || !entry["unity_side_mm"]))
        throw bad_input("unity_of is \"" + unity_of + "\"", where_of(file, entry["unity_of"]),
                        "It is leaves or jaws, beside unity_side_mm");
    if (!entry["unity_side_mm"]) return "";
    const std::string side = short_number(number(file, entry["unity_side_mm"]));
    return (unity_of.empty() ? "" : unity_of + " ") + side + " x " + side + " mm = 1";
}

/// Keys of a CSV file's entry as its comments would state them.
std::map<std::string, std::string> comments_for(const std::filesystem::path& file, const YAML::Node& entry) {
    std::map<std::string, std::string> given;
    for (const char* key : {"kind", "axis", "detector", "wedge", "leaves"})
        if (entry[key]) given[key] = entry[key].as<std::string>();
    if (entry["wedge_id"]) given["wedge id"] = entry["wedge_id"].as<std::string>();
    for (const auto& [key, name] : {std::pair{"travel_mm", "travel"}, std::pair{"ssd_mm", "SSD"},
                                    std::pair{"sad_mm", "SAD"}, std::pair{"depth_mm", "depth"}})
        if (entry[key]) given[name] = in_mm_text(file, entry[key]);
    for (const auto& [key, name] : {std::pair{"field_mm", "field"}, std::pair{"jaws_mm", "jaws"},
                                    std::pair{"leaf_opening_mm", "leaf opening"}})
        if (entry[key]) given[name] = rectangle_text(file, entry[key], key);
    if (const std::string text = normalisation_text(file, entry); !text.empty())
        given["normalisation"] = text;
    return given;
}

/// Reads the file that an entry of the list names.
void read_entry(const std::filesystem::path& file, const YAML::Node& entry, SetBuilder& builder) {
    if (!entry.IsMap() || !entry["file"]) throw bad_input("an entry has no file", where_of(file, entry));
    only(file, entry,
         {"file", "kind", "ssd_mm", "sad_mm", "depth_mm", "field_mm", "axis", "unity_side_mm", "detector",
          "wedge", "wedge_id", "leaves", "travel_mm", "jaws_mm", "leaf_opening_mm", "unity_of"});
    const std::string name = entry["file"].as<std::string>();
    const std::filesystem::path path = file.parent_path() / name;
    builder.set.files.push_back(name);
    if (lower_case(path.extension().string()) == ".csv")
        return read_measurement_csv(path, builder, comments_for(file, entry));
    if (entry.size() > 1)
        throw bad_input("only CSV files take further keys; scans state their own set-up",
                        where_of(file, entry));
    read_measurement_file(path, builder);
}

}  // namespace

void read_measurement_yaml(const std::filesystem::path& file, SetBuilder& builder) {
    try {
        const YAML::Node root = YAML::LoadFile(file.string());
        if (!root.IsMap()) throw bad_input("this is not a map of keys", file.string());
        read_beam(file, root, builder);
        if (!root["files"] || !root["files"].IsSequence())
            throw bad_input("there is no list of files", file.string(),
                            "Add \"files:\" with an entry \"- file: NAME\" for each");
        for (const YAML::Node& entry : root["files"]) read_entry(file, entry, builder);
    } catch (const YAML::Exception& error) {
        throw bad_input(error.msg, file.string() + ", line " + std::to_string(error.mark.line + 1),
                        "The file must be YAML; see docs/reference/measurements.md");
    }
}

}  // namespace libdose::io
