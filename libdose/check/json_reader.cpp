#include "check/json_reader.h"

#include <cmath>

#include "base/text.h"
#include "libdose/error.h"

namespace libdose::check {

using nlohmann::json;

json parse_strict_json(const std::string& text, const std::string& where) {
    std::vector<std::set<std::string>> open;  // keys of each object that is being read
    const json::parser_callback_t no_key_twice = [&](int, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::object_start) open.emplace_back();
        if (event == json::parse_event_t::object_end) open.pop_back();
        if (event == json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second)
            throw bad_input("the key \"" + parsed.get<std::string>() + "\" stands twice in one object", where,
                            "Leave one of them");
        return true;
    };
    try {
        return json::parse(text, no_key_twice);
    } catch (const json::exception& error) {
        throw bad_input(std::string("the file is not JSON: ") + error.what(), where);
    }
}

JsonReader::JsonReader(const json& object, std::string file, std::string path)
    : object_(object), file_(std::move(file)), path_(std::move(path)) {
    if (!object_.is_object())
        throw bad_input("\"" + path_ + "\" is not an object", file_, "Put its keys between braces");
}

std::string JsonReader::path_of(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
}

void JsonReader::refuse(const std::string& key, const std::string& problem) const {
    throw bad_input("\"" + path_of(key) + "\" " + problem, file_, "See docs/reference/check-protocol.md");
}

const json& JsonReader::value(const std::string& key) {
    if (!object_.contains(key)) refuse(key, "is missing");
    taken_.insert(key);
    return object_.at(key);
}

double JsonReader::number(const std::string& key, double lowest, double highest) {
    const json& v = value(key);
    if (!v.is_number()) refuse(key, "is not a number");
    const double result = v.get<double>();
    if (!std::isfinite(result) || result < lowest || result > highest)
        refuse(key, "is not between " + short_number(lowest) + " and " + short_number(highest));
    return result;
}

int JsonReader::integer(const std::string& key, int lowest, int highest) {
    const double result = number(key, lowest, highest);
    if (result != std::floor(result)) refuse(key, "is not a whole number");
    return static_cast<int>(result);
}

bool JsonReader::boolean(const std::string& key, bool otherwise) {
    if (!has(key)) return otherwise;
    const json& v = value(key);
    if (!v.is_boolean()) refuse(key, "is neither true nor false");
    return v.get<bool>();
}

std::string JsonReader::text(const std::string& key) {
    const json& v = value(key);
    if (!v.is_string() || v.get<std::string>().find_first_not_of(' ') == std::string::npos)
        refuse(key, "is not a text that says something");
    return v.get<std::string>();
}

std::vector<std::string> JsonReader::texts(const std::string& key) {
    const json& v = value(key);
    if (!v.is_array()) refuse(key, "is not a list");
    std::vector<std::string> list;
    for (const json& one : v) {
        if (!one.is_string() || one.get<std::string>().empty()) refuse(key, "is not a list of texts");
        list.push_back(one.get<std::string>());
    }
    return list;
}

JsonReader JsonReader::object(const std::string& key) { return {value(key), file_, path_of(key)}; }

std::vector<JsonReader> JsonReader::objects(const std::string& key) {
    const json& v = value(key);
    if (!v.is_array()) refuse(key, "is not a list");
    std::vector<JsonReader> list;
    for (std::size_t i = 0; i < v.size(); ++i)
        list.emplace_back(v[i], file_, path_of(key) + "[" + std::to_string(i) + "]");
    return list;
}

std::vector<std::string> JsonReader::keys() const {
    std::vector<std::string> names;
    for (const auto& [key, ignored] : object_.items()) names.push_back(key);
    return names;
}

void JsonReader::finish() const {
    for (const std::string& key : keys())
        if (!taken_.contains(key)) refuse(key, "is not a key of a protocol");
}

}  // namespace libdose::check
