#include "libdose/validate.h"

#include <Eigen/Geometry>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "engine/compute.h"
#include "engine/threads.h"
#include "libdose/error.h"
#include "model/rectilinear.h"
#include "physics/head.h"

namespace libdose {

namespace {

constexpr double largest_sigma = 0.02;  // voxels with a larger relative uncertainty are not judged
constexpr double edge_margin_cm = 0.7;  // half width of the penumbra region, at the voxel's depth
constexpr double mm_per_cm = 10.0;

/// "1: lung (ICRU 44 composition), 0.26 g/cm3" -> name of the material table.
std::string material_name(const std::string& text, const std::string& where) {
    static const std::pair<const char*, const char*> known[] = {{"lung", "lung"},
                                                                {"cortical bone", "bone_cortical"},
                                                                {"soft tissue (ICRU four", "soft_tissue_icru4"},
                                                                {"soft tissue", "soft_tissue"},
                                                                {"adipose", "adipose"},
                                                                {"titanium", "titanium"},
                                                                {"aluminium", "aluminium"},
                                                                {"aluminum", "aluminium"},
                                                                {"air", "air"},
                                                                {"water", "water"},
                                                                {"bone", "bone_cortical"}};
    for (const auto& [part, name] : known)
        if (text.find(part) != std::string::npos) return name;
    throw bad_input("material \"" + text + "\" is not known", where, "Known: water, lung, soft tissue, adipose, cortical bone, air, titanium, aluminium");
}

struct CaseBeam {
    FluenceMap map;
    bool along_z = true;
};

/// Point source with a sharp rectangular field on the plane 100 cm away; fluence falls as 1/R².
CaseBeam case_beam(const ReferenceCase& reference) {
    constexpr double sad_cm = 100;
    Vec3 axis(0, 0, 1);  // from the source
    if (reference.beam_angle_deg != 0) {
        axis = -reference.source_position_cm.normalized();
        const double angle = std::acos(std::clamp(axis[2], -1.0, 1.0)) * 180 / std::numbers::pi;
        if (std::abs(angle - std::abs(reference.beam_angle_deg)) > 0.5 || std::abs(reference.source_position_cm.norm() - sad_cm) > 0.5)
            throw bad_input("source_position_cm and beam_angle_deg contradict each other", reference.name,
                            "A turned source must lie 100 cm from the origin at the stated angle to the z axis");
    }
    // u and v: x and y turned by the smallest rotation that takes z to the beam axis.
    const Mat3 turn = Eigen::Quaterniond::FromTwoVectors(Vec3(0, 0, 1), axis).toRotationMatrix();
    CaseBeam beam;
    beam.along_z = reference.beam_angle_deg == 0;
    beam.map.frame.axes << turn.col(0), turn.col(1), -axis;
    beam.map.frame.source_axis_distance_mm = sad_cm * mm_per_cm;
    beam.map.frame.isocentre_mm = (reference.source_position_cm + sad_cm * axis) * mm_per_cm;
    FluenceMap& map = beam.map;
    map.pixel_mm = 0.5;
    const double low_u = reference.field_x_cm[0] * mm_per_cm, high_u = reference.field_x_cm[1] * mm_per_cm;
    const double low_v = reference.field_y_cm[0] * mm_per_cm, high_v = reference.field_y_cm[1] * mm_per_cm;
    if (!(high_u > low_u) || !(high_v > low_v)) throw bad_input("the field is empty", reference.name);
    map.lower_u_mm = std::floor(low_u) - 1, map.lower_v_mm = std::floor(low_v) - 1;
    map.size_u = static_cast<int>(std::ceil((high_u + 1 - map.lower_u_mm) / map.pixel_mm));
    map.size_v = static_cast<int>(std::ceil((high_v + 1 - map.lower_v_mm) / map.pixel_mm));
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), 0.0f);
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u) {
            const double u0 = map.lower_u_mm + u * map.pixel_mm, v0 = map.lower_v_mm + v * map.pixel_mm;
            const double open =
                physics::overlap(u0, u0 + map.pixel_mm, low_u, high_u) * physics::overlap(v0, v0 + map.pixel_mm, low_v, high_v) / (map.pixel_mm * map.pixel_mm);
            const double uc = (u0 + 0.5 * map.pixel_mm) / (sad_cm * mm_per_cm), vc = (v0 + 0.5 * map.pixel_mm) / (sad_cm * mm_per_cm);
            map.at(u, v) = static_cast<float>(open / (1 + uc * uc + vc * vc));
        }
    return beam;
}

