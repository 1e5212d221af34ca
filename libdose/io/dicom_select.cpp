// Which files belong together: plan -> structure set -> CT, by their references.
#include <algorithm>
#include <functional>
#include <set>

#include "io/dicom_item.h"
#include "libdose/io/dicom.h"
#include "model/utf8.h"

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

}  // namespace

DicomCase select_case(const DicomIndex& index, const std::string& plan_selector) {
    DicomCase result;
    const DicomEntry plan = pick_plan(index, plan_selector);
    result.plan.push_back(plan);
    result.notes.push_back("plan: \"" + plan.label + "\" (" + plan.file.filename().string() + ")");
    const DicomFile plan_file(plan.file);
    const DicomItem plan_root = plan_file.root();
    std::string frame = plan.frame_of_reference_uid;

    // Structure set: the one that the plan names; else the only one of its frame of reference.
    const std::string wanted_structures = first_reference(plan_root, DCM_ReferencedStructureSetSequence);
    if (!wanted_structures.empty()) {
        result.structures = where(index, "RTSTRUCT", [&](const DicomEntry& e) { return e.sop_instance_uid == wanted_structures; });
        result.notes.push_back(result.structures.empty()
                                   ? "structure set: the plan refers to " + wanted_structures + ", which is not among the files; calculating without structures"
                                   : "structure set: \"" + result.structures.front().label + "\" (" + result.structures.front().file.filename().string() +
                                         "), referenced by the plan");
    } else {
        result.structures = where(index, "RTSTRUCT", [&](const DicomEntry& e) {
            return e.patient_id == plan.patient_id && (frame.empty() || e.frame_of_reference_uid.empty() || e.frame_of_reference_uid == frame);
        });
        if (result.structures.size() > 1)
            throw bad_input("the plan refers to no structure set and several would fit", plan.file.string(),
                            "Leave only one among the files: " + listed(result.structures));
        if (!result.structures.empty())
            result.notes.push_back("structure set: \"" + result.structures.front().label + "\", the only one of this patient; the plan refers to none");
        else
            result.notes.push_back("structure set: none");
    }

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
    std::size_t left_out = 0;
    for (const DicomEntry& e : index.entries)
        if (e.kind == "CT" && e.series_uid != result.ct.front().series_uid) ++left_out;
    if (left_out > 0) result.notes.push_back(std::to_string(left_out) + " CT images of other series are left out");
    for (std::string& note : result.notes) note = valid_utf8(note);  // file names may hold any bytes
    return result;
}

}  // namespace libdose::io
