"""What the tests of the Python package share: a cube of water, and the DICOM phantom.

The phantom comes with the doses that the command line calculates. LIBDOSE_TEST_PROGRAMS: folder with the
programs `dose` and `make_phantom` of the same build.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import libdose


def water_cube(side_mm: float = 240, voxel_mm: float = 5) -> libdose.CtImage:
    """Water, HU 0, centred on the origin, 40 mm of air around it."""
    n = int((side_mm + 80) / voxel_mm)
    centres = (np.arange(n) - (n - 1) / 2) * voxel_mm
    inside = np.abs(centres) < side_mm / 2
    hu = np.full((n, n, n), -1000, np.float32)
    hu[np.ix_(inside, inside, inside)] = 0
    return libdose.CtImage(hu, (voxel_mm,) * 3, (centres[0],) * 3, frame_of_reference_uid="1.2.3")


def box(name: str, kind: str, half_mm: float, number: int = 1, step_mm: float = 5) -> libdose.Structure:
    corners = [(-half_mm, -half_mm), (half_mm, -half_mm), (half_mm, half_mm), (-half_mm, half_mm)]
    planes = np.arange(-half_mm + step_mm / 2, half_mm, step_mm)
    return libdose.Structure(number, name, kind, [np.array([(x, y, z) for x, y in corners]) for z in planes],
                             step_mm)


@pytest.fixture(scope="session")
def ct() -> libdose.CtImage:
    return water_cube()


@pytest.fixture(scope="session")
def structures() -> libdose.StructureSet:
    return libdose.StructureSet(frame_of_reference_uid="1.2.3",
                                structures=[box("BODY", "EXTERNAL", 120), box("PTV", "PTV", 20, 2)])


@pytest.fixture
def plan() -> libdose.Plan:
    beam = libdose.Beam.static(1, gantry_deg=0, jaw_x=(-30, 30), jaw_y=(-30, 30))
    other = libdose.Beam.static(2, gantry_deg=120, jaw_x=(-30, 30), jaw_y=(-30, 30), meterset_mu=60)
    return libdose.Plan("by hand", frame_of_reference_uid="1.2.3", beams=[beam, other])


@pytest.fixture(scope="session")
def coarse() -> libdose.Engine:
    return libdose.Engine(quality="draft", grid_mm=5)


class Phantom:
    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs

    def dose(self, *arguments: str) -> None:
        subprocess.run([self.programs / "dose", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Phantom:
    programs = os.environ.get("LIBDOSE_TEST_PROGRAMS")
    if not programs:
        pytest.skip("LIBDOSE_TEST_PROGRAMS is not set")
    folder = tmp_path_factory.mktemp("phantom") / "dicom"
    subprocess.run([Path(programs) / "make_phantom", "--quick", folder], check=True, capture_output=True)
    return Phantom(folder, Path(programs))


def read_json(file: Path) -> dict:
    return json.loads(file.read_text())
