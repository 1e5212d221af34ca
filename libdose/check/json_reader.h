// JSON whose every key is known: what nobody reads is refused, with its path.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace libdose::check {

/// Parses a text. Throws bad_input for what is no JSON, and for a key that stands twice in one object.
nlohmann::json parse_strict_json(const std::string& text, const std::string& where);

/// An object of JSON. Every getter throws bad_input, naming the file and the path, for a value of another
/// type or out of range; so does finish() for a key that nobody asked for.
class JsonReader {
public:
    JsonReader(const nlohmann::json& object, std::string file, std::string path);

    bool has(const std::string& key) const { return object_.contains(key); }
    /// lowest <= value <= highest.
    double number(const std::string& key, double lowest, double highest);
    int integer(const std::string& key, int lowest, int highest);
    bool boolean(const std::string& key, bool otherwise);
    std::string text(const std::string& key);  ///< not empty
    std::vector<std::string> texts(const std::string& key);
    JsonReader object(const std::string& key);
    std::vector<JsonReader> objects(const std::string& key);
    std::vector<std::string> keys() const;

    void finish() const;
    /// Throws bad_input about a key of this object.
    [[noreturn]] void refuse(const std::string& key, const std::string& problem) const;

private:
    const nlohmann::json& value(const std::string& key);
    std::string path_of(const std::string& key) const;

    const nlohmann::json& object_;
    std::string file_, path_;
    std::set<std::string> taken_;
};

}  // namespace libdose::check
