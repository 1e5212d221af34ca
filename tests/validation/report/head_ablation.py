"""What each part of the head model does to the clinical example.

    python3 examples/fetch_clinical_example.py OUT                                          # once
    python3 tests/validation/report/head_ablation.py OUT --dose build/release/libdose/dose

The first needs the network; the second takes minutes for each part and needs h5py, numpy, scipy, pydicom. The
plan is calculated again with one part taken out of the beam models. Each variant changes `generic-6MV` and
`generic-10MV`, calibrates them again (1 cGy/MU in the reference condition, as any centre would) and
calculates the plan. Prints a table.
"""
import argparse
import os
import re
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pydicom
from scipy.ndimage import map_coordinates

ROOT = Path(__file__).resolve().parents[3]
MODELS = ("generic-6MV", "generic-10MV")


def attribute(name, value):
    def change(head):
        head.attrs[name] = value
    return change


def flat(head):
    head["profile"][...] = 1.0


def no_softening(head):
    head["softening_g_cm2"][...] = 0.0


def no_backscatter(head):
    head.attrs["monitor_backscatter_x"] = head.attrs["monitor_backscatter_y"] = 0.0


def no_spot(head):
    head.attrs["spot_fwhm_x_mm"] = head.attrs["spot_fwhm_y_mm"] = 0.0


# Name, change of the head, further arguments of dose calc.
VARIANTS = [
    ("whole head model", None, []),
    ("without extrafocal source", attribute("extrafocal_amplitude", 0.0), []),
    ("without horns", flat, []),
    ("without softening", no_softening, []),
    ("without electrons", attribute("electron_amplitude_gy_cm2", 0.0), []),
    ("without monitor backscatter", no_backscatter, []),
    ("without focal spot", no_spot, []),
    ("sharp leaf ends", None, ["--leaf-ends", "sharp"]),
]


def dose_at(file, at):
    dose = pydicom.dcmread(file)
    frames = np.array(dose.GridFrameOffsetVector, float)
    origin, (row, column) = np.array(dose.ImagePositionPatient, float), map(float, dose.PixelSpacing)
    index = [(at[2] - origin[2]) / (frames[1] - frames[0]), (at[1] - origin[1]) / row,
             (at[0] - origin[0]) / column]
    return float(map_coordinates(dose.pixel_array * float(dose.DoseGridScaling), [[i] for i in index],
                                 order=1)[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of fetch_clinical_example.py")
    parser.add_argument("--dose", type=Path, required=True, help="the dose command")
    parser.add_argument("--engine", default="collapsed-cone")
    options = parser.parse_args()
    dicom = options.out / "dicom"
    plan = pydicom.dcmread(dicom / "rtplan.dcm")
    point = next(r for r in plan.DoseReferenceSequence if r.DoseReferenceStructureType == "COORDINATES")
    at = [float(c) for c in point.DoseReferencePointCoordinates]
    reference = dose_at(dicom / "rtdose.dcm", at)
    print("| head | point, Gy | against the planning system | gamma 3 %/3 mm | 2 %/2 mm |\n"
          "|---|---|---|---|---|", flush=True)
    for name, change, more in VARIANTS:
        work = options.out / "ablation" / re.sub(r"\W+", "-", name)
        data = work / "data"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(ROOT / "libdose/data", data)
        run = lambda *arguments: subprocess.run([options.dose, *map(str, arguments)],
                                                env=dict(os.environ, LIBDOSE_DATA=str(data)), check=False,
                                                capture_output=True, text=True)
        if change:
            for model in MODELS:
                file = data / "models" / f"{model}.h5"
                with h5py.File(file, "r+") as opened:
                    change(opened["head"])
                done = run("model", "calibrate", file)
                assert done.returncode == 0, done.stderr
        done = run("calc", dicom, "--engine", options.engine, "--out", work / "dose", *more)
        assert done.returncode == 0, done.stderr
        rates = []
        for percent, distance in ((3, 3), (2, 2)):
            text = run("gamma", dicom / "rtdose.dcm", work / "dose/plan.dcm", "--dose-percent", percent,
                       "--distance-mm", distance, "--threshold", 10).stdout
            rates.append(float(re.search(r": ([0-9.]+) % of", text).group(1)))
        dose = dose_at(work / "dose/plan.dcm", at)
        print(f"| {name} | {dose:.2f} | {100 * (dose / reference - 1):+.1f} % | {rates[0]:.2f} % | "
              f"{rates[1]:.2f} % |", flush=True)


main()
