"""Plans and structures: plain data that can be read, built by hand, changed, compared and pickled.

Angles: IEC 61217, degrees. Device positions: mm at the isocentre plane, IEC beam-limiting-device frame.
Points: (x, y, z), mm, DICOM patient coordinates (LPS).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, List, Optional, Sequence, Tuple, Union, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = Tuple[float, float, float]
Opening = Tuple[float, float]


def _no_numbers() -> NDArray[np.float64]:
    return np.zeros(0)


def _equal(a: Any, b: Any) -> bool:
    """Equality of fields that may be arrays."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b))
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b))
    return bool(a == b)


class _Record:
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(_equal(value, getattr(other, name))
                                                 for name, value in vars(self).items())


@dataclass(eq=False)
class MultileafCollimator(_Record):
    """Leaves that move along x (MLCX) or y. leaf_boundaries_mm: leaf pairs + 1 numbers, ascending."""

    type: str = "MLCX"
    motion: str = "x"
    leaf_boundaries_mm: ArrayLike = field(default_factory=_no_numbers)


@dataclass(eq=False)
class LeafPositions(_Record):
    """Tips of the lower bank (smaller coordinate) and the upper bank, one number per leaf pair."""

    lower_mm: ArrayLike = field(default_factory=_no_numbers)
    upper_mm: ArrayLike = field(default_factory=_no_numbers)


@dataclass(eq=False)
class Wedge(_Record):
    """A wedge of a beam.

    kind: physical, motorised or dynamic. orientation_deg: from the beam-limiting-device frame to the wedge's,
    whose +y points to the thin end.
    """

    number: int = 0
    kind: str = "physical"
    id: str = ""
    angle_deg: float = 0
    orientation_deg: float = 0
    factor: Optional[float] = None


@dataclass(eq=False)
class Block(_Record):
    """A block on a tray; x_mm, y_mm: its outline as projected from the source on the isocentre plane."""

    number: int = 0
    name: str = ""
    aperture: bool = False
    divergent: bool = True
    transmission: float = 0
    tray_distance_mm: float = 0
    thickness_mm: float = 0
    source_side: bool = False
    x_mm: ArrayLike = field(default_factory=_no_numbers)
    y_mm: ArrayLike = field(default_factory=_no_numbers)


@dataclass(eq=False)
class BeamBolus(_Record):
    structure_number: int = 0
    id: str = ""


@dataclass(eq=False)
class ControlPoint(_Record):
    """State of the machine. leaves: one entry per collimator of the beam; wedge_in: one per wedge."""

    gantry_deg: float = 0
    collimator_deg: float = 0
    couch_deg: float = 0
    isocentre_mm: Vector = (0.0, 0.0, 0.0)
    jaw_x: Optional[Opening] = None
    jaw_y: Optional[Opening] = None
    leaves: List[LeafPositions] = field(default_factory=list)
    wedge_in: List[bool] = field(default_factory=list)
    cumulative_weight: float = 0


@dataclass(eq=False)
class Beam(_Record):
    """A photon beam.

    control_points: at least two. gantry_rotation: by control point, "none", "clockwise" or
    "counter-clockwise".
    """

    number: int = 1
    name: str = ""
    machine: str = ""
    manufacturer: str = ""
    machine_model: str = ""
    nominal_energy_mv: float = 6
    fluence_mode: str = "STANDARD"
    meterset_mu: float = 100
    source_axis_distance_mm: float = 1000
    final_cumulative_weight: float = 1
    collimators: List[MultileafCollimator] = field(default_factory=list)
    wedges: List[Wedge] = field(default_factory=list)
    blocks: List[Block] = field(default_factory=list)
    tray_factor: float = 1
    tray_water_mm: float = 0
    boluses: List[BeamBolus] = field(default_factory=list)
    control_points: List[ControlPoint] = field(default_factory=list)
    gantry_rotation: List[str] = field(default_factory=list)
    dose_point_mm: Optional[Vector] = None
    dose_point_gy: Optional[float] = None

    @classmethod
    def static(
        cls,
        number: int = 1,
        *,
        gantry_deg: float = 0,
        isocentre_mm: Sequence[float] = (0, 0, 0),
        jaw_x: Opening = (-50, 50),
        jaw_y: Opening = (-50, 50),
        collimator_deg: float = 0,
        couch_deg: float = 0,
        meterset_mu: float = 100,
        energy_mv: float = 6,
        fluence_mode: str = "STANDARD",
        name: str = "",
        collimator: Optional[MultileafCollimator] = None,
        leaves: Optional[LeafPositions] = None,
    ) -> "Beam":
        """A beam in which nothing moves, open between its jaws, or its leaves where they are given."""
        if (collimator is None) != (leaves is None):
            raise ValueError("a collimator and the positions of its leaves go together")
        x, y, z = (float(c) for c in isocentre_mm)

        def point(weight: float) -> ControlPoint:
            return ControlPoint(gantry_deg, collimator_deg, couch_deg, (x, y, z), jaw_x, jaw_y,
                                [leaves] if leaves is not None else [], [], weight)

        return cls(
            number,
            name or f"beam {number}",
            nominal_energy_mv=energy_mv,
            fluence_mode=fluence_mode,
            meterset_mu=meterset_mu,
            collimators=[collimator] if collimator is not None else [],
            control_points=[point(0), point(1)],
            gantry_rotation=["none", "none"],
        )


