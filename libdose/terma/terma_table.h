// TERMA behind a path through the two basis materials, tabulated once for each spectrum.
#pragma once

#include <vector>

#include "libdose/beam_model.h"
#include "raytrace/ray_raster.h"
#include "terma/terma_equations.h"

namespace libdose {

/// Look-up table of basis_terma, bilinear in the logarithm.
class TermaTable {
public:
    explicit TermaTable(const Spectrum& spectrum);
    physics::BasisTerma operator()(const PathLength& path) const { return view().terma(path); }
    /// TERMA of water behind path and filter over that behind the path alone, for the same reading of a
    /// detector in air.
    double filtered_part(const PathLength& path, const PathLength& filter) const {
        return view().filtered_part(path, filter);
    }
    const Spectrum& spectrum() const { return spectrum_; }
    const std::vector<double>& log_water() const { return log_water_; }
    const std::vector<double>& log_high_z() const { return log_high_z_; }
    /// Both logarithms of a node, [high z][water][water, high z], less those behind no path.
    const std::vector<float>& relative_logs() const { return relative_logs_; }
    physics::TermaTableView view() const {
        return {physics::view_of(spectrum_), log_water_.data(), log_high_z_.data()};
    }

private:
    Spectrum spectrum_;
    std::vector<double> log_water_, log_high_z_;  ///< [high z][water]
    std::vector<float> relative_logs_;
};

/// Factor by which the fluence that a detector reads in air behind `filter` turns into the one that
/// TermaTable(path + filter) asks for.
double unfiltered(const TermaTable& table, const PathLength& filter);

}  // namespace libdose
