"""What is run: `dose validate` with variations of the engine, and the arc of the example patient."""
import json
import os
import shutil
import subprocess
import time

import h5py
import numpy as np


class Runner:
    def __init__(self, dose, cases, work, root):
        self.dose, self.cases, self.work, self.root = dose, cases, work, root
        work.mkdir(parents=True, exist_ok=True)

    def folder(self, name):
        return self.work / name

    def command(self, arguments, accepted=(0,), data=None):
        environment = dict(os.environ, LIBDOSE_DATA=str(data or self.root / "libdose/data"))
        done = subprocess.run([str(a) for a in arguments], env=environment, capture_output=True, text=True)
        if done.returncode not in accepted:
            raise SystemExit(
                f"error: {' '.join(map(str, arguments))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def text(self, name, arguments):
        """The output of a program, kept."""
        kept = self.folder(name + ".txt")
        if not kept.exists():
            text = self.command(arguments)
            kept.write_text(text)
        return kept.read_text()

    def validate(self, name, arguments, only=None, keep_dose=False, data=None):
        """The cases of one run of `dose validate`; `only`: part of a case's name or several."""
        kept = self.folder(name + ".json")
        if not kept.exists():
            begin = time.monotonic()
            cases = [c for c in self.cases if only is None or any(part in c.name for part in only)]
            more = ["--out", self.folder(name)] if keep_dose else []
            unfinished = kept.with_suffix(".part")
            self.command([self.dose, "validate", *cases, *arguments, *more, "--json", unfinished],
                         accepted=(0, 1), data=data)
            unfinished.rename(kept)
            print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)
        return json.loads(kept.read_text())["cases"]


def with_basis(run, name, value):
    """A copy of the data folder whose materials scale the kernels otherwise: by `value` of their columns."""
    data = run.folder("data-" + name)
    if not data.exists():
        shutil.copytree(run.root / "libdose/data", data)
        basis = data / "materials/basis.csv"
        lines = []
        for line in basis.read_text().splitlines():
            cells = line.split(",")
            if line.startswith("material,"):
                header = cells
            elif not line.startswith("#"):
                row = dict(zip(header, cells))
                row["kernel_scaling"] = value(row)
                line = ",".join(row[column] for column in header)
            lines.append(line)
        basis.write_text("\n".join(lines) + "\n")
    return data


def with_rates(run, count):
    """A copy of the data folder whose 6 and 15 MV models have that many shared rates."""
    data = run.folder(f"data-rates-{count}")
    if not (data / "done").exists():
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(run.root / "libdose/data", data)
        for energy in (6, 15):
            run.command([run.dose, "model", "calibrate", data / f"models/generic-{energy}MV.h5", "--rates",
                         count])
        (data / "done").touch()
    return data


def ablation(run):
    variants = [("as it is (standard)", run.validate("main-collapsed-cone", []))]
    for ingredient in ("tilt", "hardening", "sharpening"):
        variants.append((f"without {ingredient}",
                         run.validate(f"ablation-{ingredient}", ["--without", ingredient])))
    for count in (2, 3, 4):
        variants.append((f"K = {count} shared rates" + (" (as shipped, fitted again)" if count == 3 else ""),
                         run.validate(f"ablation-rates-{count}", [], data=with_rates(run, count))))
    stopping = {line.split(",")[0]: line.split(",")[1:] for line in [line for line in (
        run.root / "libdose/data/materials/basis.csv").read_text().splitlines() if not line.startswith("#")]}
    column = stopping.pop("material").index("water_to_medium")
    scalings = (("mass density", lambda row: "1"),
                ("electron density", lambda row: row["electrons_per_gram"]),
                ("stopping power", lambda row: f"{1 / float(stopping[row['material']][column]):.5f}"))
    for label, value in scalings:
        name = label.replace(" ", "-")
        variants.append((f"kernels scaled by {label}",
                         run.validate(f"ablation-{name}", [], data=with_basis(run, name, value))))
    for count in (48, 96, 128, 192, 384):
        variants.append((f"{count} directions fixed in the patient",
                         run.validate(f"ablation-isotropic-{count}", ["--directions", count])))
    for pair in ("8x12", "20x20"):
        variants.append((f"{pair} directions along the beam",
                         run.validate(f"ablation-{pair}", ["--directions", pair])))
    variants.append(("rounded lattice", run.validate("ablation-rounded", ["--lattice", "rounded"])))
    return variants


