import numpy as np
import pytest

import libdose

sitk = pytest.importorskip("SimpleITK")
pydicom = pytest.importorskip("pydicom")


def test_sitk_and_back(ct):
    image = libdose.to_sitk(ct)
    assert (image.GetSize() == (64, 64, 64) and image.GetSpacing() == ct.spacing_mm
            and image.GetOrigin() == ct.origin_mm)
    assert np.array_equal(libdose.ct_from_sitk(image).array, ct.array)
    point = image.TransformIndexToPhysicalPoint((3, 4, 5))
    dose = libdose.dose_from_sitk(image)
    assert dose.at(point) == pytest.approx(float(ct.array[5, 4, 3]))


def test_oblique_image_is_refused(ct):
    image = libdose.to_sitk(ct)
    image.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
    with pytest.raises(libdose.BadInput, match="axes"):
        libdose.ct_from_sitk(image)


def test_pydicom_datasets_are_read_as_their_files_are(phantom):
    case = libdose.read_dicom(phantom.folder, plan="four-field")
    datasets = [pydicom.dcmread(file) for file in sorted(phantom.folder.rglob("*")) if file.is_file()]
    again = libdose.read_dicom(datasets, plan="four-field")
    assert (np.array_equal(again.ct.array, case.ct.array) and [p.beams for p in again.plans]
            == [p.beams for p in case.plans] and again.structures == case.structures)
    slices = [d for d in datasets if d.Modality == "CT"]
    assert np.array_equal(libdose.ct_from_pydicom(slices).array, case.ct.array)
    plan = next(d for d in datasets if d.Modality == "RTPLAN" and d.RTPlanLabel == "four-field")
    # The gate names files.
    assert libdose.plan_from_pydicom(plan).beams == case.plans[0].beams
    assert libdose.structures_from_pydicom(next(d for d in datasets
                                                if d.Modality == "RTSTRUCT")) == case.structures


def test_dose_to_pydicom_holds_the_dose(phantom):
    case = libdose.read_dicom(phantom.folder, plan="four-field")
    dose = libdose.calculate(case.plans[0], case.ct, case.structures, engine="pencil-beam", grid_mm=8)
    dataset = libdose.dose_to_pydicom(dose, case.ct)
    assert dataset.Modality == "RTDOSE" and dataset.PatientID == case.ct.patient_id
    stored = np.frombuffer(dataset.PixelData,
                           np.uint32).reshape(dose.array.shape) * float(dataset.DoseGridScaling)
    assert np.abs(stored - dose.array).max() < 1e-6 * dose.array.max()
