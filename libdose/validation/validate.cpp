#include "libdose/validate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "analysis/box_gamma.h"
#include "base/threads.h"
#include "base/units.h"
#include "engine/backend_choice.h"
#include "engine/compute.h"
#include "libdose/error.h"
#include "validation/case_phantom.h"

namespace libdose {

namespace {

constexpr double largest_sigma = 0.02;   // voxels with a larger relative uncertainty are not judged
constexpr double edge_margin_cm = 0.7;   // half width of the penumbra region, at the voxel's depth
constexpr double outside_margin_cm = 5;  // what lies out of the field up to here is judged

struct Accumulator {
    std::size_t n = 0;
    double d = 0, dd = 0, m = 0, mm = 0, largest = 0, noise = 0;
    void add(double local, double of_maximum, double sigma) {
        ++n;
        d += local;
        dd += local * local;
        m += of_maximum;
        mm += of_maximum * of_maximum;
        largest = std::max(largest, std::abs(of_maximum));
        noise += sigma * sigma;
    }
    RegionStatistics statistics() const {
        RegionStatistics s;
        s.voxels = n;
        if (n == 0) return s;
        const auto count = static_cast<double>(n);
        s.mean_percent = d / count;
        s.sd_percent = std::sqrt(std::max(0.0, dd / count - s.mean_percent * s.mean_percent));
        s.mean_percent_of_maximum = m / count;
        s.sd_percent_of_maximum =
            std::sqrt(std::max(0.0, mm / count - s.mean_percent_of_maximum * s.mean_percent_of_maximum));
        s.largest_percent_of_maximum = largest;
        s.reference_noise_percent = std::sqrt(noise / count);
        s.sd_beyond_noise_percent = std::sqrt(std::max(0.0, s.sd_percent * s.sd_percent - noise / count));
        return s;
    }
};

struct GammaCriterion {
    const char* name;
    double dose_percent, distance_mm;
};
constexpr GammaCriterion criteria[] = {
    {"1%/1mm", 1, 1}, {"2%/1mm", 2, 1}, {"2%/2mm", 2, 2}, {"3%/2mm", 3, 2}};
constexpr std::size_t shown_criterion = 2;  // 2%/2mm: what ValidationResult::passed holds

QualitySettings settings_for(const ValidationOptions& options) {
    QualitySettings settings = quality_settings(options.quality);
    const ModelSwitches& switches = options.switches;
    settings.tilt = switches.tilt;
    settings.hardening = switches.hardening;
    settings.sharpening = switches.sharpening;
    if (switches.rings > 0) {
        settings.rings = switches.rings;
        settings.sectors = switches.sectors;
    }
    if (switches.isotropic > 0) {
        settings.isotropic = switches.isotropic;
        settings.always_isotropic = true;
    }
    if (switches.lattice == "rounded") settings.lattice = LatticeMode::rounded;
    if (switches.lattice == "interpolated") settings.lattice = LatticeMode::interpolated;
    return settings;
}

const char* name_of(Region region) {
    constexpr const char* names[] = {"", "build-up", "in-field", "penumbra", "out-of-field"};
    return names[static_cast<std::size_t>(region)];
}

/// Voxel spacing of the calculation: as asked for, else the case's finest edge, 1 to 2.5 mm.
Vec3 grid_for(const ReferenceCase& reference, const ValidationOptions& options) {
    double finest = 1e30;
    for (const auto& edges : reference.edges_cm)
        for (std::size_t i = 0; i + 1 < edges.size(); ++i)
            finest = std::min(finest, (edges[i + 1] - edges[i]) * mm_per_cm);
    Vec3 grid_mm;
    for (int axis = 0; axis < 3; ++axis)
        grid_mm[axis] = options.grid_mm[axis] > 0 ? options.grid_mm[axis] : std::clamp(finest, 1.0, 2.5);
    return grid_mm;
}

bool reports_dose_to_water(const ReferenceCase& reference) {
    return reference.dose_to.find("water") != std::string::npos &&
           reference.dose_to.find("medium") == std::string::npos;
}

/// The dose as the case reports it, on its own grid, with the backend and the time that it took.
void calculate_dose(ValidationResult& result, const DensityGrid& density, const CaseBeam& beam,
                    const ReferenceCase& reference, const BeamModel& model,
                    const ValidationOptions& options) {
    const ChosenBackend backend = choose_backend(options.backend, options.device, options.devices);
    result.backend = backend.get().description();
    const auto begin = std::chrono::steady_clock::now();
    ComputeOptions compute;
    compute.backend = &backend.get();
    compute.algorithm = options.algorithm;
    compute.settings = settings_for(options);
    compute.pencil.lateral_scaling = options.lateral_scaling;
    result.dose = Volume<float>(density.grid);
    result.dose.values = compute_dose(density, {beam.map}, model, compute);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (reports_dose_to_water(reference))
        for (std::size_t v = 0; v < result.dose.values.size(); ++v)
            result.dose.values[v] *= density.water_to_medium[v];
}

/// Judges the voxels of a case whose dose is calculated.
class Judgement {
public:
    Judgement(const ReferenceCase& reference, const CaseBeam& beam, ValidationResult& result)
        : reference_(reference),
          beam_(beam),
          result_(result),
          edges_mm_(case_edges_mm(reference)),
          size_{reference.edges_cm[0].size() - 1, reference.edges_cm[1].size() - 1,
                reference.edges_cm[2].size() - 1} {}

