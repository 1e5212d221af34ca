"""Comparing and summing up doses."""

from __future__ import annotations

from typing import Any, Iterable, Union

import numpy as np
from numpy.typing import NDArray

from . import _libdose
from ._libdose import CtImage, DensityGrid, Dose, DoseVolumeHistogram
from .influence import DoseInfluence
from .records import Structure

gamma = _libdose.gamma


def sum_doses(doses: Iterable[Dose], weights: Iterable[float] = (), *, grid: str = "same") -> Dose:
    """Sum of doses times their weights (none: 1 each), with frame of reference, fractions and provenance.

    `a + b`, `a - b`, `2 * a` and `a / 2` are this on one grid. grid: "same" refuses different grids; "first" interpolates on that of the first dose, which
    all must cover; "common" on the part of it that all cover. With a negative weight the type is ERROR. Raises BadInput for other frames of reference,
    patients and summations.
    """
    return _libdose.sum_doses(list(doses), [float(weight) for weight in weights], grid)


def dvh(dose: Dose, structure: Structure, *, bin_width_gy: float = 0.01) -> DoseVolumeHistogram:
    """Cumulative dose-volume histogram from partial voxels."""
    return _libdose.dvh(dose, structure, bin_width_gy)


def mask(structure: Structure, on: Union[CtImage, DensityGrid, Dose, DoseInfluence]) -> NDArray[np.float32]:
    """Fraction 0 ... 1 of every voxel of `on` that lies inside the structure, [z, y, x]."""
    shape: Any = on.grid_shape if isinstance(on, DoseInfluence) else on.array.shape
    return np.asarray(_libdose.mask(structure, shape, on.spacing_mm, on.origin_mm))
