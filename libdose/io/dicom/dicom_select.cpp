// Which files belong together: plan -> structure set -> CT, by their references.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/utf8.h"
#include "io/dicom/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {

namespace {

std::string listed(const std::vector<DicomEntry>& entries) {
    std::string text;
    for (const DicomEntry& e : entries)
        text += (text.empty() ? "" : "; ") +
                ("\"" + e.label + "\" " + e.sop_instance_uid + " (" + e.file.filename().string() + ")");
    return text;
}

using Wanted = std::function<bool(const DicomEntry&)>;

/// Entries of a kind; copies of one object count once.
std::vector<DicomEntry> where(const DicomIndex& index, const std::string& kind, const Wanted& wanted) {
    std::vector<DicomEntry> found;
    std::set<std::string> seen;
    for (const DicomEntry& e : index.entries)
        if (e.kind == kind && wanted(e) &&
            (e.sop_instance_uid.empty() || seen.insert(e.sop_instance_uid).second))
            found.push_back(e);
    return found;
}

/// Throws when one of these has a second content among the files, and returns how many files are copies of
/// them.
std::size_t copies_of(const DicomIndex& index, const std::vector<DicomEntry>& used) {
    if (used.empty()) return 0;
    std::set<std::string> uids;
    for (const DicomEntry& e : used)
        if (!e.sop_instance_uid.empty()) uids.insert(e.sop_instance_uid);
    const DicomEntry& first = used.front();
    std::vector<DicomEntry> all;
    for (const DicomEntry& e : index.entries)
        if (e.kind == first.kind && (e.kind != "CT" || e.series_uid == first.series_uid) &&
            uids.contains(e.sop_instance_uid))
            all.push_back(e);
    return all.size() - without_copies(all).size();
}

Error cannot_be_read(const DicomEntry& broken) {
    return bad_input("the file is needed and cannot be read: " + broken.problem, broken.file.string(),
                     "It may be truncated; export it again, or leave it out");
}

void require_none_broken(const DicomIndex& index, const std::string& kind, const Wanted& wanted) {
    for (const DicomEntry& e : index.broken)
        if (e.kind == kind && wanted(e)) throw cannot_be_read(e);
}

DicomEntry pick_plan(const DicomIndex& index, const std::string& selector) {
    const auto all = where(index, "RTPLAN", [](const DicomEntry&) { return true; });
    if (all.empty()) {
        require_none_broken(index, "RTPLAN", [](const DicomEntry&) { return true; });
        std::string others;
        for (const DicomEntry& e : index.entries)
            if (e.modality == "RTPLAN" && e.kind == "other") others += " " + e.file.filename().string();
        if (!others.empty())
            throw refused_plan("the plan is not an RT Plan of photons or electrons (ion or other plan)",
                               others, "libdose calculates photon plans only");
        throw bad_input("there is no RTPLAN among the files", {}, "Add the plan's file or folder");
    }
    const Wanted fits = [&](const DicomEntry& e) {
        return selector.empty() || e.sop_instance_uid == selector || e.label == selector;
    };
    require_none_broken(index, "RTPLAN", fits);
    const auto fitting = where(index, "RTPLAN", fits);
    if (fitting.empty())
        throw bad_input("there is no plan \"" + selector + "\"", {}, "Plans: " + listed(all));
    if (fitting.size() > 1)
        throw bad_input(
            selector.empty() ? "there are several plans" : "several plans are labelled \"" + selector + "\"",
            {}, "Choose one by its label or SOP Instance UID (--plan). Plans: " + listed(fitting));
    return fitting.front();
}

std::string first_reference(const DicomItem& root, DcmTagKey sequence) {
    for (const DicomItem& item : root.items(sequence, "reference"))
        if (const auto uid = item.optional_text(DCM_ReferencedSOPInstanceUID)) return *uid;
    return {};
}

/// A CT series that a structure set names, in the frame of reference `frame`, and the images of it that it
/// names.
struct NamedSeries {
    std::string uid, frame;
    std::vector<std::string> images;
};

std::vector<NamedSeries> named_series(const DicomItem& root) {
    std::vector<NamedSeries> named;
    for (const DicomItem& frame : root.items(DCM_ReferencedFrameOfReferenceSequence, "frame of reference"))
        for (const DicomItem& study : frame.items(DCM_RTReferencedStudySequence, "study"))
            for (const DicomItem& series : study.items(DCM_RTReferencedSeriesSequence, "series")) {
                const auto uid = series.optional_text(DCM_SeriesInstanceUID);
                if (!uid) continue;
                auto same = std::find_if(named.begin(), named.end(),
                                         [&](const NamedSeries& n) { return n.uid == *uid; });
                if (same == named.end())
                    same =
                        named.insert(named.end(), {*uid, frame.text_or_empty(DCM_FrameOfReferenceUID), {}});
                for (const DicomItem& image : series.items(DCM_ContourImageSequence, "image"))
                    if (const auto one = image.optional_text(DCM_ReferencedSOPInstanceUID))
                        same->images.push_back(*one);
            }
    return named;
}

using CtSeries = std::map<std::string, std::vector<DicomEntry>>;

/// The series of CT images other than scouts, by UID.
CtSeries ct_series(const DicomIndex& index, const Wanted& wanted) {
    CtSeries series;
    for (const DicomEntry& e : index.entries)
        if (e.kind == "CT" && wanted(e) && e.image_type.find("LOCALIZER") == std::string::npos)
            series[e.series_uid].push_back(e);
    return series;
}

std::string listed(const CtSeries& series) {
    std::string text;
    for (const auto& [uid, entries] : series)
        text += (text.empty() ? "" : "; ") + uid + " \"" + entries.front().label + "\" (" +
                std::to_string(entries.size()) + " files, " + entries.front().file.filename().string() +
                " ...)";
    return text;
}

/// Which CT series a plan is calculated on, and why.
struct SeriesChoice {
    std::string uid, reason;
};

/// A plan's references to CT series among the files.
struct PlanReferences {
    const DicomIndex& index;
    const DicomEntry& plan;
    const std::string& frame;               ///< frame of reference; empty when it is not known
    const std::vector<NamedSeries>& named;  ///< by the structure set

