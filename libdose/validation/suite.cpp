// The tables of tolerances of the standards, evaluated on a Monte Carlo case (docs/validation/suites.md).
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "analysis/box_gamma.h"
#include "base/units.h"
#include "libdose/error.h"
#include "libdose/validate.h"
#include "validation/case_phantom.h"

namespace libdose {

namespace {

constexpr double no_limit = std::numeric_limits<double>::infinity();
constexpr double largest_sigma = 0.02;

/// Mean and spread of deviations whose reference is noisy.
struct Deviations {
    std::size_t n = 0;
    double sum = 0, squares = 0, noise = 0;
    void add(double value, double sigma) {
        ++n;
        sum += value;
        squares += value * value;
        noise += sigma * sigma;
    }
    double mean() const { return n ? sum / static_cast<double>(n) : 0; }
    double sd() const {  // beyond the reference's own noise
        const double count = static_cast<double>(n);
        return n ? std::sqrt(std::max(0.0, squares / count - mean() * mean() - noise / count)) : 0;
    }
    double limit(double spreads) const { return std::abs(mean()) + spreads * sd(); }
};

struct Share {
    std::size_t n = 0, good = 0;
    void add(bool ok) {
        ++n;
        good += ok ? 1 : 0;
    }
    double percent() const { return n ? 100.0 * static_cast<double>(good) / static_cast<double>(n) : 0; }
};

enum class Geometry { simple, complex, more_complex };

/// What the suites ask of a case, gathered once.
struct Findings {
    Geometry geometry = Geometry::simple;
    bool heterogeneous = false, off_axis = false, oblique = false, lung = false, metal = false;
    double field_cm = 0;  // shorter side
    Deviations axis, axis_of_maximum, axis_beyond_lung, inside, inside_of_axis, outside_of_axis,
        outside_of_maximum, build_up_of_axis;
    std::map<std::string, Deviations> materials;
    std::array<Share, 2> gradient;  // build-up on the axis and penumbra: 2 mm or 10 %, 3 mm or 15 %
    Share first_5mm;                // 2 % of the maximum or 1 mm
    Share high_dose_2, high_dose_5;
    Deviations width, fringe;  // mm, per layer and profile
};

double at_level(const std::vector<double>& x, const std::vector<double>& profile, double level, bool rising) {
    const std::size_t n = profile.size();
    const std::size_t middle =
        static_cast<std::size_t>(std::max_element(profile.begin(), profile.end()) - profile.begin());
    if (rising) {
        for (std::size_t i = middle; i > 0; --i)
            if (profile[i - 1] < level && profile[i] >= level)
                return x[i - 1] +
                       (level - profile[i - 1]) / (profile[i] - profile[i - 1]) * (x[i] - x[i - 1]);
    } else {
        for (std::size_t i = middle; i + 1 < n; ++i)
            if (profile[i + 1] < level && profile[i] >= level)
                return x[i] + (profile[i] - level) / (profile[i] - profile[i + 1]) * (x[i + 1] - x[i]);
    }
    return std::nan("");
}

/// The layer's middle, cm, and how much larger a field is there than at the isocentre.
struct Layer {
    std::size_t index = 0;
    double z_cm = 0, scale = 1;
};

Layer layer_of(const ReferenceCase& reference, std::size_t k) {
    const double z = 0.5 * (reference.edges_cm[2][k] + reference.edges_cm[2][k + 1]);
    return {k, z, (z - reference.source_position_cm[2]) / 100};
}

/// Calculated and reference dose along x or y at one depth, mm.
struct ProfilePair {
    std::vector<double> x_mm, calculated, reference;
};

/// Along axis 0 or 1; rows inside 60 % of the field are averaged, so that the reference's noise does not move
/// the edges. Empty where there is no such row.
ProfilePair profiles_along(std::size_t along, const Layer& layer, const ReferenceCase& reference,
                           const ValidationResult& result) {
    const auto size = reference.size();
    const auto nx = static_cast<std::size_t>(size[0]), ny = static_cast<std::size_t>(size[1]);
    const std::size_t across = 1 - along;
    const auto& field = across == 0 ? reference.field_x_cm : reference.field_y_cm;
    const auto &edges = reference.edges_cm[along], &rows_at = reference.edges_cm[across];
    const double middle = 0.5 * (field[0] + field[1]) * layer.scale,
                 reach = 0.3 * (field[1] - field[0]) * layer.scale;
    ProfilePair profiles;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
        double calculated = 0, measured = 0;
        std::size_t rows = 0;
        for (std::size_t j = 0; j + 1 < rows_at.size(); ++j) {
            const double y = 0.5 * (rows_at[j] + rows_at[j + 1]);
            if (std::abs(y - middle) > reach) continue;
            const std::size_t v = (layer.index * ny + (along == 0 ? j : i)) * nx + (along == 0 ? i : j);
            calculated += static_cast<double>(result.calculated[v]);
            measured += static_cast<double>(reference.dose[v]);
            ++rows;
        }
        if (rows == 0) return {};
        profiles.x_mm.push_back(0.5 * (edges[i] + edges[i + 1]) * mm_per_cm);
        profiles.calculated.push_back(calculated / static_cast<double>(rows));
        profiles.reference.push_back(measured / static_cast<double>(rows));
    }
    return profiles;
}

/// Where a profile has 50 % (left, right) and 90 % (left, right) of its own dose in the middle of the field,
/// mm; NaN where it does not.
std::array<double, 4> levels_of(const std::vector<double>& x_mm, const std::vector<double>& profile,
                                const std::array<double, 2>& field_cm, double scale) {
    const double centre = 0.5 * (field_cm[0] + field_cm[1]) * scale * mm_per_cm;
    const double half = std::max(0.15 * (field_cm[1] - field_cm[0]) * scale * mm_per_cm, 2.6);
    double sum = 0;
    std::size_t n = 0;
    for (std::size_t i = 0; i < x_mm.size(); ++i)
        if (std::abs(x_mm[i] - centre) < half) {
            sum += profile[i];
            ++n;
        }
    const double full = n ? sum / static_cast<double>(n) : std::nan("");
    return {at_level(x_mm, profile, 0.5 * full, true), at_level(x_mm, profile, 0.5 * full, false),
            at_level(x_mm, profile, 0.9 * full, true), at_level(x_mm, profile, 0.9 * full, false)};
}

void add_profile(Findings& f, const ProfilePair& profiles, const std::array<double, 2>& field_cm,
                 double scale) {
    const auto a = levels_of(profiles.x_mm, profiles.calculated, field_cm, scale),
               b = levels_of(profiles.x_mm, profiles.reference, field_cm, scale);
    const double width = (a[1] - a[0]) - (b[1] - b[0]);
    if (std::isfinite(width)) f.width.add(width, 0);
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
        const double fringe = std::abs(a[2 + side] - a[side]) - std::abs(b[2 + side] - b[side]);
        if (std::isfinite(fringe)) f.fringe.add(fringe, 0);
    }
}