@dataclass(eq=False)
class GateEntry(_Record):
    """What became of one attribute of a plan file; verdict: honoured, harmless, accepted or refused."""

    verdict: str = "honoured"
    beam: int = 0
    tag: str = ""
    name: str = ""
    where: str = ""
    value: str = ""
    reason: str = ""
    count: int = 1
    acceptable: bool = False


@dataclass(eq=False)
class Plan(_Record):
    """A treatment plan. position: HFS, HFP, FFS, FFP, HFDR, HFDL, FFDR or FFDL."""

    label: str = ""
    name: str = ""
    sop_instance_uid: str = ""
    sop_class_uid: str = ""
    patient_id: str = ""
    frame_of_reference_uid: str = ""
    referenced_structure_set_uid: str = ""
    position: str = "HFS"
    fraction_group: int = 1
    fractions: int = 1
    beams: List[Beam] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    gate: List[GateEntry] = field(default_factory=list)


class _Region:
    """Combines regions for a histogram: `a | b` is in a or in b, `a & b` in both, `a - b` in a, not in b."""

    def __or__(self, other: Region) -> CombinedStructure:
        return CombinedStructure("or", cast("Region", self), other)

    def __and__(self, other: Region) -> CombinedStructure:
        return CombinedStructure("and", cast("Region", self), other)

    def __sub__(self, other: Region) -> CombinedStructure:
        return CombinedStructure("minus", cast("Region", self), other)


@dataclass(eq=False)
class Structure(_Record, _Region):
    """A region of interest. contours: arrays [points, 3] of closed polygons in axial planes, mm, LPS.

    One within another is a hole, those that overlap are one area, a copy counts once; with xor_contours
    (CLOSEDPLANAR_XOR) what an odd number of them encloses is inside. type: EXTERNAL, PTV, ORGAN, SUPPORT, ...
    frame_of_reference_uid: that of its set, which gives it to structures that have none.
    """

    number: int = 0
    name: str = ""
    type: str = ""
    contours: List[NDArray[np.float64]] = field(default_factory=list)
    plane_spacing_mm: float = 0
    relative_mass_density: Optional[float] = None
    relative_electron_density: Optional[float] = None
    material: str = ""
    xor_contours: bool = False
    frame_of_reference_uid: str = ""


@dataclass(eq=False)
class CombinedStructure(_Record, _Region):
    """Two structures, or combinations of them, as one. operation: or, and, minus."""

    operation: str
    first: Region
    second: Region

    @property
    def name(self) -> str:
        def bracketed(region: Region) -> str:
            return f"({region.name})" if isinstance(region, CombinedStructure) else region.name

        return f"{bracketed(self.first)} {self.operation} {bracketed(self.second)}"


Region = Union[Structure, CombinedStructure]


@dataclass(eq=False)
class StructureSet(_Record):
    """Structures by name, `structures["PTV"]`, or by ROI number, `structures["#12"]`."""

    sop_instance_uid: str = ""
    frame_of_reference_uid: str = ""
    label: str = ""
    patient_id: str = ""
    referenced_series_uid: str = ""
    structures: List[Structure] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for structure in self.structures:
            self._place(structure)

    def _place(self, structure: Structure) -> Structure:
        structure.frame_of_reference_uid = structure.frame_of_reference_uid or self.frame_of_reference_uid
        return structure

    def __getitem__(self, name: str) -> Structure:
        found = [s for s in self.structures if name in (s.name, f"#{s.number}")]
        found = [s for s in found if s.contours] or found
        if len(found) == 1 or (found and not found[0].contours):
            return self._place(found[0])
        if found:
            numbers = ", ".join(f'"#{s.number}"' for s in found)
            raise KeyError(f"{len(found)} structures have the name {name!r}; name one by its number: "
                           f"{numbers}")
        raise KeyError(f"no structure {name!r}; there are "
                       f"{', '.join(s.name for s in self.structures) or 'none'}")

    def __contains__(self, name: object) -> bool:
        return any(name in (structure.name, f"#{structure.number}") for structure in self.structures)

    @property
    def names(self) -> List[str]:
        return [structure.name for structure in self.structures]
