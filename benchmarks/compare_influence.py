"""Times the influence matrix of libdose and of pyRadPlan on pyRadPlan's TG-119 phantom, one after the other.

Called by compare_influence.sh. Beamlets of 5 mm, voxels of 3 mm, the same phantom, isocentre and target. The
two choose slightly different beamlets at the rim of the target; libdose takes at least as many. Times are
those of the calculation alone, the least of three of ours against one of the peer. The truncation error of
ours is the gamma index of all beamlets open against the engine's own dose of that fluence. That of the peer
is the gamma index of its usual reach of 50 mm against 82 mm.
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


def peer_results(options):
    """What pyRadPlan calculates, by the distance around a beamlet that it goes to, mm."""
    script = Path(__file__).parent / "peers" / "run_pyradplan_influence.py"
    peer = {}
    for cutoff in (50, 82):  # as it comes, and as far as its kernels go
        print(f"running pyRadPlan, {cutoff} mm around a beamlet, gantry {options.gantry}", flush=True)
        run = subprocess.run([options.peer_python, script, options.work / f"tg119-{cutoff}.npz", str(cutoff),
                              *map(str, options.gantry)], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit("error: pyRadPlan ended with " + (run.stderr.strip() or "no message").splitlines()[-1])
        peer[cutoff] = np.load(options.work / f"tg119-{cutoff}.npz")
    return peer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--gantry", type=float, nargs="+", default=[0.0])
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    peer = peer_results(options)
    data = peer[82]
    ct = libdose.CtImage(data["hu"], tuple(data["spacing"]), tuple(data["origin"]))
    structures = libdose.StructureSet(structures=[structure(data, "BODY", "EXTERNAL", 1),
                                                  structure(data, "OuterTarget", "PTV", 2)])
    beams = [libdose.Beam.static(n + 1, gantry_deg=angle, isocentre_mm=data["isocentre"], jaw_x=(-200, 200),
                                 jaw_y=(-200, 200)) for n, angle in enumerate(options.gantry)]
    plan = libdose.Plan("TG-119", beams=beams)
    engine = libdose.Engine(engine="pencil-beam", grid_mm=3)
    # The least margin that gives as many beamlets as the peer has.
    margin = next(m for m in np.arange(0, 30, 0.5) if engine.count_beamlets(
        plan, ct, structures, target="OuterTarget", margin_mm=m) >= int(data["beamlets"]))
    seen = dict(beamlet_mm=5.0, target="OuterTarget", margin_mm=float(margin))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        matrix = engine.influence(plan, ct, structures, **seen)
        seconds.append(time.perf_counter() - start)
    weights = np.ones(matrix.shape[1])
    dose = matrix.dose(weights)
    passed = libdose.gamma(engine.calculate_beamlets(plan, ct, structures, weights, **seen), dose,
                           dose_percent=1, distance_mm=1, threshold_percent=5).pass_rate
    theirs = {cutoff: libdose.Dose(d["dose"], tuple(d["dose_spacing"]), tuple(d["dose_origin"]))
              for cutoff, d in peer.items()}
    cut = libdose.gamma(theirs[82], theirs[50], dose_percent=1, distance_mm=1, threshold_percent=5).pass_rate
    cpu = next((line.split(":")[1].strip()
                for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    rows = [{"cutoff_mm": cutoff, "seconds": float(d["wall"]), "cpu_seconds": float(d["cpu"]),
             "beamlets": int(d["beamlets"]), "values": int(d["values"]), "bytes": int(d["bytes"]),
             "ratio": float(d["wall"]) / min(seconds)} for cutoff, d in peer.items()]
    result = {"machine": cpu, "cores": os.cpu_count(), "gantry": options.gantry,
              "libdose": {"seconds": min(seconds), "beamlets": matrix.shape[1], "values": matrix.entries,
                          "bytes": 8 * matrix.entries, "gamma_1_1_from_forward_percent": passed},
              "pyRadPlan": {str(data["version"]): rows},
              "gamma_1_1_of_50_mm_from_82_mm_percent": cut}
    print(f"{cpu}, {os.cpu_count()} cores; {dose.array.size / 1e6:.1f} million voxels in our grid")
    print(f"libdose:          {min(seconds):6.2f} s, {matrix.shape[1]} beamlets, {matrix.entries / 1e6:.1f} "
          f"million values; of the forward dose {passed:.2f} % within 1 %/1 mm above 5 %")
    for cutoff, d in peer.items():
        print(f"pyRadPlan, {cutoff} mm: {float(d['wall']):6.2f} s, {int(d['beamlets'])} beamlets, "
              f"{int(d['values']) / 1e6:.1f} million values: {float(d['wall']) / min(seconds):.1f} times "
              "as long")
    print(f"of pyRadPlan's dose with 82 mm its dose with 50 mm has {cut:.1f} % within 1 %/1 mm above 5 %")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
