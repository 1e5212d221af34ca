"""Text in any character set, and file names of any bytes."""

import os
import shutil

import pytest

import libdose

pydicom = pytest.importorskip("pydicom")


@pytest.fixture
def few(phantom, tmp_path):
    """CT, structures and one plan of the phantom, the plan as a dataset."""
    folder = tmp_path / "case"
    folder.mkdir()
    plan = None
    for file in sorted(phantom.folder.rglob("*")):
        if not file.is_file():
            continue
        dataset = pydicom.dcmread(file, stop_before_pixels=True)
        if dataset.Modality == "RTPLAN":
            plan = dataset if dataset.RTPlanLabel == "four-field" else plan
        elif dataset.Modality != "RTDOSE":
            shutil.copy(file, folder)
    assert plan is not None
    return folder, plan


@pytest.mark.parametrize("character_set, label", [("ISO_IR 100", "Präop"), (["", "ISO 2022 IR 87"], "肺"),
                                                  ("GB18030", "左肺"), ("ISO_IR 192", "Лёгкое")])
def test_labels_are_text(few, character_set, label):
    folder, plan = few
    plan.SpecificCharacterSet, plan.RTPlanLabel, plan.BeamSequence[0].BeamName = character_set, label, label
    libdose.case.save(plan, folder / "plan.dcm")
    case = libdose.read_dicom(folder, plan=label)
    assert case.plans[0].label == label and case.plans[0].beams[0].name == label
    assert any(label in note for note in case.notes)


def test_files_of_any_name(few):
    folder, plan = few
    file = os.path.join(os.fsencode(folder), b"Pl\xe4n.dcm")
    libdose.case.save(plan, folder / "plan.dcm")
    os.rename(folder / "plan.dcm", file)
    case = libdose.read_dicom(folder)
    assert any("Pl\ufffdn.dcm" in note for note in case.notes)
    with open(file, "rb") as stream:
        content = stream.read()
    with open(file, "wb") as stream:
        stream.write(content[: len(content) // 2])
    with pytest.raises(libdose.BadInput, match="Pl\ufffdn.dcm"):
        libdose.read_dicom(folder)
