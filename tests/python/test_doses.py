"""Doses in Python: what they are, sums, points, comparison, RTDOSE of every kind, dose on a given grid.

Values by hand.
"""

import copy
import pickle

import numpy as np
import pydicom
import pytest
from conftest import box

import libdose

RAMP = np.linspace(1, 2, 6 * 8 * 10, dtype=np.float32).reshape(6, 8, 10)


def ramp(array=RAMP, frame="1.2.3", fractions=30, summation="plan", **other):
    return libdose.Dose(array, (2, 3, 4), (-9, -7, -5), summation, fractions, frame, **other)


@pytest.fixture
def ct():
    return libdose.CtImage(np.zeros((6, 8, 10), np.float32), (2, 3, 4), (-9, -7, -5),
                           frame_of_reference_uid="1.2.3")


def test_fractions_are_known_or_none(tmp_path, ct):
    assert libdose.Dose(RAMP, (2, 3, 4), (0, 0, 0)).fractions is None
    dose = ramp()
    assert dose.fractions == 30
    dose.write_dicom(tmp_path / "d.dcm", ct)
    assert libdose.Dose.read(tmp_path / "d.dcm").fractions is None  # an RTDOSE does not say
    dose.write_hdf5(tmp_path / "d.h5")
    assert libdose.Dose.read(tmp_path / "d.h5").fractions == 30
    dose.fractions = None
    dose.write_hdf5(tmp_path / "d.h5")
    assert libdose.Dose.read(tmp_path / "d.h5").fractions is None
    with pytest.raises(libdose.BadInput):
        dose.fractions = 0
    with pytest.raises(libdose.BadInput):
        ramp(fractions=0)


def test_sums_keep_frame_fractions_and_provenance():
    a, b = ramp(), ramp(2 * RAMP)
    total = a + b
    np.testing.assert_allclose(total.array, 3 * RAMP, rtol=1e-6)
    assert ((total.frame_of_reference_uid, total.fractions, total.summation, total.type)
            == ("1.2.3", 30, "plan", "PHYSICAL"))
    assert total.spacing_mm == a.spacing_mm and total.origin_mm == a.origin_mm
    assert total.provenance["settings"]["sum"] == "1 x dose 1 + 1 x dose 2"
    np.testing.assert_allclose(sum([a, b, a]).array, 4 * RAMP, rtol=1e-6)
    np.testing.assert_allclose((2 * a).array, (a * 2).array)
    np.testing.assert_allclose((a / 4).array, RAMP / 4)
    np.testing.assert_allclose(libdose.sum_doses([a, b], [0.5, 0.25]).array, RAMP, rtol=1e-6)
    assert libdose.sum_doses([a, b], [0.5, 0.25]).type == "PHYSICAL"
    assert np.array_equal(a.array, RAMP)  # what goes in stays
    with pytest.raises(TypeError):
        a + 1
    with pytest.raises(libdose.BadInput):
        a / 0


def test_a_difference_is_of_type_error():
    difference = ramp() - ramp(2 * RAMP)
    assert difference.type == "ERROR" and (-ramp()).type == "ERROR"
    np.testing.assert_allclose(difference.array, -RAMP)
    with pytest.raises(libdose.BadInput, match="3004,0004"):
        libdose.gamma(ramp(), difference)
    with pytest.raises(libdose.BadInput, match="3004,0004"):
        libdose.dvh(difference, box("S", "PTV", 5))


def test_what_does_not_add_up():
    a = ramp()
    for other in (ramp(frame="9.9.9"), ramp(summation="fraction", fractions=1),
                  ramp(summation="beam", fractions=1), ramp(type="EFFECTIVE")):
        with pytest.raises(libdose.BadInput):
            a + other
        with pytest.raises(libdose.BadInput):
            libdose.gamma(a, other)
    moved = libdose.Dose(RAMP, (2, 3, 4), (-7.5, -7, -5), "plan", 30, "1.2.3")
    with pytest.raises(libdose.BadInput, match="different grids"):
        a + moved
    with pytest.raises(libdose.BadInput, match="cover"):
        libdose.sum_doses([a, moved], grid="first")
    assert libdose.sum_doses([a, moved], grid="common").array.shape == (6, 8, 9)
    with pytest.raises(libdose.BadInput):
        libdose.sum_doses([a], grid="second")


def test_one_fraction_becomes_the_whole_course():
    fraction = ramp(RAMP / 30, summation="fraction", fractions=1)
    course = fraction.whole_course(30)
    assert course.summation == "plan" and course.fractions == 30
    assert libdose.gamma(ramp(), course).pass_rate == 100
    with pytest.raises(libdose.BadInput):
        course.whole_course(30)


def test_dose_at_many_points_is_nan_outside():
    dose = ramp(np.full((6, 8, 10), 2, np.float32))
    values = dose.at(np.array([[0.0, 0, 0], [1000, 0, 0], [-9.9, 0, 0], [-10.1, 0, 0]]))
    assert (values.shape == (4,) and values[0] == 2 and np.isnan(values[1]) and values[2] == 2
            and np.isnan(values[3]))
    assert dose.at((0, 0, 0)) == 2 and np.isnan(dose.at((1000, 0, 0)))
    assert dose.at(np.zeros((0, 3))).shape == (0,)
    assert dose.at(np.array([[0, 0, 0], [1, 1, 1]])).tolist() == [2, 2]
    with pytest.raises(TypeError):
        dose.at(np.zeros((3, 2)))


