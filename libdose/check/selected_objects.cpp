#include "check/selected_objects.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "check/problem.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

using io::DicomEntry;

const char* const plan_name = "Plan (RTPLAN)";
const char* const structures_name = "Structure set (RTSTRUCT)";
const char* const ct_name = "CT";

std::vector<DicomEntry> of_kind(const io::DicomIndex& index, const std::string& kind) {
    std::vector<DicomEntry> found;
    for (const DicomEntry& entry : index.entries)
        if (entry.kind == kind) found.push_back(entry);
    return found;
}

std::string labelled(const DicomEntry& entry) {
    return "\"" + entry.label + "\" " + entry.sop_instance_uid + " (" + entry.file.filename().string() + ")";
}

std::string list_of_entries(const std::vector<DicomEntry>& entries) {
    return list_of(entries, [](const DicomEntry& entry) { return labelled(entry); });
}

/// Reads facts of a file; what stops that is a row.
template <class Facts, class Read>
std::optional<Facts> facts_of(CheckInput& input, const DicomEntry& entry, const std::string& id,
                              const std::string& name, const Read& read) {
    try {
        return read(entry.file);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
        add_problem(input, id, name, entry.file.filename().string(), error.what());
        return std::nullopt;
    }
}

void read_plan_facts(CheckInput& input) {
    if (input.plan_file)
        input.plan_facts = facts_of<io::PlanFacts>(input, *input.plan_file, "plan-unreadable", plan_name,
                                                   io::read_plan_facts);
}

void read_structure_facts(CheckInput& input) {
    if (input.structures_file)
        input.structure_facts =
            facts_of<io::StructureFacts>(input, *input.structures_file, "structures-unreadable",
                                         structures_name, io::read_structure_facts);
}

void read_ct_facts(CheckInput& input) {
    if (!input.ct_files.empty())
        input.ct_facts =
            facts_of<io::CtFacts>(input, input.ct_files.front(), "ct-unreadable", ct_name, io::read_ct_facts);
}

/// Choice of the objects when they do not all belong together. select_case() goes from the plan over its
/// structure set to the CT and stops at the first that is missing; here the others are chosen all the same,
/// and none is guessed.
class PartialSelection {
public:
    /// `failure`: of select_case(), about the first object that is missing.
    PartialSelection(CheckInput& input, const Selection& selection, const Error& failure)
        : input_(input), selection_(selection), failure_(failure.what()) {}

    void run() {
        name_broken_files();
        choose_plan();
        read_plan_facts(input_);
        choose_structures();
        read_structure_facts(input_);
        choose_ct();
        read_ct_facts(input_);
        // Everything is there, but several plans, or two contents of one object, make the choice unsafe.
        if (!explained_) add_problem(input_, "selection", "Objects that belong together", "", failure_);
    }

private:
    void missing(const std::string& id, const std::string& name, const std::string& reason,
                 Verdict verdict = Verdict::not_checked) {
        explained_ = true;
        add_problem(input_, id, name, "", reason, verdict);
    }

    /// Any of them may be what is missing.
    void name_broken_files() {
        for (const DicomEntry& entry : input_.index.broken) {
            explained_ = true;
            add_problem(input_, "file-unreadable", "Every file can be read", entry.file.filename().string(),
                        "the file cannot be read: " + entry.problem +
                            ". It may be truncated; export it again, or leave it out");
        }
    }

    /// The one object of these entries; none where they are several, or one with several contents.
    static std::optional<DicomEntry> only_one(const std::vector<DicomEntry>& entries) {
        try {
            const std::vector<DicomEntry> once = io::without_copies(entries);
            if (once.size() == 1) return once.front();
        } catch (const Error&) {  // select_case() has said it
        }
        return std::nullopt;
    }

    void choose_plan() {
        std::vector<DicomEntry> fitting;
        for (const DicomEntry& entry : of_kind(input_.index, "RTPLAN"))
            if (selection_.plan.empty() || entry.sop_instance_uid == selection_.plan ||
                entry.label == selection_.plan)
                fitting.push_back(entry);
        input_.plan_file = only_one(fitting);
        if (!input_.plan_file) missing("missing-plan", plan_name, failure_);
    }

    std::string wanted_set() const {
        return input_.plan_facts ? input_.plan_facts->structure_set_uid : std::string();
    }

