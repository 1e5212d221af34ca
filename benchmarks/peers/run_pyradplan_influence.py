"""Influence matrix of pyRadPlan's own TG-119 phantom: beamlets of 5 mm, voxels of 3 mm.

    run_pyradplan_influence.py RESULT.npz CUTOFF_MM GANTRY…

CUTOFF_MM: from the axis of a beamlet, beyond which the peer leaves out everything; 50 by itself. Writes
phantom, target and the peer's figures for the other side of the comparison.
"""
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np

warnings.filterwarnings("ignore")
import contourpy  # noqa: E402
import SimpleITK as sitk  # noqa: E402
from pyRadPlan import PhotonPlan, calc_dose_influence, generate_stf  # noqa: E402
from pyRadPlan.io import load_tg119  # noqa: E402


def contours(mask, origin, spacing):
    """Outlines of a mask [z, y, x] in mm, slice by slice."""
    found = []
    for k in range(mask.shape[0]):
        if not mask[k].any():
            continue
        for line in contourpy.contour_generator(z=np.pad(mask[k], 1).astype(float)).lines(0.5):
            x, y = line[:-1, 0] - 1, line[:-1, 1] - 1
            found.append(np.column_stack([origin[0] + x * spacing[0], origin[1] + y * spacing[1],
                                          np.full(len(x), origin[2] + k * spacing[2])]))
    return found


def main() -> None:
    ct, cst = load_tg119()
    cutoff, angles = float(sys.argv[2]), [float(a) for a in sys.argv[3:]]
    plan = PhotonPlan(machine="Generic")
    plan.prop_stf = {"gantry_angles": angles, "couch_angles": [0.0] * len(angles), "bixel_width": 5.0}
    plan.prop_dose_calc = {"geometric_lateral_cutoff": cutoff,
                           "dose_grid": {"resolution": {"x": 3.0, "y": 3.0, "z": 3.0}}}
    stf = generate_stf(ct, cst, plan)
    wall, cpu = time.perf_counter(), time.process_time()
    dij = calc_dose_influence(ct, cst, stf, plan)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    matrix = dij.physical_dose.flat[0]
    image = ct.cube_hu
    origin, spacing = np.array(image.GetOrigin()), np.array(image.GetSpacing())
    outlines = {}
    for voi in cst.vois:
        mask = sitk.GetArrayFromImage(voi.mask) if isinstance(voi.mask, sitk.Image) else np.asarray(voi.mask)
        for n, outline in enumerate(contours(mask, origin, spacing)):
            outlines[f"outline {voi.name} {n:04d}"] = outline
    # Dose of all beamlets together, on the peer's grid.
    grid = dij.dose_grid
    dose = np.asarray(matrix @ np.ones(matrix.shape[1])).reshape(tuple(grid.dimensions)[::-1])
    np.savez(sys.argv[1], hu=sitk.GetArrayFromImage(image).astype(np.float32), spacing=spacing, origin=origin,
             isocentre=np.asarray(stf.beams[0].iso_center), wall=wall, cpu=cpu, beamlets=matrix.shape[1],
             values=matrix.nnz, bytes=matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes,
             dose=dose.astype(np.float32), dose_origin=np.asarray(grid.origin),
             dose_spacing=[grid.resolution[a] for a in "xyz"], version=version("pyradplan"), **outlines)


if __name__ == "__main__":
    main()
