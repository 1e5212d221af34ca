"""Folders as they are: a refused plan beside others, two series, broken doses, copies; and curves by name."""
from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import libdose
from conftest import Phantom

pydicom = pytest.importorskip("pydicom")


@pytest.fixture
def folder(phantom: Phantom, tmp_path: Path) -> Path:
    copy = tmp_path / "patient"
    shutil.copytree(phantom.folder, copy)
    return copy


def refuse_one(folder: Path) -> str:
    """Makes a plan one of protons; returns its SOP Instance UID."""
    file = sorted(folder.glob("RP_*.dcm"))[-1]
    data = pydicom.dcmread(file)
    for beam in data.BeamSequence:
        beam.RadiationType = "PROTON"
    data.save_as(file)
    return str(data.SOPInstanceUID)


def test_a_refused_plan_does_not_take_the_others_along(folder: Path) -> None:
    count = len(libdose.read_dicom(folder).plans)
    uid = refuse_one(folder)
    case = libdose.read_dicom(folder)
    assert len(case.plans) == count - 1 >= 1
    assert list(case.refused) == [uid] and isinstance(case.refused[uid], libdose.RefusedPlan)
    assert any("is refused" in note and "PROTON" in note for note in case.notes)
    with pytest.raises(libdose.RefusedPlan, match="PROTON"):
        libdose.read_dicom(folder, plan=uid)


def test_where_every_plan_is_refused_reading_is(folder: Path) -> None:
    refuse_one(folder)
    for file in sorted(folder.glob("RP_*.dcm"))[:-1]:
        file.unlink()
    with pytest.raises(libdose.RefusedPlan, match="PROTON"):
        libdose.read_dicom(folder)


def test_the_series_can_be_chosen(folder: Path) -> None:
    for file in sorted(folder.rglob("*.dcm")):
        data = pydicom.dcmread(file)
        if data.Modality != "CT":
            continue
        data.SeriesInstanceUID += ".7"
        data.SOPInstanceUID += ".7"
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.RescaleIntercept = float(data.RescaleIntercept) + 50
        data.save_as(file.with_name("second-" + file.name))
    set_file = folder / "RS.dcm"
    structures = pydicom.dcmread(set_file)
    study = structures.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    named = study.RTReferencedSeriesSequence
    first = str(named[0].SeriesInstanceUID)
    more = pydicom.Dataset()
    more.SeriesInstanceUID = first + ".7"
    named.insert(0, more)
    structures.save_as(set_file)
    with pytest.raises(libdose.BadInput, match="several CT series"):
        libdose.read_dicom(folder, plan="four-field")
    one, other = (libdose.read_dicom(folder, plan="four-field", series=uid).ct.array
                  for uid in (first, first + ".7"))
    assert float(other.mean() - one.mean()) == pytest.approx(50, abs=0.01)


def test_copies_count_once_and_two_contents_are_refused(folder: Path) -> None:
    plans = len(libdose.read_dicom(folder).plans)
    file = sorted(folder.glob("RP_*.dcm"))[0]
    shutil.copy(file, folder / "copy.dcm")
    assert len(libdose.read_dicom(folder).plans) == plans
    data = pydicom.dcmread(file)
    data.FractionGroupSequence[0].NumberOfFractionsPlanned = 3
    data.save_as(folder / "copy.dcm")
    with pytest.raises(libdose.BadInput, match="copy.dcm"):
        libdose.read_dicom(folder)


def test_hu_curves_go_by_name(
    ct: libdose.CtImage, structures: libdose.StructureSet, plan: libdose.Plan, coarse: libdose.Engine
) -> None:
    for curve, density in ((None, 1.0175), ("Schneider-2000", 1.0175), ("water", 1.0)):
        grid = replace(coarse, hu_curve=curve).density(plan, ct, structures)
        middle = tuple(n // 2 for n in grid.array.shape)
        assert float(grid.array[middle]) == pytest.approx(density, abs=1e-6)
    with pytest.raises(libdose.BadInput, match="Schneider-2000, water"):
        replace(coarse, hu_curve="nothing").density(plan, ct, structures)
