// The pipeline with beamlets for fluence.
#include "libdose/influence.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>

#include "backend/backend.h"
#include "base/counter_random.h"
#include "base/text.h"
#include "base/threads.h"
#include "engine/backend_choice.h"
#include "engine/beam_modifiers.h"
#include "engine/compute.h"
#include "engine/memory_needs.h"
#include "engine/patient_structures.h"
#include "engine/setup.h"
#include "engine/small_fields.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "geometry/coordinates.h"
#include "libdose/error.h"
#include "machine/leaf_edges.h"
#include "patient/bolus_density.h"
#include "patient/density.h"
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

/// Rectangle around what the beamlets of a target pass through; nullopt without a target, whose beamlets lie
/// in the plan's openings.
FieldOpening target_opening(const StructureSet* structures, const Plan& plan, const BeamModelProvider& models,
                            const BeamletOptions& options) {
    const Structure* target =
        structures && !options.target.empty() ? structures->find(options.target) : nullptr;
    if (!target) return [](const Beam&, const ControlPoint&) { return std::nullopt; };
    return [&, target](const Beam& beam, const ControlPoint& point) -> std::optional<std::array<double, 4>> {
        const auto frame =
            physics::beam_frame(plan.position, point.gantry_deg, point.collimator_deg, point.couch_deg,
                                point.isocentre_mm, beam.source_axis_distance_mm);
        const double radius = models(beam).head.maximum_field_radius_mm;
        std::array<double, 4> seen{radius, -radius, radius, -radius};
        for (const Contour& contour : target->contours)
            for (const Vec3& corner : contour.points_mm) {
                const auto p = frame.project(corner);
                seen = {std::min(seen[0], p.u_mm), std::max(seen[1], p.u_mm), std::min(seen[2], p.v_mm),
                        std::max(seen[3], p.v_mm)};
            }
        const auto within = [radius](double value) { return std::clamp(value, -radius, radius); };
        return std::array<double, 4>{within(seen[0] - options.margin_mm), within(seen[1] + options.margin_mm),
                                     within(seen[2] - options.margin_mm),
                                     within(seen[3] + options.margin_mm)};
    };
}

/// The grid of the plan's dose, large enough for the beamlets of a target wherever the plan's jaws are.
Grid influence_grid(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                    const BeamModelProvider& models, const InfluenceOptions& options,
                    std::vector<std::string>& notes) {
    return dose_grid(ct, structures, plan, models, options.engine, notes,
                     target_opening(structures, plan, models, options.beamlets));
}

double required_weight(const std::vector<double>& weights_mu, std::size_t beamlet) {
    if (!(std::isfinite(weights_mu[beamlet]) && weights_mu[beamlet] >= 0))
        throw bad_input("the weight of beamlet " + std::to_string(beamlet) + " is negative or not finite",
                        "influence", "The MU of a beamlet are a number of at least 0");
    return weights_mu[beamlet];
}

