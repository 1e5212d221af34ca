"""Dose-volume histograms: closed forms, low doses, metrics, combinations, masks; names and notes of `dose
dvh`.
"""

import copy
import csv
import json
import subprocess

import numpy as np
import pytest

import libdose

VOXEL = 2.5
CENTRES = (np.arange(41) - 20) * VOXEL


def ramp(at_origin, per_mm):
    """at_origin + per_mm * x Gy on 41 voxels of 2.5 mm each way."""
    x = np.broadcast_to(CENTRES, (41, 41, 41))
    return libdose.Dose((at_origin + per_mm * x).astype(np.float32), (VOXEL,) * 3, (CENTRES[0],) * 3)


def cuboid(name, low, high, number=1, step=2.0):
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    planes = np.arange(low[2] + step / 2, high[2], step)
    return libdose.Structure(
        number, name, "ORGAN", [np.array([(x, y, z) for x, y in corners]) for z in planes], step
    )


def cube(half, name="cube", number=1):
    return cuboid(name, (-half,) * 3, (half,) * 3, number)


# 216 cm3, 10 ... 40 Gy along x: D of v cm3 is 40 - 30 v / 216, V of d Gy is (40 - d) / 30.
def test_metrics_of_a_cube():
    h = libdose.dvh(ramp(25, 0.5), cube(30))
    assert h.volume_cm3 == pytest.approx(216, abs=1e-3)
    for cc in (0.03, 0.1, 2, 99.9, 100, 100.1):
        assert h.dose_at_volume_cm3(cc) == pytest.approx(40 - 30 * cc / 216, abs=0.02)
        assert h.D(f"{cc}cc") == h.dose_at_volume_cm3(cc)
    for percent in (98, 95, 50, 2):
        assert h.dose_at_volume(percent) == pytest.approx(40 - 0.3 * percent, abs=0.02)
        assert h.D(f"{percent}%") == h.metric(f"D{percent}") == h.dose_at_volume(percent)
    assert h.V("20Gy") == h.volume_at_dose(20) == pytest.approx(100 * 20 / 30, abs=0.05)
    assert h.V("20Gy[cm3]") == h.volume_cm3_at_dose(20) == pytest.approx(144, abs=0.1)
    assert h.metric("V95%", prescription_gy=20) == h.V("19Gy")
    assert (
        h.metric("Dmean") == h.mean_gy
        and h.metric("Dmax") == h.dose_at_volume(0)
        and h.metric("Dmin") == h.dose_at_volume(100)
    )
    assert h.volume_at_dose(60) == 0 and h.volume_at_dose(0) == 100
    for wrong in (-1, 101, float("nan")):
        with pytest.raises(libdose.BadInput):
            h.dose_at_volume(wrong)
    for name in ("V20", "V95", "V95%", "D217cc", "D", "x"):
        with pytest.raises(libdose.BadInput):
            h.metric(name)


# 0.6 ... 1.0 times the scale along x.
@pytest.mark.parametrize("scale", [60, 1, 0.1, 0.01, 0.001, 1e-6])
@pytest.mark.parametrize("bins", [None, 0.001])
def test_figures_do_not_depend_on_the_scale_of_the_dose_or_on_bins(scale, bins):
    h = libdose.dvh(ramp(0.8 * scale, 0.01 * scale), cube(20), bin_width_gy=bins and bins * scale)
    for percent in (98, 95, 50, 5, 2):
        assert h.dose_at_volume(percent) == pytest.approx(scale * (1 - 0.4 * percent / 100), rel=5e-4)
    assert h.volume_at_dose(0.8 * scale) == pytest.approx(50, abs=0.05)
    assert h.mean_gy == pytest.approx(0.8 * scale, rel=1e-4)
    assert len(h.dose_gy) >= 40 and h.dose_gy[1] == pytest.approx(h.bin_width_gy)
    middle = np.searchsorted(h.dose_gy, 0.8 * scale)
    assert h.cumulative_cm3[middle] == pytest.approx(32, abs=1.7)  # a bin has 1.6 cm3 at most


