"""The grid that arrays [z, y, x] lie on."""

from __future__ import annotations

from typing import Protocol, Tuple


class _Gridded(Protocol):
    """An object of the library that has a grid."""

    @property
    def shape_zyx(self) -> Tuple[int, int, int]: ...
    @property
    def spacing_mm(self) -> Tuple[float, float, float]: ...
    @property
    def origin_mm(self) -> Tuple[float, float, float]: ...


class OnGrid:
    """What lies on a grid. `_gridded`: the object of the library."""

    @property
    def _gridded(self) -> _Gridded:
        raise NotImplementedError

    @property
    def grid_shape(self) -> Tuple[int, int, int]:
        """Voxels along z, y, x."""
        z, y, x = self._gridded.shape_zyx
        return z, y, x

    @property
    def spacing_mm(self) -> Tuple[float, float, float]:
        """(x, y, z), mm."""
        x, y, z = self._gridded.spacing_mm
        return x, y, z

    @property
    def origin_mm(self) -> Tuple[float, float, float]:
        """Centre of voxel [0, 0, 0], (x, y, z), mm, LPS."""
        x, y, z = self._gridded.origin_mm
        return x, y, z
