"""Picture of a commissioning: how far the model is from every measured depth curve and output factor.

python3 tests/validation/report/commissioning.py OUT.png RESULT.json

RESULT.json: of dose model commission --json. Needs matplotlib.
"""
import json
import re
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main():
    out, source = sys.argv[1:3]
    with open(source) as file:
        result = json.load(file)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), gridspec_kw=dict(width_ratios=(2, 1)),
                                         layout="constrained")
    curves = [c for c in result["curves"] if c["kind"] in ("tpr", "depth_dose")]
    colours = plt.get_cmap("viridis")
    for n, curve in enumerate(curves):
        label = re.sub(r"^tpr (\S+) x (\S+) mm$", r"\1 mm", curve["name"])
        left.plot(curve["position_mm"], curve["difference_percent"],
                  color=colours(n / max(1, len(curves) - 1)), lw=1, label=label)
    left.set(xlabel="depth, mm", ylabel="calculated less measured, %", ylim=(-4, 4), title="depth curves")
    left.axhspan(-1, 1, color="0.92", zorder=0)
    left.legend(ncol=4, fontsize=7, loc="upper right")
    sides, differences = [], []
    for curve in result["curves"]:
        if curve["kind"] == "output_factor":
            sides += curve["position_mm"]
            differences += [100 * (c / m - 1)
                            for c, m in zip(curve["calculated_before_residual_table"], curve["measured"])]
    points = sorted(zip(sides, differences))
    right.plot(*zip(*points), "o-", color="#0b62a3")
    right.axhspan(-0.7, 0.7, color="0.92", zorder=0)
    right.set(xlabel="side of the field, mm", ylim=(-2.2, 2.2),
              title="output factors, before the residual table")
    figure.savefig(out, dpi=110)


main()
