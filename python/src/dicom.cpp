// Files of DICOM in.
#include "libdose/io/dicom.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <vector>

#include "bindings.h"
#include "records.h"
#include "volumes.h"

namespace libdose::python {

namespace {

using namespace nb::literals;
using Paths = std::vector<std::filesystem::path>;

Paths files_of(const std::vector<io::DicomEntry>& entries) {
    Paths files;
    for (const io::DicomEntry& entry : entries) files.push_back(entry.file);
    return files;
}

template <class Wanted>
std::vector<io::DicomEntry> of_kind(const io::DicomIndex& index, const std::string& kind,
                                    const Wanted& wanted) {
    std::vector<io::DicomEntry> found;
    for (const io::DicomEntry& entry : index.entries)
        if (entry.kind == kind && wanted(entry)) found.push_back(entry);
    return io::without_copies(found);
}

void bind_index(nb::module_& m) {
    m.def(
        "index_dicom",
        [](const Paths& paths) {
            io::DicomIndex index;
            {
                const nb::gil_scoped_release unlocked;
                index = io::index_dicom(paths);
            }
            nb::list entries;
            for (const io::DicomEntry& e : index.entries)
                entries.append(nb::make_tuple(e.file, e.kind, e.sop_instance_uid, e.series_uid,
                                              e.frame_of_reference_uid, e.label));
            nb::list broken;
            for (const io::DicomEntry& e : index.broken) broken.append(e.kind);
            return nb::make_tuple(entries, broken);
        },
        "paths"_a,
        "Files below the paths as (file, kind, SOP Instance UID, series UID, frame of reference UID, label), "
        "and the kinds of those that cannot be read; "
        "kind: CT, RTSTRUCT, RTPLAN, RTDOSE, other.");
    m.def(
        "select_case",
        [](const Paths& paths, const std::string& plan, const std::string& series, bool without_structures) {
            io::DicomCase found;
            std::vector<io::DicomEntry> plans, doses;
            {
                const nb::gil_scoped_release unlocked;
                const io::DicomIndex index = io::index_dicom(paths);
                found = io::select_case(
                    index, plan, series,
                    without_structures ? io::StructureUse::left_out : io::StructureUse::required);
                const std::string& frame = found.plan.front().frame_of_reference_uid;
                plans = of_kind(index, "RTPLAN",
                                [&](const io::DicomEntry& e) { return e.frame_of_reference_uid == frame; });
                doses = of_kind(index, "RTDOSE", [](const io::DicomEntry&) { return true; });
            }
            return nb::make_tuple(files_of(found.ct), files_of(found.structures), files_of(found.plan),
                                  files_of(found.doses), found.notes, files_of(plans), files_of(doses));
        },
        "paths"_a, "plan"_a, "series"_a = "", "without_structures"_a = false,
        "Files of (CT, structures, plan, doses) that belong together, notes, and files of (plans, doses): "
        "all plans in the frame of reference of the "
        "one that is picked, and all doses. Copies count once.");
}

void bind_readers(nb::module_& m) {
    m.def(
        "read_ct",
        [](const Paths& files) {
            const nb::gil_scoped_release unlocked;
            return std::make_shared<CtImage>(io::read_ct(files));
        },
        "files"_a, "A CT series. Raises BadInput for what is no regular grid.");
    m.def(
        "read_structures",
        [](const std::filesystem::path& file) {
            StructureSet set;
            {
                const nb::gil_scoped_release unlocked;
                set = io::read_structures(file);
            }
            return to_python(set);
        },
        "file"_a, "An RT Structure Set.");
    m.def(
        "read_plan",
        [](const std::filesystem::path& file, int fraction_group, const std::vector<std::string>& accept) {
            Plan plan;
            {
                const nb::gil_scoped_release unlocked;
                plan = io::read_plan(file, fraction_group, accept);
            }
            return to_python(plan);
        },
        "file"_a, "fraction_group"_a = 0, "accept"_a = std::vector<std::string>{},
        "An RT Plan. Raises RefusedPlan for what is not modelled.");
    m.def(
        "gate_plan",
        [](const std::filesystem::path& file, int fraction_group, const std::vector<std::string>& accept) {
            std::vector<GateEntry> entries;
            {
                const nb::gil_scoped_release unlocked;
                entries = io::gate_plan(file, fraction_group, accept);
            }
            return to_python(entries);
        },
        "file"_a, "fraction_group"_a = 0, "accept"_a = std::vector<std::string>{});
}

}  // namespace

void bind_dicom(nb::module_& m) {
    bind_index(m);
    bind_readers(m);
}

}  // namespace libdose::python
