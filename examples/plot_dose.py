#!/usr/bin/env python3
"""Draws doses on their CT: axial and coronal plane through the isocentre, profiles, dose-volume histograms.

    plot_dose.py --ct FOLDER --dose NAME=FILE.dcm [--dose NAME=FILE.dcm] --structures RS.dcm --plan RP.dcm --out picture.png

Needs numpy, pydicom and matplotlib (Debian: python3-numpy, python3-pydicom, python3-matplotlib).
"""
import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pydicom
from matplotlib.path import Path as Polygon

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"]  # Okabe and Ito: told apart by colour-blind readers
LINES = ["-", "--", ":", "-."]


def read_ct(folder):
    slices = []
    for file in sorted(Path(folder).rglob("*")):
        if not file.is_file():
            continue
        try:
            data = pydicom.dcmread(file)
        except pydicom.errors.InvalidDicomError:
            continue
        if data.get("Modality") == "CT":
            slices.append(data)
    if not slices:
        raise SystemExit(f"error: there is no CT in {folder}")
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    volume = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
    first = slices[0]
    axes = [float(first.ImagePositionPatient[0]) + float(first.PixelSpacing[1]) * np.arange(first.Columns),
            float(first.ImagePositionPatient[1]) + float(first.PixelSpacing[0]) * np.arange(first.Rows),
            np.array([float(s.ImagePositionPatient[2]) for s in slices])]
    return volume, axes


def read_dose(file):
    data = pydicom.dcmread(file)
    values = data.pixel_array * float(data.DoseGridScaling)
    position = [float(v) for v in data.ImagePositionPatient]
    axes = [position[0] + float(data.PixelSpacing[1]) * np.arange(data.Columns),
            position[1] + float(data.PixelSpacing[0]) * np.arange(data.Rows),
            position[2] + np.array([float(v) for v in data.GridFrameOffsetVector])]
    return values, axes


def read_structures(file):
    """Name -> (interpreted type, colour, list of contours [n, 3])."""
    data = pydicom.dcmread(file)
    names = {int(r.ROINumber): str(r.ROIName) for r in data.StructureSetROISequence}
    types = {int(o.ReferencedROINumber): str(o.RTROIInterpretedType) for o in data.get("RTROIObservationsSequence", [])}
    result = {}
    for roi in data.ROIContourSequence:
        number = int(roi.ReferencedROINumber)
        contours = [np.array(c.ContourData, dtype=float).reshape(-1, 3) for c in roi.get("ContourSequence", [])]
        colour = [int(v) / 255 for v in roi.get("ROIDisplayColor", [128, 128, 128])]
        if contours:
            result[names[number]] = (types.get(number, ""), colour, contours)
    return result


def isocentre_of(file):
    return np.array(pydicom.dcmread(file).BeamSequence[0].ControlPointSequence[0].IsocenterPosition, dtype=float)


def nearest(axis, value):
    return int(np.abs(axis - value).argmin())


def extent(first, second):
    def edges(axis):
        step = axis[1] - axis[0]
        return axis[0] - step / 2, axis[-1] + step / 2
    return [*edges(first), *edges(second)]


def profile(values, axes, axis, point):
    """Dose along one axis through a point, linear between voxel centres in the other two."""
    for other in (2, 1, 0):
        if other == axis:
            continue
        grid = axes[other]
        low = int(np.clip(np.searchsorted(grid, point[other]) - 1, 0, len(grid) - 2))
        part = np.clip((point[other] - grid[low]) / (grid[low + 1] - grid[low]), 0, 1)
        numpy_axis = 2 - other
        values = (1 - part) * np.take(values, [low], numpy_axis) + part * np.take(values, [low + 1], numpy_axis)
    return values.ravel()


def histogram(values, axes, contours, bins):
    """Cumulative volume in percent, from voxel centres inside the contours of the nearest plane."""
    planes = np.array(sorted({round(float(c[0, 2]), 3) for c in contours}))
    spacing = np.median(np.diff(planes)) if len(planes) > 1 else 3.0
    x, y = np.meshgrid(axes[0], axes[1])
    points = np.column_stack([x.ravel(), y.ravel()])
    inside = []
    for k, z in enumerate(axes[2]):
        plane = planes[nearest(planes, z)]
        if abs(plane - z) > spacing / 2:
            continue
        mask = np.zeros(len(points), bool)
        for contour in contours:
            if abs(contour[0, 2] - plane) < 1e-2:
                mask ^= Polygon(contour[:, :2]).contains_points(points)
        inside.append(values[k].ravel()[mask])
    dose = np.concatenate(inside) if inside else np.zeros(0)
    return 100 * np.array([(dose >= b).mean() if dose.size else np.nan for b in bins])


