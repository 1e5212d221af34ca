// The pipeline with beamlets for fluence.
#include "libdose/influence.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

#include "backend/backend.h"
#include "base/counter_random.h"
#include "base/parallel_failure.h"
#include "base/threads.h"
#include "engine/influence_case.h"
#include "libdose/error.h"
#include "terma/terma_table.h"

namespace libdose {

namespace {

/// Values below the limit are drawn: see InfluenceOptions::cutoff.
void thin_out(std::vector<VoxelDose>& column, double cutoff, std::uint64_t seed) {
    float largest = 0;
    for (const VoxelDose& v : column) largest = std::max(largest, v.dose);
    const float limit = static_cast<float>(cutoff) * largest;
    std::size_t kept = 0;
    for (VoxelDose v : column) {
        if (v.dose < limit) {
            if (unit_interval(seed ^ v.voxel) * limit >= v.dose) continue;
            v.dose = limit;
        }
        column[kept++] = v;
    }
    column.resize(kept);
}

/// Columns of beamlets [begin, end), which share a geometry.
class GeometryColumns {
public:
    GeometryColumns(const InfluenceCase& all, std::size_t begin, std::size_t end,
                    const InfluenceOptions& options, BeamletCalculator& beamlets)
        : all_(all),
          options_(options),
          beamlet_(all.header.beamlets[begin]),
          table_(all.model(beamlet_).spectrum),
          fluence_(all.fluence(beamlet_, table_)) {
        // A device calculates the beamlets one by one.
        if (options.engine.algorithm != Algorithm::pencil_beam || !all.on_cpu()) return;
        std::vector<OpenSquare> squares;
        for (std::size_t b = begin; b < end; ++b)
            squares.push_back({all.header.beamlets[b].u_mm, all.header.beamlets[b].v_mm, 1});
        pencil_ = beamlets.doses(
            {density(), all.beam(beamlet_), all.point(beamlet_), all.position(), all.model(beamlet_),
             fluence_, options.engine.lateral_scaling, all.header.side_mm},
            squares);
    }
    /// Doses of a beamlet, thinned out, ascending voxels.
    void column(std::size_t number, std::vector<VoxelDose>& out) const {
        const Beamlet& beamlet = all_.header.beamlets[number];
        const std::uint64_t seed = hash_bits(number);
        if (pencil_) {
            pencil_->column(beamlet.u_mm, beamlet.v_mm, seed, out);
        } else {
            const FluenceMap map = cpu_backend().square_fluence(
                all_.beam(beamlet), all_.point(beamlet), all_.position(), all_.model(beamlet).head, fluence_,
                {{beamlet.u_mm, beamlet.v_mm, 1}}, all_.header.side_mm);
            const std::vector<float> dose =
                compute_dose(density(), {map}, all_.model(beamlet), all_.compute());
            out.clear();
            for (std::size_t v = 0; v < dose.size(); ++v)
                if (!(dose[v] <= 0)) out.push_back({static_cast<std::uint32_t>(v), dose[v]});
        }
        thin_out(out, options_.cutoff, hash_bits(seed));
    }
    const DensityGrid& density() const { return all_.density(beamlet_); }
    DoseInGray gray() const { return all_.gray(beamlet_); }

private:
    const InfluenceCase& all_;
    const InfluenceOptions& options_;
    Beamlet beamlet_;
    TermaTable table_;
    FluenceOptions fluence_;
    std::unique_ptr<BeamletDoses> pencil_;
};

/// Counts the columns that are done and reports them, by one thread at a time.
class ColumnProgress {
public:
    ColumnProgress(const ProgressCallback& progress, std::size_t total)
        : progress_(progress), total_(total) {}
    void begin(const std::string& stage) {
        stage_ = stage;
        report(done_);
    }
    /// Does the work of a column and counts it. Keeps the first exception, of the work or of the callback.
    template <class Work>
    void column(Work&& work) {
        if (failure_.failed()) return;
        failure_.guard(work);
        const std::size_t now = ++done_;
#pragma omp critical(libdose_influence_progress)
        failure_.guard([&] {
            if (!failure_.failed()) report(now);
        });
    }
    void rethrow() const { failure_.rethrow(); }

private:
    void report(std::size_t done) const {
        if (progress_) progress_(static_cast<double>(done) / static_cast<double>(total_), stage_);
    }
    const ProgressCallback& progress_;
    std::size_t total_;
    std::string stage_;
    std::atomic<std::size_t> done_{0};
    ParallelFailure failure_;
};

/// Columns of beamlets [begin, begin + columns.size()), in Gy, side by side, each by one thread.
void calculate_block(const GeometryColumns& geometry, std::size_t begin, bool on_cpu,
                     std::vector<std::vector<VoxelDose>>& columns, std::size_t count,
                     ColumnProgress& progress) {
    const DoseInGray gray = geometry.gray();
#pragma omp parallel for schedule(dynamic, 1) if (on_cpu)
    for (std::size_t n = 0; n < count; ++n)
        progress.column([&] {
            geometry.column(begin + n, columns[n]);
            for (VoxelDose& v : columns[n]) v.dose = gray(v.voxel, v.dose, "");
        });
    progress.rethrow();
}

/// The first `count` columns, compressed.
InfluenceColumns compressed(const std::vector<std::vector<VoxelDose>>& columns, std::size_t count) {
    InfluenceColumns block;
    for (std::size_t n = 0; n < count; ++n)
        block.begin.push_back(block.begin.back() + static_cast<std::int64_t>(columns[n].size()));
    block.voxel.resize(static_cast<std::size_t>(block.begin.back()));
    block.gy.resize(block.voxel.size());
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t n = 0; n < count; ++n) {
        auto at = static_cast<std::size_t>(block.begin[n]);
        for (const VoxelDose& v : columns[n]) {
            block.voxel[at] = static_cast<std::int32_t>(v.voxel);
            block.gy[at++] = v.dose;
        }
    }
    return block;
}

/// Fluence of the beamlets [begin, end) of one geometry with their MU; empty where none of them has any.
std::vector<FluenceMap> weighted_fluence(const InfluenceCase& all, std::size_t begin, std::size_t end,
                                         const std::vector<double>& weights_mu) {
    const std::vector<Beamlet>& beamlets = all.header.beamlets;
    std::vector<OpenSquare> squares;
    for (std::size_t b = begin; b < end; ++b)
        if (weights_mu[b] > 0) squares.push_back({beamlets[b].u_mm, beamlets[b].v_mm, weights_mu[b]});
    if (squares.empty()) return {};
    const Beamlet& first = beamlets[begin];
    const TermaTable table(all.model(first).spectrum);
    return {cpu_backend().square_fluence(all.beam(first), all.point(first), all.position(),
                                         all.model(first).head, all.fluence(first, table), squares,
                                         all.header.side_mm)};
}

}  // namespace

