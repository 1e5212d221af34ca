// Words and numbers of messages and names.
#pragma once

#include <string>

namespace libdose {

/// ASCII only: ids and names of manufacturers.
inline std::string lower_case(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// The names of things as a list, "a, b"; "none" where there is none. `name_of`: of one of them.
template <class Things, class NameOf>
std::string list_of(const Things& things, const NameOf& name_of) {
    std::string list;
    for (const auto& thing : things) list += (list.empty() ? "" : ", ") + name_of(thing);
    return list.empty() ? "none" : list;
}

/// Six decimals without the zeros at the end.
inline std::string short_number(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (!text.empty() && text.back() == '.') text.pop_back();
    return text;
}

}  // namespace libdose
