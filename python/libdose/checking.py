"""The independent check of a plan."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Union

from . import _libdose
from .case import save
from .engine import Engine, Progress

Path = Union[str, "os.PathLike[str]"]


@dataclass
class Check:
    """What a check found.

    verdict: "PASS", "LOOK", "FAIL" or "NOT CHECKED", the worst of the rows. rows: a table, one dict for
    each row with section, id, name, subject, verdict, reason, planned, calculated, limit, source, value,
    unit; give it to pandas.DataFrame. attribution: the cause of a difference. data: everything, as
    check.json has it (docs/reference/check-json.md). folder: where the report was written, or None.
    """

    verdict: str
    rows: List[Dict[str, Any]]
    attribution: Dict[str, Any]
    data: Dict[str, Any] = field(repr=False)
    folder: Optional[str] = None

    @property
    def not_passed(self) -> List[Dict[str, Any]]:
        """The rows that are not PASS."""
        return [row for row in self.rows if row["verdict"] != "PASS"]


def check(
    source: Union[Path, Sequence[Path], Sequence[Any]],
    out: Optional[Path] = None,
    *,
    engine: Optional[Engine] = None,
    protocol: Path = "default",
    site: str = "",
    plan: str = "",
    series: str = "",
    fraction_group: int = 0,
    accept: Sequence[str] = (),
    model: str = "",
    couch: str = "",
    couch_top_mm: Optional[float] = None,
    couch_lateral_mm: Optional[float] = None,
    attribution: bool = True,
    progress: Optional[Progress] = None,
) -> Check:
    """Recalculates a plan and judges the planning system's dose.

    source: a folder, files, or pydicom datasets with CT, RTSTRUCT, RTPLAN and RTDOSE. out: folder for the
    report (check.html, check.json, check.csv, recalculated.dcm). engine: how it is calculated. protocol:
    name or JSON file of criteria and limits, with a site of it. What is missing or cannot be read is a row
    NOT CHECKED. Raises BadInput for paths without DICOM, a protocol that breaks its rules and a folder that
    cannot be written. Not a medical device: a qualified person judges the report.
    """
    items: List[Any] = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    wanted = {
        "protocol": os.fspath(protocol),
        "site": site,
        "plan": plan,
        "series": series,
        "fraction_group": int(fraction_group),
        "accept": list(accept),
        "model": model,
        "couch": couch,
        "couch_top_mm": couch_top_mm,
        "couch_lateral_mm": couch_lateral_mm,
        "attribution": bool(attribution),
    }
    folder = os.fspath(out) if out is not None else ""
    settings = (engine or Engine())._settings()
    if items and hasattr(items[0], "SOPInstanceUID"):
        with tempfile.TemporaryDirectory(prefix="libdose-") as files:
            for number, dataset in enumerate(items):
                save(dataset, os.path.join(files, f"{number:05d}.dcm"))
            text = _libdose.check([files], settings, wanted, folder, progress)
    else:
        text = _libdose.check([os.fspath(item) for item in items], settings, wanted, folder, progress)
    data = json.loads(text)
    return Check(data["verdict"], data["rows"], data["attribution"], data, folder or None)


def protocols() -> List[str]:
    """Names of the protocols that are installed."""
    return list(_libdose.protocol_names())


def protocol_sites(protocol: Path = "default") -> List[str]:
    """Sites that a protocol has sections for."""
    return list(_libdose.protocol_sites(os.fspath(protocol)))