def test_other_frames_of_reference_are_refused():
    with pytest.raises(libdose.BadInput, match="frames of reference"):
        libdose.gamma(ramp(), ramp(frame="9.9.9"))
    structure = box("S", "PTV", 3, step_mm=2)
    libdose.dvh(ramp(), structure)  # of no frame
    structures = libdose.StructureSet(frame_of_reference_uid="9.9.9", structures=[structure])
    assert structures["S"].frame_of_reference_uid == "9.9.9"
    for one in (structures["S"], structures.structures[0]):
        with pytest.raises(libdose.BadInput, match="frames of reference"):
            libdose.dvh(ramp(), one)
    later = libdose.StructureSet(frame_of_reference_uid="9.9.9")
    later.structures.append(box("T", "PTV", 3, step_mm=2))
    with pytest.raises(libdose.BadInput, match="frames of reference"):
        libdose.dvh(ramp(), later["T"])


def test_negative_doses_come_back_or_are_refused(tmp_path, ct):
    values = RAMP - 1.5
    with pytest.raises(libdose.BadInput, match="negative"):
        ramp(values).write_dicom(tmp_path / "d.dcm", ct)
    dose = ramp(values, type="ERROR")
    dose.write_dicom(tmp_path / "d.dcm", ct)
    file = pydicom.dcmread(tmp_path / "d.dcm")
    assert (file.DoseType, file.PixelRepresentation, file.BitsAllocated) == ("ERROR", 1, 32)
    np.testing.assert_allclose(file.pixel_array * float(file.DoseGridScaling), values, atol=1e-8)
    back = libdose.Dose.read(tmp_path / "d.dcm")
    assert back.type == "ERROR"
    np.testing.assert_allclose(back.array, values, atol=1e-7)
    (ramp(0 * RAMP)).write_dicom(tmp_path / "zero.dcm", ct)
    assert libdose.Dose.read(tmp_path / "zero.dcm").array.max() == 0


def test_pickle_keeps_what_a_dose_is():
    dose = pickle.loads(pickle.dumps(ramp(RAMP - 1.5, type="ERROR", fractions=None)))
    assert dose.type == "ERROR" and dose.fractions is None and dose.frame_of_reference_uid == "1.2.3"


@pytest.fixture
def make(tmp_path, ct):
    """Writes the ramp as RTDOSE with changed attributes."""
    ramp().write_dicom(tmp_path / "plan.dcm", ct)
    original = pydicom.dcmread(tmp_path / "plan.dcm")

    def changed(array=None, **attributes):
        d = copy.deepcopy(original)
        if array is not None:
            d.DoseGridScaling = f"{float(array.max()) / (2**31 - 1):.9e}"
            d.NumberOfFrames, d.Rows, d.Columns = array.shape
            d.PixelData = np.round(array / float(d.DoseGridScaling)).astype(np.uint32).tobytes()
        for name, value in attributes.items():
            if value is None:
                if name in d:
                    delattr(d, name)
            else:
                setattr(d, name, value)
        d.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        file = tmp_path / f"{d.SOPInstanceUID}.dcm"
        d.save_as(file)
        return libdose.Dose.read(file)

    return changed


def test_kinds_of_rtdose(make):
    plan, structure = make(), box("S", "PTV", 3, step_mm=2)
    for attributes, words in (
        ({"DoseSummationType": "FRACTION"}, "3004,000a"),
        ({"DoseSummationType": "BEAM"}, "3004,000a"),
        ({"DoseType": "EFFECTIVE"}, "3004,0004"),
        ({"DoseType": "ERROR"}, "3004,0004"),
        ({"FrameOfReferenceUID": "1.2.3.4"}, "frames of reference"),
    ):
        with pytest.raises(libdose.BadInput, match=words):
            libdose.gamma(plan, make(**attributes))
    for attributes in ({"DoseType": "EFFECTIVE"}, {"DoseType": "ERROR"}):
        with pytest.raises(libdose.BadInput, match="3004,0004"):
            libdose.dvh(make(**attributes), structure)
    with pytest.raises(libdose.BadInput, match="3004,0002"):
        make(DoseUnits="RELATIVE")
    several = make(DoseSummationType="MULTI_PLAN")
    result = libdose.gamma(plan, several)
    assert result.pass_rate == 100 and "MULTI_PLAN" in result.notes[0]
    assert libdose.dvh(several, structure).mean_gy == pytest.approx(libdose.dvh(plan, structure).mean_gy)
    ids = libdose.gamma(make(PatientID="A"), make(PatientID="SOMEBODY"))
    assert "SOMEBODY" in ids.notes[0]


