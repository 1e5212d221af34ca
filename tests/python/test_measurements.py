"""Stand-ins have the attributes of the objects they stand for: pylinac 3.49, pymedphys 0.41."""

import json
import subprocess
from collections import namedtuple

import numpy as np
import pytest

import libdose
from libdose import measurements as m

BEAM = m.Beam(energy_mv=6, fluence_mode="STANDARD", machine="Linac1")


class PylinacProfile:
    """Stands for pylinac.core.profile.FWXMProfilePhysical.

    Values by pixel, dpmm, and the middle between the edges at half height.
    """

    def __init__(self, values, dpmm, x_values=None):
        self.values = np.asarray(values, float)
        self.x_values = (np.arange(len(self.values), dtype=float) if x_values is None
                         else np.asarray(x_values, float))
        self.dpmm = dpmm
        high = np.flatnonzero(self.values >= self.values.max() / 2)
        self.center_idx = (high[0] + high[-1]) / 2


class PymedphysProfile:
    """pymedphys' Profile: x in cm, y."""

    def __init__(self, x, y):
        self.x, self.y, self.meta = np.asarray(x), np.asarray(y), {}


class Table:
    """A pandas.DataFrame for this purpose: columns by name."""

    def __init__(self, **columns):
        self.data, self.columns = columns, list(columns)

    def __getitem__(self, name):
        return self.data[name]


def test_points_of_what_packages_give():
    for data, unit, extra in (
        (([0.0, 1.0, 2.0], [5.0, 4.0, 3.0]), "cm", {}),
        ([(0, 5), (10, 4), (20, 3)], "mm", {}),
        (PymedphysProfile([2, 1, 0], [3, 4, 5]), "cm", {}),
        (Table(depth=[0, 10, 20], dose=[5, 4, 3]), "mm", {"position": "depth", "value": "dose"}),
    ):
        x, y = m.points(data, unit=unit, **extra)
        assert x.tolist() == [0, 10, 20] and y.tolist() == [5, 4, 3]


def test_a_pylinac_profile_in_pixels_is_centred_and_scaled():
    # 2 pixels a mm; above half from pixel 10 to 20, so the axis is at 15.
    line = PylinacProfile([0] * 10 + [1] * 11 + [0] * 10, dpmm=2)
    x, y = m.points(line, unit="pixel", axis_at=line.center_idx)
    assert x[15] == 0 and x[0] == -7.5 and x[-1] == 7.5 and y[15] == 1
    for keywords in ({"unit": "pixel"}, {"unit": "mm"}, {"unit": "inch"}):
        with pytest.raises(libdose.BadInput):
            m.points(line, **keywords)
    with pytest.raises(libdose.BadInput, match="how large"):
        m.points(PylinacProfile([1, 2, 3], None), unit="pixel", axis_at=1)


@pytest.mark.parametrize(
    "data, extra, word",
    [
        (([0, 1, 1], [1, 2, 3]), {}, "there twice"),
        (([0, 1, 2], [1, np.nan, 3]), {}, "not a number"),
        (([0, 1, 2], [1, 2]), {}, "3 positions and 2 values"),
        (Table(depth=[0, 1], dose=[1, 2]), {}, "not named"),
        (Table(depth=[0, 1], dose=[1, 2]), {"position": "depth"}, "not both"),
        (Table(depth=[0, 1], dose=[1, 2]), {"position": "depth", "value": "Dose"}, 'no column "Dose"'),
        ([1, 2, 3], {}, "neither"),
    ],
)
def test_bad_data(data, extra, word):
    with pytest.raises(libdose.BadInput, match=word):
        m.points(data, unit="mm", **extra)


def test_the_set_up_is_asked_for_and_checked():
    scan = ([0.0, 10.0, 20.0], [5.0, 4.0, 3.0])
    with pytest.raises(TypeError):
        m.depth_dose(scan, unit="mm", field_mm=(100, 100))
    with pytest.raises(libdose.BadInput, match="source-surface"):
        m.depth_dose(scan, unit="mm", field_mm=(100, 100), ssd_mm=0)
    with pytest.raises(libdose.BadInput, match="the field is"):
        m.depth_dose(scan, unit="mm", field_mm=100, ssd_mm=900)
    with pytest.raises(libdose.BadInput, match="axis"):
        m.profile(scan, unit="mm", field_mm=(100, 100), ssd_mm=900, depth_mm=100, axis="x")
    sides = ([40, 60], [0.88, 0.93])
    for leaves, one_of in ((m.Leaves("varian-hd120", (120, 120)), ""), (None, "jaws")):
        with pytest.raises(libdose.BadInput, match="one_of"):
            m.output_factors(*sides, ssd_mm=900, depth_mm=100, one_at_side_mm=100, leaves=leaves,
                             one_of=one_of)
    with pytest.raises(libdose.BadInput, match="no name"):
        m.depth_dose(scan, unit="mm", field_mm=(40, 40), ssd_mm=900, leaves=m.Leaves("", (120, 120)))
    with pytest.raises(libdose.BadInput, match="fluence mode"):
        m.Beam(energy_mv=6, fluence_mode="flat")


