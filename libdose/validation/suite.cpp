// The tables of tolerances of the standards, evaluated on a Monte Carlo case (docs/validation/suites.md).
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "analysis/box_gamma.h"
#include "libdose/error.h"
#include "libdose/validate.h"
#include "validation/case_phantom.h"

namespace libdose {

namespace {

constexpr double mm_per_cm = 10.0, no_limit = std::numeric_limits<double>::infinity();
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

/// Radiological width and beam fringe of the profiles along x and y, every layer beyond the maximum; rows
/// inside 60 % of the field are averaged, so that the reference's noise does not move the edges.
void add_profiles(Findings& f, const ReferenceCase& reference, const ValidationResult& result) {
    const auto size = reference.size();
    const auto nx = static_cast<std::size_t>(size[0]), ny = static_cast<std::size_t>(size[1]);
    for (int k = 0; k < size[2]; ++k) {
        const double z = 0.5 * (reference.edges_cm[2][static_cast<std::size_t>(k)] +
                                reference.edges_cm[2][static_cast<std::size_t>(k) + 1]);
        if (z * mm_per_cm < result.maximum_depth_mm) continue;
        const double scale = (z - reference.source_position_cm[2]) / 100;
        for (const std::size_t along : {std::size_t{0}, std::size_t{1}}) {
            const std::size_t across = 1 - along;
            const auto& field = across == 0 ? reference.field_x_cm : reference.field_y_cm;
            const double middle = 0.5 * (field[0] + field[1]) * scale,
                         reach = 0.3 * (field[1] - field[0]) * scale;
            std::vector<double> x, mine, theirs;
            for (std::size_t i = 0; i + 1 < reference.edges_cm[along].size(); ++i) {
                double a = 0, b = 0;
                std::size_t rows = 0;
                for (std::size_t j = 0; j + 1 < reference.edges_cm[across].size(); ++j) {
                    const double y =
                        0.5 * (reference.edges_cm[across][j] + reference.edges_cm[across][j + 1]);
                    if (std::abs(y - middle) > reach) continue;
                    const std::size_t v =
                        (static_cast<std::size_t>(k) * ny + (along == 0 ? j : i)) * nx + (along == 0 ? i : j);
                    a += static_cast<double>(result.calculated[v]);
                    b += static_cast<double>(reference.dose[v]);
                    ++rows;
                }
                if (rows == 0) return;
                x.push_back(0.5 * (reference.edges_cm[along][i] + reference.edges_cm[along][i + 1]) *
                            mm_per_cm);
                mine.push_back(a / static_cast<double>(rows));
                theirs.push_back(b / static_cast<double>(rows));
            }
            // Levels of the dose in the middle of the field, each profile its own.
            const auto edges = [&](const std::vector<double>& profile) {
                const auto& f_along = along == 0 ? reference.field_x_cm : reference.field_y_cm;
                const double centre = 0.5 * (f_along[0] + f_along[1]) * scale * mm_per_cm;
                double sum = 0;
                std::size_t n = 0;
                for (std::size_t i = 0; i < x.size(); ++i)
                    if (std::abs(x[i] - centre) <
                        std::max(0.15 * (f_along[1] - f_along[0]) * scale * mm_per_cm, 2.6)) {
                        sum += profile[i];
                        ++n;
                    }
                const double full = n ? sum / static_cast<double>(n) : std::nan("");
                return std::array<double, 4>{
                    at_level(x, profile, 0.5 * full, true), at_level(x, profile, 0.5 * full, false),
                    at_level(x, profile, 0.9 * full, true), at_level(x, profile, 0.9 * full, false)};
            };
            const auto a = edges(mine), b = edges(theirs);
            const double width = (a[1] - a[0]) - (b[1] - b[0]);
            if (std::isfinite(width)) f.width.add(width, 0);
            for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
                const double fringe = std::abs(a[2 + side] - a[side]) - std::abs(b[2 + side] - b[side]);
                if (std::isfinite(fringe)) f.fringe.add(fringe, 0);
            }
        }
    }
}

Findings gather(const ReferenceCase& reference, const ValidationResult& result) {
    Findings f;
    const CaseBeam beam = case_beam(reference);
    const physics::BeamFrame& frame = beam.map.frame;
    const Edges edges = case_edges_mm(reference);
    const BoxAverage boxes(result.dose.grid, result.dose.values);
    const auto size = reference.size();
    const auto nx = static_cast<std::size_t>(size[0]), ny = static_cast<std::size_t>(size[1]);
    const double centre_u = 5 * (reference.field_x_cm[0] + reference.field_x_cm[1]),
                 centre_v = 5 * (reference.field_y_cm[0] + reference.field_y_cm[1]);
    f.field_cm = std::min(reference.field_x_cm[1] - reference.field_x_cm[0],
                          reference.field_y_cm[1] - reference.field_y_cm[0]);
    f.off_axis = std::abs(centre_u) > 1 || std::abs(centre_v) > 1;
    f.oblique = reference.beam_angle_deg != 0;
    std::vector<std::string> names;
    for (const std::string& text : reference.materials)
        names.push_back(case_material_name(text, reference.name));
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

    // Reference dose on the axis by depth layer, for what is normalised to it; and the last depth of lung on
    // the axis.
    std::vector<double> axis_dose(static_cast<std::size_t>(size[2]), 0.0);
    for (const AxisPoint& p : result.axis)
        axis_dose[static_cast<std::size_t>(&p - result.axis.data())] = p.reference;
    double lung_ends_mm = no_limit;
    if (beam.along_z && f.lung)
        for (int k = 0; k < size[2]; ++k) {
            const double z = 0.5 * (edges[2][static_cast<std::size_t>(k)] +
                                    edges[2][static_cast<std::size_t>(k) + 1]),
                         scale = (z + 1000) / 1000;
            const auto cell = [&](std::size_t axis, double at) {
                return static_cast<std::size_t>(
                           std::upper_bound(edges[axis].begin(), edges[axis].end() - 1, at) -
                           edges[axis].begin()) -
                       1;
            };
            const std::size_t v = (static_cast<std::size_t>(k) * ny + cell(1, centre_v * scale)) * nx +
                                  cell(0, centre_u * scale);
            if (names[reference.material_index[v]] == "lung")
                lung_ends_mm = edges[2][static_cast<std::size_t>(k) + 1];
        }

    for (int k = 0; k < size[2]; ++k)
        for (int j = 0; j < size[1]; ++j)
            for (int i = 0; i < size[0]; ++i) {
                const std::array<std::size_t, 3> index{
                    static_cast<std::size_t>(i), static_cast<std::size_t>(j), static_cast<std::size_t>(k)};
                const std::size_t v = (index[2] * ny + index[1]) * nx + index[0];
                if (result.region[v] == Region::none || !(reference.dose[v] > 0)) continue;
                Vec3 low, high;
                for (std::size_t axis = 0; axis < 3; ++axis) {
                    low[static_cast<int>(axis)] = edges[axis][index[axis]];
                    high[static_cast<int>(axis)] = edges[axis][index[axis] + 1];
                }
                const auto p = frame.project(0.5 * (low + high));
                const double magnification = p.distance_mm / frame.source_axis_distance_mm;
                const double theirs = static_cast<double>(reference.dose[v]),
                             sigma = 100 * static_cast<double>(reference.relative_uncertainty[v]);
                const double difference = static_cast<double>(result.calculated[v]) - theirs;
                const double local = 100 * difference / theirs,
                             of_maximum = 100 * difference / result.maximum;
                const double share_of_maximum = theirs / result.maximum;
                const double axis_here = beam.along_z ? axis_dose[index[2]] : result.maximum;
                const double of_axis = axis_here > 0 ? 100 * difference / axis_here : 0,
                             share_of_axis = axis_here > 0 ? theirs / axis_here : 0;
                const bool certain = sigma < 100 * largest_sigma;
                const bool on_axis =
                    std::abs(p.u_mm - centre_u) * magnification < 0.75 * (high[0] - low[0]) &&
                    std::abs(p.v_mm - centre_v) * magnification < 0.75 * (high[1] - low[1]);
                const auto within = [&](double percent, double mm) {
                    return std::abs(local) <= percent ||
                           box_gamma_passes(boxes, low, high, theirs, 1e-3 * result.maximum, mm);
                };
                switch (result.region[v]) {
                    case Region::build_up:
                        if (!certain) break;
                        f.build_up_of_axis.add(of_maximum, sigma * share_of_maximum);
                        if (on_axis) {
                            f.gradient[0].add(within(10, 2));
                            f.gradient[1].add(within(15, 3));
                        }
                        if (high[2] <= 5.0 + 1e-6)
                            f.first_5mm.add(std::abs(of_maximum) <= 2 + 2 * sigma * share_of_maximum ||
                                            box_gamma_passes(boxes, low, high, theirs,
                                                             2 * sigma / 100 * theirs + 1e-3 * result.maximum,
                                                             1.0));
                        break;
                    case Region::in_field:
                        if (!certain) break;
                        f.materials[names[reference.material_index[v]]].add(local, sigma);
                        f.high_dose_2.add(std::abs(local) <= 2 + 2 * sigma);
                        f.high_dose_5.add(std::abs(local) <= 5 + 2 * sigma);
                        if (on_axis) {
                            f.axis.add(local, sigma);
                            f.axis_of_maximum.add(of_maximum, sigma * share_of_maximum);
                            if (low[2] >= lung_ends_mm - 1e-6) f.axis_beyond_lung.add(local, sigma);
                        } else {
                            f.inside.add(local, sigma);
                            f.inside_of_axis.add(of_maximum, sigma * share_of_maximum);
                        }
                        break;
                    case Region::penumbra:
                        if (!certain || share_of_maximum < 0.1) break;
                        f.gradient[0].add(within(10, 2));
                        f.gradient[1].add(within(15, 3));
                        break;
                    case Region::out_of_field:
                        f.outside_of_axis.add(of_axis, sigma * share_of_axis);
                        f.outside_of_maximum.add(of_maximum, sigma * share_of_maximum);
                        break;
                    case Region::none:
                        break;
                }
            }
    if (beam.along_z) add_profiles(f, reference, result);
    return f;
}

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
    const Findings findings = gather(reference, result);
    for (const std::string& suite : suites)
        rows[suite] = suite == "venselaar" ? venselaar(findings)
                      : suite == "tg53"    ? tg53(findings)
                      : suite == "mppg5b"  ? mppg5b(findings, result)
                                           : gates(findings, reference, result);
    return rows;
}

}  // namespace libdose
