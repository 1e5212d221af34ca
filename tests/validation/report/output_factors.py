#!/usr/bin/env python3
"""Output factors of beam models beside published ones, as a picture.

output_factors.py OUT.png MODEL.json…, of `dose model output --json`.
"""
import json
import sys
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Followill et al, J. Appl. Clin. Med. Phys. 13(5) (2012) 282, table 2: Elekta, 10 cm deep, squares made by
# leaves.
PUBLISHED = {6: {20: 0.790, 30: 0.842, 40: 0.878, 60: 0.930, 100: 1.0},
             10: {20: 0.796, 30: 0.857, 40: 0.890, 60: 0.937, 100: 1.0}}


def main():
    out, files = Path(sys.argv[1]), sys.argv[2:]
    figure, (air, water) = plt.subplots(1, 2, figsize=(11, 4.2), constrained_layout=True)
    for number, file in enumerate(files):
        model = json.loads(Path(file).read_text())
        sides = [field["side_mm"] for field in model["fields"]]
        air.plot(sides, [field["in_air"] for field in model["fields"]], "o-", color=f"C{number}",
                 label=model["model"])
        water.plot(sides, [field["in_water"] for field in model["fields"]], "o-", color=f"C{number}",
                   label=model["model"])
    for marker, (energy, points) in zip("x+", PUBLISHED.items()):
        water.plot(points.keys(), points.values(), "k" + marker, markersize=9,
                   label=f"{energy} MV, Followill 2012 (leaves, Elekta)")
    air.set(title="In air, isocentre", xlabel="side of the field, mm", ylabel="relative to 100 mm")
    water.set(title="In water, 10 cm deep, SSD 90 cm", xlabel="side of the field, mm")
    for axes in (air, water):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
