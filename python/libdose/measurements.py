"""Measurements that other packages have read, as files for `dose model lint` and `dose model commission`.

    from libdose import measurements as m
    beam = m.Beam(energy_mv=6, fluence_mode="STANDARD", machine="Linac1")
    scans = pymedphys_mephysto.load_mephysto("scans.mcc")
    curves = m.from_mephysto(scans, field_mm=(100, 100), ssd_mm=900)
    m.write("measured/", beam, curves)

The files: docs/reference/measurements.md. Nothing is guessed: unit, field and distances are keywords without
a default. None of the packages is needed: what is taken from them is read by the names of its attributes.
Lengths in files are mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, List, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from .errors import BadInput

Field = Tuple[float, float]
Values = NDArray[np.float64]

_MM = {"mm": 1.0, "cm": 10.0}
_AXES = ("crossplane", "inplane", "diagonal")
_AXIS_SYNONYMS = {"crossline": "crossplane", "inline": "inplane"}


def _fail(problem: str, where: str, advice: str = "") -> BadInput:
    message = f"{problem} [{where}]" + (f". {advice}" if advice else "")
    return BadInput(message, problem, where, advice)


@dataclass(frozen=True)
class Beam:
    """The beam that was measured.

    Nominal energy, fluence mode ("STANDARD" or "FFF"), and the machine as plans name it (empty: any).
    """

    energy_mv: float
    fluence_mode: str
    machine: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.energy_mv <= 50:
            raise _fail(f"the energy is {self.energy_mv} MV", "beam")
        if self.fluence_mode not in ("STANDARD", "FFF"):
            raise _fail(f'the fluence mode is "{self.fluence_mode}"', "beam", "It is STANDARD or FFF")


@dataclass(frozen=True)
class Curve:
    """One curve with its set-up, in mm, as a CSV file states it.

    `kind`: depth_dose, tpr, profile or output_factor.
    """

    kind: str
    position_mm: Values
    value: Values
    comments: Tuple[str, ...]
    columns: Tuple[str, ...]
    name: str

    def csv(self, beam: Beam) -> str:
        """The text of its file."""
        head = [f"kind: {self.kind}", f"energy: {beam.energy_mv:g} MV", f"fluence mode: {beam.fluence_mode}"]
        head += [f"machine: {beam.machine}"] if beam.machine else []
        lines = [f"# {line}" for line in (*head, *self.comments)] + [",".join(self.columns)]
        lines += [f"{x:.10g},{y:.10g}" for x, y in zip(self.position_mm, self.value)]
        return "\n".join(lines) + "\n"


def _column(data: Any, name: str) -> Any:
    try:
        return data[name]
    except Exception as error:
        raise _fail(f'there is no column "{name}"', "table") from error


def _pair(data: Any, position: Optional[str], value: Optional[str]) -> Tuple[Any, Any]:
    """Positions and values as they are in what another package holds; see points()."""
    if (position is None) != (value is None):
        raise _fail("one column is named, not both", "table", "Give position= and value=")
    if position is not None:
        return _column(data, position), _column(data, str(value))
    if hasattr(data, "x_values") and hasattr(data, "values"):
        return data.x_values, data.values
    if hasattr(data, "columns"):
        raise _fail("the columns of the table are not named", "table",
                    'Give their names, such as position="depth", value="dose"')
    if hasattr(data, "x") and hasattr(data, "y"):
        return data.x, data.y
    if isinstance(data, tuple) and len(data) == 2:
        x, y = data
        return x, y
    rows = np.asarray(list(data), dtype=float)
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise _fail("the data are neither positions with values nor rows of both, but "
                    f"{type(data).__name__}", "curve")
    return rows[:, 0], rows[:, 1]


def _mm_per_unit(data: Any, unit: str, axis_at: float) -> float:
    """Length of the unit of the positions, mm; of a pixel it is in the data. See points()."""
    dots_per_mm = getattr(data, "dpmm", None)
    if unit != "pixel":
        if dots_per_mm:
            raise _fail("the profile is in pixels (it has a dpmm)", "curve", 'Give unit="pixel" and axis_at')
        return _MM[unit]
    if not dots_per_mm:
        raise _fail("the positions are pixels, and the data do not say how large they are", "curve",
                    "Use a profile with dpmm, or unit mm or cm")
    if axis_at == 0:
        raise _fail("the positions are pixels from an edge, and where the beam's axis is, is not stated",
                    "curve", "Give axis_at, such as profile.center_idx")
    return 1 / float(dots_per_mm)


def points(
    data: Any,
    *,
    unit: str,
    position: Optional[str] = None,
    value: Optional[str] = None,
    axis_at: float = 0.0,
) -> Tuple[Values, Values]:
    """Positions (mm, from the beam's axis or the surface) and values of what another package holds.

    data: two arrays (position, value); rows of (position, value), as pymedphys' Profiler.x; a table
    (pandas.DataFrame) with the names of its columns in `position` and `value`; an object with x and y
    (pymedphys' Profile) or with x_values and values (pylinac.core.profile). unit: of its positions, "mm",
    "cm", or "pixel" for a pylinac profile of an image, whose dpmm says how large they are. axis_at: where the
    beam's axis is, in that unit. A profile in pixels needs it, such as pylinac's profile.center_idx.
    """
    if unit not in ("mm", "cm", "pixel"):
        raise _fail(f'the unit is "{unit}"', "positions", 'It is "mm", "cm" or "pixel"')
    x, y = _pair(data, position, value)
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or x.size < 1:
        raise _fail(f"there are {x.size} positions and {y.size} values", "curve")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise _fail("a position or a value is not a number", "curve", "Leave the point out")
    scale = _mm_per_unit(data, unit, axis_at)
    order = np.argsort(x, kind="stable")
    mm = (x[order] - axis_at) * scale
    if (np.diff(mm) == 0).any():
        raise _fail(f"the position {mm[1:][np.diff(mm) == 0][0]:g} mm is there twice", "curve",
                    "Keep one of the two points")
    return mm, y[order]


def _length(value: float, what: str) -> str:
    if not (np.isfinite(value) and value > 0):
        raise _fail(f"{what} is {value}", "set-up", "Lengths are mm, above 0")
    return f"{value:g} mm"


def _field(field_mm: Field) -> str:
    try:
        x, y = field_mm
    except TypeError as error:
        raise _fail(f"the field is {field_mm!r}", "set-up",
                    "It is (side along x, side along y), mm") from error
    return f"{_length(x, 'the side along x')[:-3]} x {_length(y, 'the side along y')}"


@dataclass(frozen=True)
class Leaves:
    """The leaves that shape a field, and the opening of the jaws about it, mm along x and y.

    The leaves are a design of `dose model list`.
    """

    design: str
    jaws_mm: Field


def _opening(field_mm: Field, leaves: Optional[Leaves]) -> List[str]:
    if leaves is None:
        return [f"field: {_field(field_mm)}"]
    return [*_jaws(leaves), f"leaf opening: {_field(field_mm)}"]


def _jaws(leaves: Leaves) -> List[str]:
    if not leaves.design:
        raise _fail("the leaves have no name", "set-up", "dose model list has the names")
    return [f"leaves: {leaves.design}", f"jaws: {_field(leaves.jaws_mm)}"]


def _within(leaves: Optional[Leaves]) -> str:
    return f"_leaves_in_jaws_{_short(leaves.jaws_mm)}" if leaves else ""


def _detector(detector: str) -> List[str]:
    return [f"detector: {detector}"] if detector else []


def _short(field_mm: Field) -> str:
    return f"{field_mm[0]:g}x{field_mm[1]:g}mm"


def depth_dose(
    data: Any,
    *,
    unit: str,
    field_mm: Field,
    ssd_mm: float,
    leaves: Optional[Leaves] = None,
    position: Optional[str] = None,
    value: Optional[str] = None,
    detector: str = "",
) -> Curve:
    """Dose in water on the axis against depth, of any scale.

    Points above the water are left out. With `leaves` the field is their opening. The other keywords:
    `points`.
    """
    x, y = points(data, unit=unit, position=position, value=value)
    comments = (f"SSD: {_length(ssd_mm, 'the source-surface distance')}", *_opening(field_mm, leaves),
                *_detector(detector))
    inside = x >= 0
    return Curve("depth_dose", x[inside], y[inside], comments, ("depth_mm", "dose"),
                 f"depth_dose_{_short(field_mm)}{_within(leaves)}_ssd_{ssd_mm:g}mm")


def tissue_phantom_ratio(data: Any, *, unit: str, field_mm: Field, sad_mm: float, one_at_mm: float,
                         position: Optional[str] = None, value: Optional[str] = None,
                         detector: str = "") -> Curve:
    """Tissue-phantom (or -maximum) ratio, 1 at the depth `one_at_mm`."""
    x, y = points(data, unit=unit, position=position, value=value)
    comments = (
        f"SAD: {_length(sad_mm, 'the source-axis distance')}",
        f"field: {_field(field_mm)}",
        f"normalisation: 1 at {_length(one_at_mm, 'the depth of the value 1')} depth",
        *_detector(detector),
    )
    return Curve("tpr", x, y, comments, ("depth_mm", "ratio"), f"tpr_{_short(field_mm)}")


def profile(
    data: Any,
    *,
    unit: str,
    field_mm: Field,
    ssd_mm: float,
    depth_mm: float,
    axis: str,
    axis_at: float = 0.0,
    leaves: Optional[Leaves] = None,
    position: Optional[str] = None,
    value: Optional[str] = None,
    detector: str = "",
) -> Curve:
    """Profile in water, of any scale, positions at the detector.

    `axis`: crossplane (along the collimator's x, where leaves travel), inplane (y) or diagonal; crossline and
    inline are synonyms. With `leaves` the field is their opening.
    """
    axis = _AXIS_SYNONYMS.get(axis, axis)
    if axis not in _AXES:
        raise _fail(f'the axis is "{axis}"', "set-up", "It is " + ", ".join(_AXES))
    x, y = points(data, unit=unit, position=position, value=value, axis_at=axis_at)
    comments = (
        f"SSD: {_length(ssd_mm, 'the source-surface distance')}",
        f"depth: {_length(depth_mm, 'the depth')}",
        *_opening(field_mm, leaves),
        f"axis: {axis}",
        *_detector(detector),
    )
    name = f"profile_{axis}_{_short(field_mm)}{_within(leaves)}_depth_{depth_mm:g}mm_ssd_{ssd_mm:g}mm"
    return Curve("profile", x, y, comments, ("position_mm", "dose"), name)


def output_factors(
    sides_mm: Sequence[float],
    factors: Sequence[float],
    *,
    ssd_mm: float,
    depth_mm: float,
    one_at_side_mm: float,
    leaves: Optional[Leaves] = None,
    one_of: str = "",
    detector: str = "",
) -> Curve:
    """Output factors in water of square fields, relative to the field of `one_at_side_mm`.

    With `leaves` the sides are their opening, and `one_of` says whose field is 1: "leaves" in the same jaws,
    or "jaws" with the leaves out of it.
    """
    if (one_of not in ("leaves", "jaws")) if leaves else one_of:
        raise _fail(f'one_of is "{one_of}"', "set-up",
                    'With leaves it is "leaves" or "jaws", without them it is left out')
    x, y = points((np.asarray(sides_mm, dtype=float), np.asarray(factors, dtype=float)), unit="mm")
    side = _length(one_at_side_mm, "the side of the field of the value 1")
    comments = (
        f"SSD: {_length(ssd_mm, 'the source-surface distance')}",
        f"depth: {_length(depth_mm, 'the depth')}",
        *(_jaws(leaves) if leaves else ()),
        f"normalisation: {one_of + ' ' if one_of else ''}{one_at_side_mm:g} x {side} = 1",
        *_detector(detector),
    )
    columns = ("leaf_mm" if leaves else "side_mm", "output_factor")
    return Curve("output_factor", x, y, comments, columns,
                 f"output_factors{_within(leaves)}_depth_{depth_mm:g}mm_ssd_{ssd_mm:g}mm")


def from_mephysto(loaded: Tuple[Any, Any, Any, Any], *, field_mm: Field, ssd_mm: float,
                  detector: str = "") -> List[Curve]:
    """Scans of one field, as pymedphys' load_mephysto returns them.

    That is: distances (mm), doses, curve types, depths (mm). load_mephysto keeps neither field nor distance,
    which is why they are asked for; `dose` reads .mcc files with their set-up itself.
    """
    if len(loaded) != 4:
        raise _fail(f"there are {len(loaded)} lists, not distances, doses, curve types and depths",
                    "load_mephysto")
    axes = {"CROSSPLANE_PROFILE": "crossplane", "INPLANE_PROFILE": "inplane"}
    curves = []
    for number, (x, y, kind, depth) in enumerate(zip(*loaded), start=1):
        scan = (np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        if kind == "PDD":
            curves.append(depth_dose(scan, unit="mm", field_mm=field_mm, ssd_mm=ssd_mm, detector=detector))
        elif kind in axes:
            if not np.isfinite(depth):
                raise _fail("the profile does not state its depth", f"scan {number}")
            curves.append(profile(scan, unit="mm", field_mm=field_mm, ssd_mm=ssd_mm, depth_mm=float(depth),
                                  axis=axes[kind], detector=detector))
        else:
            raise _fail(f'the scan is of type "{kind}"', f"scan {number}", "Known: PDD, " + ", ".join(axes))
    return curves


def from_field_analysis(analysis: Any, *, field_mm: Field, ssd_mm: float, depth_mm: float, x_is: str,
                        detector: str = "") -> List[Curve]:
    """Both profiles of an analysed pylinac FieldProfileAnalysis.

    The image was taken in water or in its equivalent at the depth: a film or an array. The image's size of a
    pixel (dpmm) must be that at the detector. The axis is taken at the middle of the field. `x_is`:
    "crossplane" or "inplane".
    """
    x_is = _AXIS_SYNONYMS.get(x_is, x_is)
    if x_is not in _AXES[:2]:
        raise _fail(f'the x axis of the image is "{x_is}"', "set-up", "It is crossplane or inplane")
    if not hasattr(analysis, "x_profile") or not hasattr(analysis, "y_profile"):
        raise _fail("the analysis has no profiles", type(analysis).__name__, "Call its analyze() first")
    y_is = "inplane" if x_is == "crossplane" else "crossplane"
    return [profile(line, unit="pixel", field_mm=field_mm, ssd_mm=ssd_mm, depth_mm=depth_mm, axis=axis,
                    axis_at=float(line.center_idx), detector=detector)
            for line, axis in ((analysis.x_profile, x_is), (analysis.y_profile, y_is))]


def write(folder: Union[str, Path], beam: Beam, curves: Iterable[Curve]) -> List[Path]:
    """A CSV file for each curve; the folder is made.

    Raises BadInput for two curves of the same quantity and set-up, before anything is written.
    """
    made = {}
    for curve in curves:
        if curve.name in made:
            raise _fail("two curves are of the same quantity, field and depth", curve.name,
                        "Keep one of them")
        made[curve.name] = curve.csv(beam)
    if not made:
        raise _fail("there is no curve", str(folder))
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    files = []
    for name, text in made.items():
        files.append(target / f"{name}.csv")
        files[-1].write_text(text)
    return files