/// Radiological width and beam fringe of the profiles along x and y, every layer beyond the maximum, up to
/// the first one without a row in the field.
void add_profiles(Findings& f, const ReferenceCase& reference, const ValidationResult& result) {
    const auto layers = static_cast<std::size_t>(reference.size()[2]);
    for (std::size_t k = 0; k < layers; ++k) {
        const Layer layer = layer_of(reference, k);
        if (layer.z_cm * mm_per_cm < result.maximum_depth_mm) continue;
        for (const std::size_t along : {std::size_t{0}, std::size_t{1}}) {
            const ProfilePair profiles = profiles_along(along, layer, reference, result);
            if (profiles.x_mm.empty()) return;
            add_profile(f, profiles, along == 0 ? reference.field_x_cm : reference.field_y_cm, layer.scale);
        }
    }
}

/// What the case is: its field, its materials and how complicated it is. `names`: of the materials.
void describe(Findings& f, const ReferenceCase& reference, const std::vector<std::string>& names) {
    const double centre_u = 5 * (reference.field_x_cm[0] + reference.field_x_cm[1]),
                 centre_v = 5 * (reference.field_y_cm[0] + reference.field_y_cm[1]);
    f.field_cm = std::min(reference.field_x_cm[1] - reference.field_x_cm[0],
                          reference.field_y_cm[1] - reference.field_y_cm[0]);
    f.off_axis = std::abs(centre_u) > 1 || std::abs(centre_v) > 1;
    f.oblique = reference.beam_angle_deg != 0;
    std::vector<bool> present(names.size(), false);
    for (const unsigned char index : reference.material_index) present[index] = true;
    std::size_t media = 0;
    for (std::size_t m = 0; m < names.size(); ++m)
        if (present[m] && names[m] != "air") {
            ++media;
            f.lung |= names[m] == "lung";
            f.metal |= names[m] == "titanium" || names[m] == "steel";
        }
    f.heterogeneous = media > 1;
    const int complications = (f.heterogeneous ? 1 : 0) + (f.off_axis ? 1 : 0) + (f.oblique ? 1 : 0);
    f.geometry = complications == 0   ? Geometry::simple
                 : complications == 1 ? Geometry::complex
                                      : Geometry::more_complex;
}

