"""Times the influence matrix of libdose and of pyRadPlan on pyRadPlan's TG-119 phantom, one after the other; called by compare_influence.sh.

Beamlets of 5 mm, voxels of 3 mm, the same phantom, isocentre and target. The two choose slightly different beamlets at the rim of the target;
libdose takes at least as many. Times are those of the calculation alone, the least of three of ours against one of the peer. The truncation error of
ours is the gamma index of all beamlets open against the engine's own dose of that fluence.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import libdose


def structure(data, name, kind, number):
    outlines = [data[key] for key in sorted(data.files) if key.startswith(f"outline {name} ")]
    return libdose.Structure(number, name, kind, outlines, float(data["spacing"][2]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--gantry", type=float, nargs="+", default=[0.0])
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    file = options.work / "tg119.npz"
    print(f"running pyRadPlan, gantry {options.gantry}", flush=True)
    script = Path(__file__).parent / "peers" / "run_pyradplan_influence.py"
    run = subprocess.run([options.peer_python, script, file, *map(str, options.gantry)], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit("error: pyRadPlan ended with " + (run.stderr.strip() or "no message").splitlines()[-1])
    data = np.load(file)
    ct = libdose.CtImage(data["hu"], tuple(data["spacing"]), tuple(data["origin"]))
    structures = libdose.StructureSet(structures=[structure(data, "BODY", "EXTERNAL", 1), structure(data, "OuterTarget", "PTV", 2)])
    beams = [libdose.Beam.static(n + 1, gantry_deg=angle, isocentre_mm=data["isocentre"], jaw_x=(-200, 200), jaw_y=(-200, 200)) for n, angle in enumerate(options.gantry)]
    plan = libdose.Plan("TG-119", beams=beams)
    engine = libdose.Engine(engine="pencil-beam", grid_mm=3)
    # The least margin that gives as many beamlets as the peer has.
    margin = next(m for m in np.arange(0, 30, 0.5) if engine.count_beamlets(plan, ct, structures, target="OuterTarget", margin_mm=m) >= int(data["beamlets"]))
    seen = dict(beamlet_mm=5.0, target="OuterTarget", margin_mm=float(margin))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        matrix = engine.influence(plan, ct, structures, **seen)
        seconds.append(time.perf_counter() - start)
    weights = np.ones(matrix.shape[1])
    dose = matrix.dose(weights)
    passed = libdose.gamma(engine.calculate_beamlets(plan, ct, structures, weights, **seen), dose, dose_percent=1, distance_mm=1, threshold_percent=5).pass_rate
    # Both machines are generic: compared are shapes, each per its own mean in the target.
    theirs = libdose.Dose(data["dose"], tuple(data["dose_spacing"]), tuple(data["dose_origin"]))
    in_target = [libdose.mask(structures["OuterTarget"], d) > 0.99 for d in (dose, theirs)]
    means = [float(d.array[m].mean()) for d, m in zip((dose, theirs), in_target)]
    scaled = libdose.Dose(np.asarray(theirs.array) * (means[0] / means[1]), theirs.spacing_mm, theirs.origin_mm)
    alike = libdose.gamma(dose, scaled, dose_percent=3, distance_mm=3, threshold_percent=20).pass_rate
    wall, count = float(data["wall"]), int(data["beamlets"])
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    result = {"machine": cpu, "cores": os.cpu_count(), "gantry": options.gantry,
              "libdose": {"seconds": min(seconds), "beamlets": matrix.shape[1], "values": matrix.entries, "bytes": 8 * matrix.entries,
                          "gamma_1_1_from_forward_percent": passed},
              "pyRadPlan": {"version": str(data["version"]), "seconds": wall, "cpu_seconds": float(data["cpu"]), "beamlets": count, "values": int(data["values"]),
                            "bytes": int(data["bytes"])},
              "gamma_3_3_of_both_percent": alike, "ratio_per_beamlet": wall / count / (min(seconds) / matrix.shape[1]), "ratio": wall / min(seconds)}
    print(f"{cpu}, {os.cpu_count()} cores; {dose.array.size / 1e6:.1f} million voxels")
    print(f"libdose:   {min(seconds):6.2f} s, {matrix.shape[1]} beamlets, {matrix.entries / 1e6:.1f} million values; {passed:.2f} % of the forward dose within 1 %/1 mm above 5 %")
    print(f"pyRadPlan: {wall:6.2f} s, {count} beamlets, {int(data['values']) / 1e6:.1f} million values")
    print(f"libdose is {result['ratio']:.1f} times as fast; both doses agree within 3 %/3 mm (each per its mean in the target) in {alike:.1f} % above 20 %")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
