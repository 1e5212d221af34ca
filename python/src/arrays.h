// numpy arrays [z, y, x] over volumes, and back.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <array>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "libdose/error.h"
#include "libdose/grid.h"

namespace libdose::python {

namespace nb = nanobind;

using Triple = std::tuple<double, double, double>;  // x, y, z
inline Triple triple(const Vec3& v) { return {v[0], v[1], v[2]}; }
inline Vec3 vector(const Triple& t) { return {std::get<0>(t), std::get<1>(t), std::get<2>(t)}; }

using FloatVolume = nb::ndarray<nb::numpy, float, nb::ndim<3>, nb::c_contig>;
using InputVolume = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

/// The volume's own memory, [z, y, x]; `owner` keeps it alive.
inline FloatVolume view_of(std::vector<float>& values, const Grid& grid, nb::handle owner) {
    const std::array<std::size_t, 3> shape{static_cast<std::size_t>(grid.size[2]),
                                           static_cast<std::size_t>(grid.size[1]),
                                           static_cast<std::size_t>(grid.size[0])};
    return FloatVolume(values.data(), 3, shape.data(), owner);
}

inline Grid grid_of(const std::array<std::size_t, 3>& shape_zyx, const Triple& spacing_mm,
                    const Triple& origin_mm, const std::string& where) {
    Grid grid;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        if (shape_zyx[2 - axis] > 100000) throw bad_input("the array is too long along an axis", where);
        grid.size[axis] = static_cast<int>(shape_zyx[2 - axis]);
    }
    grid.spacing_mm = vector(spacing_mm);
    grid.origin_mm = vector(origin_mm);
    grid.check(where);
    return grid;
}

/// Properties of the grid that `grid_of_self` gives: shape [z, y, x], spacing and centre of the first voxel.
template <class Class, class GridOf>
void bind_grid(Class& bound, GridOf grid_of_self) {
    using Self = typename Class::Type;
    bound
        .def_prop_ro("shape_zyx",
                     [=](const Self& self) {
                         const auto& size = grid_of_self(self).size;
                         return std::tuple(size[2], size[1], size[0]);
                     })
        .def_prop_ro("spacing_mm", [=](const Self& self) { return triple(grid_of_self(self).spacing_mm); })
        .def_prop_ro("origin_mm", [=](const Self& self) { return triple(grid_of_self(self).origin_mm); });
}

/// Copies an array [z, y, x]. Throws bad_input when a value is not finite.
inline Volume<float> volume_of(const InputVolume& array, const Triple& spacing_mm, const Triple& origin_mm,
                               const std::string& where) {
    Volume<float> volume;
    volume.grid = grid_of({array.shape(0), array.shape(1), array.shape(2)}, spacing_mm, origin_mm, where);
    volume.values.assign(array.data(), array.data() + array.size());
    for (std::size_t v = 0; v < volume.values.size(); ++v)
        if (!std::isfinite(volume.values[v]))
            throw bad_input("voxel " + std::to_string(v) + " is not a finite number", where);
    return volume;
}

/// A copy of numbers as an array of one dimension.
template <class T>
nb::ndarray<nb::numpy, T, nb::ndim<1>> array_of(std::vector<T> values) {
    auto* kept = new std::vector<T>(std::move(values));
    const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return nb::ndarray<nb::numpy, T, nb::ndim<1>>(kept->data(), {kept->size()}, owner);
}

}  // namespace libdose::python
