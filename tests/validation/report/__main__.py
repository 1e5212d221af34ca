"""Validation in full: runs `dose validate` on every case, writes tables and pictures of docs/validation.

python3 tests/validation/report --dose build/release/libdose/dose          # about half an hour on two cores

Each table stands in a page between `<!-- table NAME -->` and `<!-- end -->`; only what is between them is
replaced. Results are kept as JSON and HDF5 under --work, and a step whose result is there is not run again.
Needs numpy, h5py and matplotlib.
"""
import argparse
import re
import sys
from pathlib import Path

import experiments
import plots
import tables

ROOT = Path(__file__).resolve().parents[3]


def put(page, name, text):
    """Replaces a table of a page of docs/validation."""
    path = ROOT / "docs/validation" / page
    begin, end = f"<!-- table {name} -->\n", "<!-- end -->"
    content = path.read_text()
    if begin not in content:
        sys.exit(f"error: {path} has no place for the table {name}")
    before, after = content.split(begin, 1)
    path.write_text(before + begin + text.rstrip("\n") + "\n" + after[after.index(end):])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dose", type=Path, required=True, help="the dose command")
    parser.add_argument("--make-phantom", type=Path,
                        help="the make_phantom example; without it the arc is left out")
    parser.add_argument("--test-validation", type=Path,
                        help="the test_validation program; without it the rotations are left out")
    parser.add_argument("--cases", type=Path, default=ROOT / "tests/data/reference",
                        help="folder of reference cases")
    parser.add_argument("--work", type=Path, default=ROOT / "build/validation", help="folder for results")
    options = parser.parse_args()
    run = experiments.Runner(options.dose.resolve(), sorted(options.cases.glob("*.h5")),
                             options.work.resolve(), ROOT)

    for engine in ("collapsed-cone", "pencil-beam"):
        cases = run.validate(f"main-{engine}", ["--engine", engine, "--suite", "gates", "--suite",
                                                "venselaar", "--suite", "tg53", "--suite", "mppg5b"],
                             keep_dose=True)
        put("monte-carlo.md", engine, tables.agreement(cases))
        put("monte-carlo.md", f"{engine} materials", tables.materials(cases))
        put("suites.md", engine, tables.suites(cases))
        put("suites.md", f"{engine} failed", tables.failed(cases))
        plots.overview(run.folder(f"main-{engine}"), cases, ROOT / "docs/images")
    plots.axes({engine: run.folder(f"main-{engine}") for engine in ("collapsed-cone", "pencil-beam")},
               ROOT / "docs/images/validation-axis.png")
    unscaled = run.validate("pencil-unscaled", ["--engine", "pencil-beam", "--lateral-scaling", "off"])
    put("monte-carlo.md", "lateral scaling",
        tables.lateral_scaling(unscaled, run.validate("main-pencil-beam", [])))
    put("ablation.md", "ablation", tables.ablation(experiments.ablation(run)))
    put("convergence.md", "quality", tables.quality(experiments.quality(run)))
    put("convergence.md", "directions", tables.directions(experiments.directions(run)))
    put("convergence.md", "grid", tables.grid(experiments.grid(run)))
    if options.make_phantom:
        put("convergence.md", "arc", tables.arc(experiments.arc(run, options.make_phantom.resolve())))
    if options.test_validation:
        put("rotation.md", "rotation", tables.rotation(
            re.findall(r"DoseTurnsWithTheBeam/(\w+)\n(gamma.*)",
                       run.text("rotation", [options.test_validation.resolve(), "--gtest_filter=Shells*"]))))
    print("done; look at `git diff docs`")


main()