    void run() {
        result_.calculated =
            average_overlap(uniform_edges(result_.dose.grid), result_.dose.values, edges_mm_, 0.0f);
        find_maximum();
        sort_voxels();
        judge_gamma();
        if (beam_.along_z)
            for (std::size_t k = 0; k < size_[2]; ++k) result_.axis.push_back(axis_point(k));
    }

private:
    /// A voxel that gamma judges.
    struct Judged {
        std::size_t voxel;
        Vec3 low, high;
    };

    double dose(std::size_t voxel) const { return static_cast<double>(reference_.dose[voxel]); }
    double sigma(std::size_t voxel) const {
        return static_cast<double>(reference_.relative_uncertainty[voxel]);
    }
    std::size_t index_of(std::size_t i, std::size_t j, std::size_t k) const {
        return (k * size_[1] + j) * size_[0] + i;
    }

    /// The largest dose that is certain, and its depth: what lies before it is build-up.
    void find_maximum() {
        std::size_t maximum_index = 0;
        for (std::size_t v = 0; v < reference_.dose.size(); ++v)
            if (sigma(v) < largest_sigma && dose(v) > result_.maximum) {
                result_.maximum = dose(v);
                maximum_index = v;
            }
        if (!(result_.maximum > 0))
            throw bad_input("no voxel has a dose with an uncertainty below 2 %", reference_.name);
        const std::size_t k = maximum_index / (size_[0] * size_[1]);
        result_.maximum_depth_mm = 0.5 * (edges_mm_[2][k] + edges_mm_[2][k + 1]);
    }

    /// The region of every voxel with its statistics, and those that gamma judges.
    void sort_voxels() {
        result_.region.assign(reference_.dose.size(), Region::none);
        for (std::size_t k = 0; k < size_[2]; ++k)
            for (std::size_t j = 0; j < size_[1]; ++j)
                for (std::size_t i = 0; i < size_[0]; ++i)
                    sort_voxel({index_of(i, j, k),
                                {edges_mm_[0][i], edges_mm_[1][j], edges_mm_[2][k]},
                                {edges_mm_[0][i + 1], edges_mm_[1][j + 1], edges_mm_[2][k + 1]}});
        for (const auto& [name, accumulator] : regions_) result_.regions[name] = accumulator.statistics();
    }

    void sort_voxel(const Judged& voxel) {
        const std::size_t v = voxel.voxel;
        if (dose(v) > 0.1 * result_.maximum && sigma(v) < largest_sigma) judged_.push_back(voxel);
        const Region region = result_.region[v] = region_of(voxel);
        // Out of the field the reference is noisy voxel by voxel; its mean is what counts there.
        const bool certain = sigma(v) < largest_sigma && dose(v) > 0;
        if (region == Region::none || (region != Region::out_of_field && !certain)) return;
        const double difference = static_cast<double>(result_.calculated[v]) - dose(v);
        const double local = dose(v) > 0 ? 100 * difference / dose(v) : 0,
                     of_maximum = 100 * difference / result_.maximum;
        regions_[name_of(region)].add(local, of_maximum, 100 * sigma(v));
        if (region == Region::in_field)
            regions_["material: " +
                     case_material_name(reference_.materials[reference_.material_index[v]], reference_.name)]
                .add(local, of_maximum, 100 * sigma(v));
    }

    Region region_of(const Judged& voxel) const {
        const Vec3 middle = 0.5 * (voxel.low + voxel.high);
        if (is_inside(middle, edge_margin_cm))
            return beam_.along_z && middle[2] < result_.maximum_depth_mm ? Region::build_up
                                                                         : Region::in_field;
        if (is_inside(middle, -edge_margin_cm)) return Region::penumbra;
        if (is_inside(middle, -outside_margin_cm)) return Region::out_of_field;
        return Region::none;
    }

