// Reading what a check needs, as far as it is there: each thing that is missing becomes a row.
#include "libdose/check/input.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "check/planned_doses.h"
#include "check/problem.h"
#include "check/selected_objects.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

void append(std::vector<std::string>& texts, const std::vector<std::string>& more) {
    texts.insert(texts.end(), more.begin(), more.end());
}

bool has_problem(const CheckInput& input, const std::string& id) {
    return std::any_of(input.problems.begin(), input.problems.end(),
                       [&](const Row& row) { return row.id == id; });
}

/// Runs a reader; what stops it is a row, once for an object.
template <class Read>
void reading(CheckInput& input, const std::string& id, const std::string& name,
             const std::filesystem::path& file, const Read& read) {
    try {
        read();
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
        const bool refused = error.kind() == ErrorKind::refused_plan;
        if (!has_problem(input, id))
            add_problem(input, refused ? "plan-refused" : id, refused ? "Plan can be calculated" : name,
                        file.filename().string(), error.what());
    }
}

void read_plan(CheckInput& input, const Selection& selection) {
    if (!input.plan_file) return;
    const std::filesystem::path& file = input.plan_file->file;
    reading(input, "plan-unreadable", "Plan (RTPLAN)", file, [&] {
        input.plan = io::read_plan(file, selection.fraction_group, selection.accepted);
        append(input.notes, input.plan->notes);
    });
}

void read_structures(CheckInput& input) {
    if (!input.structures_file) return;
    const std::filesystem::path& file = input.structures_file->file;
    reading(input, "structures-unreadable", "Structure set (RTSTRUCT)", file, [&] {
        input.structures = io::read_structures(file);
        append(input.notes, input.structures->notes);
    });
}

/// Images of the series that the structure set names and that are not among the files.
void name_missing_slices(CheckInput& input) {
    if (!input.structure_facts || input.ct_files.empty()) return;
    const auto named = input.structure_facts->series_images.find(input.ct_files.front().series_uid);
    if (named == input.structure_facts->series_images.end()) return;
    std::set<std::string> present;
    for (const io::DicomEntry& entry : input.ct_files) present.insert(entry.sop_instance_uid);
    std::vector<std::string> missing;
    for (const std::string& uid : named->second)
        if (!present.contains(uid)) missing.push_back(uid);
    if (missing.empty()) return;
    const std::string how_many =
        std::to_string(missing.size()) + " of the " + std::to_string(named->second.size());
    constexpr std::size_t shown = 5;
    const bool more = missing.size() > shown;
    if (more) missing.resize(shown);
    add_problem(input, "ct-slices-missing", "Every CT image is there", named->first,
                how_many + " CT images that the structure set names are not among the files: " +
                    list_of(missing, [](const std::string& uid) { return uid; }) +
                    (more ? " and others" : "") + ". Export the whole series again");
}

void read_ct(CheckInput& input) {
    name_missing_slices(input);
    if (input.ct_files.empty()) return;
    reading(input, "ct-unreadable", "CT", input.ct_files.front().file.parent_path(), [&] {
        std::vector<std::filesystem::path> files;
        for (const io::DicomEntry& entry : input.ct_files) files.push_back(entry.file);
        input.ct = io::read_ct(files);
        append(input.notes, input.ct->notes);
    });
}

}  // namespace

CheckInput read_check_input(const std::vector<std::filesystem::path>& paths, const Selection& selection) {
    CheckInput input;
    input.index = io::index_dicom(paths);
    if (input.index.entries.empty() && input.index.broken.empty())
        throw bad_input("there is no DICOM among the files", paths.empty() ? "" : paths.front().string(),
                        "Give the folder with CT, RTSTRUCT, RTPLAN and RTDOSE");
    select_objects(input, selection);
    read_plan(input, selection);
    read_structures(input);
    read_ct(input);
    read_planned_doses(input, selection);
    return input;
}

}  // namespace libdose::check