def test_the_same_dose_in_other_encodings(make):
    offsets = [4.0 * k for k in range(6)]
    for same in (
        make(GridFrameOffsetVector=[-5 + o for o in offsets]),
        make(RAMP[::-1], ImagePositionPatient=[-9, -7, 15], GridFrameOffsetVector=[-o for o in offsets]),
        make(RAMP[::-1], ImagePositionPatient=[-9, -7, 15], GridFrameOffsetVector=[15 - o for o in offsets]),
        make(RAMP[:, ::-1, ::-1], ImagePositionPatient=[9, 14, -5],
             ImageOrientationPatient=[-1, 0, 0, 0, -1, 0]),
        # Feet first: the frames go to the feet.
        make(RAMP[::-1, :, ::-1], ImagePositionPatient=[9, -7, 15],
             ImageOrientationPatient=[-1, 0, 0, 0, 1, 0]),
    ):
        np.testing.assert_allclose(same.array, RAMP, atol=1e-6)
        assert same.origin_mm == pytest.approx((-9, -7, -5))
    with pytest.raises(libdose.BadInput, match="3004,000c"):
        make(ImageOrientationPatient=[-1, 0, 0, 0, 1, 0], GridFrameOffsetVector=[-5 + o for o in offsets])
    with pytest.raises(libdose.BadInput, match="0020,0037"):
        make(ImageOrientationPatient=[0.9998, 0.02, 0, -0.02, 0.9998, 0])


def test_planes(make):
    plan, structure = make(), box("S", "PTV", 3, step_mm=2)
    for attributes in (
        {"GridFrameOffsetVector": [0.0], "SliceThickness": None},
        {"GridFrameOffsetVector": None, "FrameIncrementPointer": None, "SliceThickness": ""},
    ):
        plane = make(RAMP[2:3], ImagePositionPatient=[-9, -7, 3], **attributes)
        assert plane.plane and plane.array.shape == (1, 8, 10)
        result = libdose.gamma(plane, plan)
        assert result.pass_rate == 100 and result.evaluated == 80
        with pytest.raises(libdose.BadInput, match="0018,0050"):
            libdose.dvh(plane, structure)
    # Coronal: rows along x, columns to the feet, at y = -7 + 3 * 3 = 2 mm.
    coronal = np.ascontiguousarray(RAMP[::-1, 3, :])[None]
    at = {"ImagePositionPatient": [-9, 2, 15], "ImageOrientationPatient": [1, 0, 0, 0, 0, -1],
          "PixelSpacing": [4, 2], "GridFrameOffsetVector": [0.0]}
    plane = make(coronal, SliceThickness=None, **at)
    assert plane.array.shape == (6, 1, 10) and plane.origin_mm == pytest.approx((-9, 2, -5))
    np.testing.assert_allclose(plane.array[:, 0], RAMP[:, 3], atol=1e-6)
    assert libdose.gamma(plane, plan).pass_rate == 100


def test_gamma_margin_normalisation_and_threads():
    small = libdose.Dose(RAMP[:, :, 1:-1], (2, 3, 4), (-7, -7, -5))
    assert libdose.gamma(ramp(), small).outside == 96
    result = libdose.gamma(ramp(), small, margin_mm=0.5, normalisation_gy=3, threads=1)
    assert (result.outside, result.left_out, result.evaluated, result.pass_rate,
            result.normalisation_gy) == (0, 96, 384, 100, 3)


def test_dose_on_a_given_grid(plan, structures):
    from conftest import water_cube

    scan = water_cube()
    grid = libdose.Dose(np.zeros((6, 10, 12), np.float32), (5, 4, 6), (-30, -18, -15))
    settings = {"engine": "pencil-beam", "quality": "draft", "grid_mm": 5.0}
    own = libdose.calculate(plan, scan, structures, **settings)
    given = libdose.calculate(plan, scan, structures, grid=grid, **settings)
    assert (given.array.shape == (6, 10, 12) and given.spacing_mm == (5, 4, 6)
            and given.origin_mm == (-30, -18, -15))
    centre = own.at((0, 0, 0))
    for point in ((0, 0, 0), (10, 5, 5), (-20, -10, 5)):
        assert given.at(point) == pytest.approx(own.at(point), abs=0.02 * centre)
    on_ct = libdose.calculate(plan, scan, structures, grid=scan, **settings)
    assert on_ct.array.shape == scan.array.shape and on_ct.at((0, 0, 0)) == pytest.approx(centre, rel=0.02)
    with pytest.raises(libdose.BadInput, match="grid"):
        libdose.influence(plan, scan, structures, grid=grid)


def test_read_dicom_knows_the_fractions_of_the_plan(phantom, tmp_path):
    phantom.dose("calc", str(phantom.folder), "--plan", "four-field", "--out", str(tmp_path), "--engine",
                 "pencil-beam", "--grid", "6", "--quality", "draft")
    case = libdose.read_dicom([phantom.folder, tmp_path], plan="four-field")
    assert [dose.fractions for dose in case.doses] == [case.plans[0].fractions]
    assert all(structure.frame_of_reference_uid == case.structures.frame_of_reference_uid
               for structure in case.structures.structures)
