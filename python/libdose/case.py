"""Reading what belongs together from DICOM files."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from typing import Any, Iterable, List, Optional, Sequence, Union, cast

from . import _libdose
from ._libdose import CtImage, Dose
from .records import Plan, StructureSet

Path = Union[str, "os.PathLike[str]"]


@dataclass
class Case:
    """CT, structures, plans and doses of one patient. notes: what was picked and why."""

    ct: CtImage
    structures: Optional[StructureSet] = None
    plans: List[Plan] = field(default_factory=list)
    doses: List[Dose] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)


def read_dicom(
    source: Union[Path, Sequence[Path], Sequence[Any]],
    *,
    plan: str = "",
    fraction_group: int = 0,
    accept: Sequence[str] = (),
    without_structures: bool = False,
) -> Case:
    """Reads a case from a folder, files, or pydicom datasets.

    Plans share CT and structures with the one that is chosen: `plan` is a label or SOP Instance UID, needed when plans lie on different CTs. A folder
    without a plan gives its CT and structures. `fraction_group`: number, when there are several; `accept`: tags of unknown attributes that cannot
    change the dose; `without_structures`: read none, whether there is a structure set or not. Raises BadInput when the structure set of the plan is
    not there, BadInput, listing the candidates, when the choice is not clear, and RefusedPlan for what is not modelled.
    """
    items: List[Any] = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    if items and hasattr(items[0], "SOPInstanceUID"):
        with tempfile.TemporaryDirectory(prefix="libdose-") as folder:
            for number, dataset in enumerate(items):
                save(dataset, os.path.join(folder, f"{number:05d}.dcm"))
            return _read([folder], plan, fraction_group, accept, without_structures)
    return _read([os.fspath(item) for item in items], plan, fraction_group, accept, without_structures)


def save(dataset: Any, file: Path) -> None:
    """Writes a pydicom dataset as a DICOM file, whatever its version of pydicom calls that."""
    try:
        dataset.save_as(file, enforce_file_format=True)
    except TypeError:
        dataset.save_as(file, write_like_original=False)


def _read(paths: List[str], plan: str, fraction_group: int, accept: Sequence[str], without_structures: bool) -> Case:
    index = _libdose.index_dicom(paths)
    plans = [entry for entry in index if entry[1] == "RTPLAN"]
    if not plans:
        return _without_plan(index)
    # Any plan will do to find the rest when all lie on one CT; if they do not, the library says so and lists them.
    frames = {entry[4] for entry in plans}
    chosen = plan or (plans[0][2] if len(plans) > 1 and len(frames) == 1 else "")
    ct_files, structure_files, plan_files, dose_files, notes = _libdose.select_case(paths, chosen, without_structures)
    wanted: Iterable[Any] = plan_files if plan else [entry[0] for entry in plans if entry[4] == _frame_of(plans, plan_files[0])]
    read_plans = [cast(Plan, _libdose.read_plan(file, fraction_group, list(accept))) for file in wanted]
    if structure_files:
        _require_one_structure_set(read_plans)
    return Case(
        _libdose.read_ct(ct_files),
        cast(StructureSet, _libdose.read_structures(structure_files[0])) if structure_files else None,
        read_plans,
        [Dose.read(entry[0]) for entry in index if entry[1] == "RTDOSE"] if not plan else [Dose.read(file) for file in dose_files],
        list(notes),
    )


def _require_one_structure_set(plans: List[Plan]) -> None:
    """A case has one structure set: plans that were made on another one would be calculated with it."""
    from .errors import BadInput

    named = {plan.referenced_structure_set_uid: plan.label for plan in plans}
    if len(named) > 1:
        listed = "; ".join(f'"{label}" {uid or "none"}' for uid, label in named.items())
        raise BadInput(f"the plans refer to different structure sets: {listed}. Choose one of them: plan=...")


def _frame_of(plans: List[Any], file: Any) -> str:
    for entry in plans:
        if os.fspath(entry[0]) == os.fspath(file):
            return str(entry[4])
    return ""


def _without_plan(index: List[Any]) -> Case:
    from .errors import BadInput

    series = {entry[3] for entry in index if entry[1] == "CT"}
    structures = [entry[0] for entry in index if entry[1] == "RTSTRUCT"]
    if len(series) != 1 or len(structures) > 1:
        raise BadInput(f"there are {len(series)} CT series and {len(structures)} structure sets and no plan that says which belong together")
    return Case(
        _libdose.read_ct([entry[0] for entry in index if entry[1] == "CT"]),
        cast(StructureSet, _libdose.read_structures(structures[0])) if structures else None,
        [],
        [Dose.read(entry[0]) for entry in index if entry[1] == "RTDOSE"],
    )