DensityGrid case_density(const ReferenceCase& reference, const MaterialTable& materials, double grid_mm) {
    Edges edges;
    for (std::size_t axis = 0; axis < 3; ++axis)
        for (const double edge : reference.edges_cm[axis]) edges[axis].push_back(edge * mm_per_cm);
    DensityGrid density;
    Grid& grid = density.grid;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const double extent = edges[axis].back() - edges[axis].front();
        grid.spacing_mm[static_cast<int>(axis)] = grid_mm;
        grid.size[axis] = std::max(1, static_cast<int>(std::ceil(extent / grid_mm - 1e-6)));
        grid.origin_mm[static_cast<int>(axis)] = edges[axis].front() + 0.5 * grid_mm;
    }
    std::vector<MaterialProperties> properties;
    for (const std::string& text : reference.materials) properties.push_back(materials.by_name(material_name(text, reference.name)));
    const std::size_t count = reference.density_g_cm3.size();
    std::vector<float> water(count), high_z(count), electrons(count);
    for (std::size_t v = 0; v < count; ++v) {
        if (reference.material_index[v] >= properties.size()) throw bad_input("material_index out of range", reference.name);
        const MaterialProperties& p = properties[reference.material_index[v]];
        const double rho = static_cast<double>(reference.density_g_cm3[v]);
        water[v] = static_cast<float>(rho * p.water_part);
        high_z[v] = static_cast<float>(rho * p.high_z_part);
        electrons[v] = static_cast<float>(rho * p.electrons_per_gram);
    }
    const Edges to = uniform_edges(grid);
    density.density = average_overlap(edges, reference.density_g_cm3, to, 0.0f);
    density.water_part = average_overlap(edges, water, to, 0.0f);
    density.high_z_part = average_overlap(edges, high_z, to, 0.0f);
    density.electron_density = average_overlap(edges, electrons, to, 0.0f);
    density.inside.assign(grid.voxel_count(), 1.0f);
    return density;
}

/// Average of a voxel dose over any box, from its integral.
class DoseIntegral {
public:
    DoseIntegral(const Grid& grid, const std::vector<float>& dose) : grid_(grid) {
        for (std::size_t axis = 0; axis < 3; ++axis) n_[axis] = static_cast<std::size_t>(grid.size[axis]) + 1;
        sum_.assign(n_[0] * n_[1] * n_[2], 0.0);
        for (std::size_t k = 1; k < n_[2]; ++k)
            for (std::size_t j = 1; j < n_[1]; ++j) {
                double row = 0;
                for (std::size_t i = 1; i < n_[0]; ++i) {
                    row += static_cast<double>(dose[((k - 1) * (n_[1] - 1) + j - 1) * (n_[0] - 1) + i - 1]);
                    sum_[at(i, j, k)] = row + sum_[at(i, j - 1, k)] + sum_[at(i, j, k - 1)] - sum_[at(i, j - 1, k - 1)];
                }
            }
    }
    bool contains(const Vec3& low, const Vec3& high) const {
        return ((low - grid_.lower_edge_mm()).array() >= -1e-6).all() && ((grid_.upper_edge_mm() - high).array() >= -1e-6).all();
    }
    double average(const Vec3& low, const Vec3& high) const {
        const Vec3 a = (low - grid_.lower_edge_mm()).cwiseQuotient(grid_.spacing_mm), b = (high - grid_.lower_edge_mm()).cwiseQuotient(grid_.spacing_mm);
        double sum = 0;
        for (int corner = 0; corner < 8; ++corner) {
            const Vec3 p(corner & 1 ? b[0] : a[0], corner & 2 ? b[1] : a[1], corner & 4 ? b[2] : a[2]);
            const int lows = 3 - (corner & 1) - ((corner >> 1) & 1) - ((corner >> 2) & 1);
            sum += (lows % 2 ? -1.0 : 1.0) * integral(p);
        }
        return sum / (b - a).prod();
    }

private:
    std::size_t at(std::size_t i, std::size_t j, std::size_t k) const { return (k * n_[1] + j) * n_[0] + i; }
    double integral(const Vec3& p) const {
        std::array<std::size_t, 3> low{};
        std::array<double, 3> part{};
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const double x = std::clamp(p[static_cast<int>(axis)], 0.0, static_cast<double>(n_[axis] - 1));
            low[axis] = std::min(static_cast<std::size_t>(x), n_[axis] - 2);
            part[axis] = x - static_cast<double>(low[axis]);
        }
        double sum = 0;
        for (std::size_t c = 0; c < 8; ++c) {
            const std::size_t i = c & 1, j = (c >> 1) & 1, k = (c >> 2) & 1;
            sum += (i ? part[0] : 1 - part[0]) * (j ? part[1] : 1 - part[1]) * (k ? part[2] : 1 - part[2]) * sum_[at(low[0] + i, low[1] + j, low[2] + k)];
        }
        return sum;
    }

    Grid grid_;
    std::array<std::size_t, 3> n_{};
    std::vector<double> sum_;
};

