// Bytes as text that a browser unpacks by itself.
#pragma once

#include <string>

namespace libdose::check {

/// Base64 (RFC 4648) of the gzip (RFC 1952) of some bytes.
std::string packed(const std::string& bytes);

}  // namespace libdose::check
