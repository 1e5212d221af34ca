#include "libdose/leaf_design.h"

#include <algorithm>
#include <cmath>

#include "base/csv.h"
#include "base/interpolation.h"
#include "base/units.h"
#include "libdose/data.h"
#include "libdose/error.h"

namespace libdose {

namespace {

LeafDesign::Position position_from(const std::string& text, const std::string& file) {
    if (text == "tangent") return LeafDesign::Position::tangent;
    if (text == "half_fluence") return LeafDesign::Position::half_fluence;
    throw bad_input("the quantity \"position\" is \"" + text + "\"", file, "It is tangent or half_fluence");
}

LeafDesign read_design(const std::filesystem::path& file, const CsvTable& tungsten) {
    CsvQuantities values(file);
    LeafDesign design;
    design.name = file.stem().string();
    design.manufacturer = values.text("manufacturer");
    if (std::any_of(design.manufacturer.begin(), design.manufacturer.end(),
                    [](char c) { return !(c >= 'a' && c <= 'z'); }))
        throw bad_input("the quantity \"manufacturer\" is not one lower case word", file.string());
    design.device_type = values.optional_text("device_type");
    design.shared_with = values.optional_text("shared_with");
    design.position = position_from(values.text("position"), file.string());
    const int outer = static_cast<int>(values.number("outer_leaves_each_side", 0, 100)),
              central = static_cast<int>(values.number("central_leaves", 1, 200));
    // Leaves that are all alike need no outer ones.
    const double outer_width = outer > 0 ? values.number("outer_leaf_width_mm", 0.5, 100) : 0,
                 central_width = values.number("central_leaf_width_mm", 0.5, 50);
    double edge = -(0.5 * central * central_width + outer * outer_width);
    design.leaf_boundaries_mm.push_back(edge);
    for (int l = 0; l < 2 * outer + central; ++l)
        design.leaf_boundaries_mm.push_back(edge +=
                                            l < outer || l >= outer + central ? outer_width : central_width);
    design.source_distance_mm = values.number("source_distance_mm", 100, 900);
    design.tip_radius_mm = values.number("tip_radius_mm", 0, 10000);
    if (design.tip_radius_mm > 0 && design.tip_radius_mm < 1)
        throw bad_input("the quantity \"tip_radius_mm\" is less than 1", file.string(),
                        "0 is a flat end that the rays are parallel to");
    design.density_g_cm3 = values.number("density_g_cm3", 1, 25);
    design.tongue_and_groove_mm = values.number("tongue_and_groove_mm", 0, 0.9 * central_width);
    design.transmission = values.optional_number("transmission", 0, 0.2);
    design.interleaf_transmission = values.optional_number("interleaf_transmission", 0, 0.5);
    values.finish();
    for (const auto& row : tungsten.numbers) {
        design.energy_mev.push_back(row[0]);
        design.mu_cm2_g.push_back(row[1]);
    }
    return design;
}

}  // namespace

bool LeafDesign::fits(const MultileafCollimator& collimator) const {
    constexpr double tolerance_mm = 0.1;
    const auto& edges = collimator.leaf_boundaries_mm;
    return edges.size() == leaf_boundaries_mm.size() &&
           std::equal(edges.begin(), edges.end(), leaf_boundaries_mm.begin(),
                      [](double a, double b) { return std::abs(a - b) <= tolerance_mm; });
}

double LeafDesign::attenuation_per_mm(const Spectrum& spectrum) const {
    constexpr double thickness_cm = 1.0;  // about the half-value layer, which is what places the edge
    double before = 0, behind = 0;
    for (std::size_t e = 0; e < spectrum.energy_mev.size(); ++e) {
        const double energy = spectrum.fluence[e] * spectrum.energy_mev[e];
        before += energy;
        behind += energy * std::exp(-physics::table_value(energy_mev, mu_cm2_g, spectrum.energy_mev[e]) *
                                    density_g_cm3 * thickness_cm);
    }
    return -std::log(behind / before) / thickness_cm / mm_per_cm;
}

std::vector<LeafDesign> read_leaf_designs(const std::filesystem::path& folder) {
    const CsvTable tungsten =
        read_csv_table(folder / "tungsten.csv", {"energy_MeV", "mu_over_rho_nocoh_cm2_g"});
    std::vector<LeafDesign> designs;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".csv" && entry.path().stem() != "tungsten")
            designs.push_back(read_design(entry.path(), tungsten));
    std::sort(designs.begin(), designs.end(),
              [](const LeafDesign& a, const LeafDesign& b) { return a.name < b.name; });
    return designs;
}

std::vector<std::string> leaf_design_names() {
    std::vector<std::string> names;
    for (const LeafDesign& design : read_leaf_designs(data_folder() / "mlc")) names.push_back(design.name);
    return names;
}

}  // namespace libdose
