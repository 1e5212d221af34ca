// The independent check of a plan: recalculates it, compares it with the planning system's dose, and says
// PASS, LOOK, FAIL or NOT CHECKED, with the reasons. docs/guide/check-a-plan.md. Part of libdose::check.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libdose/check/complexity.h"
#include "libdose/check/input.h"
#include "libdose/check/protocol.h"
#include "libdose/check/row.h"
#include "libdose/dvh.h"
#include "libdose/engine.h"
#include "libdose/gamma.h"

namespace libdose::check {

/// How a plan is recalculated and judged.
struct CheckOptions {
    EngineOptions engine;  ///< grid, per_beam and progress are set by the check
    std::string model;     ///< beam model for every beam; empty: by energy and machine
    std::string couch;     ///< couch model to put under the body (libdose/couch.h); empty: none
    std::optional<double> couch_top_mm, couch_lateral_mm;  ///< as for insert_couch()
    Protocol protocol;                                     ///< read_protocol()
    bool attribution = true;                               ///< look for the cause of a difference
    ProgressCallback progress;
};

/// A structure's histograms in both doses.
struct ComparedHistogram {
    std::string structure, type;
    bool target = false;
    DoseVolumeHistogram planned, calculated;
};

/// One gamma comparison in one region.
struct ComparedGamma {
    GammaCriterion criterion;
    std::string region;                                     ///< "body", "outside the body", a structure
    std::size_t passed = 0, failed = 0, not_evaluated = 0;  ///< sum: voxels of the region
    double pass_rate_percent = 0;                           ///< of passed + failed; NaN when both are 0
};

/// Dose at a point of a beam or of the plan, Gy; beams: of one fraction.
struct ComparedPoint {
    int beam_number = 0;  ///< 0: the plan, whole course
    std::string name;     ///< "isocentre", "dose point"
    Vec3 position_mm = Vec3::Zero();
    std::optional<double> planned_gy;
    double calculated_gy = 0;  ///< NaN outside the dose grid
};

/// A cause that was tried.
struct Cause {
    std::string kind;      ///< "output", "aperture", "density", "energy", "shift", "grid"
    std::string name;      ///< "leaf bank X1 opened by", "output of beam 2", "HU table"
    double size = 0;       ///< best size, in `unit`: what the planned dose has more; 1: it is there
    std::string unit;      ///< "%", "mm", ""
    double explained = 0;  ///< part of the sum of squared differences that it explains, 0 … 1
};

/// Which single cause explains a difference best.
struct Attribution {
    /// "none", a Cause::kind, "several" (two causes, which add up), "interaction" (two, which do not),
    /// "unexplained", "not tried".
    std::string verdict;
    std::string sentence;  ///< for people
    /// Root mean square of the difference, averaged over about 1 cm; percent of the planned maximum.
    double difference_percent = 0;
    std::vector<Cause> causes;           ///< largest part explained first
    std::vector<std::string> not_tried;  ///< causes that were not recalculated, and why
};

/// What check() found.
struct CheckResult {
    Verdict verdict = Verdict::not_checked;
    std::vector<Row> rows;
    std::optional<CalculationResult> calculation;  ///< on the grid of the planned dose where there is one
    std::vector<ComparedHistogram> histograms;
    std::vector<ComparedGamma> gammas;
    std::optional<Volume<float>> gamma_map;  ///< of the first gamma criterion; NaN where not evaluated
    std::vector<ComparedPoint> points;
    Attribution attribution;
    std::vector<Complexity> complexity;
    std::map<int, std::string> models;       ///< beam number -> name of its beam model
    std::vector<std::string> speed_notes;    ///< leaf or gantry speeds beyond the machine's limits
    std::vector<std::string> known_offsets;  ///< published differences of algorithms that apply here
    std::vector<std::string> assumptions;    ///< what was assumed or decided
    std::map<std::string, double> seconds;
};

/// Checks what was read. Errors of the calculation become rows NOT CHECKED; throws only for options that
/// cannot be used, and what a cancelling progress callback throws.
CheckResult check(const CheckInput& input, const CheckOptions& options);

}  // namespace libdose::check
