"""One open square field with the photon pencil beam of pyRadPlan (SVDPB), on densities that the caller gives.

    run_pyradplan.py CASE.npz RESULT.npz
"""
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np

warnings.filterwarnings("ignore")
import SimpleITK as sitk  # noqa: E402
from pyRadPlan import PhotonPlan, calc_dose_forward, generate_stf, validate_ct  # noqa: E402
from pyRadPlan.cst import StructureSet, create_voi  # noqa: E402


def main() -> None:
    case = np.load(sys.argv[1])
    # [depth, y, x], mm
    density, spacing, first = case["density"], 10 * case["spacing_cm"], 10 * case["first_centre_cm"]
    if abs(case["field_x_cm"] - case["field_y_cm"]) > 1e-6:
        sys.exit("error: only square fields")
    # Gantry 0 shines along +y: depth is y, its z is our y.
    hu = np.ascontiguousarray((1000 * (density - 1)).transpose(1, 0, 2))
    image = sitk.GetImageFromArray(hu.astype(np.float32))
    image.SetSpacing((float(spacing[2]), float(spacing[0]), float(spacing[1])))
    image.SetOrigin((float(first[2]), float(first[0]), float(first[1])))
    ct = validate_ct(cube_hu=image)
    everywhere = np.ones(hu.shape, np.uint8)
    cst = StructureSet(vois=[create_voi(voi_type=kind, name=name, ct_image=ct, mask=everywhere)
                             for kind, name in (("TARGET", "field"), ("OAR", "body"))], ct_image=ct)
    plan = PhotonPlan(machine="Generic")
    plan.prop_stf = {"gantry_angles": [0.0], "couch_angles": [0.0], "generator": "photonOpenFields",
                     "field_width": 10 * float(case["field_x_cm"]), "iso_center": np.zeros(3)}
    # As it comes it leaves out everything beyond 50 mm from the axis, which cuts into this field; 200 mm
    # holds it and its penumbra.
    plan.prop_dose_calc = {"geometric_lateral_cutoff": 200.0, "dosimetric_lateral_cutoff": 1.0, "dose_grid": {
        "resolution": {"x": float(spacing[2]), "y": float(spacing[0]), "z": float(spacing[1])}}}
    stf = generate_stf(ct, cst, plan)
    stf.beams[0].iso_center = np.zeros(3)
    stf.beams[0].rays[0].beamlets[0].weight = 1.0
    wall, cpu = time.perf_counter(), time.process_time()
    result = calc_dose_forward(ct, cst, stf, plan, np.ones(1))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    dose = result["physical_dose"]
    dose = sitk.GetArrayFromImage(dose) if isinstance(dose, sitk.Image) else np.asarray(dose)
    np.savez(sys.argv[2], dose=dose.transpose(1, 0, 2), wall=wall, cpu=cpu, threads=0,
             version=version("pyradplan"))


if __name__ == "__main__":
    main()
