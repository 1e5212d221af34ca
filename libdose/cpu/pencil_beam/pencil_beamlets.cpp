#include "cpu/pencil_beam/pencil_beamlets.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/counter_random.h"
#include "base/simd/multiversion.h"
#include "cpu/pencil_beam/pencil_voxels.h"
#include "cpu/pencil_beam/pencil_weights.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/head.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "pencil_beam/pencil_equations.h"
#include "terma/terma_table.h"

namespace libdose::cpu {

namespace {

/// Around a beamlet (isocentre plane, half a side) and beyond: one of so many rows of voxels, and one of so
/// many voxels of those, is calculated with as many times its dose. About what the dose falls by, so that
/// what is drawn stays near the usual cutoff.
struct Zone {
    double half_mm;
    int row_stride, voxel_stride;
};
constexpr std::array<Zone, 4> zones{{{PencilBeamlets::near_mm, 1, 1}, {65, 1, 4}, {110, 4, 4}, {1e9, 8, 8}}};

/// The beam as it would be on the axis of a flat head with one MU: what a shift does not change.
struct FlatBeam {
    Beam beam;
    ControlPoint point;
    HeadModel head;

    FlatBeam(const Beam& b, const ControlPoint& p, const HeadModel& h) : beam(b), point(p), head(h) {
        beam.wedges.clear();
        point.wedge_in.clear();
        beam.tray_factor = 1;
        beam.tray_water_mm = 0;
        head.profile_radius_mm = {0, 1};
        head.profile = {1, 1};
        head.softening_radius_mm.clear();
        head.softening_g_cm2.clear();
        head.maximum_field_radius_mm = 1e6;
    }
    /// With this much of the extrafocal source on the same raster.
    FluenceMap square(const FluenceOptions& options, double extrafocal_amplitude, double middle_mm,
                      double side_mm) const {
        HeadModel changed = head;
        changed.extrafocal.amplitude = extrafocal_amplitude;
        return square_fluence(beam, point, PatientPosition::hfs, changed, options,
                              {{middle_mm, middle_mm, 1 / output_factor(beam, point, head)}}, side_mm);
    }
};

constexpr double hardly_any = 1e-12;

std::optional<BeamletFluence> extrafocal_of(const FlatBeam& flat, FluenceOptions options, double middle_mm,
                                            double side_mm) {
    if (!(flat.head.extrafocal.amplitude > 0)) return {};
    options.pixel_mm = 4;
    BeamletFluence fluence{flat.square(options, flat.head.extrafocal.amplitude, middle_mm, side_mm)};
    const FluenceMap focal = flat.square(options, hardly_any, middle_mm, side_mm);
    for (std::size_t p = 0; p < focal.values.size(); ++p)
        fluence.map.values[p] = std::max(0.0f, fluence.map.values[p] - focal.values[p]);
    const auto views = extrafocal_views(flat.beam, flat.head, options.leaves);
    fluence.middle_u_mm = middle_mm / views[0].scale;
    fluence.middle_v_mm = middle_mm / views[1].scale;
    return fluence;
}

struct VoxelPlace {
    float u_mm, v_mm, node;
    PencilDepthWeights::Place depth;
    float factor;    ///< of the photons' dose; 0: not calculated
    float electron;  ///< dose per unit of the electrons' map
};

}  // namespace

BeamletShape::BeamletShape(const Beam& beam, const ControlPoint& point, const BeamModel& model,
                           const FluenceOptions& options, double side_mm)
    : model_(&model), middle_mm_(0.5 * side_mm) {
    const FlatBeam flat(beam, point, model.head);
    reference_ = flat.square(options, 0, middle_mm_, side_mm);
    auto extrafocal = extrafocal_of(flat, options, middle_mm_, side_mm);
    if (extrafocal) extrafocal_ = extrafocal->map;
    images_ = std::make_unique<BeamletImages>(BeamletFluence{reference_, middle_mm_, middle_mm_},
                                              std::move(extrafocal), model.pencil_kernel, side_mm);
}

bool BeamletShape::serves(const BeamletShape& other) const {
    // The extrafocal source is seen past leaves or jaws: it tells beams with other collimators apart.
    const auto same = [](const FluenceMap& a, const FluenceMap& b) {
        return a.lower_u_mm == b.lower_u_mm && a.lower_v_mm == b.lower_v_mm && a.values == b.values;
    };
    return model_ == other.model_ && middle_mm_ == other.middle_mm_ && same(reference_, other.reference_) &&
           same(extrafocal_, other.extrafocal_) &&
           reference_.electrons.values == other.reference_.electrons.values &&
           reference_.frame.source_axis_distance_mm == other.reference_.frame.source_axis_distance_mm;
}

struct PencilBeamlets::Parts {
    const DensityGrid& density;
    physics::BeamFrame frame;
    std::shared_ptr<const BeamFilter> filter;
    TermaTable table;
    OpenHead open;
    std::array<physics::ExtrafocalView, 2> views;
    PencilVoxels voxels;
    const BeamletShape& shape;
    double output;
    std::vector<VoxelPlace> places;
    PencilDepthWeights weights;

