// Regular voxel grids and volumes on them.
//
// Frame: DICOM patient coordinates (LPS), mm. Axes of the grid are the axes of the patient, all
// ascending: x to the patient's left, y posterior, z superior. origin_mm is the CENTRE of voxel
// (0,0,0). Memory order: x fastest, then y, then z.
#pragma once

#include <Eigen/Core>
#include <Eigen/Geometry>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace libdose {

using Vec3 = Eigen::Vector3d;
using Mat3 = Eigen::Matrix3d;

/// A regular grid along the axes of the patient.
struct Grid {
    std::array<int, 3> size{0, 0, 0};  ///< voxels along x, y, z
    Vec3 spacing_mm = Vec3::Zero();    ///< > 0
    Vec3 origin_mm = Vec3::Zero();     ///< centre of voxel (0,0,0), LPS

    std::size_t voxel_count() const {
        return static_cast<std::size_t>(size[0]) * static_cast<std::size_t>(size[1]) *
               static_cast<std::size_t>(size[2]);
    }
    std::size_t index(int i, int j, int k) const {
        return (static_cast<std::size_t>(k) * static_cast<std::size_t>(size[1]) +
                static_cast<std::size_t>(j)) *
                   static_cast<std::size_t>(size[0]) +
               static_cast<std::size_t>(i);
    }
    Vec3 centre_mm(int i, int j, int k) const {
        return origin_mm + Vec3(i * spacing_mm[0], j * spacing_mm[1], k * spacing_mm[2]);
    }
    Vec3 lower_edge_mm() const { return origin_mm - 0.5 * spacing_mm; }
    Vec3 upper_edge_mm() const {
        return lower_edge_mm() +
               Vec3(size[0] * spacing_mm[0], size[1] * spacing_mm[1], size[2] * spacing_mm[2]);
    }
    /// Continuous voxel index of a point: 0 at the centre of the first voxel.
    Vec3 continuous_index(const Vec3& point_mm) const {
        return (point_mm - origin_mm).cwiseQuotient(spacing_mm);
    }
    double voxel_volume_cm3() const { return spacing_mm.prod() * 1e-3; }

    bool operator==(const Grid& other) const {
        return size == other.size && spacing_mm == other.spacing_mm && origin_mm == other.origin_mm;
    }

    /// Throws bad_input when the grid is empty, has a spacing that is not positive and finite, or an
    /// origin that is not finite. `where` names the grid in the message.
    void check(const std::string& where) const;

    /// The smallest grid with this spacing whose edges contain [lower_mm, upper_mm].
    static Grid covering(const Vec3& lower_mm, const Vec3& upper_mm, const Vec3& spacing_mm);
};

/// Values on a grid.
template <class T>
struct Volume {
    Grid grid;
    std::vector<T> values;  ///< grid.voxel_count() values, x fastest

    Volume() = default;
    explicit Volume(Grid g, T fill = T{}) : grid(std::move(g)), values(grid.voxel_count(), fill) {}

    T& at(int i, int j, int k) { return values[grid.index(i, j, k)]; }
    const T& at(int i, int j, int k) const { return values[grid.index(i, j, k)]; }
};

/// Average of `source` over each voxel of `target` by exact overlap of the voxel boxes, so that
/// sum(value x volume) is the same before and after. Parts of a target voxel outside the source
/// count with `outside`. Memory: one intermediate volume per axis.
Volume<float> resample_conserving(const Volume<float>& source, const Grid& target, float outside);

/// Trilinear value at a point (mm, LPS); `outside` beyond the outermost voxel centres by more than half a
/// voxel.
double interpolate(const Volume<float>& volume, const Vec3& point_mm, double outside = 0.0);

}  // namespace libdose
