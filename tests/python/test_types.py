"""The package and a user's few lines pass mypy in strict mode."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
configuration = Path(__file__).parents[2] / "pyproject.toml"


def check(*arguments):
    return subprocess.run([sys.executable, "-m", "mypy", "--config-file", str(configuration), *arguments],
                          capture_output=True, text=True, cwd="/")


def test_package_is_typed():
    result = check("-p", "libdose")
    assert result.returncode == 0, result.stdout


def test_a_users_lines_are_checked(tmp_path):
    good = tmp_path / "good.py"
    good.write_text(
        "import libdose\n"
        'case = libdose.read_dicom("x")\n'
        "dose: libdose.Dose = libdose.calculate(case.plans[0], case.ct, case.structures, "
        'engine="pencil-beam")\n'
        "rate: float = libdose.gamma(case.doses[0], dose, dose_percent=3, distance_mm=2).pass_rate\n"
        "x, y, z = dose.spacing_mm\n")
    assert check(str(good)).returncode == 0, check(str(good)).stdout
    bad = tmp_path / "bad.py"
    bad.write_text('import libdose\nlibdose.gamma(1, 2)\nlibdose.Plan(beams="none")\n')
    result = check(str(bad))
    assert result.returncode == 1 and result.stdout.count("error:") >= 3, result.stdout
