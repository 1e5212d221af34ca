// Reads a protocol (docs/reference/check-protocol.md).
#include "libdose/check/protocol.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "check/json_reader.h"
#include "libdose/data.h"
#include "libdose/dvh_metric.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"

namespace libdose::check {

namespace {

namespace fs = std::filesystem;

constexpr const char* format_name = "libdose-protocol 1";

Limits limits_of(JsonReader reader) {
    Limits limits;
    limits.look = reader.number("look_percent", 0, 100);
    limits.fail = reader.number("fail_percent", 0, 100);
    limits.source = reader.text("source");
    if (limits.look > limits.fail) reader.refuse("look_percent", "is above fail_percent: inverted limits");
    reader.finish();
    return limits;
}

std::string metric_of(JsonReader& reader) {
    const std::string metric = reader.text("metric");
    try {
        parse_dvh_metric(metric);
    } catch (const Error& error) {
        reader.refuse("metric", "is not understood: " + error.problem());
    }
    return metric;
}

TargetCriterion target_criterion_of(JsonReader reader) {
    TargetCriterion criterion;
    criterion.metric = metric_of(reader);
    criterion.difference_percent.look = reader.number("look_percent", 0, 100);
    criterion.difference_percent.fail = reader.number("fail_percent", 0, 100);
    criterion.difference_percent.source = reader.text("source");
    if (criterion.difference_percent.look > criterion.difference_percent.fail)
        reader.refuse("look_percent", "is above fail_percent: inverted limits");
    reader.finish();
    return criterion;
}

Goal goal_of(JsonReader reader) {
    Goal goal;
    goal.structure = reader.text("structure");
    goal.metric = metric_of(reader);
    if (reader.has("at_most") == reader.has("at_least"))
        reader.refuse("at_most", "or at_least: a goal has one of them");
    goal.at_most = reader.has("at_most");
    const std::string side = goal.at_most ? "at_most" : "at_least";
    JsonReader limits = reader.object(side);
    goal.look = limits.number("look", 0, 1e6);
    goal.fail = limits.number("fail", 0, 1e6);
    if (goal.at_most ? goal.look > goal.fail : goal.look < goal.fail)
        limits.refuse("look", "lies beyond fail: inverted limits");
    limits.finish();
    goal.required = reader.boolean("required", false);
    goal.source = reader.text("source");
    reader.finish();
    return goal;
}

GammaCriterion gamma_of(JsonReader reader) {
    GammaCriterion criterion;
    criterion.dose_percent = reader.number("dose_percent", 0.1, 20);
    criterion.distance_mm = reader.number("distance_mm", 0.1, 20);
    criterion.threshold_percent = reader.number("threshold_percent", 0, 99);
    criterion.local = reader.boolean("local", false);
    criterion.region = reader.text("region");
    criterion.look_rate_percent = reader.number("look_rate_percent", 0, 100);
    criterion.fail_rate_percent = reader.number("fail_rate_percent", 0, 100);
    criterion.source = reader.text("source");
    if (criterion.look_rate_percent < criterion.fail_rate_percent)
        reader.refuse("look_rate_percent", "is below fail_rate_percent: inverted limits");
    reader.finish();
    return criterion;
}

void read_targets(JsonReader reader, Protocol& protocol) {
    if (reader.has("types")) protocol.target_types = reader.texts("types");
    if (reader.has("names")) protocol.targets = reader.texts("names");
    reader.finish();
}

void read_points(JsonReader reader, Protocol& protocol) {
    if (reader.has("plan")) protocol.point_plan_percent = limits_of(reader.object("plan"));
    if (reader.has("beam")) protocol.point_beam_percent = limits_of(reader.object("beam"));
    protocol.beam_doses_required = reader.boolean("beam_doses_required", protocol.beam_doses_required);
    reader.finish();
}

void read_integrity(JsonReader reader, Protocol& protocol) {
    protocol.approval_required = reader.boolean("approval_required", protocol.approval_required);
    protocol.couch_expected = reader.boolean("couch_expected", protocol.couch_expected);
    protocol.require_machine_model = reader.boolean("require_machine_model", protocol.require_machine_model);
    if (reader.has("model_age_days")) protocol.model_age_days = reader.integer("model_age_days", 0, 100000);
    reader.finish();
}

template <class List, class ReadOne>
void read_list(JsonReader& section, const std::string& key, List& list, const ReadOne& read_one) {
    if (!section.has(key)) return;
    list.clear();
    for (JsonReader& one : section.objects(key)) list.push_back(read_one(std::move(one)));
}

/// A check without them would pass whatever the dose.
void refuse_empty_lists(const JsonReader& section, const Protocol& protocol) {
    if (protocol.target_criteria.empty())
        section.refuse("target_differences",
                       "is missing or empty: the doses of targets would not be compared");
    if (protocol.gamma.empty())
        section.refuse("gamma", "is missing or empty: the doses would not be compared voxel by voxel");
}

/// What a section states replaces what was there, key by key; a list as a whole.
void read_section(JsonReader section, Protocol& protocol) {
    if (section.has("targets")) read_targets(section.object("targets"), protocol);
    read_list(section, "target_differences", protocol.target_criteria, target_criterion_of);
    read_list(section, "goals", protocol.goals, goal_of);
    if (section.has("points")) read_points(section.object("points"), protocol);
    if (section.has("mu")) protocol.mu_percent = limits_of(section.object("mu"));
    read_list(section, "gamma", protocol.gamma, gamma_of);
    if (section.has("prescription"))
        protocol.prescription_percent = limits_of(section.object("prescription"));
    if (section.has("integrity")) read_integrity(section.object("integrity"), protocol);
    refuse_empty_lists(section, protocol);
    section.finish();
}

fs::path protocol_file(const std::string& name_or_file) {
    const fs::path named = data_folder() / "protocols" / (name_or_file + ".json");
    if (fs::exists(named)) return named;
    if (fs::is_regular_file(name_or_file)) return name_or_file;
    std::string names;
    for (const std::string& name : protocol_names()) names += (names.empty() ? "" : ", ") + name;
    throw bad_input("there is no protocol \"" + name_or_file + "\"", {},
                    "Give a JSON file or one of: " + names);
}

std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream) throw bad_input("the protocol cannot be read", file.string());
    return text.str();
}

}  // namespace

