#!/usr/bin/env python3
"""Draws doses on their CT: axial and coronal plane through the isocentre, profiles, dose-volume histograms.

    plot_dose.py --ct FOLDER --dose NAME=FILE.dcm [--dose NAME=FILE.dcm] --structures RS.dcm --plan RP.dcm
                 --out picture.png

Needs numpy, pydicom and matplotlib (Debian: python3-numpy, python3-pydicom, python3-matplotlib).
"""
import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pydicom
from matplotlib.lines import Line2D
from matplotlib.path import Path as Polygon

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"]  # Okabe and Ito: told apart by colour-blind readers
# the same palette
STRUCTURE_COLOURS = ["#999999", "#56b4e9", "#0072b2", "#cc79a7", "#000000", "#e69f00", "#009e73", "#d55e00"]
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
    types = {int(o.ReferencedROINumber): str(o.RTROIInterpretedType)
             for o in data.get("RTROIObservationsSequence", [])}
    result = {}
    for roi in data.ROIContourSequence:
        number = int(roi.ReferencedROINumber)
        contours = [np.array(c.ContourData, dtype=float).reshape(-1, 3)
                    for c in roi.get("ContourSequence", [])]
        colour = [int(v) / 255 for v in roi.get("ROIDisplayColor", [128, 128, 128])]
        if contours:
            result[names[number]] = (types.get(number, ""), colour, contours)
    return result


def isocentre_of(file):
    return np.array(pydicom.dcmread(file).BeamSequence[0].ControlPointSequence[0].IsocenterPosition,
                    dtype=float)


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
        values = (1 - part) * np.take(values, [low], numpy_axis) + part * np.take(values, [low + 1],
                                                                                  numpy_axis)
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


def outlines(ax, structures, colours, axes, point, vertical):
    """Contours on the axial plane nearest to a point, or where they cross its coronal plane.

    On the coronal plane these are the ends of the cuts, slice by slice.
    """
    for name, (_, _, contours) in structures.items():
        planes = np.array([c[0, 2] for c in contours])
        if vertical == 1:
            shown = planes[nearest(planes, point[2])]
            if abs(shown - point[2]) > abs(axes[2][1] - axes[2][0]):
                continue
            for contour in (c for c in contours if abs(c[0, 2] - shown) < 1e-2):
                closed = np.vstack([contour, contour[:1]])
                ax.plot(closed[:, 0], closed[:, 1], color=colours[name], linewidth=1.0)
            continue
        for contour in contours:
            ends = np.roll(contour, -1, axis=0)
            cuts = (contour[:, 1] - point[1]) * (ends[:, 1] - point[1]) < 0
            part = (point[1] - contour[cuts, 1]) / (ends[cuts, 1] - contour[cuts, 1])
            x = contour[cuts, 0] + part * (ends[cuts, 0] - contour[cuts, 0])
            ax.plot(x, np.full(len(x), contour[0, 2]), ".", color=colours[name], markersize=1.8)


def draw_plane(ax, image, dose, levels, axes_ct, axes_dose, labels, title):
    ax.imshow(image, cmap="gray", vmin=-1000, vmax=500, extent=extent(*axes_ct), origin="lower",
              aspect="equal", interpolation="nearest")
    ax.contour(axes_dose[0], axes_dose[1], dose, levels=levels, colors=isodose_colours(levels),
               linewidths=1.6)
    ax.set_xlim(extent(*axes_dose)[:2])
    ax.set_ylim(extent(*axes_dose)[2:])
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    ax.set_title(title)


def isodose_colours(levels):
    return [plt.get_cmap("plasma")(0.15 + 0.85 * n / max(len(levels) - 1, 1)) for n in range(len(levels))]


def draw_profiles(panel, doses, axis, label, centre):
    for n, (name, (values, axes)) in enumerate(doses.items()):
        panel.plot(axes[axis], profile(values, axes, axis, centre), color=COLOURS[n % 4],
                   linestyle=LINES[n % 4], label=name)
    panel.set_xlabel(label)
    panel.set_ylabel("dose (Gy)")
    panel.set_title(f"Profile along {label[0]}")
    panel.grid(alpha=0.3)
    panel.legend(frameon=False)