def test_combinations():
    a, b = cuboid("A", (-20, -10, -10), (10, 10, 10), 1), cuboid("B", (-5, -10, -10), (20, 10, 10), 2)
    dose = ramp(60, 1)
    volume = lambda region: libdose.dvh(dose, region).volume_cm3
    assert volume(a | b) == pytest.approx(16, abs=1e-3)
    assert volume(a & b) == pytest.approx(6, abs=1e-3)
    assert volume(a - b) == pytest.approx(6, abs=1e-3)
    assert volume((a | b) - (a & b)) == pytest.approx(10, abs=2e-3)
    h = libdose.dvh(dose, a - b)
    assert h.structure == "A minus B" and h.roi_number == 0
    assert h.D("2%") == pytest.approx(55 - 0.3, abs=0.05)
    assert ((a | b) - a).name == "(A or B) minus A"
    with pytest.raises(libdose.BadInput):
        libdose.dvh(dose, libdose.CombinedStructure("xor", a, b))


def test_masks():
    dose = ramp(60, 1)
    mask = np.zeros(dose.array.shape, bool)
    mask[15:25, 15:25, 12:28] = True  # x from -21.25 to 18.75
    for values in (mask, mask.astype(np.uint8), mask.astype(float)):
        h = libdose.dvh(dose, mask=values)
        assert h.volume_cm3 == pytest.approx(25 * 25 * 40e-3)
        assert h.D("98%") == pytest.approx(60 - 21.25 + 0.8, abs=0.02)
    structure = cube(14)
    of_structure, of_mask = libdose.dvh(dose, structure), libdose.dvh(
        dose, mask=libdose.mask(structure, dose)
    )
    assert of_mask.volume_cm3 == pytest.approx(of_structure.volume_cm3)
    assert of_mask.D("50%") == pytest.approx(of_structure.D("50%"), abs=0.05)
    fine = libdose.Dose(np.ones((30, 30, 30), np.float32), (1, 1, 1), (-14.5, -14.5, -14.5))
    assert libdose.dvh(dose, mask=np.ones((30, 30, 30)), on=fine).D("98%") == pytest.approx(45.6, abs=0.02)
    for wrong in (mask[1:], np.full(mask.shape, 2.0), np.full(mask.shape, np.nan), np.zeros(mask.shape)):
        with pytest.raises(libdose.BadInput):
            libdose.dvh(dose, mask=wrong)
    for arguments in ({}, {"structure": structure, "mask": mask}, {"structure": structure, "on": dose}):
        with pytest.raises(TypeError):
            libdose.dvh(dose, **arguments)


def test_options():
    dose, structure = ramp(60, 1), cube(14)
    one, four = (libdose.dvh(dose, structure, threads=n) for n in (1, 4))
    assert one.D("37%") == four.D("37%") and one.mean_gy == four.mean_gy
    assert libdose.dvh(dose, structure, sampling_mm=2.5).sampling_mm == 2.5
    assert libdose.dvh(dose, structure, bin_width_gy=0.5).dose_gy[1] == 0.5
    for wrong in (
        {"bin_width_gy": 0},
        {"bin_width_gy": -1},
        {"sampling_mm": 0},
        {"sampling_mm": 1e-4},
        {"threads": -1},
    ):
        with pytest.raises(libdose.BadInput):
            libdose.dvh(dose, structure, **wrong)


def test_two_structures_of_one_name():
    structures = libdose.StructureSet(structures=[cube(10, "PTV", 4), cube(20, "PTV", 5), cube(5, "GTV", 6)])
    assert structures["#5"].number == 5 and structures["GTV"].number == 6 and "#4" in structures
    with pytest.raises(KeyError, match='"#4", "#5"'):
        structures["PTV"]
    with pytest.raises(KeyError, match="PTV, PTV, GTV"):
        structures["ptv"]


@pytest.fixture(scope="module")
def calculated(phantom, tmp_path_factory):
    out = tmp_path_factory.mktemp("dvh")
    phantom.dose(
        "calc",
        phantom.folder,
        "--plan",
        "four-field",
        "--out",
        out,
        "--engine",
        "pencil-beam",
        "--grid",
        "5",
        "--threads",
        "1",
        "--per-beam",
    )
    return out


def dvh(phantom, *arguments):
    return subprocess.run(
        [phantom.programs / "dose", "dvh", *map(str, arguments)], capture_output=True, text=True
    )


def by_name(file):
    return {entry["name"]: entry for entry in json.loads(file.read_text())["structures"]}


