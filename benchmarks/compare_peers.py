"""Runs libdose and its peers on the same cases, one after the other.

Called by compare_peers.sh, which installs the peers. Each case is a Monte Carlo case of tests/data/reference
on cubic voxels of one size, and the embedded CT with its first field. Times are those of the calculation
alone, without reading the case; those of libdose are the least of several runs on one thread and on all. The
peers' own beam models differ, so every dose is normalised at 10 cm depth on the axis before it is compared
with Monte Carlo.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

PEERS = {"opentps": ("OpenTPS", "collapsed-cone"), "pyradplan": ("pyRadPlan", "pencil-beam")}


def cubic(case, spacing):
    """Densities of a reference case on cubic voxels, [depth, y, x], and the lower edges (cm)."""
    edges = [case[f"{axis}_edges_cm"][:] for axis in "zyx"]
    index, first = [], []
    for e in edges:
        count = int(np.ceil((e[-1] - e[0]) / spacing - 1e-9))
        centres = e[0] + spacing * (np.arange(count) + 0.5)
        index.append(np.clip(np.searchsorted(e, centres) - 1, 0, len(e) - 2))
        first.append(centres[0])
    return case["density_g_cm3"][:][np.ix_(*index)], np.array(first)


def on_lines(dose, axes):
    """Depth dose on the axis and profile along x at 10 cm depth, per dose at 10 cm on the axis.

    Linear between the centres of voxels.
    """
    def at(depth, x):
        def line(values, centres, where):
            k = np.clip(np.searchsorted(centres, where) - 1, 0, len(centres) - 2)
            part = (where - centres[k]) / (centres[k + 1] - centres[k])
            return k, part
        kz, pz = line(dose, axes[0], depth)
        ky, py = line(dose, axes[1], 0.0)
        kx, px = line(dose, axes[2], x)
        total = 0
        for dz, wz in ((0, 1 - pz), (1, pz)):
            for dy, wy in ((0, 1 - py), (1, py)):
                for dx, wx in ((0, 1 - px), (1, px)):
                    total += wz * wy * wx * dose[kz + dz, ky + dy, kx + dx]
        return total
    depths = np.arange(2.0, 27.01, 0.5)
    offsets = np.arange(-12.0, 12.01, 0.25)
    norm = at(10.0, 0.0)
    return np.array([at(d, 0.0) for d in depths]) / norm, np.array([at(10.0, x) for x in offsets]) / norm


def accuracy(dose, axes, reference, reference_axes):
    """Root mean square differences from Monte Carlo, % of the dose at 10 cm depth on the axis."""
    ours, theirs = on_lines(dose, axes), on_lines(reference, reference_axes)
    return {name: float(100 * np.sqrt(np.mean((a - b) ** 2)))
            for name, a, b in zip(("depth_dose_rms_percent", "profile_rms_percent"), ours, theirs)}


class Comparison:
    def __init__(self, options, folder):
        self.options, self.folder, self.cases = options, folder, []

    def ours(self, case, engine, spacing):
        """Least seconds on one thread and on all, and the dose on the case's voxels."""
        seconds = {}
        for threads, repeats in ((1, 3), (0, 3)):
            times = []
            for _ in range(repeats):
                out = self.folder / "ours.json"
                run = subprocess.run([self.options.dose, "validate", case, "--engine", engine, "--grid",
                                      str(10 * spacing), "--threads", str(threads), "--json", out, "--out",
                                      self.folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                     text=True)
                if run.returncode != 0:
                    sys.exit(f"error: dose validate {case} ended with {run.returncode}: {run.stderr.strip()}")
                times.append(json.loads(out.read_text())["cases"][0]["seconds"])
            seconds[threads] = min(times)
        with h5py.File(self.folder / f"{case.stem}-{engine}.h5") as file:
            return seconds[1], seconds[0], file["calculated"][:]

    def peer(self, name, inputs):
        np.savez(self.folder / "case.npz", **inputs)
        script = Path(__file__).parent / "peers" / f"run_{name}.py"
        python = self.options.peers / name / "bin" / "python"
        if not (self.options.peers / name / "installed").exists():
            return None, "is not installed"
        run = subprocess.run([python, script, self.folder / "case.npz", self.folder / "peer.npz"],
                             capture_output=True, text=True,
                             env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        if run.returncode != 0:
            lines = (run.stderr.strip() or "no message").splitlines()
            return None, lines[-1]
        return np.load(self.folder / "peer.npz"), ""

    def add(self, name, peer, engine, one, all_threads, result, error, ours_accuracy=None,
            peer_accuracy=None):
        title, _ = PEERS[peer]
        entry = {"name": name, "peer": title, "engine": engine, "ours_seconds": one,
                 "ours_seconds_all_threads": all_threads}
        if result is None:
            entry["error"] = error
            print(f"{name}: {title} {error}")
        else:
            wall, cpu = float(result["wall"]), float(result["cpu"])
            # A peer of one thread against one of ours; one that uses all cores against all of ours.
            mine = one if int(result["threads"]) == 1 else all_threads
            theirs = cpu if int(result["threads"]) == 1 else wall
            entry |= {"peer_version": str(result["version"]), "peer_seconds": theirs,
                      "peer_wall_seconds": wall, "peer_cpu_seconds": cpu, "ratio": theirs / mine,
                      "ours_accuracy": ours_accuracy, "peer_accuracy": peer_accuracy}
            print(f"{name}: {engine} {one:.3f} s on one thread, {all_threads:.3f} s on all; {title} "
                  f"{entry['peer_version']} {theirs:.2f} s: {theirs / mine:.0f} times")
            if ours_accuracy:
                for who, values in (("libdose", ours_accuracy), (title, peer_accuracy)):
                    print(f"    {who:10s} from Monte Carlo: depth dose "
                          f"{values['depth_dose_rms_percent']:.2f} %, profile at 10 cm "
                          f"{values['profile_rms_percent']:.2f} % (rms)")
        sys.stdout.flush()
        self.cases.append(entry)

    def reference_case(self, name, spacing, peers):
        path = self.options.cases / f"{name}.h5"
        with h5py.File(path) as case:
            density, first = cubic(case, spacing)
            reference = case["dose"][:]
            reference_axes = [0.5 * (e[1:] + e[:-1]) for e in (case[f"{axis}_edges_cm"][:] for axis in "zyx")]
            field_x, field_y = np.ptp(case.attrs["field_x_cm"]), np.ptp(case.attrs["field_y_cm"])
        inputs = {"density": density.astype(np.float32), "spacing_cm": np.full(3, spacing),
                  "first_centre_cm": first, "field_x_cm": field_x, "field_y_cm": field_y}
        axes = [f + spacing * np.arange(n) for f, n in zip(first, density.shape)]
        for peer in peers:
            engine = PEERS[peer][1]
            one, all_threads, dose = self.ours(path, engine, spacing)
            print(f"running {PEERS[peer][0]} on {name}, {' x '.join(map(str, density.shape))} voxels",
                  flush=True)
            result, error = self.peer(peer, inputs)
            mine = accuracy(dose, reference_axes, reference, reference_axes)
            theirs = accuracy(result["dose"], axes, reference, reference_axes) if result is not None else None
            self.add(f"{name} {10 * spacing:g} mm", peer, engine, one, all_threads, result, error, mine,
                     theirs)

    def ct_case(self, spacing, peers):
        """Compares the times on the embedded CT, one beam from the front.

        libdose calculates the four fields of the plan; the peers one field of the same size, times four.
        """
        phantom = self.folder / "phantom"
        make = Path(self.options.dose).parents[1] / "examples" / "make_phantom"
        if not make.exists():
            print(f"note: {make} is not built; the CT case is left out")
            return
        subprocess.run([make, phantom], check=True, stdout=subprocess.DEVNULL)
        import pydicom
        slices = sorted((pydicom.dcmread(f) for f in phantom.glob("CT_*.dcm")),
                        key=lambda s: float(s.ImagePositionPatient[2]))
        hu = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
        plan = pydicom.dcmread(phantom / "RP_four-field.dcm")
        point = plan.BeamSequence[0].ControlPointSequence[0]
        isocentre = np.array([float(x) for x in point.IsocenterPosition])
        jaws = {d.RTBeamLimitingDeviceType: [float(x) for x in d.LeafJawPositions]
                for d in point.BeamLimitingDevicePositionSequence}
        side = 0.1 * (jaws["ASYMX"][1] - jaws["ASYMX"][0])
        pixel, origin = ([float(x) for x in slices[0].PixelSpacing],
                         np.array([float(x) for x in slices[0].ImagePositionPatient]))
        step = float(slices[1].ImagePositionPatient[2]) - origin[2]
        # The box of the body, on the same voxels as ours; depth runs along y.
        body = np.argwhere(hu > -500)
        low, high = body.min(0), body.max(0) + 1
        spans = [(high[i] - low[i]) * s for i, s in enumerate((step, pixel[0], pixel[1]))]
        counts = [max(1, int(s / (10 * spacing))) for s in spans]
        take = [low[i] + ((np.arange(n) + 0.5) * 10 * spacing / s).astype(int)
                for i, (n, s) in enumerate(zip(counts, (step, pixel[0], pixel[1])))]
        density = np.clip(1 + hu[np.ix_(*take)] / 1000, 0.001, None).transpose(1, 0, 2)  # [y, z, x]
        start = [origin[1] + low[1] * pixel[0] - isocentre[1], origin[2] + low[0] * step - isocentre[2],
                 origin[0] + low[2] * pixel[1] - isocentre[0]]
        inputs = {"density": density.astype(np.float32), "spacing_cm": np.full(3, spacing),
                  "first_centre_cm": 0.1 * np.array(start) + 0.5 * spacing, "field_x_cm": side,
                  "field_y_cm": side}
        for peer in peers:
            engine = PEERS[peer][1]
            seconds = {}
            for threads in (1, 0):
                times = []
                for _ in range(3):
                    out = self.folder / "ct.json"
                    subprocess.run([self.options.dose, "calc", phantom, "--plan", "four-field", "--engine",
                                    engine, "--grid", str(10 * spacing), "--threads", str(threads), "--json",
                                    out, "--out", self.folder / "ct"], check=True, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
                    times.append(sum(json.loads(out.read_text())["seconds"].values()) / 4)
                seconds[threads] = min(times)
            print(f"running {PEERS[peer][0]} on the embedded CT, {' x '.join(map(str, density.shape))} "
                  "voxels", flush=True)
            result, error = self.peer(peer, inputs)
            self.add(f"thorax CT, a field of four, {10 * spacing:g} mm", peer, engine, seconds[1], seconds[0],
                     result, error)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dose", type=Path, required=True)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    options.dose = options.dose.resolve()
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.touch()
    commit = subprocess.run(["git", "-C", Path(__file__).parent, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    cpu = next((line.split(":")[1].strip()
                for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    print(f"{cpu}, {os.cpu_count()} cores, commit {commit or 'unknown'}")
    with tempfile.TemporaryDirectory() as name:
        comparison = Comparison(options, Path(name))
        if options.quick:
            comparison.reference_case("water_6MV_10x10", 0.6, ["pyradplan"])
        else:
            comparison.reference_case("water_6MV_10x10", 0.3, ["opentps", "pyradplan"])
            comparison.reference_case("slab_lung_6MV_5x5", 0.3, ["opentps", "pyradplan"])
            comparison.ct_case(0.25, ["opentps", "pyradplan"])
    if options.json:
        options.json.write_text(json.dumps({"machine": cpu, "cores": os.cpu_count(), "commit": commit,
                                            "cases": comparison.cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
