#include "check/planned_doses.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "check/problem.h"
#include "libdose/comparable.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

const char* const dose_name = "Planning system's dose (RTDOSE)";

/// RTDOSEs of the plan by what they sum, each with the name of its file.
struct FiledDose {
    Dose dose;
    std::string file;
};

struct SortedDoses {
    std::vector<FiledDose> plans, fractions;
    std::map<int, std::vector<FiledDose>> beams;  ///< by beam number; 0: of several beams
    bool unreadable = false;                      ///< one of them could not be read, and a row says so
};

std::string files_of(const std::vector<FiledDose>& doses) {
    return list_of(doses, [](const FiledDose& one) { return one.file; });
}

/// Facts of every RTDOSE among the files; one that cannot be read is a row.
std::vector<io::DoseFacts> all_dose_facts(CheckInput& input, bool& unreadable) {
    std::vector<io::DicomEntry> entries;
    for (const io::DicomEntry& entry : input.index.entries)
        if (entry.kind == "RTDOSE") entries.push_back(entry);
    const auto stop = [&](const std::string& file, const Error& error) {
        if (error.kind() == ErrorKind::internal) throw error;
        unreadable = true;
        add_problem(input, "dose-unreadable", dose_name, file, error.what());
    };
    try {
        entries = io::without_copies(entries);
    } catch (const Error& error) {
        stop("", error);
        return {};
    }
    std::vector<io::DoseFacts> facts;
    for (const io::DicomEntry& entry : entries) try {
            facts.push_back(io::read_dose_facts(entry.file));
        } catch (const Error& error) {
            stop(entry.file.filename().string(), error);
        }
    return facts;
}

void name_broken_doses(CheckInput& input, bool& unreadable) {
    for (const io::DicomEntry& entry : input.index.broken)
        if (entry.kind == "RTDOSE") {
            unreadable = true;
            const bool named = std::any_of(input.problems.begin(), input.problems.end(), [&](const Row& row) {
                return row.id == "file-unreadable" && row.subject == entry.file.filename().string();
            });
            if (!named)
                add_problem(input, "dose-unreadable", dose_name, entry.file.filename().string(),
                            "the file cannot be read: " + entry.problem + ". Export the dose again");
        }
}

/// Number of the fraction group that is checked; 0: not known.
int fraction_group_of(const CheckInput& input, const Selection& selection) {
    return input.plan ? input.plan->fraction_group : selection.fraction_group;
}

void sort_dose(CheckInput& input, const io::DoseFacts& facts, SortedDoses& sorted) {
    const std::string file = facts.file.filename().string();
    try {
        Dose dose = io::read_dose(facts.file);
        check_physical(dose, "for a check");
        if (dose.plane) throw bad_input("the dose is a single plane", file, "Export the dose of the volume");
        if (dose.summation == DoseSummation::plan)
            sorted.plans.push_back({std::move(dose), file});
        else if (dose.summation == DoseSummation::fraction)
            sorted.fractions.push_back({std::move(dose), file});
        else if (dose.summation == DoseSummation::beam)
            sorted.beams[facts.beam_number].push_back({std::move(dose), file});
        else
            throw bad_input("the dose is the sum of several plans", file,
                            "Export the dose of this plan alone");
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
        sorted.unreadable = true;
        add_problem(input, "dose-unreadable", dose_name, file, error.what());
    }
}

/// A dose of each beam of the plan. Two doses of one beam contradict each other: neither is taken.
void take_beams(CheckInput& input, SortedDoses& sorted) {
    for (auto& [number, doses] : sorted.beams) {
        if (number == 0) {
            input.notes.push_back("planned doses of beams: " + files_of(doses) +
                                  " left out, for each is of several beams or names none");
        } else if (doses.size() > 1) {
            add_problem(input, "several-doses", dose_name, "beam " + std::to_string(number),
                        "there are several doses of beam " + std::to_string(number) + ": " + files_of(doses) +
                            ". Leave only the one that is meant");
        } else {
            input.planned_beams.push_back(std::move(doses.front().dose));
        }
    }
}

/// Dose of one fraction as the sum over its beams; none unless there is one of each delivered beam.
std::optional<Dose> sum_of_beams(const CheckInput& input) {
    if (!input.plan || input.plan->beams.empty()) return std::nullopt;
    std::vector<const Dose*> of_plan;
    for (const Beam& beam : input.plan->beams)
        for (const Dose& dose : input.planned_beams)
            if (dose.beam_number == beam.number) of_plan.push_back(&dose);
    if (of_plan.size() != input.plan->beams.size()) return std::nullopt;
    Dose sum = sum_of_doses(of_plan);
    sum.summation = DoseSummation::fraction;
    sum.beam_number = 0;
    return sum;
}

std::optional<int> fractions_of(const CheckInput& input) {
    if (input.plan) return input.plan->fractions;
    if (input.plan_facts && input.plan_facts->fraction_groups.size() == 1)
        return input.plan_facts->fraction_groups.front().fractions;
    return std::nullopt;
}

