// Lists of what there is: models, leaf designs, couches, HU curves, devices.
#include "capi/handles.h"
#include "libdose/couch.h"
#include "libdose/data.h"
#include "libdose/density.h"
#include "libdose/leaf_design.h"

using namespace libdose;
using namespace libdose::capi;

struct libdose_names {
    static constexpr const char* kind = "list of names";
    Tag tag{kind};
    std::vector<std::string> names;
};

namespace {

std::vector<std::string> names_of(std::int32_t kind) {
    one_of(kind, 5, "kind");
    switch (kind) {
        case LIBDOSE_LEAF_DESIGNS:
            return leaf_design_names();
        case LIBDOSE_COUCHES:
            return couch_names();
        case LIBDOSE_HU_CURVES:
            return hu_curve_names();
        case LIBDOSE_CUDA_DEVICES:
            return cuda_devices();
        default:
            return io::ModelStore::names();
    }
}

}  // namespace

libdose_status libdose_names_create(int32_t kind, libdose_names** names) {
    return guarded([&] {
        Output<libdose_names> made(names, "names");
        made->names = names_of(kind);
        made.hand_over();
    });
}

libdose_status libdose_names_count(const libdose_names* names, size_t* count) {
    return guarded([&] { required(count, "count") = handle(names, "names").names.size(); });
}

libdose_status libdose_names_get(const libdose_names* names, size_t index, const char** name) {
    return guarded(
        [&] { required(name, "name") = item(handle(names, "names").names, index, "index").c_str(); });
}

void libdose_names_free(libdose_names** names) { free_handle(names); }
