#include "terma/terma_table.h"

#include <cmath>

namespace libdose {

namespace {
using Table = physics::TermaTableView;
}  // namespace

TermaTable::TermaTable(const Spectrum& spectrum) : spectrum_(spectrum) {
    for (int h = 0; h < Table::high_z_nodes; ++h)
        for (int w = 0; w < Table::water_nodes; ++w) {
            const physics::BasisTerma terma =
                physics::basis_terma(spectrum, Table::water_min + w * Table::water_step,
                                     Table::high_z_min + h * Table::high_z_step);
            log_water_.push_back(std::log(terma.water));
            log_high_z_.push_back(std::log(terma.high_z));
        }
    const physics::BasisTerma behind_nothing = physics::basis_terma(spectrum, 0, 0);
    for (std::size_t n = 0; n < log_water_.size(); ++n) {
        relative_logs_.push_back(static_cast<float>(log_water_[n] - std::log(behind_nothing.water)));
        relative_logs_.push_back(static_cast<float>(log_high_z_[n] - std::log(behind_nothing.high_z)));
    }
}

double unfiltered(const TermaTable& table, const PathLength& filter) {
    return table.view().unfiltered(filter);
}

}  // namespace libdose