/// A voxel of the reference beside the calculated dose.
struct Voxel {
    std::size_t index = 0, layer = 0;
    Vec3 low, high;    ///< mm
    double dose = 0;   ///< of the reference
    double sigma = 0;  ///< of the reference, percent
    double difference = 0;
    bool on_axis = false;
    bool certain() const { return sigma < 100 * largest_sigma; }
};

/// The voxels of a case, and what the suites ask of each.
class Gatherer {
public:
    Gatherer(const ReferenceCase& reference, const ValidationResult& result)
        : reference_(reference),
          result_(result),
          beam_(case_beam(reference)),
          edges_(case_edges_mm(reference)),
          boxes_(result.dose.grid, result.dose.values),
          size_{static_cast<std::size_t>(reference.size()[0]), static_cast<std::size_t>(reference.size()[1]),
                static_cast<std::size_t>(reference.size()[2])},
          centre_u_mm_(5 * (reference.field_x_cm[0] + reference.field_x_cm[1])),
          centre_v_mm_(5 * (reference.field_y_cm[0] + reference.field_y_cm[1])) {
        for (const std::string& text : reference.materials)
            names_.push_back(case_material_name(text, reference.name));
    }

    Findings run() {
        describe(f_, reference_, names_);
        if (beam_.along_z && f_.lung) lung_ends_mm_ = end_of_lung_mm();
        for (std::size_t k = 0; k < size_[2]; ++k)
            for (std::size_t j = 0; j < size_[1]; ++j)
                for (std::size_t i = 0; i < size_[0]; ++i) {
                    const std::size_t v = index_of(i, j, k);
                    if (result_.region[v] != Region::none && reference_.dose[v] > 0) add(voxel_at({i, j, k}));
                }
        if (beam_.along_z) add_profiles(f_, reference_, result_);
        return std::move(f_);
    }

private:
    std::size_t index_of(std::size_t i, std::size_t j, std::size_t k) const {
        return (k * size_[1] + j) * size_[0] + i;
    }

    /// The last depth of lung on the axis, for a beam along z.
    double end_of_lung_mm() const {
        const auto cell = [&](std::size_t axis, double at) {
            return static_cast<std::size_t>(
                       std::upper_bound(edges_[axis].begin(), edges_[axis].end() - 1, at) -
                       edges_[axis].begin()) -
                   1;
        };
        double end = no_limit;
        for (std::size_t k = 0; k < size_[2]; ++k) {
            const double z = 0.5 * (edges_[2][k] + edges_[2][k + 1]), scale = (z + 1000) / 1000;
            const std::size_t v = index_of(cell(0, centre_u_mm_ * scale), cell(1, centre_v_mm_ * scale), k);
            if (names_[reference_.material_index[v]] == "lung") end = edges_[2][k + 1];
        }
        return end;
    }

    Voxel voxel_at(const std::array<std::size_t, 3>& at) const {
        Voxel voxel;
        voxel.index = index_of(at[0], at[1], at[2]);
        voxel.layer = at[2];
        for (std::size_t axis = 0; axis < 3; ++axis) {
            voxel.low[static_cast<int>(axis)] = edges_[axis][at[axis]];
            voxel.high[static_cast<int>(axis)] = edges_[axis][at[axis] + 1];
        }
        const physics::BeamFrame& frame = beam_.map.frame;
        const auto p = frame.project(0.5 * (voxel.low + voxel.high));
        const double magnification = p.distance_mm / frame.source_axis_distance_mm;
        const Vec3 size = voxel.high - voxel.low;
        voxel.on_axis = std::abs(p.u_mm - centre_u_mm_) * magnification < 0.75 * size[0] &&
                        std::abs(p.v_mm - centre_v_mm_) * magnification < 0.75 * size[1];
        voxel.dose = static_cast<double>(reference_.dose[voxel.index]);
        voxel.sigma = 100 * static_cast<double>(reference_.relative_uncertainty[voxel.index]);
        voxel.difference = static_cast<double>(result_.calculated[voxel.index]) - voxel.dose;
        return voxel;
    }

