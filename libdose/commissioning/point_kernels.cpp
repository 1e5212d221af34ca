#include "commissioning/point_kernels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/csv.h"
#include "libdose/error.h"

namespace libdose {

namespace {

bool ascending(const std::vector<double>& x) {
    return std::all_of(x.begin(), x.end(), [](double v) { return std::isfinite(v); }) &&
           std::adjacent_find(x.begin(), x.end(), std::greater_equal<>()) == x.end();
}

void read_material(const std::filesystem::path& file, std::vector<double>& energy, std::vector<double>& mu) {
    constexpr std::size_t energy_column = 0, without_coherent_column = 2;
    const CsvTable table = read_csv_table(
        file, {"energy_MeV", "mu_over_rho", "mu_over_rho_nocoh", "mu_tr_over_rho", "mu_en_over_rho",
               "coherent", "incoherent", "photoelectric", "pair_nuclear", "pair_electron"});
    for (const auto& row : table.numbers) {
        energy.push_back(row[energy_column]);
        mu.push_back(row[without_coherent_column]);
    }
    if (energy.size() < 2 || !ascending(energy) ||
        !std::all_of(mu.begin(), mu.end(), [](double v) { return v > 0; }))
        throw bad_input("the attenuation table is not ascending and positive", file.string());
}

double log_log(const std::vector<double>& x, const std::vector<double>& y, double at) {
    const auto upper = std::clamp<std::size_t>(
        static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), at) - x.begin()), 1, x.size() - 1);
    const double part = std::log(at / x[upper - 1]) / std::log(x[upper] / x[upper - 1]);
    return std::exp((1 - part) * std::log(y[upper - 1]) + part * std::log(y[upper]));
}

}  // namespace

void PointKernels::check() const {
    const auto fail = [](const char* what) { throw bad_input(what, "point kernels"); };
    if (energy_mev.size() < 2 || !ascending(energy_mev) || !(energy_mev.front() > 0))
        fail("the energies are not ascending");
    if (theta_edges_deg.size() < 3 || !ascending(theta_edges_deg) || theta_edges_deg.front() != 0 ||
        theta_edges_deg.back() != 180)
        fail("the cones do not go from 0 to 180 degrees");
    if (radius_edges_cm.size() < 3 || !ascending(radius_edges_cm) || radius_edges_cm.front() != 0)
        fail("the shells do not begin at the centre");
    if (cells.size() != energy_mev.size() * (theta_edges_deg.size() - 1) * (radius_edges_cm.size() - 1) ||
        escaped.size() != energy_mev.size())
        fail("the cells do not have the shape [energy][cone][shell]");
    const std::size_t each = cells.size() / energy_mev.size();
    for (std::size_t e = 0; e < energy_mev.size(); ++e) {
        const auto begin = cells.begin() + static_cast<std::ptrdiff_t>(e * each),
                   end = begin + static_cast<std::ptrdiff_t>(each);
        if (!std::all_of(begin, end, [](double v) { return v >= 0 && std::isfinite(v); }))
            fail("a cell is negative or not a number");
        const double sum = std::accumulate(begin, end, escaped[e]);
        if (!(std::abs(sum - 1) < 1e-3) || !(escaped[e] >= 0))
            fail("the cells and what leaves the sphere do not add up to the photon's energy");
    }
}

AttenuationTable AttenuationTable::read(const std::filesystem::path& folder) {
    AttenuationTable table;
    read_material(folder / "water.csv", table.water_energy_mev, table.water_cm2_g);
    read_material(folder / "titanium.csv", table.high_z_energy_mev, table.high_z_cm2_g);
    return table;
}

Spectrum make_spectrum(const std::vector<double>& energy, const std::vector<double>& fluence,
                       const AttenuationTable& attenuation) {
    if (energy.empty() || energy.size() != fluence.size() || !ascending(energy))
        throw bad_input("the energies are not ascending, or not as many as values", "spectrum");
    double sum = 0;
    for (const double value : fluence) {
        if (!(value >= 0) || !std::isfinite(value))
            throw bad_input("a fluence is negative or not a number", "spectrum");
        sum += value;
    }
    if (!(sum > 0)) throw bad_input("there is no photon", "spectrum");
    if (energy.front() <
            std::max(attenuation.water_energy_mev.front(), attenuation.high_z_energy_mev.front()) ||
        energy.back() > std::min(attenuation.water_energy_mev.back(), attenuation.high_z_energy_mev.back()))
        throw bad_input("an energy is beyond the attenuation tables", "spectrum");
    Spectrum spectrum;
    for (std::size_t e = 0; e < energy.size(); ++e) {
        spectrum.energy_mev.push_back(energy[e]);
        spectrum.fluence.push_back(fluence[e] / sum);
        spectrum.mu_water_cm2_g.push_back(
            log_log(attenuation.water_energy_mev, attenuation.water_cm2_g, energy[e]));
        spectrum.mu_high_z_cm2_g.push_back(
            log_log(attenuation.high_z_energy_mev, attenuation.high_z_cm2_g, energy[e]));
    }
    return spectrum;
}

namespace commission {

AverageKernel average_kernel(const Spectrum& spectrum, const PointKernels& kernels, double depth) {
    const std::vector<double>& grid = kernels.energy_mev;
    if (spectrum.energy_mev.back() > grid.back())
        throw bad_input("the spectrum reaches beyond the highest energy of the point kernels", "spectrum");
    // Released energy by energy; photons below the lowest kernel use it.
    std::vector<double> share(grid.size(), 0.0);
    double sum = 0;
    for (std::size_t e = 0; e < spectrum.energy_mev.size(); ++e) {
        const double mu = spectrum.mu_water_cm2_g[e];
        const double released = spectrum.fluence[e] * spectrum.energy_mev[e] * mu * std::exp(-mu * depth);
        const double energy = std::max(spectrum.energy_mev[e], grid.front());
        const auto upper = std::clamp<std::size_t>(
            static_cast<std::size_t>(std::lower_bound(grid.begin(), grid.end(), energy) - grid.begin()), 1,
            grid.size() - 1);
        const double part = std::clamp(
            std::log(energy / grid[upper - 1]) / std::log(grid[upper] / grid[upper - 1]), 0.0, 1.0);
        share[upper - 1] += released * (1 - part);
        share[upper] += released * part;
        sum += released;
    }
    const std::size_t cones = kernels.theta_edges_deg.size() - 1, shells = kernels.radius_edges_cm.size() - 1;
    AverageKernel average{std::vector<double>(cones * shells, 0.0), std::vector<double>(cones, 0.0)};
    double total = 0;
    for (std::size_t e = 0; e < grid.size(); ++e) {
        const double weight = share[e] / sum;
        if (weight == 0) continue;
        const double* cell = &kernels.cells[e * cones * shells];
        double last = 0;
        for (std::size_t m = 0; m < cones; ++m) last += cell[(m + 1) * shells - 1];
        for (std::size_t m = 0; m < cones; ++m) {
            for (std::size_t r = 0; r < shells; ++r)
                average.cells[m * shells + r] += weight * cell[m * shells + r];
            average.escape[m] += weight * cell[(m + 1) * shells - 1] / last * kernels.escaped[e];
        }
    }
    for (const double value : average.cells) total += value;
    for (const double value : average.escape) total += value;
    for (double& value : average.cells) value /= total;
    for (double& value : average.escape) value /= total;
    return average;
}

}  // namespace commission

}  // namespace libdose
