"""The engine: settings, and what is calculated with them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union, cast

from numpy.typing import ArrayLike

from . import _libdose
from ._libdose import BeamModel, CtImage, DensityGrid, Dose
from .errors import BadInput
from .influence import DoseInfluence
from .prepared import PreparedPatient
from .records import GateEntry, Plan, StructureSet

Progress = Callable[[float, str], object]
"""Called with a fraction 0 ... 1 and what is being done, some twenty times a second.

The thread that calculates calls it.
"""
Model = Union[BeamModel, Sequence[BeamModel], str, "os.PathLike[str]", None]


class _Kept(str):
    """A choice that the caller did not write: a default, or one that dataclasses.replace() copies."""


_SYNONYMS = {"engine": "algorithm", "transport": "grouping"}


class MemoryEstimate(NamedTuple):
    """Memory that a calculation needs and what this machine has; available 0: the system does not say."""

    needed_bytes: float
    available_bytes: float


@dataclass(frozen=True)
class Engine:
    """Settings of a calculation.

    algorithm: "collapsed-cone" or "pencil-beam". backend: "cpu", "cuda" or "auto"; device: number of the CUDA
    device. quality: "draft", "standard", "high". grouping: "auto", "shared" (one transport for all geometries
    of a plan) or "per-geometry" (one for each). grid_mm: spacing of the dose grid, 0.5 to 20; None: 2.5, or
    finer where an opening is narrow (a note says so). grid: a Dose or CtImage on whose grid the dose is
    calculated, exactly. threads: 0 for all cores. model: None (by the beam's energy, fluence mode and
    machine), a name, a file, a BeamModel, or several to choose from. densities: structure -> g/cm3;
    materials: structure -> name. dose_to: "medium" or "water". leaf_ends: "rounded" or "sharp"; leaves: name
    of a leaf design. hu_curve: a name ("water": HU 0 is 1.000 g/cm3; by default it is 1.0175) or CSV with
    hu,density_g_cm3. calibration_depth: None, "maximum", "10cm". accept_gaps: take a body in which contour
    planes are missing as it is. The same settings as those of `dose calc`. Synonyms: engine (algorithm),
    transport (grouping; "one" is "shared", "each" is "per-geometry").

    A CUDA device that it has opened stays open, with its memory, until the Engine is gone; several threads
    may share an Engine.
    """

    algorithm: str = _Kept("collapsed-cone")
    backend: str = "cpu"
    device: int = 0
    quality: str = "standard"
    grouping: str = _Kept("auto")
    grid_mm: Optional[float] = None
    threads: int = 0
    model: Model = None
    calibration_depth: Optional[str] = None
    densities: Mapping[str, float] = field(default_factory=dict)
    materials: Mapping[str, str] = field(default_factory=dict)
    dose_to: str = "medium"
    lateral_scaling: bool = True
    leaf_ends: str = "rounded"
    leaves: str = ""
    hu_curve: Union[str, "os.PathLike[str]", None] = None
    sub_arc_deg: float = 2.0
    beam_margin_mm: float = 100.0
    per_beam: bool = False
    grid: Union[Dose, CtImage, None] = None
    accept_gaps: bool = False
    engine: str = field(default=_Kept(), repr=False)
    transport: str = field(default=_Kept(), repr=False)
    _devices: _libdose.OpenDevices = field(default_factory=_libdose.OpenDevices, init=False, repr=False,
                                           compare=False)

    def __post_init__(self) -> None:
        for synonym, name in _SYNONYMS.items():
            values = getattr(self, name), getattr(self, synonym)
            written = [value for value in values if not isinstance(value, _Kept)]
            if len(written) == 2:
                problem = f"{name} and {synonym} are both given"
                advice = f"Give one of them: {synonym} is a synonym of {name}"
                raise BadInput(f"{problem} [{synonym}]. {advice}", problem, synonym, advice)
            for attribute in (name, synonym):
                object.__setattr__(self, attribute, _Kept(written[0] if written else values[0]))

    def _settings(self) -> Dict[str, Any]:
        settings = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.grid is not None:
            settings["grid"] = (self.grid.array.shape, self.grid.spacing_mm, self.grid.origin_mm)
        return settings

    def calculate(self, plan: Plan, ct: CtImage, structures: Optional[StructureSet] = None, *,
                  progress: Optional[Progress] = None) -> Dose:
        """Dose of the whole course, Gy, float32 [z, y, x] on a grid of its own, or on `grid`, in the frame of
        the CT.

        Without structures the whole CT is calculated. Ctrl-C stops it. Raises BadInput and RefusedPlan.
        """
        return _libdose.calculate(plan, ct, structures, self._settings(), progress)

    def prepare(
        self,
        plan: Plan,
        ct: CtImage,
        structures: Optional[StructureSet] = None,
        *,
        progress: Optional[Progress] = None,
    ) -> PreparedPatient:
        """The patient on the dose grid of the plan, to calculate fluences of it one by one.

        Raises BadInput and RefusedPlan as calculate() does.
        """
        prepared = _libdose.prepare(plan, ct, structures, self._settings(), progress)
        return PreparedPatient(prepared, plan.position)

    def density(self, plan: Plan, ct: CtImage, structures: Optional[StructureSet] = None) -> DensityGrid:
        """What the transport sees of the patient, on the dose grid, without boluses of single beams."""
        return _libdose.density(plan, ct, structures, self._settings())

    def admit(self, plan: Plan) -> List[GateEntry]:
        """An entry for each beam: honoured, or refused with the reason. Nothing is calculated.

        Reasons: no beam model for it, leaves that no design fits, a wedge that the model does not hold.
        gate_plan() judges every attribute of a file.
        """
        return cast(List[GateEntry], _libdose.admit(plan, self._settings()))

    def estimate_memory(self, plan: Plan, ct: CtImage,
                        structures: Optional[StructureSet] = None) -> MemoryEstimate:
        """What calculate() would take, bytes. An estimate."""
        return MemoryEstimate(*_libdose.estimate_memory(plan, ct, structures, self._settings()))

    def influence(
        self,
        plan: Plan,
        ct: CtImage,
        structures: Optional[StructureSet] = None,
        *,
        beamlet_mm: float = 5,
        target: str = "",
        margin_mm: float = 5,
        cutoff: float = 3e-4,
        memory_gb: float = 0,
        file: Union[str, "os.PathLike[str]", None] = None,
        part: Optional[Sequence[int]] = None,
        progress: Optional[Progress] = None,
    ) -> DoseInfluence:
        """Dose of every beamlet, Gy per MU and fraction.

        beamlet_mm: side of the squares of the isocentre plane. target: name of a structure that they are to
        see, or come within margin_mm of; empty: the openings of jaws and leaves. cutoff: part of a beamlet's
        largest dose below which values are drawn with a probability, right on average; 0 keeps all.
        memory_gb: largest matrix in memory (0: half of what is free); a larger one goes to `file`, and is
        refused without it. part: (first, last) of the beamlets.
        """
        first, last = part if part is not None else (0, 0)
        if part is not None and not 0 <= first < last:
            raise ValueError(f"part ({first}, {last}) holds no beamlet")
        result = _libdose.influence(
            plan,
            ct,
            structures,
            self._settings(),
            _beamlets(beamlet_mm, target, margin_mm, cutoff, first, last, memory_gb),
            os.fspath(file) if file is not None else "",
            progress,
        )
        return DoseInfluence(result)

    def count_beamlets(self, plan: Plan, ct: CtImage, structures: Optional[StructureSet] = None, *,
                       beamlet_mm: float = 5, target: str = "", margin_mm: float = 5) -> int:
        """How many columns influence() would have."""
        return _libdose.count_beamlets(plan, ct, structures, self._settings(),
                                       _beamlets(beamlet_mm, target, margin_mm))

    def calculate_beamlets(
        self,
        plan: Plan,
        ct: CtImage,
        structures: Optional[StructureSet],
        weights_mu: ArrayLike,
        *,
        beamlet_mm: float = 5,
        target: str = "",
        margin_mm: float = 5,
        progress: Optional[Progress] = None,
    ) -> Dose:
        """Dose of one fraction of the fluence that beamlets make with these MU.

        It is calculated as that of any fluence.
        """
        import numpy as np

        weights = np.asarray(weights_mu, dtype=float).ravel().tolist()
        return _libdose.calculate_beamlets(plan, ct, structures, self._settings(),
                                           _beamlets(beamlet_mm, target, margin_mm), weights, progress)


def _beamlets(beamlet_mm: float, target: str, margin_mm: float, cutoff: float = 3e-4, first: int = 0,
              last: int = 0, memory_gb: float = 0) -> Dict[str, Any]:
    return {
        "beamlet_mm": float(beamlet_mm),
        "target": target,
        "margin_mm": float(margin_mm),
        "cutoff": float(cutoff),
        "first": int(first),
        "last": int(last),
        "memory_bytes": float(memory_gb) * 1e9,
    }


def calculate(plan: Plan, ct: CtImage, structures: Optional[StructureSet] = None, *,
              progress: Optional[Progress] = None, **settings: Any) -> Dose:
    """Dose of a plan: Engine(**settings).calculate(...)."""
    return Engine(**settings).calculate(plan, ct, structures, progress=progress)


def influence(
    plan: Plan,
    ct: CtImage,
    structures: Optional[StructureSet] = None,
    *,
    beamlet_mm: float = 5,
    target: str = "",
    margin_mm: float = 5,
    cutoff: float = 3e-4,
    memory_gb: float = 0,
    file: Union[str, "os.PathLike[str]", None] = None,
    progress: Optional[Progress] = None,
    **settings: Any,
) -> DoseInfluence:
    """Influence matrix of a plan: Engine(**settings).influence(...).

    The default algorithm is the pencil beam.
    """
    engine = replace(Engine(algorithm="pencil-beam"), **settings)
    return engine.influence(
        plan,
        ct,
        structures,
        beamlet_mm=beamlet_mm,
        target=target,
        margin_mm=margin_mm,
        cutoff=cutoff,
        memory_gb=memory_gb,
        file=file,
        progress=progress,
    )
