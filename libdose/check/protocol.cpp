// Stub.
#include "libdose/check/protocol.h"

namespace libdose::check {

Protocol read_protocol(const std::string&, const std::string&) { return {}; }
std::vector<std::string> protocol_names() { return {}; }
std::vector<std::string> protocol_sites(const std::string&) { return {}; }

}  // namespace libdose::check
