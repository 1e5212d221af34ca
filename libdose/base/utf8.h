// UTF-8: the encoding of every text that the library gives out.
#pragma once

#include <string>
#include <string_view>

namespace libdose {

bool is_utf8(std::string_view text);

/// The text, with U+FFFD in place of every byte that is not part of UTF-8: file names may hold any bytes.
std::string valid_utf8(std::string_view text);

/// The first `count` characters. `text` is UTF-8.
std::string first_characters(const std::string& text, std::size_t count);

}  // namespace libdose
