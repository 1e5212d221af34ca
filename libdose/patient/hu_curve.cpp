#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/csv.h"
#include "libdose/data.h"
#include "libdose/density.h"
#include "libdose/error.h"

namespace libdose {

HuCurve::HuCurve(std::string name, std::vector<double> hu, std::vector<double> density)
    : name_(std::move(name)), hu_(std::move(hu)), density_(std::move(density)) {
    const std::string where = "HU curve " + name_;
    if (hu_.size() != density_.size() || hu_.size() < 2)
        throw bad_input("a HU curve needs two points or more", where);
    for (std::size_t i = 0; i < hu_.size(); ++i) {
        if (!std::isfinite(hu_[i]) || !std::isfinite(density_[i]) || density_[i] < 0)
            throw bad_input("point " + std::to_string(i + 1) + " is not finite or has a negative density",
                            where);
        if (i > 0 && !(hu_[i] > hu_[i - 1]))
            throw bad_input("HU values do not ascend at point " + std::to_string(i + 1), where);
    }
}

HuCurve HuCurve::default_curve() {
    // Schneider, Bortfeld, Schlegel 2000: the ends of their segments. The step down between 100 and 101 HU is
    // theirs (two separate fits, soft tissue and bone).
    return HuCurve("Schneider-2000", {-1000, -98, 14, 23, 100, 101, 3071},
                   {0.00121, 0.930, 1.03, 1.03, 1.003 + 1.169e-3 * 100, 1.017 + 0.592e-3 * 101,
                    1.017 + 0.592e-3 * 3071});
}

HuCurve HuCurve::read_csv(const std::filesystem::path& file) {
    const CsvTable table = read_csv_table(file, {"hu", "density_g_cm3"});
    std::vector<double> hu, density;
    for (const auto& row : table.numbers) {
        hu.push_back(row[0]);
        density.push_back(row[1]);
    }
    return HuCurve(file.filename().string(), std::move(hu), std::move(density));
}

std::vector<std::string> hu_curve_names() {
    std::vector<std::string> names{HuCurve::default_curve().name()};
    const auto folder = data_folder() / "hu";
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none))
        if (entry.path().extension() == ".csv") names.push_back(entry.path().stem().string());
    std::sort(names.begin() + 1, names.end());
    return names;
}

HuCurve read_hu_curve(const std::string& name_or_file) {
    const std::vector<std::string> names = hu_curve_names();
    if (name_or_file == names.front()) return HuCurve::default_curve();
    if (std::find(names.begin(), names.end(), name_or_file) != names.end()) {
        const HuCurve curve = HuCurve::read_csv(data_folder() / "hu" / (name_or_file + ".csv"));
        return HuCurve(name_or_file, curve.hu(), curve.densities());
    }
    if (std::filesystem::is_regular_file(name_or_file)) return HuCurve::read_csv(name_or_file);
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw bad_input("there is no HU curve \"" + name_or_file + "\"", "HU curve",
                    "Give a CSV file or one of: " + known);
}

double HuCurve::density(double hu) const {
    if (hu <= hu_.front()) return density_.front();
    if (hu >= hu_.back()) return density_.back();
    const auto upper = static_cast<std::size_t>(std::upper_bound(hu_.begin(), hu_.end(), hu) - hu_.begin());
    const double part = (hu - hu_[upper - 1]) / (hu_[upper] - hu_[upper - 1]);
    return density_[upper - 1] + part * (density_[upper] - density_[upper - 1]);
}

std::string HuCurve::canonical_text() const {
    std::ostringstream text;
    text.precision(17);
    text << "hu,density_g_cm3\n";
    for (std::size_t i = 0; i < hu_.size(); ++i) text << hu_[i] << ',' << density_[i] << '\n';
    return text.str();
}

}  // namespace libdose