struct Accumulator {
    std::size_t n = 0;
    double d = 0, dd = 0, m = 0, mm = 0, largest = 0, noise = 0;
    void add(double local, double of_maximum, double sigma) {
        ++n;
        d += local, dd += local * local, m += of_maximum, mm += of_maximum * of_maximum;
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
        s.sd_percent_of_maximum = std::sqrt(std::max(0.0, mm / count - s.mean_percent_of_maximum * s.mean_percent_of_maximum));
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

/// Does the voxel reach gamma <= 1 by moving the averaging box? Steps of a tenth of a millimetre: at a sharp field edge the
/// dose changes by a percent within a tenth.
bool passes(const DoseIntegral& integral, const Vec3& low, const Vec3& high, double dose, double tolerance, double distance_mm) {
    if (std::abs(integral.average(low, high) - dose) <= tolerance) return true;
    // Far from agreement the fine search is spared: the averages on a coarse raster, with a quarter of their range to spare, must
    // reach the tolerance.
    constexpr int coarse = 3;
    double low_dose = integral.average(low, high), high_dose = low_dose;
    for (int c = -coarse; c <= coarse; ++c)
        for (int b = -coarse; b <= coarse; ++b)
            for (int a = -coarse; a <= coarse; ++a) {
                const Vec3 shift = Vec3(a, b, c) * (distance_mm / coarse);
                if (a * a + b * b + c * c > coarse * coarse || !integral.contains(low + shift, high + shift)) continue;
                const double value = integral.average(low + shift, high + shift);
                low_dose = std::min(low_dose, value), high_dose = std::max(high_dose, value);
            }
    const double spare = 0.25 * (high_dose - low_dose);
    if (dose < low_dose - spare - tolerance || dose > high_dose + spare + tolerance) return false;
    constexpr double step = 0.1;
    const int steps = static_cast<int>(std::lround(distance_mm / step));
    for (int c = -steps; c <= steps; ++c)
        for (int b = -steps; b <= steps; ++b)
            for (int a = -steps; a <= steps; ++a) {
                const double part = (a * a + b * b + c * c) / (static_cast<double>(steps) * steps);
                if (part > 1) continue;
                const Vec3 shift(a * step, b * step, c * step);
                if (!integral.contains(low + shift, high + shift)) continue;
                const double difference = (integral.average(low + shift, high + shift) - dose) / tolerance;
                if (difference * difference + part <= 1 + 1e-12) return true;
            }
    return false;
}

}  // namespace

std::string model_name_for(const ReferenceCase& reference) {
    int megavolts = 0;
    for (const char c : reference.source_spectrum) {
        if (c < '0' || c > '9') break;
        megavolts = 10 * megavolts + (c - '0');
    }
    if (megavolts == 0) throw bad_input("the spectrum \"" + reference.source_spectrum + "\" does not begin with its nominal energy", reference.name);
    return "generic-" + std::to_string(megavolts) + "MV";
}

ValidationResult validate(const ReferenceCase& reference, const BeamModel& model, const MaterialTable& materials, const ValidationOptions& options) {
    const auto size = reference.size();
    double finest = 1e30;
    for (const auto& edges : reference.edges_cm)
        for (std::size_t i = 0; i + 1 < edges.size(); ++i) finest = std::min(finest, (edges[i + 1] - edges[i]) * mm_per_cm);
    ValidationResult result;
    result.name = reference.name;
    result.engine = to_string(options.algorithm);
    result.quality = to_string(options.quality);
    result.model = model.name;
    result.grid_mm = options.grid_mm > 0 ? options.grid_mm : std::clamp(finest, 1.0, 2.5);

    const ThreadLimit limit(options.threads);
    const DensityGrid density = case_density(reference, materials, result.grid_mm);
    const CaseBeam beam = case_beam(reference);
    const auto begin = std::chrono::steady_clock::now();
    ComputeOptions compute;
    compute.algorithm = options.algorithm;
    compute.quality = options.quality;
    const std::vector<float> dose = compute_dose(density, {beam.map}, model, compute);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

    Edges edges_mm;
    for (std::size_t axis = 0; axis < 3; ++axis)
        for (const double edge : reference.edges_cm[axis]) edges_mm[axis].push_back(edge * mm_per_cm);
    result.calculated = average_overlap(uniform_edges(density.grid), dose, edges_mm, 0.0f);
    const DoseIntegral integral(density.grid, dose);

    std::size_t maximum_index = 0;
    for (std::size_t v = 0; v < reference.dose.size(); ++v)
        if (static_cast<double>(reference.relative_uncertainty[v]) < largest_sigma && static_cast<double>(reference.dose[v]) > result.maximum) {
            result.maximum = static_cast<double>(reference.dose[v]);
            maximum_index = v;
        }
    if (!(result.maximum > 0)) throw bad_input("no voxel has a dose with an uncertainty below 2 %", reference.name);
    const auto nx = static_cast<std::size_t>(size[0]), ny = static_cast<std::size_t>(size[1]);

    // Depth of the maximum of the column through it: what lies before it is build-up.
    const std::size_t maximum_k = maximum_index / (nx * ny);
    const double maximum_depth_mm = 0.5 * (edges_mm[2][maximum_k] + edges_mm[2][maximum_k + 1]);

    std::map<std::string, Accumulator> regions;
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
                const std::size_t v = (static_cast<std::size_t>(k) * ny + static_cast<std::size_t>(j)) * nx + static_cast<std::size_t>(i);
                const double dose_reference = static_cast<double>(reference.dose[v]), sigma = static_cast<double>(reference.relative_uncertainty[v]);
                const std::array<std::size_t, 3> index{static_cast<std::size_t>(i), static_cast<std::size_t>(j), static_cast<std::size_t>(k)};
                Vec3 low, high;
                for (std::size_t axis = 0; axis < 3; ++axis) {
                    low[static_cast<int>(axis)] = edges_mm[axis][index[axis]];
                    high[static_cast<int>(axis)] = edges_mm[axis][index[axis] + 1];
                }
                if (dose_reference > 0.1 * result.maximum && sigma < largest_sigma) judged.push_back({v, low, high});
                // Out of the field the reference is noisy voxel by voxel; its mean is what counts there.
                const auto p = frame.project(0.5 * (low + high));
                const double scale = p.distance_mm / frame.source_axis_distance_mm;
                const auto inside = [&](double margin_cm) {
                    const double m = margin_cm * mm_per_cm / scale;
                    return p.u_mm > reference.field_x_cm[0] * mm_per_cm + m && p.u_mm < reference.field_x_cm[1] * mm_per_cm - m &&
                           p.v_mm > reference.field_y_cm[0] * mm_per_cm + m && p.v_mm < reference.field_y_cm[1] * mm_per_cm - m;
                };
                const double difference = static_cast<double>(result.calculated[v]) - dose_reference;
                const double local = dose_reference > 0 ? 100 * difference / dose_reference : 0, of_maximum = 100 * difference / result.maximum;
                const bool certain = sigma < largest_sigma && dose_reference > 0;
                if (inside(edge_margin_cm)) {
                    if (!certain) continue;
                    const bool build_up = beam.along_z && 0.5 * (low[2] + high[2]) < maximum_depth_mm;
                    regions[build_up ? "build-up" : "in-field"].add(local, of_maximum, 100 * sigma);
                    if (!build_up)
                        regions["material: " + material_name(reference.materials[reference.material_index[v]], reference.name)].add(local, of_maximum,
                                                                                                                                    100 * sigma);
                } else if (inside(-edge_margin_cm)) {
                    if (certain) regions["penumbra"].add(local, of_maximum, 100 * sigma);
                } else if (inside(-5.0)) {
                    regions["out-of-field"].add(local, of_maximum, 100 * sigma);
                }
            }
    result.evaluated = judged.size();
    if (judged.empty()) throw bad_input("no voxel is above 10 % of the maximum with an uncertainty below 2 %", reference.name);

#pragma omp parallel for schedule(dynamic, 64)
    for (std::size_t n = 0; n < judged.size(); ++n) {
        const Judged& voxel = judged[n];
        const double dose_reference = static_cast<double>(reference.dose[voxel.voxel]);
        const double widening = 2 * static_cast<double>(reference.relative_uncertainty[voxel.voxel]) * dose_reference;
        for (std::size_t c = 0; c < std::size(criteria); ++c) {
            const double tolerance = criteria[c].dose_percent / 100 * result.maximum;
            const bool raw = passes(integral, voxel.low, voxel.high, dose_reference, tolerance, criteria[c].distance_mm);
            const bool widened = raw || passes(integral, voxel.low, voxel.high, dose_reference, tolerance + widening, criteria[c].distance_mm);
#pragma omp atomic
            pass_raw[c] += raw ? 1 : 0;
#pragma omp atomic
            pass[c] += widened ? 1 : 0;
        }
    }
    for (std::size_t c = 0; c < std::size(criteria); ++c) {
        result.gamma[criteria[c].name] = 100.0 * static_cast<double>(pass[c]) / static_cast<double>(judged.size());
        result.gamma_raw[criteria[c].name] = 100.0 * static_cast<double>(pass_raw[c]) / static_cast<double>(judged.size());
    }
    for (const auto& [name, accumulator] : regions) result.regions[name] = accumulator.statistics();