# Weighted percentiles of numpy, trilinear by scipy, points in polygons by matplotlib: nothing of libdose.
@pytest.mark.parametrize("file", ["plan.dcm", "beam-1.dcm"])
def test_low_doses_against_numpy(phantom, calculated, tmp_path, file):
    pydicom = pytest.importorskip("pydicom")
    coordinates = pytest.importorskip("scipy.ndimage").map_coordinates
    path = pytest.importorskip("matplotlib.path").Path
    dose = pydicom.dcmread(calculated / file)
    gy = dose.pixel_array * float(dose.DoseGridScaling)
    origin, offsets = np.array(dose.ImagePositionPatient, float), np.array(dose.GridFrameOffsetVector, float)
    rows, columns = (float(v) for v in dose.PixelSpacing)
    structures = pydicom.dcmread(phantom.folder / "RS.dcm")
    result = dvh(phantom, calculated / file, phantom.folder / "RS.dcm", "--json", tmp_path / "dvh.json")
    assert result.returncode == 0, result.stderr
    for name in ("HEART", "LUNG_R", "PTV"):
        number = next(roi.ROINumber for roi in structures.StructureSetROISequence if roi.ROIName == name)
        contours = next(
            c for c in structures.ROIContourSequence if c.ReferencedROINumber == number
        ).ContourSequence
        planes = sorted({float(c.ContourData[2]) for c in contours})
        thickness = float(np.median(np.diff(planes)))
        samples = []
        for contour in contours:
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            x, y = (np.arange(points[:, a].min(), points[:, a].max()) + 0.5 for a in (0, 1))
            grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
            grid = grid[path(points[:, :2]).contains_points(grid)]
            for part in (np.arange(6) + 0.5) / 6 - 0.5:
                z = points[0, 2] + part * thickness
                at = [
                    np.full(len(grid), (z - origin[2] - offsets[0]) / (offsets[1] - offsets[0])),
                    (grid[:, 1] - origin[1]) / rows,
                    (grid[:, 0] - origin[0]) / columns,
                ]
                samples.append(coordinates(gy, at, order=1, mode="nearest"))
        samples = np.concatenate(samples)
        entry = by_name(tmp_path / "dvh.json")[name]
        # Samples of 1 mm in numpy: steep ends of the curve differ by some tenths of a millimetre.
        assert entry["mean_gy"] == pytest.approx(samples.mean(), rel=0.01)
        for percent in (98, 95, 50, 5, 2):
            assert entry["dose_at_volume_percent"][str(percent)] == pytest.approx(
                np.percentile(samples, 100 - percent), rel=0.02, abs=0.005 * samples.mean()
            ), (name, percent)


def test_command_has_what_is_asked_for(phantom, calculated, tmp_path):
    result = dvh(
        phantom,
        calculated / "plan.dcm",
        phantom.folder / "RS.dcm",
        "--structure",
        "PTV",
        "--structure",
        "LUNG_L or LUNG_R",
        "--metric",
        "D95%",
        "--metric",
        "D0.1cc",
        "--metric",
        "V20Gy cm3",
        "--metric",
        "V95%",
        "--metric",
        "D100cc",
        "--prescription-gy",
        "60",
        "--bin-gy",
        "0.5",
        "--sampling-mm",
        "1.5",
        "--threads",
        "2",
        "--json",
        tmp_path / "a.json",
        "--csv",
        tmp_path / "a.csv",
    )
    assert result.returncode == 0, result.stderr
    ptv, lungs = json.loads((tmp_path / "a.json").read_text())["structures"]
    metrics = {m["name"]: m for m in ptv["metrics"]}
    assert metrics["D95%"] == {"name": "D95%", "unit": "Gy", "value": ptv["dose_at_volume_percent"]["95"]}
    assert metrics["V20Gy cm3"]["unit"] == "cm3" and metrics["V20Gy cm3"]["value"] == pytest.approx(
        ptv["volume_cm3"]
    )
    assert ptv["dose_at_volume_percent"]["1"] <= metrics["D0.1cc"]["value"] <= ptv["maximum_gy"]
    assert metrics["D100cc"]["value"] is None and "44." in metrics["D100cc"]["error"]  # the PTV has 44 cm3
    assert "D95% = " in result.stdout and ptv["bin_width_gy"] == 0.5 and ptv["sampling_mm"] == 1.5
    both = dvh(phantom, calculated / "plan.dcm", phantom.folder / "RS.dcm", "--json", tmp_path / "b.json")
    assert both.returncode == 0
    all_of_them = by_name(tmp_path / "b.json")
    assert lungs["name"] == "LUNG_L or LUNG_R" and lungs["roi_number"] == 0
    assert lungs["volume_cm3"] == pytest.approx(
        all_of_them["LUNG_L"]["volume_cm3"] + all_of_them["LUNG_R"]["volume_cm3"], rel=1e-4
    )
    for arguments in (
        ["--metric", "V20"],
        ["--metric", "V95%"],
        ["--structure", "PTV or"],
        ["--structure", "ptv"],
        ["--bin-gy", "0"],
        ["--sampling-mm", "-1"],
        ["--sampling-mm", "0.001"],
    ):
        refused = dvh(phantom, calculated / "plan.dcm", phantom.folder / "RS.dcm", *arguments)
        assert refused.returncode == 2 and refused.stderr.count("error: ") == 1, arguments


