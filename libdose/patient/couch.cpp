// A treatment couch, and reading one.
#include "libdose/couch.h"

#include <algorithm>
#include <cmath>

#include "base/csv.h"
#include "libdose/data.h"
#include "libdose/error.h"

namespace libdose {

namespace {

/// Whether a vertical ray at x meets the part, and where: the y of every crossing, ascending.
std::vector<double> crossings(const CouchPart& part, double x) {
    std::vector<double> y;
    const std::size_t n = part.x_mm.size();
    for (std::size_t a = 0; a < n; ++a) {
        const std::size_t b = (a + 1) % n;
        if ((part.x_mm[a] <= x) == (part.x_mm[b] <= x)) continue;
        y.push_back(part.y_mm[a] +
                    (x - part.x_mm[a]) / (part.x_mm[b] - part.x_mm[a]) * (part.y_mm[b] - part.y_mm[a]));
    }
    std::sort(y.begin(), y.end());
    return y;
}

}  // namespace

CouchModel CouchModel::read_csv(const std::filesystem::path& file) {
    const CsvTable csv = read_csv_table(file, {"part", "material", "density_g_cm3", "x_mm", "y_mm"}, 2);
    CouchModel couch;
    couch.name = file.stem().string();
    for (std::size_t r = 0; r < csv.numbers.size(); ++r) {
        const std::string &name = csv.texts[r][0], &material = csv.texts[r][1];
        const auto& row = csv.numbers[r];
        if (couch.parts.empty() || couch.parts.back().name != name) {
            if (std::any_of(couch.parts.begin(), couch.parts.end(),
                            [&](const CouchPart& p) { return p.name == name; }))
                throw bad_input("the rows of the part \"" + name + "\" are not together", file.string());
            couch.parts.push_back({name, material, row[0], {}, {}});
        }
        CouchPart& part = couch.parts.back();
        if (part.material != material || part.density_g_cm3 != row[0])
            throw bad_input("the part \"" + name + "\" has two materials or densities", file.string(),
                            "Give each material a part of its own");
        part.x_mm.push_back(row[1]);
        part.y_mm.push_back(row[2]);
    }
    couch.check();
    return couch;
}

void CouchModel::check() const {
    const std::string where = "couch " + name;
    if (parts.empty()) throw bad_input("the couch has no parts", where);
    for (const CouchPart& part : parts) {
        const std::string which = "the part \"" + part.name + "\"";
        if (part.name.empty()) throw bad_input("a part has no name", where);
        if (!(part.density_g_cm3 > 0 && part.density_g_cm3 <= 25))
            throw bad_input("the density of " + which + " is not between 0 and 25 g/cm3", where);
        if (part.x_mm.size() < 3 || part.x_mm.size() != part.y_mm.size())
            throw bad_input("the outline of " + which + " has fewer than three corners", where);
        for (std::size_t i = 0; i < part.x_mm.size(); ++i) {
            if (!(std::abs(part.x_mm[i]) <= 1000 && part.y_mm[i] <= 1000))
                throw bad_input("a corner of " + which + " is more than 1000 mm from the middle", where,
                                "Outlines are in mm");
            if (!(part.y_mm[i] >= 0))
                throw bad_input("a corner of " + which + " is above the top surface (y below 0)", where);
        }
    }
}

double CouchModel::lowest_x_mm() const {
    double x = 1e30;
    for (const CouchPart& part : parts)
        x = std::min(x, *std::min_element(part.x_mm.begin(), part.x_mm.end()));
    return x;
}

double CouchModel::highest_x_mm() const {
    double x = -1e30;
    for (const CouchPart& part : parts)
        x = std::max(x, *std::max_element(part.x_mm.begin(), part.x_mm.end()));
    return x;
}

double CouchModel::path_g_cm2(double x_mm) const {
    // Between two crossings of any part the last part that is there counts.
    std::vector<double> cuts;
    for (const CouchPart& part : parts)
        for (const double y : crossings(part, x_mm)) cuts.push_back(y);
    std::sort(cuts.begin(), cuts.end());
    double path = 0;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
        const double middle = 0.5 * (cuts[i] + cuts[i + 1]);
        double density = 0;
        for (const CouchPart& part : parts) {
            const auto y = crossings(part, x_mm);
            if ((std::upper_bound(y.begin(), y.end(), middle) - y.begin()) % 2 == 1)
                density = part.density_g_cm3;
        }
        path += density * (cuts[i + 1] - cuts[i]) / 10;
    }
    return path;
}

std::vector<std::string> couch_names() {
    std::vector<std::string> names;
    const auto folder = data_folder() / "couches";
    if (std::filesystem::is_directory(folder))
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            if (entry.path().extension() == ".csv") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

CouchModel read_couch(const std::string& name_or_file) {
    const std::vector<std::string> names = couch_names();
    if (std::find(names.begin(), names.end(), name_or_file) != names.end())
        return CouchModel::read_csv(data_folder() / "couches" / (name_or_file + ".csv"));
    if (std::filesystem::is_regular_file(name_or_file)) return CouchModel::read_csv(name_or_file);
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw bad_input("there is no couch \"" + name_or_file + "\"", "couch", "Give a file or one of: " + known);
}

}  // namespace libdose