    bool names(const std::string& uid) const {
        return std::any_of(named.begin(), named.end(), [&](const NamedSeries& n) { return n.uid == uid; });
    }
    CtSeries all() const {
        return ct_series(index, [](const DicomEntry&) { return true; });
    }
    /// In the plan's frame of reference; of its patient where the frame is not known.
    CtSeries fitting() const {
        return ct_series(index, [&](const DicomEntry& e) {
            return frame.empty() ? e.patient_id == plan.patient_id : e.frame_of_reference_uid == frame;
        });
    }
    /// Those that the structure set names. A set that was drawn on several registered scans names one in each
    /// frame of reference: the plan's is meant.
    CtSeries named_ones() const {
        CtSeries of_frame = ct_series(index, [&](const DicomEntry& e) {
            return names(e.series_uid) && e.frame_of_reference_uid == frame;
        });
        if (!of_frame.empty()) return of_frame;
        return ct_series(index, [&](const DicomEntry& e) { return names(e.series_uid); });
    }
    /// The first that the structure set names in the plan's frame of reference and that is not among the
    /// files; null: they are all there.
    const NamedSeries* absent() const {
        const auto is_absent = [&](const NamedSeries& n) {
            return std::none_of(index.entries.begin(), index.entries.end(),
                                [&](const DicomEntry& e) { return e.series_uid == n.uid; });
        };
        for (const NamedSeries& n : named)
            if ((frame.empty() || n.frame.empty() || n.frame == frame) && is_absent(n)) return &n;
        return nullptr;
    }
};

Error several_series(const std::string& problem, const DicomEntry& plan, const CtSeries& series) {
    return bad_input(
        problem, plan.file.string(),
        "Choose one by its Series Instance UID (--series UID), or leave only one among the files. CT "
        "series: " +
            listed(series));
}

SeriesChoice series_by_user(const PlanReferences& references, const std::string& wanted) {
    const CtSeries all = references.all();
    if (!all.contains(wanted))
        throw bad_input("there is no CT series " + wanted + " among the files", "series",
                        "CT series: " + listed(all));
    return {wanted, references.named.empty() || references.names(wanted)
                        ? ", as chosen"
                        : ", as chosen; the structure set names series " + references.named.front().uid};
}

Error no_series(const PlanReferences& references) {
    const CtSeries all = references.all();
    const std::string& frame = references.frame;
    const std::string looked =
        references.named.empty()
            ? "Looked for frame of reference " + frame
            : "Looked for series " + references.named.front().uid + " and frame of reference " + frame;
    return bad_input("there is no CT that belongs to the plan", references.plan.file.string(),
                     looked + (all.empty() ? "; there is no CT among the files"
                                           : "; CT series among the files: " + listed(all)));
}

/// `wanted`: UID of the user's choice; empty: none. Throws bad_input when nothing or more than one series
/// fits.
SeriesChoice choose_series(const PlanReferences& references, const std::string& wanted) {
    if (!wanted.empty()) return series_by_user(references, wanted);
    const CtSeries present = references.named_ones(), fitting = references.fitting();
    if (present.size() > 1)
        throw several_series("the structure set names several CT series", references.plan, present);
    if (present.size() == 1) {
        // A series that is named and absent may be the one that is meant, unless the other that is named is
        // the only one there.
        const NamedSeries* absent = references.absent();
        if (absent && fitting.size() > 1)
            throw several_series(
                "the structure set names series " + absent->uid +
                    ", which is not among the files, and several CT series belong to the plan",
                references.plan, fitting);
        return {present.begin()->first, ", referenced by the structure set"};
    }
    if (fitting.empty()) throw no_series(references);
    if (fitting.size() > 1)
        throw several_series("several CT series belong to the plan's frame of reference", references.plan,
                             fitting);
    const std::string by_frame =
        ", by frame of reference" +
        std::string(references.named.empty() ? "" : " (the referenced series is not there)");
    return {fitting.begin()->first, references.frame.empty() ? ", the only one of the patient" : by_frame};
}

/// Throws when a broken file is an image of the series, or may be one that the structure set names; says how
/// many of those are missing.
void require_whole_series(const DicomIndex& index, const std::vector<DicomEntry>& slices,
                          const std::vector<NamedSeries>& named, std::vector<std::string>& notes) {
    const std::string& uid = slices.front().series_uid;
    for (const DicomEntry& e : index.broken)
        if (e.series_uid == uid) throw cannot_be_read(e);
    const auto set =
        std::find_if(named.begin(), named.end(), [&](const NamedSeries& n) { return n.uid == uid; });
    if (set == named.end()) return;
    std::set<std::string> present;
    for (const DicomEntry& e : slices) present.insert(e.sop_instance_uid);
    const auto missing = std::count_if(set->images.begin(), set->images.end(),
                                       [&](const std::string& image) { return !present.contains(image); });
    if (missing == 0) return;
    for (const DicomEntry& e : index.broken)
        if (e.series_uid.empty()) throw cannot_be_read(e);
    notes.push_back("CT: " + std::to_string(missing) + " of the " + std::to_string(set->images.size()) +
                    " images that the structure set names are not among the files");
}

/// The doses that refer to the plan; of those that cannot be read a note. No calculation needs them.
std::vector<DicomEntry> doses_of(const DicomIndex& index, const DicomEntry& plan,
                                 std::vector<std::string>& notes) {
    std::vector<DicomEntry> doses;
    for (const DicomEntry& e : where(index, "RTDOSE", [](const DicomEntry&) { return true; })) try {
            const DicomFile file(e.file);
            if (first_reference(file.root(), DCM_ReferencedRTPlanSequence) == plan.sop_instance_uid)
                doses.push_back(e);
        } catch (const Error& error) {
            notes.push_back(std::string("files: a dose is left out: ") + error.what());
        }
    return doses;
}

void note_left_out(const DicomIndex& index, const std::string& series, std::vector<std::string>& notes) {
    const auto others = std::count_if(index.entries.begin(), index.entries.end(), [&](const DicomEntry& e) {
        return e.kind == "CT" && e.series_uid != series;
    });
    if (others > 0) notes.push_back(std::to_string(others) + " CT images of other series are left out");
    for (const DicomEntry& e : index.broken)
        notes.push_back("files: " + e.file.string() + " cannot be read (" + e.problem +
                        ") and is left out; it is not needed");
}

/// The structure set that the plan refers to (`wanted`; may be empty: then the only one of its frame of
/// reference); when they are left out, the same as far as it is there.
std::vector<DicomEntry> pick_structures(const DicomIndex& index, const DicomEntry& plan,
                                        const std::string& wanted, StructureUse use,
                                        std::vector<std::string>& notes) {
    const char* const advice =
        "Add the RTSTRUCT file of the plan; --without-structures calculates on the whole CT, without body "
        "and densities of structures";
    const auto all = where(index, "RTSTRUCT", [](const DicomEntry&) { return true; });
    const Wanted fits = [&](const DicomEntry& e) {
        const bool of_frame = plan.frame_of_reference_uid.empty() || e.frame_of_reference_uid.empty() ||
                              e.frame_of_reference_uid == plan.frame_of_reference_uid;
        return wanted.empty() ? e.patient_id == plan.patient_id && of_frame : e.sop_instance_uid == wanted;
    };
    std::vector<DicomEntry> found = where(index, "RTSTRUCT", fits);
    if (use == StructureUse::left_out) {
        notes.push_back("structure set: left out, as asked for; the whole CT counts as the patient");
        if (found.size() > 1) found.clear();
        return found;
    }
    require_none_broken(index, "RTSTRUCT", fits);
    if (found.size() > 1)
        throw bad_input("the plan refers to no structure set and several would fit", plan.file.string(),
                        "Leave only one among the files: " + listed(found));
    if (found.empty() && wanted.empty())
        throw bad_input("there is no structure set of the plan, and the plan refers to none",
                        plan.file.string(), advice);
    if (found.empty())
        throw bad_input("the structure set that the plan refers to, " + wanted + ", is not among the files" +
                            (all.empty() ? "" : "; structure sets among the files: " + listed(all)),
                        plan.file.string(), advice);
    notes.push_back("structure set: \"" + found.front().label + "\" (" +
                    found.front().file.filename().string() +
                    (wanted.empty() ? "), the only one of this patient; the plan refers to none"
                                    : "), referenced by the plan"));
    return found;
}

}  // namespace

