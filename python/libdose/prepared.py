"""A calculation in stages: prepare a patient once, make fluence, compute dose; what did not change is reused.

    patient = libdose.Engine().prepare(plan, ct, structures)
    doses = [patient.dose(patient.fluence(beam)) for beam in plan.beams]
    plan.beams[0].control_points[0].jaw_x = (-40, 50)  # a changed beam costs that beam
    doses[0] = patient.dose(patient.fluence(plan.beams[0]))
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _libdose
from ._libdose import BeamFluence, Dose
from .grid import OnGrid
from .records import Beam, Plan

if TYPE_CHECKING:
    from .engine import Progress

Axes = Tuple[Tuple[float, float, float], Tuple[float, float, float], Tuple[float, float, float]]


@dataclass
class FluenceRaster:
    """Photon fluence of one geometry in the isocentre plane.

    values: [v, u], MU times fluence; 1 per MU is the open field on the axis. lower_mm: (u, v) of the lower
    corner of pixel [0, 0], beam-limiting-device frame, mm. axes: 3 x 3, columns u, v and from the isocentre
    to the source, in the patient (LPS); beam_axes() has those of angles.
    """

    values: ArrayLike
    pixel_mm: float = 1.0
    lower_mm: Tuple[float, float] = (0.0, 0.0)
    isocentre_mm: Tuple[float, float, float] = (0.0, 0.0, 0.0)
    axes: ArrayLike = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    source_axis_distance_mm: float = 1000.0

    def _plain(self) -> "FluenceRaster":
        """With arrays as the library takes them."""
        values: NDArray[np.float32] = np.ascontiguousarray(self.values, np.float32)
        if values.ndim != 2:
            raise ValueError(f"values must be [v, u], not of {values.ndim} dimensions")
        axes = np.asarray(self.axes, float)
        if axes.shape != (3, 3):
            raise ValueError(f"axes must be 3 x 3, not {axes.shape}")
        x, y, z = self.isocentre_mm
        lower = (float(self.lower_mm[0]), float(self.lower_mm[1]))
        isocentre = (float(x), float(y), float(z))
        return replace(self, values=values, axes=axes.tolist(), isocentre_mm=isocentre, lower_mm=lower)


def beam_axes(
    gantry_deg: float, collimator_deg: float = 0, couch_deg: float = 0, position: str = "HFS"
) -> NDArray[np.float64]:
    """FluenceRaster.axes of angles (IEC 61217, degrees) and a patient position."""
    return np.array(_libdose.beam_axes(position, gantry_deg, collimator_deg, couch_deg))


class PreparedPatient(OnGrid):
    """A patient whose density is on the dose grid and on the backend: Engine.prepare() makes it.

    Doses are Gy of one fraction. One thread at a time may use it.
    """

    def __init__(self, prepared: _libdose.PreparedPatient, position: str) -> None:
        self._prepared = prepared
        self._position = position

    @property
    def _gridded(self) -> _libdose.PreparedPatient:
        return self._prepared

    @property
    def notes(self) -> List[str]:
        """What was done to prepare it: densities, grid, backend."""
        return list(self._prepared.notes)

    def _plan(self, beam: Beam) -> Plan:
        return Plan(position=self._position, beams=[beam])

    def fluence(self, beam: Beam) -> BeamFluence:
        """Fluence of a beam of the plan, or of a changed or new one.

        Raises RefusedPlan and BadInput as calculate() does, and BadInput where its field leaves the grid.
        """
        return self._prepared.fluence(self._plan(beam))

    def own_fluence(self, rasters: Sequence[FluenceRaster], beam: Beam) -> BeamFluence:
        """One's own fluence, with the beam model and boluses of `beam`, without contaminating electrons."""
        return self._prepared.own_fluence([raster._plain() for raster in rasters], self._plan(beam))

    def rasters(self, fluence: BeamFluence) -> List[FluenceRaster]:
        """The maps of a fluence: one of a static beam, one for each sub-arc of an arc."""
        rasters = []
        for fields in fluence.raster_fields():
            values = np.asarray(fields["values"]).reshape(fields.pop("shape"))
            rasters.append(FluenceRaster(**{**fields, "values": values, "axes": np.array(fields["axes"])}))
        return rasters

    def dose(self, fluence: BeamFluence, *, progress: Optional["Progress"] = None) -> Dose:
        """Dose of one fraction of a fluence that this patient made. Ctrl-C stops it."""
        return self._prepared.dose(fluence, progress)

    def calculate(self, *, progress: Optional["Progress"] = None) -> Dose:
        """Dose of the plan that it was prepared for, as Engine.calculate() has it, bit for bit."""
        return self._prepared.calculate(progress)