    double local_percent(const Voxel& v) const { return 100 * v.difference / v.dose; }
    double percent_of_maximum(const Voxel& v) const { return 100 * v.difference / result_.maximum; }
    double share_of_maximum(const Voxel& v) const { return v.dose / result_.maximum; }
    void add_of_maximum(Deviations& to, const Voxel& v) const {
        to.add(percent_of_maximum(v), v.sigma * share_of_maximum(v));
    }

    void add(const Voxel& v) {
        switch (result_.region[v.index]) {
            case Region::build_up:
                if (v.certain()) add_build_up(v);
                break;
            case Region::in_field:
                if (v.certain()) add_in_field(v);
                break;
            case Region::penumbra:
                if (v.certain() && !(share_of_maximum(v) < 0.1)) add_gradient(v);
                break;
            case Region::out_of_field:
                add_outside(v);
                break;
            case Region::none:
                break;
        }
    }

    void add_build_up(const Voxel& v) {
        add_of_maximum(f_.build_up_of_axis, v);
        if (v.on_axis) add_gradient(v);
        if (!(v.high[2] <= 5.0 + 1e-6)) return;
        f_.first_5mm.add(std::abs(percent_of_maximum(v)) <= 2 + 2 * v.sigma * share_of_maximum(v) ||
                         box_gamma_passes(boxes_, v.low, v.high, v.dose,
                                          2 * v.sigma / 100 * v.dose + 1e-3 * result_.maximum, 1.0));
    }

    void add_in_field(const Voxel& v) {
        const double local = local_percent(v);
        f_.materials[names_[reference_.material_index[v.index]]].add(local, v.sigma);
        f_.high_dose_2.add(std::abs(local) <= 2 + 2 * v.sigma);
        f_.high_dose_5.add(std::abs(local) <= 5 + 2 * v.sigma);
        if (!v.on_axis) {
            f_.inside.add(local, v.sigma);
            return add_of_maximum(f_.inside_of_axis, v);
        }
        f_.axis.add(local, v.sigma);
        add_of_maximum(f_.axis_of_maximum, v);
        if (v.low[2] >= lung_ends_mm_ - 1e-6) f_.axis_beyond_lung.add(local, v.sigma);
    }

    void add_gradient(const Voxel& v) {
        f_.gradient[0].add(within(v, 10, 2));
        f_.gradient[1].add(within(v, 15, 3));
    }

    bool within(const Voxel& v, double percent, double mm) const {
        return std::abs(local_percent(v)) <= percent ||
               box_gamma_passes(boxes_, v.low, v.high, v.dose, 1e-3 * result_.maximum, mm);
    }

    /// Of the reference on the axis at the same depth, and of the maximum; a beam that is not along z has the
    /// maximum for both.
    void add_outside(const Voxel& v) {
        const double axis = !beam_.along_z                  ? result_.maximum
                            : v.layer < result_.axis.size() ? result_.axis[v.layer].reference
                                                            : 0.0;
        if (axis > 0)
            f_.outside_of_axis.add(100 * v.difference / axis, v.sigma * (v.dose / axis));
        else
            f_.outside_of_axis.add(0, 0);
        add_of_maximum(f_.outside_of_maximum, v);
    }

    const ReferenceCase& reference_;
    const ValidationResult& result_;
    CaseBeam beam_;
    Edges edges_;
    BoxAverage boxes_;
    std::array<std::size_t, 3> size_;
    double centre_u_mm_, centre_v_mm_;  ///< of the field
    std::vector<std::string> names_;    ///< of the materials
    double lung_ends_mm_ = no_limit;
    Findings f_;
};