def test_mephysto_scans():
    depth = np.arange(-5.0, 301.0, 5.0)
    across = np.arange(-90.0, 91.0, 1.0)
    loaded = ([depth, across, across], [np.exp(-0.005 * depth), np.exp(-(across**2) / 5000), np.ones(181)],
              ["PDD", "INPLANE_PROFILE", "CROSSPLANE_PROFILE"], [np.nan, 100.0, 50.0])
    curves = m.from_mephysto(loaded, field_mm=(100, 80), ssd_mm=900, detector="31021")
    assert [c.kind for c in curves] == ["depth_dose", "profile", "profile"]
    assert curves[0].position_mm[0] == 0  # what was above the water is left out
    text = curves[1].csv(BEAM)
    for line in ("# kind: profile", "# energy: 6 MV", "# machine: Linac1", "# SSD: 900 mm", "# depth: 100 mm",
                 "# field: 100 x 80 mm", "# axis: inplane", "# detector: 31021"):
        assert line + "\n" in text
    with pytest.raises(libdose.BadInput, match="DIAGONAL"):
        m.from_mephysto(([across], [across], ["DIAGONAL_PROFILE"], [10.0]), field_mm=(100, 100), ssd_mm=900)


def test_field_analysis():
    Analysis = namedtuple("Analysis", "x_profile y_profile")
    flat = PylinacProfile([0] * 50 + [1] * 101 + [0] * 50, dpmm=1)
    curves = m.from_field_analysis(Analysis(flat, flat), field_mm=(100, 100), ssd_mm=950, depth_mm=50,
                                   x_is="crossline")
    assert ["axis: crossplane" in c.comments for c in curves] == [True, False]
    assert curves[0].position_mm[[50, 100, 150]].tolist() == [-50, 0, 50]
    with pytest.raises(libdose.BadInput, match="analyze"):
        m.from_field_analysis(object(), field_mm=(100, 100), ssd_mm=950, depth_mm=50, x_is="inline")


def test_what_is_written_is_read_by_the_command(tmp_path, phantom):
    depth = np.arange(0, 301.0, 5)
    curve = np.exp(-0.0056 * depth) * (1 - 0.5 * np.exp(-depth / 4))
    across = np.arange(-90, 91.0)
    edge = 1 / (1 + np.exp((np.abs(across) - 50) / 2))
    curves = [m.depth_dose((depth, curve), unit="mm", field_mm=(side, side), ssd_mm=1000)
              for side in (40, 100, 200)]
    curves += [m.tissue_phantom_ratio((depth / 10, curve / np.interp(100, depth, curve)), unit="cm",
                                      field_mm=(50, 50), sad_mm=1000, one_at_mm=100),
               m.profile((across, edge), unit="mm", field_mm=(100, 100), ssd_mm=900, depth_mm=100,
                         axis="inline"),
               m.output_factors([30, 40, 60, 100, 200], [0.842, 0.878, 0.93, 1, 1.1], ssd_mm=900,
                                depth_mm=100, one_at_side_mm=100)]
    leaves = m.Leaves("varian-millennium-120", jaws_mm=(120, 120))
    curves += [m.depth_dose((depth, curve), unit="mm", field_mm=(40, 40), ssd_mm=1000, leaves=leaves),
               m.profile((across, 1 / (1 + np.exp((np.abs(across) - 20) / 2))), unit="mm", field_mm=(40, 40),
                         ssd_mm=900, depth_mm=100, axis="crossline", leaves=leaves),
               m.output_factors([30, 40, 60], [0.846, 0.884, 0.937], ssd_mm=900, depth_mm=100,
                                one_at_side_mm=100, leaves=leaves, one_of="jaws")]
    files = m.write(tmp_path / "measured", BEAM, curves)
    assert len(files) == 9
    with pytest.raises(libdose.BadInput, match="same quantity"):
        m.write(tmp_path / "twice", BEAM, [curves[0], curves[0]])
    assert not (tmp_path / "twice").exists()
    shown = subprocess.run([phantom.programs / "dose", "model", "lint", tmp_path / "measured", "--json",
                            tmp_path / "l.json"], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "9 curves, 6 MV, STANDARD" in shown.stdout
    for name in ("depth dose 40 x 40 mm by MLC", "crossplane profile 40 x 40 mm by MLC",
                 "output factors by MLC varian-millennium-120 in jaws 120 x 120 mm"):
        assert name in shown.stdout
    for name in ("depth dose 100 x 100 mm, SSD 1000 mm", "tpr 50 x 50 mm",
                 "inplane profile 100 x 100 mm, 100 mm deep, SSD 900 mm", "output factors, 100 mm deep"):
        assert name in shown.stdout
    assert not [f for f in json.loads((tmp_path / "l.json").read_text())["findings"]
                if f["severity"] == "error"]
