#include "patient/bolus_density.h"

#include <algorithm>

#include "patient/overrides.h"

namespace libdose {

namespace {

std::vector<int> numbers_of(const Beam& beam) {
    std::vector<int> numbers;
    for (const BeamBolus& bolus : beam.boluses) numbers.push_back(bolus.structure_number);
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
}

}  // namespace

std::vector<BeamBolus> boluses_of(const Plan& plan, const StructureSet* structures) {
    std::vector<BeamBolus> all;
    for (const Beam& beam : plan.beams) {
        bolus_structures(structures, beam.boluses,
                         "beam " + std::to_string(beam.number) + " \"" + beam.name + "\"");
        for (const BeamBolus& bolus : beam.boluses)
            if (std::none_of(all.begin(), all.end(), [&](const BeamBolus& b) {
                    return b.structure_number == bolus.structure_number;
                }))
                all.push_back(bolus);
    }
    return all;
}

BolusDensities::BolusDensities(const Plan& plan, const Make& make) {
    for (const Beam& beam : plan.beams) {
        const std::vector<int> numbers = numbers_of(beam);
        const auto found = std::find_if(entries_.begin(), entries_.end(),
                                        [&](const Entry& e) { return e.structures == numbers; });
        if (found == entries_.end())
            entries_.push_back({numbers, "beams " + std::to_string(beam.number), make(beam.boluses)});
        else
            found->beams += ", " + std::to_string(beam.number);
    }
}

const DensityGrid& BolusDensities::of(const Beam& beam) const { return *find(beam); }

const DensityGrid* BolusDensities::find(const Beam& beam) const {
    const std::vector<int> numbers = numbers_of(beam);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& e) { return e.structures == numbers; });
    return found == entries_.end() ? nullptr : &found->density;
}

std::vector<std::string> BolusDensities::notes() const {
    std::vector<std::string> result;
    for (const Entry& entry : entries_)
        for (const std::string& note : entry.density.notes) {
            const bool common = std::all_of(entries_.begin(), entries_.end(), [&](const Entry& e) {
                return std::find(e.density.notes.begin(), e.density.notes.end(), note) !=
                       e.density.notes.end();
            });
            if (!common)
                result.push_back(entry.beams + ": " + note);
            else if (&entry == &entries_.front())
                result.push_back(note);
        }
    return result;
}

}  // namespace libdose
