"""A plan whose structure set is there, is not there, is another one, or is not named."""
import sys
from box import *
out = sys.argv[1]
a, o, sp = box_hu()
ct = ct_series(a, o, sp)
rois = default_rois(o, sp, a.shape[0])
rs, other = structure_set(rois, ct), structure_set(rois[:1], ct, uid=ROOT + ".44")
def put(sub, sets, rp):
    write_case(f"{out}/{sub}", ct, None, rp)
    for i, one in enumerate(sets): save(one, f"{out}/{sub}/RS{i or ''}.dcm")
put("there", [rs], plan())
put("absent", [], plan())
put("another", [other], plan())
put("two_there", [other, rs], plan())
put("none_named", [rs], plan(rs=None))
put("none_named_none_there", [], plan(rs=None))
put("two_there_none_named", [other, rs], plan(rs=None))
