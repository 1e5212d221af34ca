"""dose model commission on the measured set of a real linac, which is not part of libdose.

Usage: test_commissioning.py DOSE
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DATA = os.environ.get("LIBDOSE_REFERENCE_DATA")
# Largest difference and RMS in percent. docs/validation/commissioning.md has what was reached, good and bad.
LARGEST_RATIO, RMS_RATIO, LARGEST_OUTPUT, LARGEST_SMALL_OUTPUT, LARGEST_FLUENCE = 1.3, 0.5, 0.7, 2.0, 1.0
READINGS_BEYOND_A_PERCENT = 15  # of 2910 from 10 mm depth on


def run(*arguments):
    done = subprocess.run([sys.argv[1], *map(str, arguments)], capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def main():
    if not DATA:
        print("skipped: LIBDOSE_REFERENCE_DATA is not set")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run("model", "commission", pathlib.Path(DATA) / "measured/elekta_synergy_agility_6MV", "--out",
            folder / "m.h5", "--report", folder / "m.html", "--json", folder / "m.json",
            "--no-cross-validation", "--by", "test")
        assert "intact" in run("model", "verify", folder / "m.h5")
        assert "</html>" in (folder / "m.html").read_text()
        curves = json.loads((folder / "m.json").read_text())["curves"]
    worst, beyond = [], 0

    def at_most(curve, key, limit):
        print(f"{curve['name']}: {key} {curve[key]:.2f} (at most {limit})")
        if not curve[key] <= limit:
            worst.append(curve["name"])

    for curve in curves:
        if curve["kind"] == "tpr" and 20 <= int(re.search(r"\d+", curve["name"]).group()) <= 300:
            at_most(curve, "max_abs_percent", LARGEST_RATIO)
            at_most(curve, "rms_percent", RMS_RATIO)
            beyond += sum(depth >= 10 and abs(off) > 1
                          for depth, off in zip(curve["position_mm"], curve["difference_percent"]))
        elif curve["kind"] == "output_factor":
            at_most(curve, "before_residual_table",
                    LARGEST_SMALL_OUTPUT if "below" in curve["name"] else LARGEST_OUTPUT)
            at_most(curve, "max_abs_percent", 0.01)
        elif curve["kind"] == "primary_fluence":
            at_most(curve, "max_abs_percent", LARGEST_FLUENCE)
    assert [c["kind"] for c in curves].count("tpr") == 12
    print(f"{beyond} readings beyond a percent (at most {READINGS_BEYOND_A_PERCENT})")
    assert not worst and beyond <= READINGS_BEYOND_A_PERCENT, (worst, beyond)
    return 0


sys.exit(main())