InfluenceHeader calculate_influence(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                    const MaterialTable& materials, const BeamModelProvider& models,
                                    const InfluenceOptions& options, const InfluenceSink& sink) {
    const ThreadLimit limit(options.engine.threads);
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    if (options.engine.progress) options.engine.progress(0, "density");
    InfluenceCase all(ct, structures, plan, materials, models, options);
    all.header.seconds["density"] = seconds();
    ColumnProgress progress(options.engine.progress, all.last() - all.first());
    const std::unique_ptr<BeamletCalculator> beamlets = cpu_backend().beamlets();
    // Handed over in their order, some at a time.
    const std::size_t at_once = 16 * static_cast<std::size_t>(omp_get_max_threads());
    std::vector<std::vector<VoxelDose>> columns(at_once);
    for (std::size_t geometry = 0, geometry_end; geometry < all.last(); geometry = geometry_end) {
        geometry_end = all.end_of_geometry(geometry);
        const std::size_t from = std::max(geometry, all.first()), to = std::min(geometry_end, all.last());
        if (from >= to) continue;
        progress.begin("beam " + all.beam(all.header.beamlets[geometry]).name);
        const GeometryColumns of_geometry(all, geometry, geometry_end, options, *beamlets);
        for (std::size_t begin = from; begin < to; begin += at_once) {
            const std::size_t count = std::min(at_once, to - begin);
            calculate_block(of_geometry, begin, all.on_cpu(), columns, count, progress);
            sink(all.header, compressed(columns, count));
        }
    }
    // The header names the columns that are there.
    all.header.beamlets = {all.header.beamlets.begin() + static_cast<std::ptrdiff_t>(all.first()),
                           all.header.beamlets.begin() + static_cast<std::ptrdiff_t>(all.last())};
    all.header.seconds["total"] = seconds();
    if (options.engine.progress) options.engine.progress(1, "done");
    return all.header;
}

DoseInfluence influence(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                        const MaterialTable& materials, const BeamModelProvider& models,
                        const InfluenceOptions& options) {
    DoseInfluence result;
    const double limit = memory_limit_bytes(options);
    result.header =
        calculate_influence(ct, structures, plan, materials, models, options,
                            [&](const InfluenceHeader& header, const InfluenceColumns& columns) {
                                if (static_cast<double>(result.columns.bytes() + columns.bytes()) > limit)
                                    throw matrix_too_large(limit, result.columns.count() + columns.count(),
                                                           header.beamlets.size());
                                result.columns.append(columns);
                            });
    return result;
}

CalculationResult calculate_beamlets(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                     const MaterialTable& materials, const BeamModelProvider& models,
                                     const InfluenceOptions& options, const std::vector<double>& weights_mu) {
    const ThreadLimit limit(options.engine.threads);
    InfluenceOptions every = options;
    every.first = every.last = 0;
    const InfluenceCase all(ct, structures, plan, materials, models, every);
    const std::vector<Beamlet>& beamlets = all.header.beamlets;
    require_weights(weights_mu, beamlets.size());
    CalculationResult result;
    std::vector<float> total(all.header.grid.voxel_count(), 0.0f);
    const auto count = static_cast<double>(beamlets.size());
    for (std::size_t begin = 0, end; begin < beamlets.size(); begin = end) {
        end = all.end_of_geometry(begin);
        const std::vector<FluenceMap> maps = weighted_fluence(all, begin, end, weights_mu);
        if (maps.empty()) continue;
        const Beamlet& first = beamlets[begin];
        ComputeOptions compute = all.compute();
        compute.seconds = &result.seconds;
        compute.progress = [&](double part) {
            if (options.engine.progress)
                options.engine.progress(
                    (static_cast<double>(begin) + part * static_cast<double>(end - begin)) / count,
                    "beam " + all.beam(first).name);
        };
        const std::vector<float> dose = compute_dose(all.density(first), maps, all.model(first), compute);
        const DoseInGray gray = all.gray(first);
        for (std::size_t v = 0; v < total.size(); ++v) total[v] += gray(v, dose[v], "");
    }
    result.plan = all.dose_header_of_plan();
    result.plan.summation = DoseSummation::fraction;
    result.plan.fractions = 1;
    result.plan.gy.grid = all.header.grid;
    result.plan.gy.values = std::move(total);
    result.notes = all.header.notes;
    return result;
}

}  // namespace libdose
