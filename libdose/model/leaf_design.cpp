#include "libdose/leaf_design.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "libdose/error.h"
#include "model/csv.h"
#include "physics/head.h"

namespace libdose {

namespace {

LeafDesign read_design(const std::filesystem::path& file, const CsvTable& tungsten) {
    const CsvTable csv = read_csv_table(file, {"quantity", "value"}, 1);
    std::map<std::string, double> values;
    for (std::size_t r = 0; r < csv.names.size(); ++r) values[csv.names[r]] = csv.numbers[r][0];
    const auto take = [&](const char* name, double low, double high) {
        const auto found = values.find(name);
        if (found == values.end()) throw bad_input(std::string("the quantity \"") + name + "\" is missing", file.string());
        const double value = found->second;
        if (!(value >= low && value <= high))
            throw bad_input(std::string("the quantity \"") + name + "\" is not between " + std::to_string(low) + " and " + std::to_string(high), file.string());
        values.erase(found);
        return value;
    };
    LeafDesign design;
    design.name = file.stem().string();
    const int outer = static_cast<int>(take("outer_leaves_each_side", 0, 100)), central = static_cast<int>(take("central_leaves", 1, 200));
    const double outer_width = take("outer_leaf_width_mm", 0.5, 50), central_width = take("central_leaf_width_mm", 0.5, 50);
    double edge = -(0.5 * central * central_width + outer * outer_width);
    design.leaf_boundaries_mm.push_back(edge);
    for (int l = 0; l < 2 * outer + central; ++l) design.leaf_boundaries_mm.push_back(edge += l < outer || l >= outer + central ? outer_width : central_width);
    design.source_distance_mm = take("source_distance_mm", 100, 900);
    design.tip_radius_mm = take("tip_radius_mm", 1, 10000);
    design.density_g_cm3 = take("density_g_cm3", 1, 25);
    design.tongue_and_groove_mm = take("tongue_and_groove_mm", 0, 0.9 * central_width);
    if (!values.empty()) throw bad_input("the quantity \"" + values.begin()->first + "\" is not known", file.string());
    for (const auto& row : tungsten.numbers) design.energy_mev.push_back(row[0]), design.mu_cm2_g.push_back(row[1]);
    return design;
}

}  // namespace

bool LeafDesign::fits(const MultileafCollimator& collimator) const {
    constexpr double tolerance_mm = 0.1;
    const auto& edges = collimator.leaf_boundaries_mm;
    return edges.size() == leaf_boundaries_mm.size() &&
           std::equal(edges.begin(), edges.end(), leaf_boundaries_mm.begin(), [](double a, double b) { return std::abs(a - b) <= tolerance_mm; });
}

double LeafDesign::attenuation_per_mm(const Spectrum& spectrum) const {
    constexpr double thickness_cm = 1.0, mm_per_cm = 10.0;  // about the half-value layer, which is what places the edge
    double before = 0, behind = 0;
    for (std::size_t e = 0; e < spectrum.energy_mev.size(); ++e) {
        const double energy = spectrum.fluence[e] * spectrum.energy_mev[e];
        before += energy;
        behind += energy * std::exp(-physics::table_value(energy_mev, mu_cm2_g, spectrum.energy_mev[e]) * density_g_cm3 * thickness_cm);
    }
    return -std::log(behind / before) / thickness_cm / mm_per_cm;
}

std::vector<LeafDesign> read_leaf_designs(const std::filesystem::path& folder) {
    const CsvTable tungsten = read_csv_table(folder / "tungsten.csv", {"energy_MeV", "mu_over_rho_nocoh_cm2_g"});
    std::vector<LeafDesign> designs;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".csv" && entry.path().stem() != "tungsten") designs.push_back(read_design(entry.path(), tungsten));
    std::sort(designs.begin(), designs.end(), [](const LeafDesign& a, const LeafDesign& b) { return a.name < b.name; });
    return designs;
}

}  // namespace libdose
