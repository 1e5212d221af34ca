// An influence matrix in memory or in a file, as its users see it.
#include <algorithm>
#include <utility>

#include "libdose/error.h"
#include "libdose/io/influence.h"

namespace libdose::io {

InfluenceMatrix::InfluenceMatrix(StoredInfluence stored) : stored_(std::move(stored)) {
    if (!stored_.file.empty()) opened_ = std::make_unique<const InfluenceFile>(stored_.file);
}

InfluenceMatrix::InfluenceMatrix(const std::filesystem::path& file)
    : opened_(std::make_unique<const InfluenceFile>(file)) {
    stored_.file = file;
}

const InfluenceHeader& InfluenceMatrix::header() const {
    return opened_ ? opened_->header() : stored_.matrix.header;
}

std::size_t InfluenceMatrix::entries() const {
    return opened_ ? opened_->entries() : stored_.matrix.columns.gy.size();
}

const InfluenceColumns* InfluenceMatrix::in_memory() const {
    return opened_ ? nullptr : &stored_.matrix.columns;
}

InfluenceColumns InfluenceMatrix::columns(std::size_t first, std::size_t last) const {
    return opened_ ? opened_->columns(first, last) : stored_.matrix.columns.part(first, last);
}

void InfluenceMatrix::each_part(const std::function<void(std::size_t, const InfluenceColumns&)>& take) const {
    constexpr std::size_t at_once = 64;
    if (!opened_) return take(0, stored_.matrix.columns);
    for (std::size_t first = 0; first < count(); first += at_once)
        take(first, opened_->columns(first, std::min(first + at_once, count())));
}

Dose InfluenceMatrix::dose(const std::vector<double>& weights_mu) const {
    require_weights(weights_mu, count());
    std::vector<double> sum(header().grid.voxel_count(), 0.0);
    each_part([&](std::size_t first, const InfluenceColumns& columns) {
        columns.add_dose(weights_mu.data() + first, sum);
    });
    Dose dose;
    dose.gy = Volume<float>(header().grid);
    std::transform(sum.begin(), sum.end(), dose.gy.values.begin(),
                   [](double gy) { return static_cast<float>(gy); });
    dose.summation = DoseSummation::fraction;
    dose.fractions = 1;
    dose.medium = header().medium;
    dose.frame_of_reference_uid = header().frame_of_reference_uid;
    dose.referenced_plan_uid = header().referenced_plan_uid;
    dose.provenance = header().provenance;
    return dose;
}

void InfluenceMatrix::write(const std::filesystem::path& file) const {
    InfluenceWriter writer(file);
    each_part([&](std::size_t, const InfluenceColumns& columns) { writer.append(columns); });
    writer.finish(header());
}

void join_influence(const std::vector<const InfluenceMatrix*>& parts, const std::filesystem::path& file) {
    if (parts.empty()) throw bad_input("there are no parts", "influence");
    InfluenceWriter writer(file);
    InfluenceHeader header = parts.front()->header();
    header.beamlets.clear();
    for (const InfluenceMatrix* part : parts) {
        const InfluenceHeader& other = part->header();
        if (!(other.grid == header.grid) || other.side_mm != header.side_mm ||
            other.cutoff != header.cutoff ||
            other.provenance.model_hashes != header.provenance.model_hashes ||
            other.provenance.settings != header.provenance.settings)
            throw bad_input("the parts are not of one calculation", "influence");
        writer.append(part->columns(0, part->count()));
        header.beamlets.insert(header.beamlets.end(), other.beamlets.begin(), other.beamlets.end());
    }
    writer.finish(header);
}

}  // namespace libdose::io
