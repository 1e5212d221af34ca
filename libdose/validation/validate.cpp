#include "libdose/validate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "analysis/box_gamma.h"
#include "base/threads.h"
#include "engine/backend_choice.h"
#include "engine/compute.h"
#include "libdose/error.h"
#include "validation/case_phantom.h"

namespace libdose {

namespace {

constexpr double largest_sigma = 0.02;  // voxels with a larger relative uncertainty are not judged
constexpr double edge_margin_cm = 0.7;  // half width of the penumbra region, at the voxel's depth
constexpr double mm_per_cm = 10.0;

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

struct Criterion {
    const char* name;
    double dose_percent, distance_mm;
};
constexpr Criterion criteria[] = {{"1%/1mm", 1, 1}, {"2%/1mm", 2, 1}, {"2%/2mm", 2, 2}, {"3%/2mm", 3, 2}};
constexpr std::size_t shown_criterion = 2;  // 2%/2mm: what ValidationResult::passed holds

QualitySettings settings_for(const ValidationOptions& options) {
    QualitySettings settings = quality_settings(options.quality);
    const Ablation& ablation = options.ablation;
    settings.tilt = ablation.tilt;
    settings.hardening = ablation.hardening;
    settings.sharpening = ablation.sharpening;
    if (ablation.rings > 0) {
        settings.rings = ablation.rings;
        settings.sectors = ablation.sectors;
    }
    if (ablation.isotropic > 0) {
        settings.isotropic = ablation.isotropic;
        settings.always_isotropic = true;
    }
    if (ablation.lattice == "rounded") settings.lattice = LatticeMode::rounded;
    if (ablation.lattice == "interpolated") settings.lattice = LatticeMode::interpolated;
    return settings;
}

const char* name_of(Region region) {
    constexpr const char* names[] = {"", "build-up", "in-field", "penumbra", "out-of-field"};
    return names[static_cast<std::size_t>(region)];
}

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
    const auto size = reference.size();
    double finest = 1e30;
    for (const auto& edges : reference.edges_cm)
        for (std::size_t i = 0; i + 1 < edges.size(); ++i)
            finest = std::min(finest, (edges[i + 1] - edges[i]) * mm_per_cm);
    ValidationResult result;
    result.name = reference.name;
    result.engine = to_string(options.algorithm);
    result.quality = to_string(options.quality);
    result.model = model.name;
    for (int axis = 0; axis < 3; ++axis)
        result.grid_mm[axis] =
            options.grid_mm[axis] > 0 ? options.grid_mm[axis] : std::clamp(finest, 1.0, 2.5);

    const ThreadLimit limit(options.threads);
    const DensityGrid density = case_density(reference, materials, result.grid_mm);
    const CaseBeam beam = case_beam(reference);
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

    if (reference.dose_to.find("water") != std::string::npos &&
        reference.dose_to.find("medium") == std::string::npos)
        for (std::size_t v = 0; v < result.dose.values.size(); ++v)
            result.dose.values[v] *= density.water_to_medium[v];
    const Edges edges_mm = case_edges_mm(reference);
    result.calculated = average_overlap(uniform_edges(density.grid), result.dose.values, edges_mm, 0.0f);
    const BoxAverage integral(density.grid, result.dose.values);

    std::size_t maximum_index = 0;
    for (std::size_t v = 0; v < reference.dose.size(); ++v)
        if (static_cast<double>(reference.relative_uncertainty[v]) < largest_sigma &&
            static_cast<double>(reference.dose[v]) > result.maximum) {
            result.maximum = static_cast<double>(reference.dose[v]);
            maximum_index = v;
        }
    if (!(result.maximum > 0))
        throw bad_input("no voxel has a dose with an uncertainty below 2 %", reference.name);
    const auto nx = static_cast<std::size_t>(size[0]), ny = static_cast<std::size_t>(size[1]);

    // Depth of the maximum of the column through it: what lies before it is build-up.
    const std::size_t maximum_k = maximum_index / (nx * ny);
    result.maximum_depth_mm = 0.5 * (edges_mm[2][maximum_k] + edges_mm[2][maximum_k + 1]);