    void choose_structures() {
        const std::vector<DicomEntry> all = of_kind(input_.index, "RTSTRUCT");
        std::vector<DicomEntry> fitting;
        for (const DicomEntry& entry : all)
            if (wanted_set().empty() || entry.sop_instance_uid == wanted_set()) fitting.push_back(entry);
        input_.structures_file = only_one(fitting);
        if (input_.structures_file) return;
        std::string reason = "there is no structure set among the files";
        if (!wanted_set().empty())
            reason =
                "the structure set that the plan refers to, " + wanted_set() + ", is not among the files";
        if (!fitting.empty()) reason = "it is not clear which structure set is meant";
        if (!all.empty()) reason += "; structure sets among the files: " + list_of_entries(all);
        missing("missing-structures", structures_name, reason + ". Add the RTSTRUCT of the plan");
    }

    using Series = std::map<std::string, std::vector<DicomEntry>>;

    Series all_series() const {
        Series series;
        for (const DicomEntry& entry : of_kind(input_.index, "CT"))
            if (entry.image_type.find("LOCALIZER") == std::string::npos)
                series[entry.series_uid].push_back(entry);
        return series;
    }

    /// Those that the structure set names, else those of the plan's frame of reference.
    Series fitting_series(const Series& all) const {
        Series fitting;
        for (const auto& [uid, entries] : all) {
            const bool by_user = !selection_.series.empty() && uid == selection_.series;
            const bool named = selection_.series.empty() && input_.structure_facts &&
                               std::find(input_.structure_facts->series_uids.begin(),
                                         input_.structure_facts->series_uids.end(),
                                         uid) != input_.structure_facts->series_uids.end();
            if (by_user || named) fitting[uid] = entries;
        }
        if (!fitting.empty() || !selection_.series.empty()) return fitting;
        const std::string frame = wanted_frame();
        for (const auto& [uid, entries] : all)
            if (!frame.empty() && entries.front().frame_of_reference_uid == frame) fitting[uid] = entries;
        return fitting;
    }

    std::string wanted_frame() const {
        if (input_.plan_facts && !input_.plan_facts->frame_of_reference_uid.empty())
            return input_.plan_facts->frame_of_reference_uid;
        if (input_.structure_facts && input_.structure_facts->frame_of_reference_uids.size() == 1)
            return input_.structure_facts->frame_of_reference_uids.front();
        return {};
    }

    void choose_ct() {
        const Series all = all_series(), fitting = fitting_series(all);
        if (fitting.size() == 1) {
            try {
                input_.ct_files = io::without_copies(fitting.begin()->second);
                return;
            } catch (const Error&) {  // select_case() has said it
                return;
            }
        }
        const auto series_text = [](const auto& one) {
            return one.first + " (" + std::to_string(one.second.size()) + " images)";
        };
        const std::string present = "CT series among the files: " + list_of(all, series_text);
        const std::string named =
            list_of(input_.structure_facts ? input_.structure_facts->series_uids : std::vector<std::string>(),
                    [](const std::string& uid) { return uid; });
        const std::string wanted =
            "the structure set names CT series " + named + ", frame of reference " + wanted_frame();
        if (all.empty())
            missing("missing-ct", ct_name, "there is no CT among the files; " + wanted + ". Add the CT");
        else if (!fitting.empty())
            missing("missing-ct", ct_name,
                    "it is not clear which CT is meant; " + present +
                        ". Choose one by its Series Instance UID (--series)");
        else if (input_.structure_facts && named != "none" && selection_.series.empty())
            missing("ct-series", "CT that the structures were drawn on",
                    "wrong CT: " + wanted + "; " + present + ". Add the CT of the plan", Verdict::fail);
        else
            missing("missing-ct", ct_name, "there is no CT that belongs to the plan; " + present);
    }

    CheckInput& input_;
    const Selection& selection_;
    std::string failure_;
    bool explained_ = false;
};

}  // namespace

void select_objects(CheckInput& input, const Selection& selection) {
    try {
        const io::DicomCase selected = io::select_case(input.index, selection.plan, selection.series);
        input.plan_file = selected.plan.front();
        input.structures_file = selected.structures.front();
        input.ct_files = selected.ct;
        input.notes = selected.notes;
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
        PartialSelection(input, selection, error).run();
        return;
    }
    read_plan_facts(input);
    read_structure_facts(input);
    read_ct_facts(input);
}

}  // namespace libdose::check
