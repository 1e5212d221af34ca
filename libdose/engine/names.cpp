#include "libdose/engine.h"
#include "libdose/error.h"

namespace libdose {

std::string to_string(Quality quality) {
    switch (quality) {
        case Quality::draft:
            return "draft";
        case Quality::standard:
            return "standard";
        case Quality::high:
            return "high";
    }
    throw internal_error("quality without a name");
}

std::string to_string(LeafEnds ends) { return ends == LeafEnds::rounded ? "rounded" : "sharp"; }

LeafEnds leaf_ends_from_string(const std::string& text) {
    for (const LeafEnds ends : {LeafEnds::rounded, LeafEnds::sharp})
        if (to_string(ends) == text) return ends;
    throw bad_input("unknown leaf ends \"" + text + "\"", {}, "Choose rounded or sharp");
}

Quality quality_from_string(const std::string& text) {
    for (const Quality q : {Quality::draft, Quality::standard, Quality::high})
        if (to_string(q) == text) return q;
    throw bad_input("unknown quality \"" + text + "\"", {}, "Choose draft, standard or high");
}

std::string to_string(Grouping grouping) {
    switch (grouping) {
        case Grouping::automatic:
            return "auto";
        case Grouping::shared:
            return "shared";
        case Grouping::per_geometry:
            return "per-geometry";
    }
    throw internal_error("grouping without a name");
}

Grouping grouping_from_string(const std::string& text) {
    if (text == "auto") return Grouping::automatic;
    if (text == "shared" || text == "one") return Grouping::shared;
    if (text == "per-geometry" || text == "each") return Grouping::per_geometry;
    throw bad_input("unknown grouping \"" + text + "\"", {}, "Choose auto, shared or per-geometry");
}

std::string to_string(BackendChoice backend) {
    switch (backend) {
        case BackendChoice::cpu:
            return "cpu";
        case BackendChoice::cuda:
            return "cuda";
        case BackendChoice::automatic:
            return "auto";
    }
    throw internal_error("backend without a name");
}

BackendChoice backend_from_string(const std::string& text) {
    for (const BackendChoice b : {BackendChoice::cpu, BackendChoice::cuda, BackendChoice::automatic})
        if (to_string(b) == text) return b;
    throw bad_input("unknown backend \"" + text + "\"", {}, "Choose cpu, cuda or auto");
}

}  // namespace libdose
