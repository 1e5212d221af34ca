#include <filesystem>

#include "capi/handles.h"
#include "capi/reading.h"
#include "libdose/io/dicom.h"

using namespace libdose;
using namespace libdose::capi;

libdose_status libdose_read_case(const char* const* paths, size_t path_count,
                                 const libdose_plan_reading* reading, libdose_ct** ct,
                                 libdose_structures** structures, libdose_plan** plan) {
    return guarded([&] {
        std::optional<Output<libdose_ct>> made_ct;
        std::optional<Output<libdose_structures>> made_structures;
        std::optional<Output<libdose_plan>> made_plan;
        if (ct) made_ct.emplace(ct, "ct");
        if (structures) made_structures.emplace(structures, "structures");
        if (plan) made_plan.emplace(plan, "plan");
        const PlanReading how(reading);
        std::vector<std::filesystem::path> places;
        for (const std::string& path : texts_of(paths, path_count, "paths")) places.emplace_back(path);
        if (places.empty()) throw bad_input("no file or folder is given", "paths");
        // Without a place for it the caller says that there will be none.
        const bool wanted = structures && !how.without_structures;
        const io::DicomCase found =
            io::select_case(io::index_dicom(places), how.plan, how.series,
                            wanted ? io::StructureUse::required : io::StructureUse::left_out);
        if (made_plan)
            (*made_plan)->plan = io::read_plan(found.plan.front().file, how.fraction_group, how.accepted);
        if (made_ct) {
            std::vector<std::filesystem::path> slices;
            for (const io::DicomEntry& entry : found.ct) slices.push_back(entry.file);
            CtImage& image = (*made_ct)->image;
            image = io::read_ct(slices);
            image.notes.insert(image.notes.begin(), found.notes.begin(), found.notes.end());
        }
        const bool has_structures = made_structures && !found.structures.empty();
        if (has_structures) (*made_structures)->set = io::read_structures(found.structures.front().file);
        if (made_plan) made_plan->hand_over();
        if (made_ct) made_ct->hand_over();
        if (has_structures) made_structures->hand_over();
    });
}