Protocol read_protocol(const std::string& name_or_file, const std::string& site) {
    const fs::path file = protocol_file(name_or_file);
    const std::string text = text_of(file);
    const nlohmann::json json = parse_strict_json(text, file.string());
    JsonReader reader(json, file.string(), "");
    if (reader.text("format") != format_name)
        reader.refuse("format", std::string("is not \"") + format_name + "\"");
    Protocol protocol;
    protocol.name = reader.text("name");
    protocol.version = reader.text("version");
    protocol.hash = io::sha256(text);
    protocol.site = site;
    JsonReader general = reader.object("general");
    if (!general.has("prescription")) general.refuse("prescription", "is missing");
    read_section(std::move(general), protocol);
    std::vector<std::string> sites;
    if (reader.has("sites")) {
        JsonReader all = reader.object("sites");
        sites = all.keys();
        for (const std::string& name : sites) {
            Protocol one = protocol;  // every section is read, so that a fault shows before it is used
            read_section(all.object(name), one);
            if (name == site) protocol = std::move(one);
        }
    }
    reader.finish();
    if (!site.empty() && std::find(sites.begin(), sites.end(), site) == sites.end()) {
        std::string names;
        for (const std::string& name : sites) names += (names.empty() ? "" : ", ") + name;
        throw bad_input("the protocol has no site \"" + site + "\"", file.string(),
                        names.empty() ? "It has no sites" : "Its sites: " + names);
    }
    return protocol;
}

std::vector<std::string> protocol_names() {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(data_folder() / "protocols", error))
        if (entry.path().extension() == ".json" && entry.path().stem().extension() != ".schema")
            names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> protocol_sites(const std::string& name_or_file) {
    const fs::path file = protocol_file(name_or_file);
    const nlohmann::json json = parse_strict_json(text_of(file), file.string());
    std::vector<std::string> sites;
    if (json.contains("sites"))
        for (const auto& [name, ignored] : json.at("sites").items()) sites.push_back(name);
    return sites;
}

}  // namespace libdose::check
