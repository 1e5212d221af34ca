#include "libdose/structure.h"

namespace libdose {

const Structure* StructureSet::find(const std::string& name) const {
    for (const Structure& structure : structures)
        if (structure.name == name) return &structure;
    return nullptr;
}

const Structure* StructureSet::external() const {
    for (const Structure& structure : structures)
        if (structure.type == "EXTERNAL" && !structure.contours.empty()) return &structure;
    return nullptr;
}

}  // namespace libdose