def quality(run):
    names = ("draft", "standard", "high")
    results = {name: run.validate("main-collapsed-cone" if name == "standard" else f"quality-{name}",
                                  ["--quality", name]) for name in names}
    only = ("water_6MV_3x3", "water_6MV_10x10", "slab_lung_6MV")
    run.validate("finest", ["--quality", "high", "--directions", "40x40"], only=only, keep_dose=True)
    difference = {}
    for name in names:
        run.validate(f"finest-against-{name}", ["--quality", name], only=only, keep_dose=True)
        difference[name] = against(run, f"finest-against-{name}", "finest")
    return results, difference


def against(run, name, finest):
    """Largest difference of two runs' doses on the cases' voxels and its 99th percentile, by case.

    In percent of the maximum.
    """
    found = {}
    for file in sorted(run.folder(finest).glob("*.h5")):
        with h5py.File(file) as reference, h5py.File(run.folder(name) / file.name) as tried:
            a, b = reference["calculated"][:], tried["calculated"][:]
            difference = 100 * np.abs(b - a) / a.max()
            found[file.name.removesuffix("-collapsed-cone.h5")] = (
                difference.max(), np.percentile(difference[a > 0.1 * a.max()], 99))
    return found


def directions(run):
    """Directions alone, against a fine set of the same kind of lattice and grid."""
    only = ("water_6MV_3x3", "water_6MV_10x10", "slab_lung_6MV")
    run.validate("directions-finest", ["--directions", "40x40"], only=only, keep_dose=True)
    rows = []
    for setting in ("8x8", "8x12", "12x12", "16x16", "20x20", "96", "192", "400"):
        cases = run.validate(f"directions-{setting}", ["--directions", setting], only=only, keep_dose=True)
        rows.append((setting, against(run, f"directions-{setting}", "directions-finest"),
                     sum(c["seconds"] for c in cases)))
    return rows


def grid(run):
    only = ("water_6MV_3x3", "slab_lung_6MV", "lung_tumour_6MV")
    return [(mm, run.validate(f"grid-{mm:g}", ["--grid", mm], only=only)) for mm in (1, 1.5, 2, 2.5, 3, 4, 5)]


def arc(run, make_phantom):
    """The example patient's arc with steps of 0.2 to 8 degrees; on 4 mm, so that the finest is affordable."""
    folder = run.folder("arc")
    if not (folder / "dicom").exists():
        folder.mkdir(exist_ok=True)
        run.command([make_phantom, folder / "dicom"])
    doses, rows = {}, []
    for step in (0.2, 1, 2, 3, 4, 8):
        out = folder / f"{step:g}"
        if not (out / "dose.h5").exists():
            run.command([run.dose, "calc", folder / "dicom", "--plan", "vmat", "--grid", 4, "--sub-arc", step,
                         "--out", out, "--json", folder / f"{step:g}.json"])
        with h5py.File(out / "dose.h5") as file:
            doses[step] = file["plan/dose"][:]
        seconds = sum(json.loads((folder / f"{step:g}.json").read_text())["seconds"].values())
        difference = 100 * np.abs(doses[step] - doses[0.2]) / doses[0.2].max()
        rows.append((step, difference.max(),
                     np.sqrt((difference[doses[0.2] > 0.1 * doses[0.2].max()] ** 2).mean()), seconds))
    return rows