    std::map<std::string, Accumulator> regions;
    result.region.assign(reference.dose.size(), Region::none);
    result.passed.assign(reference.dose.size(), 0);
    std::array<std::size_t, std::size(criteria)> pass{}, pass_raw{};
    struct Judged {
        std::size_t voxel;
        Vec3 low, high;
    };
    std::vector<Judged> judged;
    const physics::BeamFrame& frame = beam.map.frame;
    for (int k = 0; k < size[2]; ++k)
        for (int j = 0; j < size[1]; ++j)
            for (int i = 0; i < size[0]; ++i) {
                const std::size_t v = (static_cast<std::size_t>(k) * ny + static_cast<std::size_t>(j)) * nx +
                                      static_cast<std::size_t>(i);
                const double dose_reference = static_cast<double>(reference.dose[v]),
                             sigma = static_cast<double>(reference.relative_uncertainty[v]);
                const std::array<std::size_t, 3> index{
                    static_cast<std::size_t>(i), static_cast<std::size_t>(j), static_cast<std::size_t>(k)};
                Vec3 low, high;
                for (std::size_t axis = 0; axis < 3; ++axis) {
                    low[static_cast<int>(axis)] = edges_mm[axis][index[axis]];
                    high[static_cast<int>(axis)] = edges_mm[axis][index[axis] + 1];
                }
                if (dose_reference > 0.1 * result.maximum && sigma < largest_sigma)
                    judged.push_back({v, low, high});
                // Out of the field the reference is noisy voxel by voxel; its mean is what counts there.
                const auto p = frame.project(0.5 * (low + high));
                const double scale = p.distance_mm / frame.source_axis_distance_mm;
                const auto inside = [&](double margin_cm) {
                    const double m = margin_cm * mm_per_cm / scale;
                    return p.u_mm > reference.field_x_cm[0] * mm_per_cm + m &&
                           p.u_mm < reference.field_x_cm[1] * mm_per_cm - m &&
                           p.v_mm > reference.field_y_cm[0] * mm_per_cm + m &&
                           p.v_mm < reference.field_y_cm[1] * mm_per_cm - m;
                };
                const double difference = static_cast<double>(result.calculated[v]) - dose_reference;
                const double local = dose_reference > 0 ? 100 * difference / dose_reference : 0,
                             of_maximum = 100 * difference / result.maximum;
                const bool certain = sigma < largest_sigma && dose_reference > 0;
                Region& region = result.region[v];
                if (inside(edge_margin_cm))
                    region = beam.along_z && 0.5 * (low[2] + high[2]) < result.maximum_depth_mm
                                 ? Region::build_up
                                 : Region::in_field;
                else if (inside(-edge_margin_cm))
                    region = Region::penumbra;
                else if (inside(-5.0))
                    region = Region::out_of_field;
                if (region == Region::none || (region != Region::out_of_field && !certain)) continue;
                regions[name_of(region)].add(local, of_maximum, 100 * sigma);
                if (region == Region::in_field)
                    regions["material: " +
                            case_material_name(reference.materials[reference.material_index[v]],
                                               reference.name)]
                        .add(local, of_maximum, 100 * sigma);
            }
    result.evaluated = judged.size();
    if (judged.empty())
        throw bad_input("no voxel is above 10 % of the maximum with an uncertainty below 2 %",
                        reference.name);

#pragma omp parallel for schedule(dynamic, 64)
    for (std::size_t n = 0; n < judged.size(); ++n) {
        const Judged& voxel = judged[n];
        const double dose_reference = static_cast<double>(reference.dose[voxel.voxel]);
        const double widening =
            2 * static_cast<double>(reference.relative_uncertainty[voxel.voxel]) * dose_reference;
        for (std::size_t c = 0; c < std::size(criteria); ++c) {
            const double tolerance = criteria[c].dose_percent / 100 * result.maximum;
            const bool raw = box_gamma_passes(integral, voxel.low, voxel.high, dose_reference, tolerance,
                                              criteria[c].distance_mm);
            const bool widened = raw || box_gamma_passes(integral, voxel.low, voxel.high, dose_reference,
                                                         tolerance + widening, criteria[c].distance_mm);
#pragma omp atomic
            pass_raw[c] += raw ? 1 : 0;
#pragma omp atomic
            pass[c] += widened ? 1 : 0;
            if (c == shown_criterion) result.passed[voxel.voxel] = widened ? 2 : 1;
        }
    }
    for (std::size_t c = 0; c < std::size(criteria); ++c) {
        result.gamma[criteria[c].name] =
            100.0 * static_cast<double>(pass[c]) / static_cast<double>(judged.size());
        result.gamma_raw[criteria[c].name] =
            100.0 * static_cast<double>(pass_raw[c]) / static_cast<double>(judged.size());
    }
    for (const auto& [name, accumulator] : regions) result.regions[name] = accumulator.statistics();

    if (beam.along_z) {
        for (int k = 0; k < size[2]; ++k) {
            const double depth = 0.5 * (reference.edges_cm[2][static_cast<std::size_t>(k)] +
                                        reference.edges_cm[2][static_cast<std::size_t>(k) + 1]);
            // The voxel that the ray through the field's middle crosses at this depth.
            const double scale = (depth - reference.source_position_cm[2]) / 100;
            const auto column = [&](std::size_t axis, double middle, double source) {
                const double x = source + middle * scale;
                const auto& e = reference.edges_cm[axis];
                const auto upper =
                    static_cast<std::size_t>(std::upper_bound(e.begin(), e.end() - 1, x) - e.begin());
                return std::min(upper > 0 ? upper - 1 : 0, e.size() - 2);
            };
            const std::size_t i = column(0, 0.5 * (reference.field_x_cm[0] + reference.field_x_cm[1]),
                                         reference.source_position_cm[0]);
            const std::size_t j = column(1, 0.5 * (reference.field_y_cm[0] + reference.field_y_cm[1]),
                                         reference.source_position_cm[1]);
            const std::size_t v = (static_cast<std::size_t>(k) * ny + j) * nx + i;
            result.axis.push_back({depth, static_cast<double>(reference.dose[v]),
                                   static_cast<double>(result.calculated[v]),
                                   static_cast<double>(reference.relative_uncertainty[v]) *
                                       static_cast<double>(reference.dose[v])});
        }
    }
    return result;
}

}  // namespace libdose
