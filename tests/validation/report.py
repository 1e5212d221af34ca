#!/usr/bin/env python3
"""Writes the tables of docs/validation/monte-carlo.md from the JSON of `dose validate`, standard output.

    dose validate tests/data/reference/*.h5 --json a.json
    dose validate tests/data/reference/*.h5 --engine pencil-beam --json b.json
    python3 tests/validation/report.py a.json b.json
"""
import json
import sys

CRITERIA = ("1%/1mm", "2%/1mm", "2%/2mm", "3%/2mm")


def table(cases):
    print("| case | grid mm | " + " | ".join(CRITERIA) + " | raw 2%/2mm | in-field mean | SD beyond noise | build-up | out of field | largest in field |")
    print("|---|" + "---|" * 10)
    for case in cases:
        field, build_up, outside = (case["regions"].get(name, {}) for name in ("in-field", "build-up", "out-of-field"))
        cells = [case["name"], f"{case['grid_mm']:g}"] + [f"{case['gamma'][c]:.2f}" for c in CRITERIA] + [f"{case['gamma_raw']['2%/2mm']:.2f}"]
        cells += [f"{field['mean_percent']:+.2f}", f"{field['sd_beyond_noise_percent']:.2f}", f"{build_up.get('mean_percent_of_maximum', 0):+.2f}",
                  f"{outside.get('mean_percent_of_maximum', 0):+.2f}", f"{field['largest_percent_of_maximum']:.1f}"]
        print("| " + " | ".join(cells) + " |")
    print()
    print("| case | material | mean % | SD % | noise % |")
    print("|---|---|---|---|---|")
    for case in cases:
        materials = {name: s for name, s in case["regions"].items() if name.startswith("material")}
        if len(materials) > 1:
            for name, s in materials.items():
                print(f"| {case['name']} | {name[10:]} | {s['mean_percent']:+.2f} | {s['sd_percent']:.2f} | {s['reference_noise_percent']:.2f} |")


for file in sys.argv[1:]:
    cases = json.load(open(file))["cases"]
    print(f"## {cases[0]['engine']}, quality {cases[0]['quality']}\n")
    table(cases)
    print()
