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

std::string to_string(Transport transport) {
    switch (transport) {
        case Transport::automatic:
            return "auto";
        case Transport::one:
            return "one";
        case Transport::each:
            return "each";
    }
    throw internal_error("transport without a name");
}

Transport transport_from_string(const std::string& text) {
    if (text == "auto") return Transport::automatic;
    if (text == "one") return Transport::one;
    if (text == "each") return Transport::each;
    throw bad_input("unknown transport \"" + text + "\"", {}, "Choose auto, one or each");
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
