// The density that each beam meets: beams with other boluses see another patient.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libdose/density.h"
#include "libdose/plan.h"
#include "libdose/structure.h"

namespace libdose {

/// Every bolus of the plan, once. Throws bad_input, naming the beam, when one is no structure of type BOLUS
/// of the set.
std::vector<BeamBolus> boluses_of(const Plan& plan, const StructureSet* structures);

/// One density for each distinct set of boluses, in the order of the beams.
class BolusDensities {
public:
    using Make = std::function<DensityGrid(const std::vector<BeamBolus>&)>;
    BolusDensities(const Plan& plan, const Make& make);

    const DensityGrid& of(const Beam& beam) const;
    /// The density of the beam's boluses; null where no beam of the plan has just these.
    const DensityGrid* find(const Beam& beam) const;
    /// Notes of all densities: those that every set has once, the others with the beams that they are about.
    std::vector<std::string> notes() const;

private:
    struct Entry {
        std::vector<int> structures;  ///< numbers, ascending
        std::string beams;            ///< "beams 1, 3"
        DensityGrid density;
    };
    std::vector<Entry> entries_;
};

}  // namespace libdose
