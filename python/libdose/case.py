"""Reading what belongs together from DICOM files."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Union, cast

from . import _libdose
from ._libdose import CtImage, Dose
from .errors import BadInput, Error, RefusedPlan
from .records import GateEntry, Plan, StructureSet

Path = Union[str, "os.PathLike[str]"]


@dataclass
class Case:
    """CT, structures, plans and doses of one patient.

    notes: what was picked and why. refused: of the plans that cannot be read or calculated, by SOP Instance
    UID, the error that read_dicom(..., plan=UID) raises.
    """

    ct: CtImage
    structures: Optional[StructureSet] = None
    plans: List[Plan] = field(default_factory=list)
    doses: List[Dose] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    refused: Dict[str, Error] = field(default_factory=dict)


def read_dicom(
    source: Union[Path, Sequence[Path], Sequence[Any]],
    *,
    plan: str = "",
    series: str = "",
    fraction_group: int = 0,
    accept: Sequence[str] = (),
    without_structures: bool = False,
) -> Case:
    """Reads a case from a folder, files, or pydicom datasets.

    Plans share CT and structures with the one that is chosen: `plan` is a label or SOP Instance UID, needed
    when plans lie on different CTs. A folder without a plan gives its CT and structures. `series`: Series
    Instance UID of the CT, when the structure set names several or none. `fraction_group`: number, when there
    are several; `accept`: tags of unknown attributes that cannot change the dose; `without_structures`: read
    none, whether there is a structure set or not. Of several plans those that are refused are in
    Case.refused. Raises BadInput when the structure set of the plan is not there, BadInput, listing the
    candidates, when the choice is not clear, and RefusedPlan when the plan that is asked for, or every one,
    has something that is not modelled.
    """
    items: List[Any] = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    if items and hasattr(items[0], "SOPInstanceUID"):
        with tempfile.TemporaryDirectory(prefix="libdose-") as folder:
            for number, dataset in enumerate(items):
                save(dataset, os.path.join(folder, f"{number:05d}.dcm"))
            return _read([folder], plan, series, fraction_group, accept, without_structures)
    return _read([os.fspath(item) for item in items], plan, series, fraction_group, accept,
                 without_structures)


def gate_plan(file: Path, *, fraction_group: int = 0, accept: Sequence[str] = ()) -> List[GateEntry]:
    """The verdict on every attribute of an RTPLAN file: honoured, harmless, accepted or refused.

    What stops read_dicom() is an entry here. Raises BadInput for a file that cannot be read, and RefusedPlan
    for one of another kind (ion plans).
    """
    return cast(List[GateEntry], _libdose.gate_plan(os.fspath(file), fraction_group, list(accept)))


def save(dataset: Any, file: Path) -> None:
    """Writes a pydicom dataset as a DICOM file, whatever its version of pydicom calls that."""
    try:
        dataset.save_as(file, enforce_file_format=True)
    except TypeError:
        dataset.save_as(file, write_like_original=False)


def _read(paths: List[str], plan: str, series: str, fraction_group: int, accept: Sequence[str],
          without_structures: bool) -> Case:
    index, broken = _libdose.index_dicom(paths)
    plans = [entry for entry in index if entry[1] == "RTPLAN"]
    if not plans and "RTPLAN" not in broken:  # with a plan that cannot be read, the choice below says so
        return _without_plan(index, series)
    # Any plan will do to find the rest when all lie on one CT; if they do not, the library says so and lists
    # them.
    frames = {entry[4] for entry in plans}
    chosen = plan or (plans[0][2] if len(plans) > 1 and len(frames) == 1 else "")
    ct_files, structure_files, plan_files, own_doses, notes, all_plans, all_doses = _libdose.select_case(
        paths, chosen, series, without_structures)
    case = Case(
        _libdose.read_ct(ct_files),
        cast(StructureSet, _libdose.read_structures(structure_files[0])) if structure_files else None,
        notes=list(notes),
    )
    entries = {os.fspath(entry[0]): entry for entry in plans}
    for file in plan_files if plan else all_plans:
        _add_plan(case, file, entries[os.fspath(file)], fraction_group, accept)
    if not case.plans:
        raise next(iter(case.refused.values()))
    if structure_files:
        _require_one_structure_set(case.plans)
    for file in own_doses if plan else all_doses:
        _add_dose(case, file)
    if fraction_group == 0:  # of plans with one fraction group, so that its fractions are those of the plan
        _name_fractions(case)
    return case


def _name_fractions(case: Case) -> None:
    """Fractions of the doses of whole plans, which an RTDOSE does not tell."""
    known = {plan.sop_instance_uid: plan.fractions for plan in case.plans}
    for dose in case.doses:
        if dose.summation == "plan" and dose.fractions is None:
            dose.fractions = known.get(dose.referenced_plan_uid)


def _require_one_structure_set(plans: List[Plan]) -> None:
    """A case has one structure set: plans that were made on another one would be calculated with it."""
    named = {plan.referenced_structure_set_uid: plan.label for plan in plans}
    if len(named) > 1:
        listed = "; ".join(f'"{label}" {uid or "none"}' for uid, label in named.items())
        raise BadInput(f"the plans refer to different structure sets: {listed}. Choose one of them: plan=...")


def _add_plan(case: Case, file: Any, entry: Any, fraction_group: int, accept: Sequence[str]) -> None:
    try:
        case.plans.append(cast(Plan, _libdose.read_plan(file, fraction_group, list(accept))))
    except (RefusedPlan, BadInput) as error:
        case.refused[str(entry[2])] = error
        case.notes.append(f'plan "{entry[5]}" ({os.path.basename(os.fspath(file))}) is refused: {error}')


def _add_dose(case: Case, file: Any) -> None:
    """A dose that is broken or of a kind that is not read is a note: no plan needs it."""
    try:
        case.doses.append(Dose.read(file))
    except BadInput as error:
        case.notes.append(f"a dose is left out: {error}")


def _without_plan(index: List[Any], series: str) -> Case:
    wanted = [entry for entry in index if entry[1] == "CT" and (not series or entry[3] == series)]
    count = len({entry[3] for entry in wanted})
    structures = [entry[0] for entry in index if entry[1] == "RTSTRUCT"]
    if count != 1 or len(structures) > 1:
        raise BadInput(f"there are {count} CT series and {len(structures)} structure sets and no plan that "
                       "says which belong together")
    case = Case(
        _libdose.read_ct([entry[0] for entry in wanted]),
        cast(StructureSet, _libdose.read_structures(structures[0])) if structures else None,
    )
    for entry in index:
        if entry[1] == "RTDOSE":
            _add_dose(case, entry[0])
    return case
