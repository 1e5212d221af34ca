// Whether plan and structure set are approved.
#include "check/integrity_parts.h"

namespace libdose::check {

namespace {

std::string status_text(const std::string& status, const std::string& reviewer, const std::string& date) {
    std::string text = status.empty() ? "not stated" : status;
    if (!reviewer.empty()) text += " by " + reviewer;
    return date.empty() ? text : text + " on " + date;
}

std::vector<Row> plan_rows(const IntegrityContext& context, const Row& blank) {
    const io::PlanFacts& plan = context.plan_facts();
    const std::string status = status_text(plan.approval, plan.reviewer, plan.review_date);
    if (plan.approval == "REJECTED")
        return {judged(blank, Verdict::fail, "the plan was rejected: its approval status is " + status)};
    if (plan.approval != "APPROVED" && context.options.protocol.approval_required)
        return {judged(blank, Verdict::look, "the plan is not approved: its approval status is " + status)};
    return {passed(blank, status)};
}

std::vector<Row> structure_rows(const IntegrityContext& context, const Row& blank) {
    const io::StructureFacts& set = context.structure_facts();
    if (set.approval == "REJECTED") return {judged(blank, Verdict::look, "the structure set was rejected")};
    return {passed(blank, status_text(set.approval, "", ""))};
}

}  // namespace

std::vector<IntegrityPart> approval_parts() {
    return {{"plan-approval", "Plan is approved", plan_rows},
            {"structure-set-approval", "Structure set is not rejected", structure_rows}};
}

}  // namespace libdose::check
