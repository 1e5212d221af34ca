// dose gate: what becomes of every attribute of a plan.
#include <fmt/core.h>

#include <algorithm>

#include "cli/common.h"
#include "libdose/admission.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"

namespace libdose::cli {

namespace {

struct Arguments {
    std::vector<std::filesystem::path> paths;
    std::filesystem::path json;
    std::vector<std::string> accepted;
    std::string leaf_ends = "rounded", leaves;
    int fraction_group = 0;
    bool brief = false;
};

/// Entries of the gate, and the beams for which there is no model or that have a device that is not modelled.
std::vector<GateEntry> judge(const std::filesystem::path& file, const Arguments& arguments) {
    std::vector<GateEntry> entries = io::gate_plan(file, arguments.fraction_group, arguments.accepted);
    const auto refused = [](const GateEntry& e) { return e.verdict == GateEntry::Verdict::refused; };
    if (std::any_of(entries.begin(), entries.end(), refused)) return entries;
    ModelStore store;
    const Plan plan = io::read_plan(file, arguments.fraction_group, arguments.accepted);
    EngineOptions options;
    options.leaf_ends = leaf_ends_from_string(arguments.leaf_ends);
    options.leaves = arguments.leaves;
    for (GateEntry& entry : admit_beams(
             plan, [&](const Beam& beam) -> const BeamModel& { return store.for_beam(beam, {}); }, options))
        entries.push_back(std::move(entry));
    return entries;
}

int gate(const Arguments& arguments) {
    const io::DicomIndex index = io::index_dicom(arguments.paths);
    nlohmann::json json;
    json["plans"] = nlohmann::json::array();
    bool any_plan = false, any_refused = false;
    for (const io::DicomEntry& e : index.broken) {
        if (e.kind == "RTPLAN")
            throw bad_input("the plan cannot be read: " + e.problem, e.file.string(),
                            "It may be truncated; export it again, or leave it out");
        fmt::print("{} cannot be read ({}) and is left out\n", e.file.string(), e.problem);
    }
    for (const io::DicomEntry& plan : index.entries) {
        if (plan.kind != "RTPLAN") continue;
        any_plan = true;
        fmt::print("{}, \"{}\"\n", plan.file.string(), plan.label);
        std::vector<GateEntry> entries;
        try {
            entries = judge(plan.file, arguments);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::refused_plan) throw;
            GateEntry entry;
            entry.verdict = GateEntry::Verdict::refused;
            entry.reason = error.what();
            entries = {entry};
        }
        // Verdicts that stop the plan first, then beam by beam in the order of the file.
        std::stable_sort(entries.begin(), entries.end(), [](const GateEntry& a, const GateEntry& b) {
            return static_cast<int>(a.verdict) / 2 > static_cast<int>(b.verdict) / 2;
        });
        std::map<GateEntry::Verdict, std::size_t> count;
        for (const GateEntry& entry : entries) {
            ++count[entry.verdict];
            const bool stops =
                entry.verdict == GateEntry::Verdict::refused || entry.verdict == GateEntry::Verdict::accepted;
            if (stops || !arguments.brief)
                fmt::print("  {}{}\n", entry.text(),
                           stops && !entry.where.empty() ? " [" + entry.where + "]" : "");
        }
        const bool refused = count[GateEntry::Verdict::refused] > 0;
        any_refused = any_refused || refused;
        fmt::print("  {}: {} honoured, {} harmless, {} accepted, {} refused\n",
                   refused ? "REFUSED" : "can be calculated", count[GateEntry::Verdict::honoured],
                   count[GateEntry::Verdict::harmless], count[GateEntry::Verdict::accepted],
                   count[GateEntry::Verdict::refused]);
        json["plans"].push_back({{"file", plan.file.string()},
                                 {"label", plan.label},
                                 {"refused", refused},
                                 {"gate", as_json(entries)}});
    }
    if (!any_plan) throw bad_input("there is no RT Plan among the files", arguments.paths.front().string());
    if (!arguments.json.empty()) write_json(json, arguments.json);
    return any_refused ? refused_plan_code : done;
}

}  // namespace

nlohmann::json as_json(const std::vector<GateEntry>& entries) {
    nlohmann::json json = nlohmann::json::array();
    for (const GateEntry& e : entries)
        json.push_back({{"verdict", to_string(e.verdict)},
                        {"beam", e.beam},
                        {"tag", e.tag},
                        {"name", e.name},
                        {"where", e.where},
                        {"value", e.value},
                        {"count", e.count},
                        {"reason", e.reason},
                        {"acceptable", e.acceptable}});
    return json;
}

void add_gate(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand(
        "gate", "Show what becomes of every attribute of a plan: honoured, harmless or refused");
    command->add_option("paths", arguments->paths, "Files or folders with RTPLANs")->required();
    command->add_option("--fraction-group", arguments->fraction_group,
                        "Fraction group number, when there are several");
    command->add_option(
        "--accept", arguments->accepted,
        "Tag of an unknown attribute that cannot change the dose, as 300a,01a0; may be repeated");
    command->add_option("--leaves", arguments->leaves, "Leaf design, as for calc");
    command->add_option("--leaf-ends", arguments->leaf_ends, "rounded or sharp, as for calc")
        ->capture_default_str()
        ->check(CLI::IsMember({"rounded", "sharp"}));
    command->add_flag("--brief", arguments->brief, "Only what is refused or accepted");
    command->add_option("--json", arguments->json, "Also write it as JSON");
    command->footer(
        std::string("Examples:\n  dose gate patient/\n  dose gate plan.dcm --brief --accept 300a,0999\n") +
        exit_code_text);
    command->callback([&run, arguments] { run = [arguments] { return gate(*arguments); }; });
}

}  // namespace libdose::cli