    if (beam.along_z) {
        for (int k = 0; k < size[2]; ++k) {
            const double depth = 0.5 * (reference.edges_cm[2][static_cast<std::size_t>(k)] + reference.edges_cm[2][static_cast<std::size_t>(k) + 1]);
            // The voxel that the ray through the field's middle crosses at this depth.
            const double scale = (depth - reference.source_position_cm[2]) / 100;
            const auto column = [&](std::size_t axis, double middle, double source) {
                const double x = source + middle * scale;
                const auto& e = reference.edges_cm[axis];
                const auto upper = static_cast<std::size_t>(std::upper_bound(e.begin(), e.end() - 1, x) - e.begin());
                return std::min(upper > 0 ? upper - 1 : 0, e.size() - 2);
            };
            const std::size_t i = column(0, 0.5 * (reference.field_x_cm[0] + reference.field_x_cm[1]), reference.source_position_cm[0]);
            const std::size_t j = column(1, 0.5 * (reference.field_y_cm[0] + reference.field_y_cm[1]), reference.source_position_cm[1]);
            const std::size_t v = (static_cast<std::size_t>(k) * ny + j) * nx + i;
            result.axis.push_back({depth, static_cast<double>(reference.dose[v]), static_cast<double>(result.calculated[v]),
                                   static_cast<double>(reference.relative_uncertainty[v]) * static_cast<double>(reference.dose[v])});
        }
    }
    return result;
}

}  // namespace libdose
