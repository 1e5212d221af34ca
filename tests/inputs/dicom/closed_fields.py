"""Leakage tests with closed leaves, closed jaws, and beams that meet no patient or begin in it."""
import sys
import numpy as np
from box import *
out = sys.argv[1]
a, o, sp = box_hu()
ct = ct_series(a, o, sp)
rs = structure_set(default_rois(o, sp, a.shape[0]), ct)
def put(sub, beams): write_case(f"{out}/{sub}", ct, rs, plan(beams))
mil = list(np.r_[np.arange(-200, -100, 10.0), np.arange(-100, 100, 5.0), np.arange(100, 201, 10.0)])
def closed(parked, gap, half):
    jaws = [bldp("ASYMX", (-half, half)), bldp("ASYMY", (-half, half))]
    leaves = bldp("MLCX", [parked - gap / 2] * 60 + [parked + gap / 2] * 60)
    return beam(limits=[bld("ASYMX"), bld("ASYMY"), bld("MLCX", 60, mil)], mu_devices=jaws + [leaves])
put("leaves_closed", [closed(-60, 0, 50)])
put("leaves_nearly_closed", [closed(-60, 0.5, 50)])
put("leaves_closed_wide", [closed(-150, 0.5, 200)])
put("jaws_closed", [beam(mu_devices=[bldp("ASYMX", (0, 0)), bldp("ASYMY", (-50, 50))])])
put("source_inside", [beam(iso=(0, 950, 0))])
put("all_miss", [beam(1, "A", iso=(0, 0, 500)), beam(2, "B", iso=(400, 0, 0))])
b = beam()
b.SourceAxisDistance = 800
put("unequal_sad", [b])
