// What a check asks for: criteria and limits, each with its source, from a JSON file
// (docs/reference/check-protocol.md). Part of libdose::check.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace libdose::check {

/// Limits of a magnitude: PASS up to `look`, LOOK up to `fail`, FAIL beyond.
struct Limits {
    double look = 0, fail = 0;
    std::string source;  ///< paper, report or "our own setting"; never empty
};

/// A figure of targets that is compared with the planning system's: "Dmean", "D98%", "D50%", "D2%".
struct TargetCriterion {
    std::string metric;         ///< grammar of libdose/dvh_metric.h
    Limits difference_percent;  ///< of the planned value
};

/// A goal of an organ or target in absolute dose: V20Gy <= 35 %.
struct Goal {
    std::string structure;  ///< name, or Boolean expression of libdose/structure_expression.h; case ignored
    std::string metric;
    bool at_most = true;        ///< else at least
    double look = 0, fail = 0;  ///< in the unit of the metric; at_most: look <= fail, else look >= fail
    bool required = false;      ///< NOT CHECKED where the structure is absent; else the row is left out
    std::string source;
};

/// One gamma comparison.
struct GammaCriterion {
    double dose_percent = 3, distance_mm = 2, threshold_percent = 10;
    bool local = false;
    std::string region;  ///< "body", "targets", a structure expression, or "all" (body and outside apart)
    double look_rate_percent = 95, fail_rate_percent = 90;  ///< LOOK below the first, FAIL below the second
    std::string source;
};

/// Criteria and limits of a check.
struct Protocol {
    std::string name, version, site, hash;                       ///< hash: SHA-256 of the file
    std::vector<std::string> target_types{"PTV", "CTV", "GTV"};  ///< RT ROI Interpreted Types
    std::vector<std::string> targets;  ///< names; empty: by type, PTVs if there are any
    std::vector<TargetCriterion> target_criteria;
    std::vector<Goal> goals;
    std::optional<Limits> point_plan_percent, point_beam_percent;  ///< dose at points
    bool beam_doses_required = true;   ///< a beam without a planned dose is NOT CHECKED; else left out
    std::optional<Limits> mu_percent;  ///< independent MU against planned MU
    std::vector<GammaCriterion> gamma;
    Limits prescription_percent;         ///< plan's dose reference against the planned target dose
    bool approval_required = true;       ///< LOOK for a plan that is not approved
    bool couch_expected = false;         ///< LOOK when neither a SUPPORT structure nor a couch is there
    bool require_machine_model = false;  ///< LOOK for a beam model of no machine
    int model_age_days = 0;              ///< LOOK for beam models older than this; 0: not asked
};

/// Reads a protocol: a name of data_folder() / "protocols" or a file, and its section for a site ("lung";
/// empty: the general one). Throws bad_input, saying which key, for a file that breaks its schema: unknown
/// keys, missing or empty sources, limits that are inverted, negative or not finite, metrics that are not
/// understood.
Protocol read_protocol(const std::string& name_or_file = "default", const std::string& site = {});
std::vector<std::string> protocol_names();
/// Sites of a protocol, in its order.
std::vector<std::string> protocol_sites(const std::string& name_or_file = "default");

}  // namespace libdose::check
