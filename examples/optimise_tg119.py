"""Optimises nine fields for the C-shaped target of AAPM TG-119 with scipy, from an influence matrix.

    python optimise_tg119.py [--out PICTURE] [--quick]

The phantom is made here: a C of 37 mm outer radius, 5 mm away from a core of 10 mm radius, in a slab of water
(Ezzell et al, Med. Phys. 36 (2009) 5359). Goals of the easier version: target D95 = 50 Gy and D10 <= 55 Gy,
core D10 <= 25 Gy. Needs libdose, scipy and matplotlib.
"""
import argparse
import time

import numpy as np
from scipy.optimize import minimize

import libdose

FRACTIONS = 25


def outline(points, z):
    return np.column_stack([points, np.full(len(points), z)])


def phantom():
    """CT of 300 x 200 x 200 mm of water, and the structures, LPS mm around the isocentre."""
    spacing = 4.0
    counts = np.array([90, 60, 60])
    x, y, z = (spacing * (np.arange(n) - (n - 1) / 2) for n in counts)
    hu = np.full((len(z), len(y), len(x)), -1000, np.float32)
    hu[np.ix_(np.abs(z) < 100, np.abs(y) < 100, np.abs(x) < 150)] = 0
    ct = libdose.CtImage(hu, (spacing,) * 3, (x[0], y[0], z[0]))

    angles = np.radians(np.linspace(0, 360, 72, endpoint=False))
    core = 10 * np.column_stack([np.cos(angles), np.sin(angles)])
    # The C is open to the right of the patient, where the core can be spared.
    part = np.radians(np.linspace(-130, 130, 60))
    c = np.concatenate([37 * np.column_stack([np.cos(part), np.sin(part)]),
                        15 * np.column_stack([np.cos(part), np.sin(part)])[::-1]])
    box = np.array([(-150, -100), (150, -100), (150, 100), (-150, 100)], float)

    def structure(number, name, kind, points, half_mm):
        planes = np.arange(-half_mm + 2, half_mm, 4.0)
        return libdose.Structure(number, name, kind, [outline(points, plane) for plane in planes], 4.0)

    return ct, libdose.StructureSet(structures=[structure(1, "BODY", "EXTERNAL", box, 100),
                                                structure(2, "target", "PTV", c, 40),
                                                structure(3, "core", "ORGAN", core, 50)])


def optimise(matrix, structures):
    """MU of the beamlets: squared deviations in target and core, and a little of the dose everywhere else."""
    everywhere = matrix.to_scipy().tocsr()  # rows are chosen
    target = libdose.mask(structures["target"], matrix).ravel() > 0.1  # its border counts in the histogram
    core = libdose.mask(structures["core"], matrix).ravel() > 0.1
    near = (everywhere.max(axis=1).toarray().ravel() > 0.05 * everywhere.max()) & ~target & ~core
    goals = []  # (rows, dose of a fraction, weight, too little counts, too much counts)
    for rows, gy, weight, low, high in (
        (target, 52, 100, True, True),
        (core, 20, 20, False, True),
        (near, 25, 2, False, True),
    ):
        # Of the many voxels around every eighth will do.
        chosen = np.flatnonzero(rows)[:: 8 if rows is near else 1]
        goals.append((everywhere[chosen].astype(float), gy / FRACTIONS, weight / len(chosen), low, high))

    # MU of every beamlet that give the target its dose on average
    unit = goals[0][1] / np.mean(goals[0][0] @ np.ones(matrix.shape[1]))

    def cost(x):
        value, slope = 0.0, np.zeros_like(x)
        for rows, gy, weight, low, high in goals:
            away = rows @ (unit * x) - gy
            away[(away < 0) & (not low)] = 0
            away[(away > 0) & (not high)] = 0
            value += weight * np.sum(away**2)
            slope += 2 * weight * unit * (rows.T @ away)
        return value, slope

    found = minimize(cost, np.ones(matrix.shape[1]), jac=True, method="L-BFGS-B",
                     bounds=[(0, None)] * matrix.shape[1], options={"maxiter": 300, "ftol": 1e-7})
    return unit * found.x, found


def picture(file, dose, structures):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.6))
    gy = np.asarray(dose.array) * FRACTIONS
    k = gy.shape[0] // 2
    x0, y0, _ = dose.origin_mm
    dx, dy, _ = dose.spacing_mm
    extent = (x0 - dx / 2, x0 + (gy.shape[2] - 0.5) * dx, y0 + (gy.shape[1] - 0.5) * dy, y0 - dy / 2)
    shown = left.imshow(gy[k], extent=extent, cmap="turbo", vmin=0, vmax=60)
    figure.colorbar(shown, ax=left, label="Gy")
    for name, colour in (("target", "white"), ("core", "black")):
        points = structures[name].contours[len(structures[name].contours) // 2]
        left.fill(points[:, 0], points[:, 1], fill=False, edgecolor=colour, label=name)
        histogram = libdose.dvh(libdose.Dose(gy, dose.spacing_mm, dose.origin_mm), structures[name])
        right.plot(histogram.dose_gy, 100 * histogram.cumulative_cm3 / histogram.volume_cm3, label=name)
    left.set(title="axial, through the isocentre", xlabel="x, mm (LPS)", ylabel="y, mm")
    left.legend()
    right.set(xlabel="dose, Gy", ylabel="volume, %", xlim=(0, 65), ylim=(0, 101), title="25 fractions")
    right.legend()
    figure.tight_layout()
    figure.savefig(file, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="tg119.png")
    parser.add_argument("--quick", action="store_true",
                        help="beamlets of 10 mm and voxels of 6 mm instead of 5 and 4")
    options = parser.parse_args()
    ct, structures = phantom()
    beams = [libdose.Beam.static(n + 1, gantry_deg=40 * n, jaw_x=(-60, 60), jaw_y=(-60, 60))
             for n in range(9)]
    plan = libdose.Plan("TG-119 C", beams=beams, fractions=FRACTIONS)
    engine = libdose.Engine(algorithm="pencil-beam", grid_mm=6 if options.quick else 4)
    beamlets = dict(beamlet_mm=10 if options.quick else 5, target="target", margin_mm=7)

    start = time.perf_counter()
    matrix = engine.influence(plan, ct, structures, **beamlets)
    made = time.perf_counter()
    print(f"{matrix.shape[1]} beamlets, {matrix.entries / 1e6:.1f} million values: {made - start:.1f} s")
    mu, found = optimise(matrix, structures)
    print(f"{found.nit} iterations, {found.nfev} evaluations: {time.perf_counter() - made:.1f} s")

    # What counts is the dose of the fluence, not that of the matrix.
    dose = engine.calculate_beamlets(plan, ct, structures, mu, **beamlets)
    rate = libdose.gamma(dose, matrix.dose(mu), dose_percent=1, distance_mm=1, threshold_percent=5).pass_rate
    print(f"matrix against calculated dose: {rate:.2f} % within 1 %/1 mm above 5 %")
    course = dose.whole_course(FRACTIONS)
    target, core = (libdose.dvh(course, structures[name]) for name in ("target", "core"))
    print(f"target D95 {target.dose_at_volume(95):.1f} Gy (goal 50), D10 {target.dose_at_volume(10):.1f} Gy "
          "(goal <= 55)")
    print(f"core D10 {core.dose_at_volume(10):.1f} Gy (goal <= 25)")
    picture(options.out, dose, structures)
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
