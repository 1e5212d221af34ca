"""Comparing and summing up doses."""

from __future__ import annotations

from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from . import _libdose
from ._libdose import CtImage, DensityGrid, Dose, DoseVolumeHistogram
from .influence import DoseInfluence
from .records import Structure

gamma = _libdose.gamma


def dvh(dose: Dose, structure: Structure, *, bin_width_gy: float = 0.01) -> DoseVolumeHistogram:
    """Cumulative dose-volume histogram from partial voxels."""
    return _libdose.dvh(dose, structure, bin_width_gy)


def mask(structure: Structure, on: Union[CtImage, DensityGrid, Dose, DoseInfluence]) -> NDArray[np.float32]:
    """Fraction 0 ... 1 of every voxel of `on` that lies inside the structure, [z, y, x]."""
    shape: Any = on.grid_shape if isinstance(on, DoseInfluence) else on.array.shape
    return np.asarray(_libdose.mask(structure, shape, on.spacing_mm, on.origin_mm))