    Parts(const DensityGrid& d, const physics::BeamFrame& f, const PencilPlan& plan, const Beam& beam,
          const ControlPoint& point, const BeamModel& model, const FluenceOptions& options,
          const LateralScale& lateral, const BeamletShape& s)
        : density(d),
          frame(f),
          filter(beam_filter(beam, point.wedge_in, model.head)),
          table(model.spectrum),
          open(beam, model.head, filter.get(), &table, options.pixel_mm),
          views(extrafocal_views(beam, model.head, options.leaves)),
          voxels(d, f, plan, lateral, filter.get(), &table),
          shape(s),
          output(output_factor(beam, point, model.head)),
          weights(model.pencil_kernel) {}
};

PencilBeamlets::PencilBeamlets(const DensityGrid& density, const Beam& beam, const ControlPoint& point,
                               PatientPosition position, const BeamModel& model,
                               const FluenceOptions& options, const LateralScale& lateral,
                               const std::vector<OpenSquare>& squares, BeamletShape& shape) {
    Rect near = Rect::nothing();
    for (const OpenSquare& s : squares) near = near.around(Rect::square(s.u_mm, s.v_mm, near_mm));
    const physics::BeamFrame frame =
        physics::beam_frame(position, point.gantry_deg, point.collimator_deg, point.couch_deg,
                            point.isocentre_mm, beam.source_axis_distance_mm);
    const std::optional<PencilPlan> plan = plan_pencil_beam(density.grid, frame, near, lateral);
    if (!plan) throw internal_error("a geometry without beamlets", "influence");
    auto parts = std::make_unique<Parts>(density, frame, *plan, beam, point, model, options, lateral, shape);
    const Grid& grid = density.grid;
    PencilVoxels& voxels = parts->voxels;
    const double first_node = BeamletImages::node_of(plan->nodes.lowest_mm / frame.source_axis_distance_mm);
    shape.images().prepare(first_node, first_node + static_cast<double>(plan->nodes.count));
    voxels.trace(near);

    parts->places.resize(grid.voxel_count());
    const ElectronContamination& electrons = model.head.electrons;
#pragma omp parallel
    {
        PencilRow row(grid.size[0]);
#pragma omp for schedule(dynamic, 1)
        for (int k = 0; k < grid.size[2]; ++k)
            for (int j = 0; j < grid.size[1]; ++j) {
                voxels.row(j, k, row);
                for (std::size_t i = 0; i < row.factor.size(); ++i) {
                    if (!(row.factor[i] > 0.0f)) continue;
                    const std::size_t voxel = grid.index(0, j, k) + i;
                    VoxelPlace& to = parts->places[voxel];
                    to.u_mm = row.u_mm[i];
                    to.v_mm = row.v_mm[i];
                    to.node = static_cast<float>(first_node) + row.node[i];
                    to.depth = parts->weights.place(row.depth_g_cm2[i]);
                    to.factor = row.factor[i];
                    if (shape.electrons().values.empty()) continue;
                    const double magnification =
                        parts->frame.source_axis_distance_mm / static_cast<double>(row.distance_mm[i]);
                    to.electron = static_cast<float>(physics::electron_dose(
                        electrons.amplitude_gy_cm2, 1, magnification, static_cast<double>(row.depth_g_cm2[i]),
                        electrons.attenuation_cm2_g, electrons.range_g_cm2,
                        static_cast<double>(density.kernel_density[voxel] / density.density[voxel])));
                }
            }
    }
    parts_ = std::move(parts);
}

PencilBeamlets::~PencilBeamlets() = default;

/// Dose of one square in a voxel: the images of the shape, shifted, times what the head does at its middle.
class PencilBeamlets::SquareDose {
public:
    LIBDOSE_INLINE SquareDose(const Parts& parts, double u_mm, double v_mm)
        : images_(parts.shape.images()),
          electrons_(parts.shape.electrons()),
          weights_(parts.weights),
          places_(parts.places.data()),
          output_(static_cast<float>(parts.output)),
          focal_(output_ *
                 static_cast<float>(parts.open.transmission(u_mm, v_mm) * parts.open.profile(u_mm, v_mm))),
          u0_(static_cast<float>(u_mm)),
          v0_(static_cast<float>(v_mm)),
          to_reference_u_(parts.shape.middle_mm() - u_mm),
          to_reference_v_(parts.shape.middle_mm() - v_mm) {
        const double far_u = u_mm / parts.views[0].scale, far_v = v_mm / parts.views[1].scale;
        extrafocal_ = images_.has_extrafocal()
                          ? output_ * static_cast<float>(parts.open.transmission(far_u, far_v))
                          : 0.0f;
        far_u0_ = static_cast<float>(far_u);
        far_v0_ = static_cast<float>(far_v);
    }