class Rows {
public:
    void at_most(const std::string& test, double value, double tolerance, const char* unit,
                 std::size_t points) {
        if (points > 0) rows_.push_back({test, value, tolerance, false, unit, points, value <= tolerance});
    }
    void at_least(const std::string& test, double value, double tolerance, const char* unit,
                  std::size_t points) {
        if (points > 0) rows_.push_back({test, value, tolerance, true, unit, points, value >= tolerance});
    }
    std::vector<SuiteRow> take() { return std::move(rows_); }

private:
    std::vector<SuiteRow> rows_;
};

/// Our own gates (docs/validation/monte-carlo.md).
std::vector<SuiteRow> gates(const Findings& f, const ReferenceCase& reference, const ValidationResult& r) {
    Rows rows;
    const RegionStatistics& field = r.regions.at("in-field");
    const bool high_energy = std::atof(reference.source_spectrum.c_str()) > 10;
    if (r.engine == "pencil-beam") {
        if (!f.heterogeneous) rows.at_least("gamma 2%/2mm", r.gamma.at("2%/2mm"), 98, "%", r.evaluated);
        return rows.take();
    }
    if (f.heterogeneous && high_energy && f.field_cm <= 3) {
        rows.at_least("gamma 3%/2mm", r.gamma.at("3%/2mm"), 95, "%", r.evaluated);
        rows.at_most("in-field mean", std::abs(field.mean_percent), 2.5, "%", field.voxels);
    } else {
        rows.at_least("gamma 2%/2mm", r.gamma.at("2%/2mm"), f.heterogeneous ? 98 : 99.5, "%", r.evaluated);
        rows.at_least("gamma 2%/1mm", r.gamma.at("2%/1mm"), f.heterogeneous ? 95 : 98, "%", r.evaluated);
        if (f.heterogeneous) {
            for (const auto& [name, deviations] : f.materials)
                rows.at_most("in-field mean, " + name, std::abs(deviations.mean()), 1, "%", deviations.n);
        } else {
            rows.at_most("in-field mean", std::abs(field.mean_percent), 0.7, "%", field.voxels);
        }
        rows.at_most("in-field SD beyond noise", field.sd_beyond_noise_percent, f.heterogeneous ? 1.5 : 0.7,
                     "%", field.voxels);
    }
    rows.at_least("first 5 mm: 2 % of maximum or 1 mm", f.first_5mm.percent(), 95, "%", f.first_5mm.n);
    rows.at_most("out of field to 5 cm, % of maximum", f.outside_of_maximum.limit(1), 0.5, "%",
                 f.outside_of_maximum.n);
    rows.at_most("beyond lung, axis mean", std::abs(f.axis_beyond_lung.mean()), 2, "%", f.axis_beyond_lung.n);
    return rows.take();
}

/// Venselaar, Welleweerd, Mijnheer, Radiother. Oncol. 60 (2001) 191, and ESTRO booklet 7: confidence limit
/// |mean| + 1.5 SD.
std::vector<SuiteRow> venselaar(const Findings& f) {
    constexpr double spreads = 1.5, share = 93.3;  // as many points lie within 1.5 SD on one side
    const auto column = static_cast<std::size_t>(f.geometry);
    const auto of = [&](double simple, double complex, double more) {
        return std::array<double, 3>{simple, complex, more}[column];
    };
    Rows rows;
    rows.at_most("δ1 axis, beyond the maximum", f.axis.limit(spreads), of(2, 3, 4), "%", f.axis.n);
    const std::size_t loose = f.geometry == Geometry::simple ? 0 : 1;
    rows.at_least(loose ? "δ2 build-up and penumbra, points within 3 mm or 15 %"
                        : "δ2 build-up and penumbra, points within 2 mm or 10 %",
                  f.gradient[loose].percent(), share, "%", f.gradient[loose].n);
    rows.at_most("δ3 off the axis, in the field", f.inside.limit(spreads), of(3, 3, 4), "%", f.inside.n);
    rows.at_most("δ4 outside the field, % of the axis", f.outside_of_axis.limit(spreads), of(3, 4, 5), "%",
                 f.outside_of_axis.n);
    rows.at_most("RW50 radiological width", f.width.limit(spreads), 2, "mm", f.width.n);
    rows.at_most("δ50-90 beam fringe", f.fringe.limit(spreads), of(2, 3, 3), "mm", f.fringe.n);
    return rows.take();
}