/// What every beamlet of a plan needs: request, densities, devices.
class InfluenceCase {
public:
    InfluenceCase(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                  const MaterialTable& materials, const BeamModelProvider& models,
                  const InfluenceOptions& options)
        : plan_(plan), models_(models), options_(options) {
        if (!(options.cutoff >= 0 && options.cutoff <= 0.1))
            throw bad_input("the cutoff " + short_number(options.cutoff) + " is not between 0 and 0.1",
                            "influence");
        if (options.engine.grid)
            throw bad_input("beamlets are calculated on a grid of their own", "grid",
                            "Leave the grid out, and give its spacing (grid_mm)");
        header.beamlets = beamlets_of(ct, structures, plan, models, options);
        header.notes = check_patient_structures(ct, structures, plan, models, options.engine);
        std::vector<std::string> field_notes;
        header.grid = influence_grid(ct, structures, plan, models, options, field_notes);
        if (header.grid.voxel_count() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
            throw bad_input("the dose grid has more than 2^31 voxels", "influence",
                            "Choose a larger grid spacing");
        const std::size_t all = header.beamlets.size();
        first_ = options.first;
        last_ = options.last == 0 && options.first == 0 ? all : options.last;
        if (first_ >= last_ || last_ > all)
            throw bad_input("beamlets " + std::to_string(options.first) + " to " +
                                std::to_string(options.last) + " are asked for, of " + std::to_string(all),
                            "influence");
        backend_ = choose_backend(options.engine.backend, options.engine.device, options.engine.devices);
        require_memory(backend_, options.engine.backend,
                       memory_needs(header.grid, plan, models, options.engine, omp_get_max_threads()),
                       "dose grid of " + short_number(header.grid.spacing_mm[0]) + " mm, plan " + plan.label,
                       options.engine.devices);
        densities_ = std::make_unique<BolusDensities>(plan, [&](const auto& boluses) {
            return density_on_grid(ct, structures, options.engine.hu_curve, materials,
                                   options.engine.overrides, header.grid, boluses);
        });
        dose_header_ = dose_header(ct, structures, plan, header.grid, options.engine);
        dose_header_.provenance.backend = backend_.get().description();
        header.side_mm = options.beamlets.side_mm;
        header.cutoff = options.cutoff;
        header.medium = options.engine.dose_to;
        header.frame_of_reference_uid = dose_header_.frame_of_reference_uid;
        header.referenced_plan_uid = plan.sop_instance_uid;
        for (const std::string& note : densities_->notes()) header.notes.push_back(note);
        if (!backend_.note.empty()) header.notes.push_back(backend_.note);
        header.notes.push_back(grid_note(header.grid));
        if (std::string note = small_field_note(plan, models, header.grid, options.engine.grid_mm);
            !note.empty())
            header.notes.push_back(std::move(note));
        header.notes.insert(header.notes.end(), field_notes.begin(), field_notes.end());
        header.notes.push_back("beamlets: " + std::to_string(all) + " of " + short_number(header.side_mm) +
                               " mm");
        const std::vector<LeafDesign> designs = leaf_designs_for(plan, options.engine);
        std::vector<const BeamModel*> named;
        for (const Beam& beam : plan.beams) {
            const BeamModel& model = models(beam);
            if (std::find(named.begin(), named.end(), &model) == named.end()) {
                name_model(model, dose_header_.provenance, header.notes);
                named.push_back(&model);
            }
            note_wedges(beam, model, header.notes);
            leaves_.push_back(leaf_edges(beam, model, designs, options.engine.leaves, dose_header_.provenance,
                                         header.notes));
        }
        header.provenance = dose_header_.provenance;
        header.provenance.settings["beamlet_mm"] = short_number(header.side_mm);
        header.provenance.settings["cutoff"] = short_number(options.cutoff);
        header.provenance.settings.erase("transport");
    }

    InfluenceHeader header;

    std::size_t first() const { return first_; }
    std::size_t last() const { return last_; }
    const Beam& beam(const Beamlet& beamlet) const {
        return plan_.beams[static_cast<std::size_t>(beamlet.beam)];
    }
    const ControlPoint& point(const Beamlet& beamlet) const {
        return beam(beamlet).control_points[static_cast<std::size_t>(beamlet.control_point)];
    }
    const BeamModel& model(const Beamlet& beamlet) const { return models_(beam(beamlet)); }
    const DensityGrid& density(const Beamlet& beamlet) const { return densities_->of(beam(beamlet)); }
    const Dose& dose_header_of_plan() const { return dose_header_; }
    PatientPosition position() const { return plan_.position; }
    bool on_cpu() const { return !backend_.own; }
    FluenceOptions fluence(const Beamlet& beamlet, const TermaTable& table) const {
        FluenceOptions fluence;
        fluence.leaves = leaves_[static_cast<std::size_t>(beamlet.beam)];
        fluence.terma = &table;
        return fluence;
    }
    ComputeOptions compute() const {
        ComputeOptions compute;
        compute.algorithm = options_.engine.algorithm;
        compute.settings = quality_settings(options_.engine.quality);
        compute.transport = Transport::each;
        compute.pencil = {options_.engine.lateral_scaling, 1};
        compute.backend = &backend_.get();
        return compute;
    }
    /// One past the last beamlet with the geometry of beamlet `begin`.
    std::size_t end_of_geometry(std::size_t begin) const {
        std::size_t end = begin + 1;
        const Beamlet& b = header.beamlets[begin];
        while (end < header.beamlets.size() && header.beamlets[end].beam == b.beam &&
               header.beamlets[end].control_point == b.control_point)
            ++end;
        return end;
    }
    /// Gy in the medium that was asked for; `scale`: Gy per unit of dose.
    float gray(const DensityGrid& density, std::size_t voxel, float dose, double scale) const {
        double gray = scale * static_cast<double>(dose);
        if (header.medium == DoseMedium::water) gray *= static_cast<double>(density.water_to_medium[voxel]);
        if (!std::isfinite(gray))
            throw internal_error("the dose of a voxel is not finite", "voxel " + std::to_string(voxel));
        return static_cast<float>(gray);
    }

private:
    const Plan& plan_;
    const BeamModelProvider& models_;
    const InfluenceOptions& options_;
    std::size_t first_ = 0, last_ = 0;
    ChosenBackend backend_;
    std::unique_ptr<BolusDensities> densities_;
    Dose dose_header_;
    std::vector<std::vector<LeafEdges>> leaves_;  ///< by beam
};

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
        const std::uint64_t seed = mixed(number);
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
        thin_out(out, options_.cutoff, mixed(seed));
    }
    const DensityGrid& density() const { return all_.density(beamlet_); }
    double scale() const { return gray_per_unit(all_.model(beamlet_), options_.engine.algorithm); }