DicomCase select_case(const DicomIndex& index, const std::string& plan_selector, const std::string& series,
                      StructureUse use) {
    DicomCase result;
    const DicomEntry plan = pick_plan(index, plan_selector);
    result.plan.push_back(plan);
    std::size_t copies = copies_of(index, result.plan);
    result.notes.push_back("plan: \"" + plan.label + "\" (" + plan.file.filename().string() + ")");
    const DicomFile plan_file(plan.file);
    const DicomItem plan_root = plan_file.root();
    std::string frame = plan.frame_of_reference_uid;

    result.structures = pick_structures(
        index, plan, first_reference(plan_root, DCM_ReferencedStructureSetSequence), use, result.notes);
    copies += copies_of(index, result.structures);

    // CT: the series that the structure set names; else the only one of the frame of reference.
    std::vector<NamedSeries> named;
    if (!result.structures.empty()) {
        const DicomFile file(result.structures.front().file);
        named = named_series(file.root());
        for (const DicomItem& item :
             file.root().items(DCM_ReferencedFrameOfReferenceSequence, "frame of reference"))
            if (frame.empty()) frame = item.text_or_empty(DCM_FrameOfReferenceUID);
    }
    const SeriesChoice choice = choose_series({index, plan, frame, named}, series);
    result.ct = where(index, "CT", [&](const DicomEntry& e) { return e.series_uid == choice.uid; });
    result.notes.push_back("CT: series " + choice.uid + ", " + std::to_string(result.ct.size()) +
                           (result.ct.size() == 1 ? " file" : " files") + choice.reason);
    require_whole_series(index, result.ct, named, result.notes);

    copies += copies_of(index, result.ct);
    // Left out they have told which CT is meant, and do no more.
    if (use == StructureUse::left_out) result.structures.clear();
    result.doses = doses_of(index, plan, result.notes);
    copies += copies_of(index, result.doses);
    if (copies > 0)
        result.notes.push_back("files: " + std::to_string(copies) +
                               " are copies of others with the same content and count once");
    note_left_out(index, choice.uid, result.notes);
    for (std::string& note : result.notes) note = valid_utf8(note);  // file names may hold any bytes
    return result;
}

}  // namespace libdose::io
