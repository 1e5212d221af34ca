#include "check/gamma_rows.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "check/targets.h"
#include "libdose/error.h"
#include "libdose/structure_expression.h"

namespace libdose::check {

namespace {

using Region = std::vector<unsigned char>;  // 1: the voxel belongs to it

std::string criterion_text(const GammaCriterion& c) {
    return fmt::format("Gamma {:g} %/{:g} mm {}", c.dose_percent, c.distance_mm,
                       c.local ? "local" : "global");
}

void add_structure(const Structure& structure, const Grid& grid, Region& region) {
    const Volume<float> coverage = coverage_mask(structure, grid);
    for (std::size_t v = 0; v < region.size(); ++v)
        if (coverage.values[v] >= 0.5f) region[v] = 1;
}

/// Voxels that an expression covers by half or more.
Region region_of(const StructureExpression& expression, const Grid& grid) {
    if (expression.operation == StructureOperation::none) {
        Region region(grid.voxel_count(), 0);
        add_structure(expression.structure, grid, region);
        return region;
    }
    Region a = region_of(*expression.a, grid);
    const Region b = region_of(*expression.b, grid);
    for (std::size_t v = 0; v < a.size(); ++v) switch (expression.operation) {
            case StructureOperation::unite:
                a[v] = a[v] | b[v];
                break;
            case StructureOperation::intersect:
                a[v] = a[v] & b[v];
                break;
            default:
                a[v] = a[v] && !b[v];
        }
    return a;
}

struct NamedRegion {
    std::string name;
    Region voxels;
    bool judged = true;  ///< outside the body only counts are given
};

/// Regions of a criterion; throws bad_input for structures that are not there.
std::vector<NamedRegion> regions_of(const std::string& wanted, const CheckInput& input,
                                    const Protocol& protocol, const Grid& grid) {
    const StructureSet& set = *input.structures;
    if (wanted == "body" || wanted == "all") {
        const Structure* body = set.external();
        if (!body) throw bad_input("the structure set has no body (type EXTERNAL)");
        NamedRegion inside{"body", Region(grid.voxel_count(), 0)};
        add_structure(*body, grid, inside.voxels);
        if (wanted == "body") return {std::move(inside)};
        NamedRegion outside{"outside the body", inside.voxels, false};
        for (unsigned char& voxel : outside.voxels) voxel = !voxel;
        return {std::move(inside), std::move(outside)};
    }
    if (wanted == "targets") {
        NamedRegion targets{"targets", Region(grid.voxel_count(), 0)};
        const auto structures = targets_of(set, protocol);
        if (structures.empty()) throw bad_input("the structure set has no target with contours");
        for (const Structure* target : structures) add_structure(*target, grid, targets.voxels);
        return {std::move(targets)};
    }
    return {{wanted, region_of(parse_structure_expression(wanted, set), grid)}};
}

ComparedGamma counted(const GammaCriterion& criterion, const NamedRegion& region,
                      const Volume<float>& gamma) {
    ComparedGamma result{criterion, region.name};
    for (std::size_t v = 0; v < gamma.values.size(); ++v) {
        if (!region.voxels[v]) continue;
        const double value = static_cast<double>(gamma.values[v]);
        if (std::isnan(value))
            ++result.not_evaluated;
        else if (value <= largest_passing_gamma)
            ++result.passed;
        else
            ++result.failed;
    }
    const std::size_t evaluated = result.passed + result.failed;
    result.pass_rate_percent =
        evaluated > 0 ? 100.0 * static_cast<double>(result.passed) / static_cast<double>(evaluated)
                      : std::numeric_limits<double>::quiet_NaN();
    return result;
}

Row gamma_row(const GammaCriterion& criterion, const std::string& region) {
    Row row;
    row.section = "gamma";
    row.id = "gamma";
    row.name = criterion_text(criterion);
    row.subject = region;
    row.unit = "%";
    row.limit = fmt::format("look below {:g} %, fail below {:g} %", criterion.look_rate_percent,
                            criterion.fail_rate_percent);
    row.source = criterion.source;
    return row;
}

/// "8123 passed, 12 failed, 40211 not evaluated".
std::string counts_text(const ComparedGamma& g) {
    return fmt::format("{} passed, {} failed, {} not evaluated", g.passed, g.failed, g.not_evaluated);
}

Row judged(const ComparedGamma& g) {
    Row row = gamma_row(g.criterion, g.region);
    row.calculated = counts_text(g);
    if (!std::isfinite(g.pass_rate_percent)) {
        row.reason = fmt::format("no voxel of the region receives {:g} % of the normalisation dose or more",
                                 g.criterion.threshold_percent);
        return row;
    }
    row.value = g.pass_rate_percent;
    row.verdict = g.pass_rate_percent >= g.criterion.look_rate_percent   ? Verdict::pass
                  : g.pass_rate_percent >= g.criterion.fail_rate_percent ? Verdict::look
                                                                         : Verdict::fail;
    if (row.verdict != Verdict::pass)
        row.reason = fmt::format("{:.1f} % of the voxels pass ({})", g.pass_rate_percent, counts_text(g));
    return row;
}

GammaOptions options_of(const GammaCriterion& criterion, int threads) {
    GammaOptions options;
    options.dose_percent = criterion.dose_percent;
    options.distance_mm = criterion.distance_mm;
    options.threshold_percent = criterion.threshold_percent;
    options.local = criterion.local;
    options.threads = threads;
    return options;
}

/// Gamma of one criterion in its regions.
void add_criterion(const CheckInput& input, const CalculationResult& calculation, const Protocol& protocol,
                   const GammaCriterion& criterion, int threads, GammaComparison& comparison) {
    const Grid& grid = input.planned->gy.grid;
    const std::vector<NamedRegion> regions = regions_of(criterion.region, input, protocol, grid);
    GammaResult gamma = gamma_index(input.planned->gy, calculation.plan.gy, options_of(criterion, threads));
    for (const NamedRegion& region : regions) {
        comparison.gammas.push_back(counted(criterion, region, gamma.gamma));
        if (!region.judged) continue;
        Row row = judged(comparison.gammas.back());
        if (criterion.distance_mm < 0.5 * grid.spacing_mm[2])
            row.reason += fmt::format(
                "{}the distance of {:g} mm is below half the slice spacing of {:g} mm: between slices the "
                "dose is interpolated",
                row.reason.empty() ? "" : "; ", criterion.distance_mm, grid.spacing_mm[2]);
        comparison.rows.push_back(std::move(row));
    }
    if (!comparison.map) comparison.map = std::move(gamma.gamma);
}

}  // namespace

GammaComparison compare_gamma(const CheckInput& input, const CalculationResult& calculation,
                              const Protocol& protocol, int threads) {
    GammaComparison comparison;
    for (const GammaCriterion& criterion : protocol.gamma) try {
            if (!input.planned) throw bad_input("the planning system's dose is not there");
            add_criterion(input, calculation, protocol, criterion, threads, comparison);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::internal) throw;
            Row row = gamma_row(criterion, criterion.region == "all" ? "body" : criterion.region);
            row.reason = error.what();
            comparison.rows.push_back(std::move(row));
        }
    return comparison;
}

}  // namespace libdose::check
