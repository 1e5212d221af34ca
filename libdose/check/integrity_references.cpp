// Whether the objects refer to each other: plan, structure set, CT and dose.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "check/integrity_parts.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

using Rows = std::vector<Row>;

struct StatedFrame {
    std::string object, uid;
};

std::vector<StatedFrame> stated_frames(const CheckInput& input) {
    std::vector<StatedFrame> frames;
    const auto add = [&](const std::string& object, const std::string& uid) {
        if (!uid.empty()) frames.push_back({object, uid});
    };
    if (input.ct_facts) add("CT", input.ct_facts->frame_of_reference_uid);
    if (input.plan_facts) add("plan", input.plan_facts->frame_of_reference_uid);
    if (input.structures) add("structure set", input.structures->frame_of_reference_uid);
    for (const io::DoseFacts& dose : input.dose_facts)
        add("dose " + dose.file.filename().string(), dose.frame_of_reference_uid);
    return frames;
}

Rows frame_rows(const IntegrityContext& context, const Row& blank) {
    const std::vector<StatedFrame> frames = stated_frames(context.input);
    if (frames.size() < 2) throw bad_input("fewer than two objects state their frame of reference");
    const bool agree = std::all_of(frames.begin(), frames.end(),
                                   [&](const StatedFrame& one) { return one.uid == frames.front().uid; });
    if (agree) return {passed(blank, frames.front().uid)};
    return {judged(blank, Verdict::fail,
                   "the objects are in different frames of reference: " +
                       list_of(frames, [](const StatedFrame& one) { return one.object + " " + one.uid; }))};
}

Rows structure_set_rows(const IntegrityContext& context, const Row& blank) {
    const std::string named = context.plan_facts().structure_set_uid,
                      here = context.structure_facts().sop_instance_uid;
    if (named.empty())
        return {judged(blank, Verdict::look,
                       "the plan refers to no structure set; the one that is used, " + here +
                           ", is the only one of its patient")};
    if (named == here) return {passed(blank, named, here)};
    return {judged(blank, Verdict::fail,
                   "the plan refers to structure set " + named + "; the one among the files is " + here)};
}

std::string uids(const std::vector<std::string>& list) {
    return list_of(list, [](const std::string& uid) { return uid; });
}

Rows series_rows(const IntegrityContext& context, const Row& blank) {
    const std::vector<std::string>& named = context.structure_facts().series_uids;
    if (!context.input.ct_facts) return {};  // a row of the reader says why
    const std::string& here = context.input.ct_facts->series_uid;
    if (named.empty())
        return {judged(blank, Verdict::look,
                       "the structure set names no CT series; by frame of reference it may be " + here)};
    if (std::find(named.begin(), named.end(), here) != named.end()) return {passed(blank, here, here)};
    return {judged(blank, Verdict::fail,
                   "wrong CT: the structure set was drawn on series " + uids(named) +
                       "; the CT among the files is series " + here)};
}

Rows image_rows(const IntegrityContext& context, const Row& blank) {
    const io::StructureFacts& set = context.structure_facts();
    if (!context.input.ct_facts) return {};
    const std::string& here = context.input.ct_facts->series_uid;
    // Another series than the one that is named has other images: that is "ct-series".
    if (!set.series_uids.empty() &&
        std::find(set.series_uids.begin(), set.series_uids.end(), here) == set.series_uids.end())
        return {};
    const auto of_series = set.series_images.find(here);
    const bool listed = of_series != set.series_images.end() && !of_series->second.empty();
    const std::vector<std::string>& named = listed ? of_series->second : set.contour_image_uids;
    if (named.empty())
        throw bad_input("the structure set lists no CT images, so whether one is missing cannot be told");
    std::set<std::string> present;
    for (const io::DicomEntry& entry : context.input.ct_files) present.insert(entry.sop_instance_uid);
    const auto missing = std::count_if(named.begin(), named.end(),
                                       [&](const std::string& uid) { return !present.contains(uid); });
    if (missing > 0 && listed) return {};  // "ct-slices-missing" names them
    if (missing > 0)
        throw bad_input(std::to_string(missing) + " of the " + std::to_string(named.size()) +
                        " CT images that contours were drawn on are not among the files");
    return {passed(blank, std::to_string(named.size()) + " images named",
                   std::to_string(present.size()) + " images read")};
}

Rows dose_plan_rows(const IntegrityContext& context, const Row& blank) {
    if (!context.input.planned) return {};  // a row of the reader says why
    const std::string &named = context.planned().referenced_plan_uid,
                      &here = context.plan_facts().sop_instance_uid;
    if (named == here) return {passed(blank, here, named)};
    return {judged(blank, Verdict::fail, "the dose refers to plan " + named + "; the plan is " + here)};
}

Rows dose_set_rows(const IntegrityContext& context, const Row& blank) {
    Rows rows;
    if (!context.input.plan_facts) return rows;
    for (const io::DoseFacts& dose : context.input.dose_facts) {
        if (dose.structure_set_uid.empty()) continue;
        Row row = blank;
        row.subject = dose.file.filename().string();
        const std::string& of_plan = context.plan_facts().structure_set_uid;
        rows.push_back(dose.structure_set_uid == of_plan || of_plan.empty()
                           ? passed(row, of_plan, dose.structure_set_uid)
                           : judged(row, Verdict::look,
                                    "the dose was made with structure set " + dose.structure_set_uid +
                                        "; the plan refers to " + of_plan));
    }
    return rows;
}

Rows plan_dose_rows(const IntegrityContext& context, const Row& blank) {
    if (!context.input.plan_facts || !context.input.planned) return {};
    const std::vector<std::string>& named = context.plan_facts().dose_uids;
    if (named.empty() || context.input.dose_facts.empty()) return {};
    const auto known = [&](const io::DoseFacts& dose) {
        return std::find(named.begin(), named.end(), dose.sop_instance_uid) != named.end();
    };
    const auto& doses = context.input.dose_facts;
    if (std::all_of(doses.begin(), doses.end(), known)) return {passed(blank, uids(named))};
    const auto stranger = std::find_if_not(doses.begin(), doses.end(), known);
    return {judged(blank, Verdict::look,
                   "the plan names dose " + uids(named) + ", not " + stranger->sop_instance_uid + " (" +
                       stranger->file.filename().string() + "): it may be of an earlier state of the plan")};
}

}  // namespace

std::vector<IntegrityPart> reference_parts() {
    return {{"frame-of-reference", "Frame of reference agrees", frame_rows},
            {"plan-structure-set", "Plan refers to this structure set", structure_set_rows},
            {"ct-series", "CT that the structures were drawn on", series_rows},
            {"ct-images", "Every CT image that the structure set names is there", image_rows},
            {"dose-plan", "Dose refers to this plan", dose_plan_rows},
            {"dose-structure-set", "Dose refers to the plan's structure set", dose_set_rows},
            {"plan-dose", "Plan names this dose", plan_dose_rows}};
}

}  // namespace libdose::check