    LIBDOSE_INLINE bool reaches(std::size_t voxel) const { return places_[voxel].factor > 0; }
    LIBDOSE_INLINE float at(std::size_t voxel) const {
        const VoxelPlace& at = places_[voxel];
        PencilLanes sum{};
        images_.add_focal(at.u_mm - u0_, at.v_mm - v0_, at.node, focal_, sum);
        if (extrafocal_ > 0)
            images_.add_extrafocal(at.u_mm - far_u0_, at.v_mm - far_v0_, at.node, extrafocal_, sum);
        weights_.weigh(at.depth, sum);
        float dose = std::max(sum_of(sum), 0.0f) * at.factor;  // in this order a NaN stays one
        if (at.electron > 0)
            dose += output_ * at.electron *
                    static_cast<float>(electrons_.at(static_cast<double>(at.u_mm) + to_reference_u_,
                                                     static_cast<double>(at.v_mm) + to_reference_v_));
        return dose;
    }

private:
    const BeamletImages& images_;
    const CoarseMap& electrons_;
    const PencilDepthWeights& weights_;
    const VoxelPlace* places_;
    float output_, focal_, extrafocal_;
    float u0_, v0_, far_u0_, far_v0_;         ///< middle of the square, and as the extrafocal source sees it
    double to_reference_u_, to_reference_v_;  ///< from the square to the one that the shape was made for
};

namespace {

using ZoneParts = std::array<std::pair<int, int>, zones.size()>;

/// Voxels of a row, [begin, end), within each zone about (u, v). A zone holds those before it; where one is
/// empty, so are those.
LIBDOSE_INLINE ZoneParts zone_parts(const physics::ProjectedRow& row, double u_mm, double v_mm, int size) {
    ZoneParts part;
    part.back() = {0, size};
    for (std::size_t z = zones.size() - 1; z-- > 0;) {
        const auto [low, high] = part[z + 1];
        part[z] = {low, low};
        if (low >= high) continue;
        const double half = zones[z].half_mm;
        const auto [begin, end] = row.within({u_mm - half, u_mm + half, v_mm - half, v_mm + half}, size);
        if (std::max(begin, low) < std::min(end, high)) part[z] = {std::max(begin, low), std::min(end, high)};
    }
    return part;
}

/// Appends the doses of voxels from … to - 1 of a row to the first `size` entries of a column, of which there
/// are enough: every one, or those that are drawn, with as many times their dose. `first`: voxel 0 of the
/// row.
template <class Dose>
LIBDOSE_INLINE void add_drawn(const Zone& zone, std::size_t first, int from, int to, std::uint64_t drawn,
                              const Dose& dose_of, std::vector<VoxelDose>& out, std::size_t& size) {
    if (from >= to || drawn % static_cast<std::uint64_t>(zone.row_stride) != 0) return;
    const int stride = zone.voxel_stride,
              start = static_cast<int>(drawn / 64 % static_cast<std::uint64_t>(stride));
    const auto times = static_cast<float>(zone.row_stride * stride);
    for (int i = from + (start - from % stride + stride) % stride; i < to; i += stride) {
        const std::size_t voxel = first + static_cast<std::size_t>(i);
        if (!dose_of.reaches(voxel)) continue;
        const float dose = times * dose_of.at(voxel);
        out[size] = {static_cast<std::uint32_t>(voxel), dose};
        size += !(dose <= 0);  // a dose that is not a number is kept, and refused with the column
    }
}

}  // namespace

LIBDOSE_VERSIONS
void PencilBeamlets::column(double u_mm, double v_mm, std::uint64_t seed, std::vector<VoxelDose>& out) const {
    const Grid& grid = parts_->density.grid;
    const SquareDose dose(*parts_, u_mm, v_mm);
    const physics::ProjectedRows rows_of_grid(parts_->frame, grid);
    std::size_t size = 0;
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j) {
            const std::size_t first = grid.index(0, j, k);
            const std::uint64_t drawn = hash_bits(seed ^ hash_bits(first));
            if (out.size() < size + static_cast<std::size_t>(grid.size[0]))
                out.resize(2 * size + static_cast<std::size_t>(grid.size[0]));
            const ZoneParts part = zone_parts(rows_of_grid.at(j, k), u_mm, v_mm, grid.size[0]);
            const auto add = [&](std::size_t zone, int from, int to) LIBDOSE_INLINE_LAMBDA {
                add_drawn(zones[zone], first, from, to, drawn, dose, out, size);
            };
            for (std::size_t z = zones.size() - 1; z > 0; --z) add(z, part[z].first, part[z - 1].first);
            add(0, part[0].first, part[0].second);
            for (std::size_t z = 1; z < zones.size(); ++z) add(z, part[z - 1].second, part[z].second);
        }
    out.resize(size);
}

}  // namespace libdose::cpu