def draw_histograms(panel, doses, structures, colours):
    bins = np.linspace(0, 1.02 * max(values.max() for values, _ in doses.values()), 120)
    handles = []
    for name, (kind, _, contours) in structures.items():
        if kind == "EXTERNAL":
            continue
        for n, (values, axes) in enumerate(doses.values()):
            panel.plot(bins, histogram(values, axes, contours, bins), color=colours[name],
                       linestyle=LINES[n % 4])
        handles.append(Line2D([], [], color=colours[name], label=name))
    handles += [Line2D([], [], color="black", linestyle=LINES[n % 4], label=name)
                for n, name in enumerate(doses)]
    panel.set_xlabel("dose (Gy)")
    panel.set_ylabel("volume (%)")
    panel.set_title("Dose-volume histograms")
    panel.grid(alpha=0.3)
    panel.legend(handles=handles, frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.1),
                 ncol=3)


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
    colours = {name: STRUCTURE_COLOURS[n % len(STRUCTURE_COLOURS)] for n, name in enumerate(structures)}
    centre = isocentre_of(arguments.plan)
    first_name, (first_values, first_axes) = next(iter(doses.items()))
    at_centre = float(np.interp(centre[0], first_axes[0], profile(first_values, first_axes, 0, centre)))
    if not at_centre > 0:
        raise SystemExit(f"error: {first_name} has no dose at the isocentre, so that there are no isodose "
                         "levels to draw")
    levels = at_centre * np.array([0.1, 0.3, 0.5, 0.7, 0.9, 1.0])

    columns = len(doses) + 2  # a column per dose, profiles, histograms
    figure = plt.figure(figsize=(4.8 * columns, 8.4))
    grid = figure.add_gridspec(2, columns)
    figure.suptitle(f"Dose through the isocentre ({centre[0]:.0f}, {centre[1]:.0f}, {centre[2]:.0f}) mm; "
                    f"{first_name}: {at_centre:.1f} Gy there")
    slice_ct, row_ct = nearest(ct_axes[2], centre[2]), nearest(ct_axes[1], centre[1])
    for column, (name, (values, axes)) in enumerate(doses.items()):
        axial, coronal = figure.add_subplot(grid[0, column]), figure.add_subplot(grid[1, column])
        draw_plane(axial, ct[slice_ct], values[nearest(axes[2], centre[2])], levels, ct_axes[:2], axes[:2],
                   ("x, left (mm)", "y, posterior (mm)"), f"{name}: axial")
        axial.invert_yaxis()
        draw_plane(coronal, ct[:, row_ct], values[:, nearest(axes[1], centre[1])], levels, ct_axes[::2],
                   axes[::2], ("x, left (mm)", "z, superior (mm)"), f"{name}: coronal")
        outlines(axial, structures, colours, ct_axes, centre, 1)
        outlines(coronal, structures, colours, ct_axes, centre, 2)
    draw_profiles(figure.add_subplot(grid[0, -2]), doses, 0, "x, left (mm)", centre)
    draw_profiles(figure.add_subplot(grid[1, -2]), doses, 1, "y, posterior (mm)", centre)
    draw_histograms(figure.add_subplot(grid[:, -1]), doses, structures, colours)
    isodoses = [Line2D([], [], color=c, linewidth=2, label=f"{level:.1f} Gy")
                for c, level in zip(isodose_colours(levels), levels)]
    figure.tight_layout(rect=(0, 0.01, 1, 1))
    figure.legend(handles=isodoses, loc="lower left", bbox_to_anchor=(0.02, 0.01), ncol=len(levels),
                  title="Isodose lines", fontsize=9)
    figure.savefig(arguments.out, dpi=90)
    print(f"picture: {arguments.out}")


if __name__ == "__main__":
    main()
