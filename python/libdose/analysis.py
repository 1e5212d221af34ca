"""Comparing and summing up doses."""

from __future__ import annotations

from typing import Any, Iterable, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _libdose
from ._libdose import CtImage, DensityGrid, Dose, DoseVolumeHistogram
from .errors import BadInput
from .influence import DoseInfluence
from .records import Region, Structure

gamma = _libdose.gamma


def sum_doses(doses: Iterable[Dose], weights: Iterable[float] = (), *, grid: str = "same") -> Dose:
    """Sum of doses times their weights (none: 1 each), with frame of reference, fractions and provenance.

    `a + b`, `a - b`, `2 * a` and `a / 2` are this on one grid. grid: "same" refuses different grids; "first"
    interpolates on that of the first dose, which all must cover; "common" on the part of it that all cover.
    With a negative weight the type is ERROR. Raises BadInput for other frames of reference, patients and
    summations.
    """
    return _libdose.sum_doses(list(doses), [float(weight) for weight in weights], grid)


OnGrid = Union[CtImage, DensityGrid, Dose, DoseInfluence]


def _shape(on: OnGrid) -> Any:
    return on.grid_shape if isinstance(on, DoseInfluence) else on.array.shape


def dvh(
    dose: Dose,
    structure: Optional[Region] = None,
    *,
    mask: Optional[ArrayLike] = None,
    on: Optional[OnGrid] = None,
    bin_width_gy: Optional[float] = None,
    sampling_mm: Optional[float] = None,
    threads: int = 0,
) -> DoseVolumeHistogram:
    """Dose-volume histogram of a structure, of a combination (`a | b`, `a & b`, `a - b`), or of a mask.

    mask: covered fraction 0 ... 1 (or bool) of each voxel of `on`, by default of the dose, [z, y, x].
    bin_width_gy: of the cumulative curve only; 0.01, or less for doses below 1 Gy.
    sampling_mm: about the distance of the dose samples; by the structure's volume.
    threads: 0 for all cores. Raises BadInput.
    """
    if (structure is None) == (mask is None):
        raise TypeError("dvh() takes a structure or a mask")
    if on is not None and mask is None:
        raise TypeError("on is the grid of a mask")
    bins, sampling = _positive("bin_width_gy", bin_width_gy), _positive("sampling_mm", sampling_mm)
    if mask is None:
        return _libdose.dvh(dose, structure, bins, sampling, threads)
    grid = dose if on is None else on
    values = np.ascontiguousarray(mask, dtype=np.float32)
    if values.shape != tuple(_shape(grid)):
        raise BadInput(f"the mask has the shape {values.shape}, its grid {tuple(_shape(grid))}")
    return _libdose.dvh_of_mask(dose, values, grid.spacing_mm, grid.origin_mm, bins, sampling, threads)


def _positive(name: str, value: Optional[float]) -> float:
    """The value, 0 for none given."""
    if value is not None and not value > 0:
        raise BadInput(f"{name} must be positive")
    return value or 0.0


def mask(structure: Structure, on: OnGrid) -> NDArray[np.float32]:
    """Fraction 0 ... 1 of every voxel of `on` that lies inside the structure, [z, y, x]."""
    return np.asarray(_libdose.mask(structure, _shape(on), on.spacing_mm, on.origin_mm))
