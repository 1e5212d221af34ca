#include "check/attribution_samples.h"

#include <algorithm>
#include <array>
#include <limits>

namespace libdose::check {

namespace {

constexpr double coarse_mm = 5;        // spacing of the samples, unless the planned dose is coarser
constexpr double low_dose_part = 0.1;  // of the planned maximum: below it lies mostly scatter and leakage
constexpr double inside_part = 0.999;  // of a sample's voxel; surfaces differ by how a voxel is filled
constexpr std::size_t most = 100000;   // samples: three sizes are known to a thousandth with far fewer

// Averaging: weights 1/4, 1/2, 1/4 along each axis, as often as this. Standard deviation 5 mm.
constexpr int averagings = 2;

void average_along(std::vector<float>& values, const Grid& grid, int axis) {
    const auto a = static_cast<std::size_t>(axis);
    const std::size_t strides[3] = {
        1, static_cast<std::size_t>(grid.size[0]),
        static_cast<std::size_t>(grid.size[0]) * static_cast<std::size_t>(grid.size[1])};
    const std::size_t stride = strides[a], length = static_cast<std::size_t>(grid.size[a]);
    for (std::size_t first = 0; first < values.size(); ++first) {
        if (first / stride % length != 0) continue;
        float before = 0;
        for (std::size_t n = 0; n < length; ++n) {
            float& here = values[first + n * stride];
            const float after = n + 1 < length ? values[first + (n + 1) * stride] : 0.0f, was = here;
            here = 0.25f * (before + after) + 0.5f * was;
            before = was;
        }
    }
}

void average(std::vector<float>& values, const Grid& grid) {
    for (int n = 0; n < averagings; ++n)
        for (int axis = 0; axis < 3; ++axis) average_along(values, grid, axis);
}

/// Box of the voxels with more than `least`.
struct Box {
    Vec3 lower = Vec3::Constant(std::numeric_limits<double>::max()), upper = -lower;
    bool empty() const { return lower[0] > upper[0]; }
};

Box box_above(const Volume<float>& dose, double least) {
    Box box;
    const Vec3 half = 0.5 * dose.grid.spacing_mm;
    for (int k = 0; k < dose.grid.size[2]; ++k)
        for (int j = 0; j < dose.grid.size[1]; ++j)
            for (int i = 0; i < dose.grid.size[0]; ++i) {
                if (!(static_cast<double>(dose.at(i, j, k)) > least)) continue;
                const Vec3 centre = dose.grid.centre_mm(i, j, k);
                box.lower = box.lower.cwiseMin(centre - half);
                box.upper = box.upper.cwiseMax(centre + half);
            }
    return box;
}

/// Whether a voxel lies on another grid with as much around it, so that doses can be moved.
bool lies_on(const Grid& other, const Vec3& centre_mm, const Vec3& spacing_mm) {
    return ((centre_mm - spacing_mm - other.lower_edge_mm()).array() >= 0).all() &&
           ((other.upper_edge_mm() - centre_mm - spacing_mm).array() >= 0).all();
}

}  // namespace

DoseSamples::DoseSamples(const Volume<float>& planned, const Structure* body) {
    if (planned.values.empty()) return;
    maximum_gy_ = static_cast<double>(*std::max_element(planned.values.begin(), planned.values.end()));
    const double least = low_dose_part * maximum_gy_;
    const Box box = box_above(planned, least);
    if (!(maximum_gy_ > 0) || box.empty()) return;
    const Vec3 spacing = planned.grid.spacing_mm.cwiseMax(coarse_mm);
    grid_ = Grid::covering(box.lower, box.upper, spacing);
    const Volume<float> coarse = resample_conserving(planned, grid_, 0);
    const Volume<float> covered = body ? coverage_mask(*body, grid_) : Volume<float>(grid_, 1.0f);
    // Part of a sample's average that is in the body and on the planned grid.
    std::vector<float> inside(grid_.voxel_count());
    for (int k = 0; k < grid_.size[2]; ++k)
        for (int j = 0; j < grid_.size[1]; ++j)
            for (int i = 0; i < grid_.size[0]; ++i)
                if (static_cast<double>(covered.at(i, j, k)) > inside_part &&
                    lies_on(planned.grid, grid_.centre_mm(i, j, k), spacing))
                    inside[grid_.index(i, j, k)] = 1;
    average(inside, grid_);
    for (std::size_t v = 0; v < inside.size(); ++v)
        if (static_cast<double>(inside[v]) > inside_part && static_cast<double>(coarse.values[v]) > least)
            voxels_.push_back(v);
    if (voxels_.size() <= most) return;
    const std::size_t every = (voxels_.size() + most - 1) / most;
    std::vector<std::size_t> fewer;
    for (std::size_t n = 0; n < voxels_.size(); n += every) fewer.push_back(voxels_[n]);
    voxels_ = std::move(fewer);
}

Field DoseSamples::of(const Volume<float>& dose_gy) const {
    Field field(static_cast<Eigen::Index>(voxels_.size()));
    std::vector<float> values =
        dose_gy.grid == grid_ ? dose_gy.values : resample_conserving(dose_gy, grid_, 0).values;
    average(values, grid_);
    for (std::size_t n = 0; n < voxels_.size(); ++n)
        field[static_cast<Eigen::Index>(n)] = static_cast<double>(values[voxels_[n]]);
    return field;
}

}  // namespace libdose::check