private:
    const InfluenceCase& all_;
    const InfluenceOptions& options_;
    Beamlet beamlet_;
    TermaTable table_;
    FluenceOptions fluence_;
    std::unique_ptr<BeamletDoses> pencil_;
};

}  // namespace

void InfluenceColumns::append(const InfluenceColumns& other) {
    const std::int64_t before = begin.back();
    for (std::size_t c = 1; c < other.begin.size(); ++c) begin.push_back(before + other.begin[c]);
    voxel.insert(voxel.end(), other.voxel.begin(), other.voxel.end());
    gy.insert(gy.end(), other.gy.begin(), other.gy.end());
}

Volume<float> DoseInfluence::dose(const std::vector<double>& weights_mu) const {
    if (weights_mu.size() != columns.count())
        throw bad_input(std::to_string(weights_mu.size()) + " weights are given for " +
                            std::to_string(columns.count()) + " beamlets",
                        "influence");
    std::vector<double> sum(header.grid.voxel_count(), 0.0);
    for (std::size_t c = 0; c < weights_mu.size(); ++c) {
        const double weight = required_weight(weights_mu, c);
        for (auto n = static_cast<std::size_t>(columns.begin[c]);
             n < static_cast<std::size_t>(columns.begin[c + 1]); ++n)
            sum[static_cast<std::size_t>(columns.voxel[n])] += weight * static_cast<double>(columns.gy[n]);
    }
    Volume<float> dose(header.grid);
    for (std::size_t v = 0; v < sum.size(); ++v) dose.values[v] = static_cast<float>(sum[v]);
    return dose;
}

std::vector<Beamlet> beamlets_of(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                 const BeamModelProvider& models, const InfluenceOptions& options) {
    check_request(ct, structures, plan, models, options.engine);
    // Beamlets pass open heads with standing wedges: what else shapes a beam would be left out without a
    // word.
    for (const Beam& beam : plan.beams) {
        const std::string where = beam.place();
        if (!beam.blocks.empty())
            throw refused_plan("beamlets do not pass blocks", where,
                               "Take the blocks off the beam; its opening chooses the beamlets");
        for (std::size_t w = 0; w < beam.wedges.size(); ++w)
            if (beam.wedges[w].kind == Wedge::Kind::dynamic &&
                std::any_of(beam.control_points.begin(), beam.control_points.end(),
                            [&](const ControlPoint& p) { return w < p.wedge_in.size() && p.wedge_in[w]; }))
                throw refused_plan("beamlets have no moving jaw: the dynamic wedge cannot be in", where,
                                   "Take the wedge out; the weights of the beamlets make one");
    }
    std::vector<std::string> notes;
    return make_beamlets(plan, structures, influence_grid(ct, structures, plan, models, options, notes),
                         models, options.beamlets);
}

