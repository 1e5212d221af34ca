#include "libdose/material.h"

#include <algorithm>
#include <cmath>

#include "base/csv.h"
#include "libdose/error.h"

namespace libdose {

MaterialProperties mixture(const MaterialProperties& a, const MaterialProperties& b, double part) {
    const auto blend = [&](double MaterialProperties::*value) {
        return a.*value + part * (b.*value - a.*value);
    };
    MaterialProperties result;
    result.density_g_cm3 = blend(&MaterialProperties::density_g_cm3);
    result.water_part = blend(&MaterialProperties::water_part);
    result.high_z_part = blend(&MaterialProperties::high_z_part);
    result.electrons_per_gram = blend(&MaterialProperties::electrons_per_gram);
    result.kernel_scaling = blend(&MaterialProperties::kernel_scaling);
    result.water_to_medium = blend(&MaterialProperties::water_to_medium);
    return result;
}

MaterialTable MaterialTable::read_csv(const std::filesystem::path& file) {
    const CsvTable csv = read_csv_table(file,
                                        {"material", "density_g_cm3", "water_part", "high_z_part",
                                         "electrons_per_gram", "kernel_scaling", "water_to_medium"},
                                        1);
    MaterialTable table;
    for (std::size_t r = 0; r < csv.names.size(); ++r) {
        table.names_.push_back(csv.names[r]);
        const std::vector<double>& n = csv.numbers[r];
        table.rows_.push_back({n[0], n[1], n[2], n[3], n[4], n[5]});
    }
    const auto rung = [&](const char* name, double density) {
        MaterialProperties row = table.by_name(name);
        row.density_g_cm3 = density;
        table.ladder_.push_back(row);
    };
    rung("air", table.by_name("air").density_g_cm3);
    rung("lung", 0.26);
    rung("adipose", 0.92);
    rung("water", 1.0);
    rung("bone_cortical", 1.85);
    rung("bone_cortical", 2.4);
    rung("titanium", 3.0);
    rung("titanium", table.by_name("titanium").density_g_cm3);
    rung("steel", table.by_name("steel").density_g_cm3);
    return table;
}

const MaterialProperties& MaterialTable::by_name(const std::string& name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
        std::string known;
        for (const auto& n : names_) known += (known.empty() ? "" : ", ") + n;
        throw bad_input("unknown material \"" + name + "\"", "materials/basis.csv", "Known: " + known);
    }
    return rows_[static_cast<std::size_t>(found - names_.begin())];
}

MaterialProperties MaterialTable::by_density(double density) const {
    if (!(density >= 0) || !std::isfinite(density))
        throw bad_input(
            "mass density " + std::to_string(density) + " g/cm3 is not a finite, non-negative number",
            "material table");
    MaterialProperties result = ladder_.front();
    if (density >= ladder_.back().density_g_cm3) {
        result = ladder_.back();
    } else if (density > ladder_.front().density_g_cm3) {
        std::size_t i = 1;
        while (ladder_[i].density_g_cm3 < density) ++i;
        const auto &low = ladder_[i - 1], &high = ladder_[i];
        result = mixture(low, high, (density - low.density_g_cm3) / (high.density_g_cm3 - low.density_g_cm3));
    }
    result.density_g_cm3 = density;
    return result;
}

}  // namespace libdose