/// Fraass et al, AAPM TG-53, Med. Phys. 25 (1998) 1773, table 4-4: one standard deviation, percent of the
/// normalisation dose.
std::vector<SuiteRow> tg53(const Findings& f) {
    struct Line {
        const char* name;
        double axis, inner, outer, build_up;
    };
    const Line line =
        f.heterogeneous ? (f.off_axis || f.oblique || f.metal ? Line{"3-D inhomogeneity", 5, 7, 7, no_limit}
                                                              : Line{"slab inhomogeneity", 3, 5, 5, no_limit})
        : f.oblique     ? Line{"oblique surface", 1, 3, 5, 20}
        : f.off_axis    ? Line{"asymmetric field", 2, 3, 3, 20}
                        : Line{"square field", 1, 1.5, 2, 20};
    Rows rows;
    const std::string prefix = std::string(line.name) + ": ";
    rows.at_most(prefix + "central axis", f.axis_of_maximum.limit(1), line.axis, "%", f.axis_of_maximum.n);
    rows.at_most(prefix + "inner beam", f.inside_of_axis.limit(1), line.inner, "%", f.inside_of_axis.n);
    rows.at_most(prefix + "penumbra, width at half maximum", f.width.limit(1), f.heterogeneous ? 5 : 2, "mm",
                 f.width.n);
    rows.at_most(prefix + "outer beam", f.outside_of_maximum.limit(1), line.outer, "%",
                 f.outside_of_maximum.n);
    if (std::isfinite(line.build_up))
        rows.at_most(prefix + "build-up", f.build_up_of_axis.limit(1), line.build_up, "%",
                     f.build_up_of_axis.n);
    return rows.take();
}

/// Geurts et al, AAPM MPPG 5.b, J. Appl. Clin. Med. Phys. 23 (2022) e13641, as far as a water or slab phantom
/// can tell.
std::vector<SuiteRow> mppg5b(const Findings& f, const ValidationResult& r) {
    Rows rows;
    const bool several = f.heterogeneous || (f.off_axis && f.oblique);
    rows.at_least(several ? "5 high dose, points within 5 %" : "5 high dose, points within 2 %",
                  (several ? f.high_dose_5 : f.high_dose_2).percent(), 95, "%", f.high_dose_2.n);
    rows.at_most("5 penumbra, width at half maximum", f.width.limit(1), 2, "mm", f.width.n);
    rows.at_most("5 tail to 5 cm, % of maximum", f.outside_of_maximum.limit(1), 3, "%",
                 f.outside_of_maximum.n);
    rows.at_most("6.2 beyond lung", f.axis_beyond_lung.limit(1), 3, "%", f.axis_beyond_lung.n);
    if (f.field_cm <= 4)
        rows.at_most("7.1 small field depth dose", f.axis.limit(1), f.heterogeneous ? 5 : 2, "%", f.axis.n);
    rows.at_least("7 gamma 3%/2mm", r.gamma.at("3%/2mm"), 95, "%", r.evaluated);
    return rows.take();
}

}  // namespace

std::vector<std::string> suite_names() { return {"gates", "venselaar", "tg53", "mppg5b"}; }

std::map<std::string, std::vector<SuiteRow>> evaluate_suites(const std::vector<std::string>& suites,
                                                             const ReferenceCase& reference,
                                                             const ValidationResult& result) {
    const auto names = suite_names();
    for (const std::string& suite : suites)
        if (std::find(names.begin(), names.end(), suite) == names.end()) {
            std::string known;
            for (const auto& name : names) known += (known.empty() ? "" : ", ") + name;
            throw bad_input("unknown suite \"" + suite + "\"", "--suite", "Known: " + known);
        }
    std::map<std::string, std::vector<SuiteRow>> rows;
    if (suites.empty()) return rows;
    const Findings findings = Gatherer(reference, result).run();
    for (const std::string& suite : suites)
        rows[suite] = suite == "venselaar" ? venselaar(findings)
                      : suite == "tg53"    ? tg53(findings)
                      : suite == "mppg5b"  ? mppg5b(findings, result)
                                           : gates(findings, reference, result);
    return rows;
}

}  // namespace libdose
