"""Dose influence matrices for optimisation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _libdose
from ._libdose import Dose
from .grid import OnGrid

if TYPE_CHECKING:
    import scipy.sparse


class DoseInfluence(OnGrid):
    """Dose of every beamlet in every voxel: Gy per MU and fraction, [voxels, beamlets], compressed by column.

    A voxel's row is its index in the dose array [z, y, x] read in C order. The matrix is in memory, or in an
    HDF5 file (`file`).
    """

    def __init__(self, matrix: _libdose.Influence) -> None:
        self._matrix = matrix

    @classmethod
    def read(cls, file: Union[str, "os.PathLike[str]"]) -> "DoseInfluence":
        """Opens a file; its columns are read when they are asked for."""
        return cls(_libdose.read_influence(os.fspath(file)))

    @classmethod
    def join(cls, parts: Sequence["DoseInfluence"], file: Union[str, "os.PathLike[str]"]) -> "DoseInfluence":
        """Parts of one calculation, in order, as one file.

        Raises BadInput when they do not belong together.
        """
        _libdose.join_influence([part._matrix for part in parts], os.fspath(file))
        return cls.read(file)

    def write(self, file: Union[str, "os.PathLike[str]"]) -> None:
        self._matrix.write(os.fspath(file))

    @property
    def shape(self) -> Tuple[int, int]:
        """(voxels, beamlets)"""
        z, y, x = self.grid_shape
        return z * y * x, self._matrix.count

    @property
    def _gridded(self) -> _libdose.Influence:
        return self._matrix

    @property
    def entries(self) -> int:
        """Values that are kept."""
        return self._matrix.entries

    @property
    def file(self) -> str:
        """Where the columns are; empty: in memory."""
        return self._matrix.file

    @property
    def beamlets(self) -> Dict[str, NDArray[Any]]:
        """The beamlet of each column: where it comes from and where it is.

        `beam` (index in the plan), `control_point` (whose geometry it has), `u_mm` and `v_mm` (centre,
        beam-limiting-device frame).
        """
        return dict(self._matrix.beamlets)

    @property
    def beamlet_mm(self) -> float:
        return self._matrix.beamlet_mm

    @property
    def cutoff(self) -> float:
        return self._matrix.cutoff

    @property
    def settings(self) -> Dict[str, str]:
        return dict(self._matrix.settings)

    @property
    def model_hashes(self) -> Dict[str, str]:
        return dict(self._matrix.model_hashes)

    @property
    def notes(self) -> List[str]:
        return list(self._matrix.notes)

    @property
    def seconds(self) -> Dict[str, float]:
        """Time by stage, where it was calculated here."""
        return dict(self._matrix.seconds)

    def columns(
        self, first: int, last: int
    ) -> Tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """(begin, voxel, gy) of columns first ... last - 1.

        The entries of column c are begin[c - first] ... begin[c - first + 1] - 1.
        """
        begin, voxel, gy = self._matrix.columns(first, last)
        return begin, voxel, gy

    def blocks(self, columns: int = 64) -> Iterator[Tuple[int, int, "scipy.sparse.csc_array"]]:
        """(first, last, matrix) of some columns at a time: for a matrix that is larger than the memory."""
        for first in range(0, self.shape[1], columns):
            last = min(first + columns, self.shape[1])
            yield first, last, self._csc(first, last)

    def to_scipy(self) -> "scipy.sparse.csc_array":
        """The matrix as scipy.sparse.csc_array, float32 [voxels, beamlets].

        Values and rows are not copied when it is in memory.
        """
        return self._csc(0, self.shape[1])

    def _csc(self, first: int, last: int) -> "scipy.sparse.csc_array":
        import scipy.sparse

        begin, voxel, gy = self.columns(first, last)
        # scipy wants both index arrays of one type; the short one is converted where that is possible.
        if begin[-1] < 2**31:
            indices: NDArray[Any] = voxel
            pointers: NDArray[Any] = begin.astype(np.int32)
        else:
            indices, pointers = voxel.astype(np.int64), begin
        return scipy.sparse.csc_array((gy, indices, pointers), shape=(self.shape[0], last - first),
                                      copy=False)

    def to_matrad(self) -> Dict[str, Any]:
        """The fields of matRad's dij that optimisation reads, for scipy.io.savemat.

        Rows are in matRad's order (y fastest, then x, z), numbers from 1.
        """
        z, y, x = self.grid_shape
        rows = np.arange(z * y * x).reshape(z, y, x).transpose(0, 2, 1).ravel()
        beam = self.beamlets["beam"]
        numbers = np.concatenate([np.arange(1, count + 1)
                                  for count in np.unique(beam, return_counts=True)[1]]).astype(float)
        axes = {name: self.origin_mm[axis] + self.spacing_mm[axis] * np.arange(size)
                for axis, (name, size) in enumerate(zip("xyz", (x, y, z)))}
        return {
            "physicalDose": self.to_scipy().tocsr()[rows].tocsc().astype(float),
            "doseGrid": {
                "resolution": dict(zip("xyz", self.spacing_mm)),
                "dimensions": np.array([y, x, z], float),
                "numOfVoxels": float(z * y * x),
                **axes,
            },
            "beamNum": beam[:, None] + 1.0,
            "rayNum": numbers[:, None],
            "bixelNum": np.ones((len(beam), 1)),
            "numOfBeams": float(len(np.unique(beam))),
            "totalNumOfBixels": float(len(beam)),
        }

    def to_pyradplan(self) -> Any:
        """The matrix as a pyRadPlan Dij (needs pyRadPlan)."""
        import pyRadPlan.dij

        z, y, x = self.grid_shape
        beam = self.beamlets["beam"]
        grid = {"resolution": dict(zip("xyz", self.spacing_mm)), "dimensions": (x, y, z),
                "origin": np.array(self.origin_mm)}
        numbers = np.concatenate([np.arange(count) for count in np.unique(beam, return_counts=True)[1]])
        return pyRadPlan.dij.Dij(
            dose_grid=grid,
            ct_grid=grid,
            physical_dose=self.to_scipy(),
            num_of_beams=len(np.unique(beam)),
            bixel_num=np.zeros(len(beam), int),
            ray_num=numbers,
            beam_num=beam,
        )

    def dose(self, weights_mu: ArrayLike) -> Dose:
        """Dose of one fraction for the MU of every beamlet.

        Raises ValueError for another number of weights, and for one that is negative.
        """
        weights = np.asarray(weights_mu, dtype=np.float64).ravel()
        if weights.size != self.shape[1] or not np.all(np.isfinite(weights)):
            raise ValueError(f"{self.shape[1]} finite weights are needed, one for each beamlet")
        if np.any(weights < 0):
            raise ValueError(f"the weight of beamlet {int(np.argmin(weights))} is negative: the MU of a "
                             "beamlet are a number of at least 0")
        total = np.zeros(self.shape[0])
        for first, last, block in self.blocks():
            total += block @ weights[first:last]
        return Dose(total.astype(np.float32).reshape(self.grid_shape), self.spacing_mm, self.origin_mm,
                    "fraction", 1, self._matrix.frame_of_reference_uid)

    def __matmul__(self, weights_mu: ArrayLike) -> NDArray[np.float32]:
        """Dose of one fraction as a flat array [voxels]."""
        return np.asarray(self.dose(weights_mu).array).ravel()

    def __getstate__(self) -> Tuple[Any, ...]:
        if self.file:
            return (self.file,)
        # In memory: the file's bytes would do, but a matrix of gigabytes does not belong into a pickle.
        raise TypeError("an influence matrix in memory is not pickled: write() it, or send to_scipy()")

    def __setstate__(self, state: Tuple[Any, ...]) -> None:
        self._matrix = _libdose.read_influence(state[0])

    def __repr__(self) -> str:
        place = ", " + self.file if self.file else ""
        return (f"<DoseInfluence {self.shape[0]} voxels x {self.shape[1]} beamlets, {self.entries} "
                f"values{place}>")