void take_fraction(CheckInput& input, const Dose& dose, const std::string& of_what) {
    const std::optional<int> fractions = fractions_of(input);
    if (!fractions) {
        add_problem(input, "missing-dose", dose_name, "",
                    of_what +
                        " is of one fraction, and the plan's number of fractions is not known. Export "
                        "the dose of the whole plan (PLAN)");
        return;
    }
    input.planned = whole_course(dose, *fractions);
    input.notes.push_back("planned dose: " + of_what + " times " + std::to_string(*fractions) + " fractions");
}

void name_several(CheckInput& input, const std::vector<FiledDose>& doses, const std::string& sum) {
    add_problem(input, "several-doses", dose_name, "",
                "there are several doses of the " + sum + ": " + files_of(doses) +
                    ". Leave only the one that is meant");
}

void take_planned(CheckInput& input, SortedDoses& sorted) {
    if (sorted.plans.size() > 1) return name_several(input, sorted.plans, "whole plan");
    if (sorted.plans.size() == 1) {
        input.planned = std::move(sorted.plans.front().dose);
        return;
    }
    if (sorted.fractions.size() > 1) return name_several(input, sorted.fractions, "fraction");
    if (sorted.fractions.size() == 1)
        return take_fraction(input, sorted.fractions.front().dose,
                             "the RTDOSE of one fraction, " + sorted.fractions.front().file + ",");
    try {
        if (const std::optional<Dose> sum = sum_of_beams(input))
            return take_fraction(input, *sum, "the sum of the RTDOSEs of all beams");
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
        add_problem(input, "dose-unreadable", dose_name, "", error.what());
        return;
    }
    if (!sorted.unreadable)
        add_problem(input, "missing-dose", dose_name, "",
                    "no RTDOSE of the whole plan is among the files, nor one of a fraction or of each beam. "
                    "Export the dose of the whole plan (PLAN)");
}

void name_missing(CheckInput& input, std::size_t of_other_plans) {
    const std::string plan = input.plan_facts ? "the plan \"" + input.plan_facts->label + "\" " +
                                                    input.plan_facts->sop_instance_uid
                                              : "a plan";
    add_problem(input, "missing-dose", dose_name, "",
                "no RTDOSE of " + plan + " is among the files" +
                    (of_other_plans == 0 ? "" : "; of other plans: " + std::to_string(of_other_plans)) +
                    ". Export the planning system's dose of the whole plan (PLAN)");
}

/// No dose refers to the plan. One whose plan is not among the files either is the wrong dose.
void explain_no_dose(CheckInput& input, const std::vector<io::DoseFacts>& all) {
    if (!input.plan_facts) {  // a row says that the plan is missing: whose the doses are is not known
        if (all.size() == 1) input.dose_facts.push_back(all.front());
        if (all.empty()) name_missing(input, 0);
        return;
    }
    std::vector<io::DoseFacts> strange;
    for (const io::DoseFacts& facts : all)
        if (std::none_of(input.index.entries.begin(), input.index.entries.end(),
                         [&](const io::DicomEntry& entry) {
                             return entry.kind == "RTPLAN" && entry.sop_instance_uid == facts.plan_uid;
                         }))
            strange.push_back(facts);
    if (strange.size() != 1) {
        name_missing(input, all.size());
        return;
    }
    const std::string plan = "\"" + input.plan_facts->label + "\" " + input.plan_facts->sop_instance_uid;
    const io::DoseFacts& facts = input.dose_facts.emplace_back(strange.front());
    const std::string file = facts.file.filename().string();
    if (facts.plan_uid.empty())
        add_problem(input, "dose-without-plan", dose_name, file,
                    "the RTDOSE refers to no plan, so it may be of any. Export the dose of plan " + plan);
    else
        add_problem(input, "dose-of-another-plan", dose_name, file,
                    "the RTDOSE is of another plan: it refers to " + facts.plan_uid +
                        "; the plan that is checked is " + plan + ". Export the dose of this plan",
                    Verdict::fail);
}

}  // namespace

void read_planned_doses(CheckInput& input, const Selection& selection) {
    SortedDoses sorted;
    const std::vector<io::DoseFacts> all = all_dose_facts(input, sorted.unreadable);
    const std::string plan_uid = input.plan_facts ? input.plan_facts->sop_instance_uid : std::string();
    const int group = fraction_group_of(input, selection);
    for (const io::DoseFacts& facts : all) {
        if (plan_uid.empty() || facts.plan_uid != plan_uid) continue;
        if (group != 0 && facts.fraction_group != 0 && facts.fraction_group != group) {
            input.notes.push_back("planned doses: " + facts.file.filename().string() +
                                  " left out, for it is of fraction group " +
                                  std::to_string(facts.fraction_group));
            continue;
        }
        input.dose_facts.push_back(facts);
        sort_dose(input, facts, sorted);
    }
    if (input.dose_facts.empty() && !sorted.unreadable) name_broken_doses(input, sorted.unreadable);
    if (input.dose_facts.empty()) {
        if (!sorted.unreadable) explain_no_dose(input, all);
        return;
    }
    take_beams(input, sorted);
    take_planned(input, sorted);
}

}  // namespace libdose::check