    /// Inside of the field by a margin at the place's own depth.
    bool is_inside(const Vec3& place, double margin_cm) const {
        const physics::BeamFrame& frame = beam_.map.frame;
        const auto p = frame.project(place);
        const double m = margin_cm * mm_per_cm / (p.distance_mm / frame.source_axis_distance_mm);
        const auto &x = reference_.field_x_cm, &y = reference_.field_y_cm;
        return p.u_mm > x[0] * mm_per_cm + m && p.u_mm < x[1] * mm_per_cm - m &&
               p.v_mm > y[0] * mm_per_cm + m && p.v_mm < y[1] * mm_per_cm - m;
    }

    /// Share of the judged voxels that pass each criterion, with and without the reference's uncertainty.
    void judge_gamma() {
        result_.passed.assign(reference_.dose.size(), 0);
        result_.evaluated = judged_.size();
        if (judged_.empty())
            throw bad_input("no voxel is above 10 % of the maximum with an uncertainty below 2 %",
                            reference_.name);
        const BoxAverage integral(result_.dose.grid, result_.dose.values);
        std::array<std::size_t, std::size(criteria)> pass{}, pass_raw{};
#pragma omp parallel for schedule(dynamic, 64)
        for (std::size_t n = 0; n < judged_.size(); ++n)
            for (std::size_t c = 0; c < std::size(criteria); ++c) {
                const double widening = 2 * sigma(judged_[n].voxel) * dose(judged_[n].voxel);
                const bool raw = passes(integral, judged_[n], criteria[c], 0);
                const bool widened = raw || passes(integral, judged_[n], criteria[c], widening);
#pragma omp atomic
                pass_raw[c] += raw ? 1 : 0;
#pragma omp atomic
                pass[c] += widened ? 1 : 0;
                if (c == shown_criterion) result_.passed[judged_[n].voxel] = widened ? 2 : 1;
            }
        const auto judged = static_cast<double>(judged_.size());
        for (std::size_t c = 0; c < std::size(criteria); ++c) {
            result_.gamma[criteria[c].name] = 100.0 * static_cast<double>(pass[c]) / judged;
            result_.gamma_raw[criteria[c].name] = 100.0 * static_cast<double>(pass_raw[c]) / judged;
        }
    }

    bool passes(const BoxAverage& integral, const Judged& voxel, const GammaCriterion& criterion,
                double widening) const {
        const double tolerance = criterion.dose_percent / 100 * result_.maximum;
        return box_gamma_passes(integral, voxel.low, voxel.high, dose(voxel.voxel), tolerance + widening,
                                criterion.distance_mm);
    }

    /// The voxel that the ray through the field's middle crosses in a layer.
    AxisPoint axis_point(std::size_t k) const {
        const double depth = 0.5 * (reference_.edges_cm[2][k] + reference_.edges_cm[2][k + 1]);
        const double scale = (depth - reference_.source_position_cm[2]) / 100;
        const auto column = [&](std::size_t axis, const std::array<double, 2>& field_cm) {
            const double x = reference_.source_position_cm[static_cast<int>(axis)] +
                             0.5 * (field_cm[0] + field_cm[1]) * scale;
            const auto& e = reference_.edges_cm[axis];
            const auto upper =
                static_cast<std::size_t>(std::upper_bound(e.begin(), e.end() - 1, x) - e.begin());
            return std::min(upper > 0 ? upper - 1 : 0, e.size() - 2);
        };
        const std::size_t v = index_of(column(0, reference_.field_x_cm), column(1, reference_.field_y_cm), k);
        return {depth, dose(v), static_cast<double>(result_.calculated[v]), sigma(v) * dose(v)};
    }

    const ReferenceCase& reference_;
    const CaseBeam& beam_;
    ValidationResult& result_;
    Edges edges_mm_;
    std::array<std::size_t, 3> size_;
    std::map<std::string, Accumulator> regions_;
    std::vector<Judged> judged_;
};

}  // namespace

std::string model_name_for(const ReferenceCase& reference) {
    int megavolts = 0;
    for (const char c : reference.source_spectrum) {
        if (c < '0' || c > '9') break;
        megavolts = 10 * megavolts + (c - '0');
    }
    if (megavolts == 0)
        throw bad_input(
            "the spectrum \"" + reference.source_spectrum + "\" does not begin with its nominal energy",
            reference.name);
    return "generic-" + std::to_string(megavolts) + "MV";
}

ValidationResult validate(const ReferenceCase& reference, const BeamModel& model,
                          const MaterialTable& materials, const ValidationOptions& options) {
    ValidationResult result;
    result.name = reference.name;
    result.engine = to_string(options.algorithm);
    result.quality = to_string(options.quality);
    result.model = model.name;
    result.grid_mm = grid_for(reference, options);
    const ThreadLimit limit(options.threads);
    const DensityGrid density = case_density(reference, materials, result.grid_mm);
    const CaseBeam beam = case_beam(reference);
    calculate_dose(result, density, beam, reference, model, options);
    Judgement(reference, beam, result).run();
    return result;
}

}  // namespace libdose