def draw_plane(ax, image, dose, levels, axes_ct, axes_dose, labels, title):
    ax.imshow(image, cmap="gray", vmin=-900, vmax=400, extent=extent(*axes_ct), origin="lower", aspect="equal", interpolation="nearest")
    lines = ax.contour(axes_dose[0], axes_dose[1], dose, levels=levels, cmap="plasma", linewidths=1.3)
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    ax.set_title(title)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ct", required=True)
    parser.add_argument("--dose", required=True, action="append", metavar="NAME=FILE")
    parser.add_argument("--structures", required=True)
    parser.add_argument("--plan", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()

    ct, ct_axes = read_ct(arguments.ct)
    doses = {}
    for text in arguments.dose:
        name, _, file = text.rpartition("=")
        doses[name or Path(file).stem] = read_dose(file)
    structures = read_structures(arguments.structures)
    centre = isocentre_of(arguments.plan)
    first_name = next(iter(doses))
    maximum = max(values.max() for values, _ in doses.values())
    at_centre = float(np.interp(centre[0], doses[first_name][1][0], profile(*doses[first_name], 0, centre)))
    levels = at_centre * np.array([0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 1.0])

    rows = 2 if len(doses) > 1 else 1
    figure, panels = plt.subplots(rows, 4, figsize=(19, 4.9 * rows), squeeze=False)
    figure.suptitle(f"Dose through the isocentre ({centre[0]:.0f}, {centre[1]:.0f}, {centre[2]:.0f}) mm; {first_name}: {at_centre:.1f} Gy there")
    for row, (name, (values, axes)) in enumerate(list(doses.items())[:2]):
        k, j = nearest(axes[2], centre[2]), nearest(axes[1], centre[1])
        axial, coronal = panels[row][0], panels[row][1]
        draw_plane(axial, ct[nearest(ct_axes[2], centre[2])], values[k], levels, (ct_axes[0], ct_axes[1]), (axes[0], axes[1]),
                   ("x, left (mm)", "y, posterior (mm)"), f"{name}: axial")
        axial.invert_yaxis()
        lines = draw_plane(coronal, ct[:, nearest(ct_axes[1], centre[1])], values[:, j], levels, (ct_axes[0], ct_axes[2]), (axes[0], axes[2]),
                           ("x, left (mm)", "z, superior (mm)"), f"{name}: coronal")
        bar = figure.colorbar(lines, ax=coronal, shrink=0.8)
        bar.set_label("Gy")
        for _, colour, contours in structures.values():
            for contour in contours:
                if abs(contour[0, 2] - ct_axes[2][nearest(ct_axes[2], centre[2])]) < 1e-2:
                    closed = np.vstack([contour, contour[:1]])
                    axial.plot(closed[:, 0], closed[:, 1], color=colour, linewidth=0.8)
        axial.set_xlim(extent(axes[0], axes[1])[:2])
        axial.set_ylim(extent(axes[1], axes[1])[1], extent(axes[1], axes[1])[0])
        coronal.set_xlim(extent(axes[0], axes[1])[:2])
        coronal.set_ylim(extent(axes[2], axes[2])[:2])
    for number, (axis, label) in enumerate(((0, "x, left (mm)"), (1, "y, posterior (mm)"))):
        panel = panels[number % rows][2 + (number // rows)] if rows == 2 else panels[0][2 + number]
        for n, (name, (values, axes)) in enumerate(doses.items()):
            panel.plot(axes[axis], profile(values, axes, axis, centre), color=COLOURS[n % 4], linestyle=LINES[n % 4], label=name)
        panel.set_xlabel(label)
        panel.set_ylabel("dose (Gy)")
        panel.set_title(f"Profile along {label[0]}")
        panel.grid(alpha=0.3)
        panel.legend(frameon=False)
    if rows == 2:
        gs = panels[0][3].get_gridspec()
        for panel in (panels[0][3], panels[1][3]):
            panel.remove()
        dvh = figure.add_subplot(gs[:, 3])
        bins = np.linspace(0, 1.02 * maximum, 120)
        for name, (kind, colour, contours) in structures.items():
            if kind == "EXTERNAL":
                continue
            for n, (engine, (values, axes)) in enumerate(doses.items()):
                dvh.plot(bins, histogram(values, axes, contours, bins), color=colour, linestyle=LINES[n % 4], label=name if n == 0 else None)
        dvh.set_xlabel("dose (Gy)")
        dvh.set_ylabel("volume (%)")
        dvh.set_title("DVH (" + ", ".join(f"{engine} {'solid' if n == 0 else 'dashed'}" for n, engine in enumerate(list(doses)[:2])) + ")")
        dvh.grid(alpha=0.3)
        dvh.legend(frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(arguments.out, dpi=90)
    print(f"picture: {arguments.out}")


if __name__ == "__main__":
    main()
