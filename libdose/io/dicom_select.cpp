// Which files belong together: plan -> structure set -> CT, by their references.
#include <algorithm>
#include <functional>
#include <set>

#include "io/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {

namespace {

std::string listed(const std::vector<DicomEntry>& entries) {
    std::string text;
    for (const DicomEntry& e : entries)
        text += (text.empty() ? "" : "; ") + ("\"" + e.label + "\" " + e.sop_instance_uid + " (" + e.file.filename().string() + ")");
    return text;
}

std::vector<DicomEntry> where(const DicomIndex& index, const std::string& kind, const std::function<bool(const DicomEntry&)>& wanted) {
    std::vector<DicomEntry> found;
    std::set<std::string> seen;  // copies of one object count once
    for (const DicomEntry& e : index.entries)
        if (e.kind == kind && wanted(e) && seen.insert(e.sop_instance_uid).second) found.push_back(e);
    return found;
}

DicomEntry pick_plan(const DicomIndex& index, const std::string& selector) {
    const auto all = where(index, "RTPLAN", [](const DicomEntry&) { return true; });
    if (all.empty()) {
        std::string others;
        for (const DicomEntry& e : index.entries)
            if (e.modality == "RTPLAN" && e.kind == "other") others += " " + e.file.filename().string();
        if (!others.empty())
            throw refused_plan("the plan is not an RT Plan of photons or electrons (ion or other plan)", others, "libdose calculates photon plans only");
        throw bad_input("there is no RTPLAN among the files", {}, "Add the plan's file or folder");
    }
    std::vector<DicomEntry> fitting;
    for (const DicomEntry& e : all)
        if (selector.empty() || e.sop_instance_uid == selector || e.label == selector) fitting.push_back(e);
    if (fitting.empty()) throw bad_input("there is no plan \"" + selector + "\"", {}, "Plans: " + listed(all));
    if (fitting.size() > 1)
        throw bad_input(selector.empty() ? "there are several plans" : "several plans are labelled \"" + selector + "\"", {},
                        "Choose one by its label or SOP Instance UID (--plan). Plans: " + listed(fitting));
    return fitting.front();
}

std::string first_reference(const DicomItem& root, DcmTagKey sequence) {
    for (const DicomItem& item : root.items(sequence, "reference"))
        if (const auto uid = item.optional_text(DCM_ReferencedSOPInstanceUID)) return *uid;
    return {};
}

std::string referenced_series(const DicomItem& root) {
    for (const DicomItem& frame : root.items(DCM_ReferencedFrameOfReferenceSequence, "frame of reference"))
        for (const DicomItem& study : frame.items(DCM_RTReferencedStudySequence, "study"))
            for (const DicomItem& series : study.items(DCM_RTReferencedSeriesSequence, "series"))
                if (const auto uid = series.optional_text(DCM_SeriesInstanceUID)) return *uid;
    return {};
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
    std::vector<DicomEntry> found;
    for (const DicomEntry& e : all) {
        const bool of_frame = plan.frame_of_reference_uid.empty() || e.frame_of_reference_uid.empty() ||
                              e.frame_of_reference_uid == plan.frame_of_reference_uid;
        if (wanted.empty() ? e.patient_id == plan.patient_id && of_frame : e.sop_instance_uid == wanted)
            found.push_back(e);
    }
    if (use == StructureUse::left_out) {
        notes.push_back("structure set: left out, as asked for; the whole CT counts as the patient");
        if (found.size() > 1) found.clear();
        return found;
    }
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

DicomCase select_case(const DicomIndex& index, const std::string& plan_selector, StructureUse use) {
    DicomCase result;
    const DicomEntry plan = pick_plan(index, plan_selector);
    result.plan.push_back(plan);
    result.notes.push_back("plan: \"" + plan.label + "\" (" + plan.file.filename().string() + ")");
    const DicomFile plan_file(plan.file);
    const DicomItem plan_root = plan_file.root();
    std::string frame = plan.frame_of_reference_uid;

    result.structures = pick_structures(
        index, plan, first_reference(plan_root, DCM_ReferencedStructureSetSequence), use, result.notes);

    // CT: the series that the structure set names; else the only one of the frame of reference.
    std::string series;
    if (!result.structures.empty()) {
        const DicomFile file(result.structures.front().file);
        series = referenced_series(file.root());
        if (frame.empty())
            for (const DicomItem& item : file.root().items(DCM_ReferencedFrameOfReferenceSequence, "frame of reference"))
                frame = item.text_or_empty(DCM_FrameOfReferenceUID);
    }
    const auto slices_of = [&](const std::string& uid) { return where(index, "CT", [&](const DicomEntry& e) { return e.series_uid == uid; }); };
    if (!series.empty()) result.ct = slices_of(series);
    std::string reason = ", referenced by the structure set";
    if (result.ct.empty()) {
        std::set<std::string> candidates;
        for (const DicomEntry& e : index.entries)
            if (e.kind == "CT" && (frame.empty() ? e.patient_id == plan.patient_id : e.frame_of_reference_uid == frame)) candidates.insert(e.series_uid);
        if (candidates.empty()) {
            std::set<std::string> present;
            for (const DicomEntry& e : index.entries)
                if (e.kind == "CT") present.insert(e.series_uid);
            std::string list;
            for (const auto& uid : present) list += " " + uid;
            throw bad_input("there is no CT that belongs to the plan", plan.file.string(),
                            (series.empty() ? "Looked for frame of reference " + frame : "Looked for series " + series + " and frame of reference " + frame) +
                                (list.empty() ? "; there is no CT among the files" : "; CT series among the files:" + list));
        }
        if (candidates.size() > 1) {
            std::string list;
            for (const auto& uid : candidates) list += (list.empty() ? "" : ", ") + uid;
            throw bad_input("several CT series belong to the plan's frame of reference", plan.file.string(), "Leave only one among the files. Series: " + list);
        }
        result.ct = slices_of(*candidates.begin());
        reason = frame.empty() ? ", the only one of the patient"
                               : ", by frame of reference" + std::string(series.empty() ? "" : " (the referenced series is not there)");
    }
    result.notes.push_back("CT: series " + result.ct.front().series_uid + ", " + std::to_string(result.ct.size()) +
                           (result.ct.size() == 1 ? " file" : " files") + reason);

    for (const DicomEntry& e : where(index, "RTDOSE", [](const DicomEntry&) { return true; })) {
        const DicomFile file(e.file);
        if (first_reference(file.root(), DCM_ReferencedRTPlanSequence) == plan.sop_instance_uid) result.doses.push_back(e);
    }
    // Left out they have told which CT is meant, and do no more.
    if (use == StructureUse::left_out) result.structures.clear();
    std::size_t left_out = 0;
    for (const DicomEntry& e : index.entries)
        if (e.kind == "CT" && e.series_uid != result.ct.front().series_uid) ++left_out;
    if (left_out > 0) result.notes.push_back(std::to_string(left_out) + " CT images of other series are left out");
    return result;
}

}  // namespace libdose::io