InfluenceHeader calculate_influence(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                    const MaterialTable& materials, const BeamModelProvider& models,
                                    const InfluenceOptions& options, const InfluenceSink& sink) {
    const ThreadLimit limit(options.engine.threads);
    const auto start = std::chrono::steady_clock::now();
    const auto report = [&](double part, const std::string& stage) {
        if (options.engine.progress) options.engine.progress(part, stage);
    };
    report(0, "density");
    InfluenceCase all(ct, structures, plan, materials, models, options);
    const std::size_t total = all.last() - all.first();
    all.header.seconds["density"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::atomic<std::size_t> done{0};
    const std::unique_ptr<BeamletCalculator> beamlets = cpu_backend().beamlets();
    // Beamlets side by side, each by one thread, handed over in their order.
    const std::size_t at_once = 16 * static_cast<std::size_t>(omp_get_max_threads());
    std::vector<std::vector<VoxelDose>> some(at_once);
    for (std::size_t geometry = 0, geometry_end; geometry < all.last(); geometry = geometry_end) {
        geometry_end = all.end_of_geometry(geometry);
        const std::size_t from = std::max(geometry, all.first()), to = std::min(geometry_end, all.last());
        if (from >= to) continue;
        const std::string stage = "beam " + all.beam(all.header.beamlets[geometry]).name;
        report(static_cast<double>(done) / static_cast<double>(total), stage);
        const GeometryColumns columns(all, geometry, geometry_end, options, *beamlets);
        const double scale = columns.scale();
        for (std::size_t begin = from; begin < to; begin += at_once) {
            const std::size_t end = std::min(begin + at_once, to);
            std::exception_ptr failure;
            std::atomic<bool> failed{false};
#pragma omp parallel for schedule(dynamic, 1) if (all.on_cpu())
            for (std::size_t b = begin; b < end; ++b) {
                if (failed) continue;
                const auto fail = [&] {
#pragma omp critical(libdose_influence_failure)
                    if (!failed) {
                        failure = std::current_exception();
                        failed = true;
                    }
                };
                try {
                    columns.column(b, some[b - begin]);
                    for (VoxelDose& v : some[b - begin])
                        v.dose = all.gray(columns.density(), v.voxel, v.dose, scale);
                } catch (...) {
                    fail();
                }
                const std::size_t now = ++done;
#pragma omp critical(libdose_influence_progress)
                try {
                    if (!failed) report(static_cast<double>(now) / static_cast<double>(total), stage);
                } catch (...) {
                    fail();
                }
            }
            if (failure) std::rethrow_exception(failure);
            InfluenceColumns block;
            for (std::size_t b = begin; b < end; ++b)
                block.begin.push_back(block.begin.back() + static_cast<std::int64_t>(some[b - begin].size()));
            block.voxel.resize(static_cast<std::size_t>(block.begin.back()));
            block.gy.resize(block.voxel.size());
#pragma omp parallel for schedule(dynamic, 1)
            for (std::size_t b = begin; b < end; ++b) {
                auto at = static_cast<std::size_t>(block.begin[b - begin]);
                for (const VoxelDose& v : some[b - begin]) {
                    block.voxel[at] = static_cast<std::int32_t>(v.voxel);
                    block.gy[at++] = v.dose;
                }
            }
            sink(all.header, block);
        }
    }
    // The header names the columns that are there.
    all.header.beamlets = {all.header.beamlets.begin() + static_cast<std::ptrdiff_t>(all.first()),
                           all.header.beamlets.begin() + static_cast<std::ptrdiff_t>(all.last())};
    all.header.seconds["total"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report(1, "done");
    return all.header;
}

double memory_limit_bytes(const InfluenceOptions& options) {
    if (options.memory_bytes > 0) return options.memory_bytes;
    const double available = available_memory_bytes();
    return available > 0 ? 0.5 * available : std::numeric_limits<double>::infinity();
}

Error matrix_too_large(double limit_bytes, std::size_t columns, std::size_t all) {
    return bad_input("the influence matrix is larger than " +
                         short_number(std::round(limit_bytes / 1e4) / 100) + " MB after " +
                         std::to_string(columns) + " of " + std::to_string(all) + " beamlets",
                     "influence",
                     "Write it to a file, allow more memory, or choose a coarser grid, larger beamlets or a "
                     "larger cutoff");
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
    if (weights_mu.size() != beamlets.size())
        throw bad_input(std::to_string(weights_mu.size()) + " weights are given for " +
                            std::to_string(beamlets.size()) + " beamlets",
                        "beamlets");
    for (std::size_t b = 0; b < weights_mu.size(); ++b) required_weight(weights_mu, b);
    CalculationResult result;
    std::vector<float> total(all.header.grid.voxel_count(), 0.0f);
    for (std::size_t begin = 0, end; begin < beamlets.size(); begin = end) {
        end = all.end_of_geometry(begin);
        std::vector<OpenSquare> squares;
        for (std::size_t b = begin; b < end; ++b)
            if (weights_mu[b] > 0) squares.push_back({beamlets[b].u_mm, beamlets[b].v_mm, weights_mu[b]});
        if (squares.empty()) continue;
        const BeamModel& model = all.model(beamlets[begin]);
        const DensityGrid& density = all.density(beamlets[begin]);
        const TermaTable table(model.spectrum);
        const FluenceMap map = cpu_backend().square_fluence(
            all.beam(beamlets[begin]), all.point(beamlets[begin]), all.position(), model.head,
            all.fluence(beamlets[begin], table), squares, all.header.side_mm);
        ComputeOptions compute = all.compute();
        compute.seconds = &result.seconds;
        compute.progress = [&](double part) {
            if (options.engine.progress)
                options.engine.progress(
                    (static_cast<double>(begin) + part * static_cast<double>(end - begin)) /
                        static_cast<double>(beamlets.size()),
                    "beam " + all.beam(beamlets[begin]).name);
        };
        const std::vector<float> dose = compute_dose(density, {map}, model, compute);
        const double scale = gray_per_unit(model, options.engine.algorithm);
        for (std::size_t v = 0; v < total.size(); ++v) total[v] += all.gray(density, v, dose[v], scale);
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
