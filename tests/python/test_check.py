"""libdose.check on the phantom with a planning system's dose."""

import json
import os
import subprocess
from pathlib import Path

import libdose
import pytest


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """The phantom with the RTDOSE of its plan four-field."""
    programs = os.environ.get("LIBDOSE_TEST_PROGRAMS")
    if not programs:
        pytest.skip("LIBDOSE_TEST_PROGRAMS is not set")
    folder = tmp_path_factory.mktemp("planned")
    subprocess.run([Path(programs) / "make_phantom", "--quick", folder, "--planned-dose", "four-field"],
                   check=True, capture_output=True)
    return folder


def test_clean_plan_passes_and_writes_its_report(planned, tmp_path):
    stages = []
    found = libdose.check(planned, tmp_path / "report", plan="four-field",
                          progress=lambda fraction, stage: stages.append(stage))
    assert found.verdict == "PASS"
    assert found.not_passed == []
    assert {row["section"] for row in found.rows} == {"integrity", "dose", "gamma"}
    assert found.attribution["verdict"] == "none"
    assert stages[-1] == "done"
    written = json.loads((tmp_path / "report" / "check.json").read_text())
    assert written["rows"] == found.data["rows"]


def test_a_missing_dose_is_not_a_pass(planned):
    files = [file for file in planned.iterdir() if not file.name.startswith("RD_")]
    found = libdose.check(files, plan="four-field", attribution=False)
    assert found.verdict == "NOT CHECKED"
    assert any(row["id"] == "missing-dose" and "RTDOSE" in row["reason"] for row in found.rows)


def test_protocols():
    assert "default" in libdose.protocols()
    assert "stereotactic" in libdose.protocol_sites()
    with pytest.raises(libdose.BadInput, match="nowhere"):
        libdose.check(".", protocol="nowhere")


def test_an_exception_of_progress_ends_it(planned):
    class Enough(Exception):
        pass

    def stop(fraction, stage):
        raise Enough

    with pytest.raises(Enough):
        libdose.check(planned, plan="four-field", progress=stop)