@pytest.fixture
def structure_set(phantom):
    return pytest.importorskip("pydicom").dcmread(phantom.folder / "RS.dcm")


def test_names_come_back(phantom, calculated, structure_set, tmp_path):
    names = ["BODY", 'Lung "R"', "Lung, left", "HEART", "Spiné", "PTV", "GTV", "PTV", "A or B"]
    structure_set.SpecificCharacterSet = "ISO_IR 192"
    for roi, name in zip(structure_set.StructureSetROISequence, names):
        roi.ROIName = name
    numbers = {int(roi.ROINumber): name for roi, name in zip(structure_set.StructureSetROISequence, names)}
    structure_set.save_as(tmp_path / "RS.dcm")
    result = dvh(
        phantom,
        calculated / "plan.dcm",
        tmp_path / "RS.dcm",
        "--csv",
        tmp_path / "n.csv",
        "--json",
        tmp_path / "n.json",
    )
    assert result.returncode == 0, result.stderr
    with open(tmp_path / "n.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert {int(row["roi_number"]): row["structure"] for row in rows} == numbers
    assert list(rows[0])[:4] == ["structure", "dose_gy", "volume_cm3", "volume_percent"]
    assert {
        entry["roi_number"]: entry["name"]
        for entry in json.loads((tmp_path / "n.json").read_text())["structures"]
    } == numbers
    ambiguous = dvh(phantom, calculated / "plan.dcm", tmp_path / "RS.dcm", "--structure", "PTV")
    twins = [f"#{number}" for number, name in numbers.items() if name == "PTV"]
    assert ambiguous.returncode == 2 and all(twin in ambiguous.stderr for twin in twins), ambiguous.stderr
    for wanted in (twins[1], 'Lung "R"', "Lung, left", "Spiné", "A or B", '"Lung ""R""" or "A or B"'):
        one = dvh(phantom, calculated / "plan.dcm", tmp_path / "RS.dcm", "--structure", wanted)
        assert one.returncode == 0, one.stderr


def test_notes_of_the_structure_set_are_told(phantom, calculated, structure_set, tmp_path):
    number = next(roi.ROINumber for roi in structure_set.StructureSetROISequence if roi.ROIName == "PTV")
    whole = copy.deepcopy(structure_set)
    item = next(c for c in structure_set.ROIContourSequence if c.ReferencedROINumber == number)
    contours = sorted(item.ContourSequence, key=lambda c: float(c.ContourData[2]))
    gap = float(contours[4].ContourData[2])
    del contours[4]
    item.ContourSequence = contours
    structure_set.save_as(tmp_path / "gap.dcm")
    whole.save_as(tmp_path / "whole.dcm")
    volumes = {}
    for name in ("gap", "whole"):
        result = dvh(
            phantom,
            calculated / "plan.dcm",
            tmp_path / f"{name}.dcm",
            "--structure",
            "PTV",
            "--json",
            tmp_path / f"{name}.json",
        )
        assert result.returncode == 0, result.stderr
        written = json.loads((tmp_path / f"{name}.json").read_text())
        volumes[name] = written["structures"][0]["volume_cm3"]
        told = [note for note in written["notes"] if "PTV" in note]
        assert bool(told) == (name == "gap")
        assert all(note in result.stdout for note in told)
    assert volumes["gap"] < 0.99 * volumes["whole"], gap
