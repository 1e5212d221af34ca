"""Files that are cut or spoilt: pictures that no calculation needs, and those that it needs."""
import os, sys, copy
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from box import *
out = sys.argv[1]
a, o, sp = box_hu()
ct = ct_series(a, o, sp)
rs = structure_set(default_rois(o, sp, a.shape[0]), ct)
rp = plan()
def put(sub, more=None):
    write_case(f"{out}/{sub}", ct, rs, rp)
    if more is not None: save(more, f"{out}/{sub}/more.dcm")
def cut(path, keep):
    b = open(path, "rb").read()
    open(path, "wb").write(b[:keep] if keep > 0 else b[:len(b) + keep])
def place(path, tag):
    """Where the value of an element of an explicit little endian file begins."""
    return open(path, "rb").read().index(bytes([tag[0] & 255, tag[0] >> 8, tag[1] & 255, tag[1] >> 8]))
capture = copy.deepcopy(ct[3])
capture.SOPClassUID, capture.SOPInstanceUID, capture.SeriesInstanceUID, capture.Modality = (
    "1.2.840.10008.5.1.4.1.1.7", ROOT + ".70.1", ROOT + ".70", "OT")
# a screenshot, cut within its header; within its pixels; and one of which only the mark of DICOM is left
put("capture_header", capture)
p = f"{out}/capture_header/more.dcm"
cut(p, place(p, (0x0028, 0x0010)) + 3)
put("capture_pixels", capture)
cut(f"{out}/capture_pixels/more.dcm", -500)
put("mark_only")
open(f"{out}/mark_only/more.dcm", "wb").write(b"\0" * 128 + b"DICM" + bytes(range(256)) * 4)
# a dose of the plan; a slice of another series; a scout of the series, without its last pixels
put("dose", rtdose(np.full((4, 5, 6), 1.0), (-10, -10, -10), (5, 5), [0, 5, 10, 15]))
cut(f"{out}/dose/more.dcm", -100)
other = copy.deepcopy(ct[3])
other.SeriesInstanceUID, other.SOPInstanceUID, other.FrameOfReferenceUID = (ROOT + ".71", ROOT + ".71.1",
                                                                            ROOT + ".72")
put("other_series", other)
p = f"{out}/other_series/more.dcm"
cut(p, place(p, (0x0028, 0x0010)) + 3)
scout = copy.deepcopy(ct[3])
scout.SOPInstanceUID, scout.ImageType = ROOT + ".73.1", ["ORIGINAL", "PRIMARY", "LOCALIZER"]
put("scout", scout)
cut(f"{out}/scout/more.dcm", -500)
# another plan; the plan itself; the structure set
put("other_plan", plan(uid=RP_UID + "1", label="OTHER"))
cut(f"{out}/other_plan/more.dcm", -60)
put("plan")
cut(f"{out}/plan/RP.dcm", -60)
put("structures")
cut(f"{out}/structures/RS.dcm", -60)
# slices of the series: within the pixels, within the header, in the middle and at the end, and one without
# any name left
put("slice_pixels")
cut(f"{out}/slice_pixels/CT.005.dcm", -500)
put("slice_header")
p = f"{out}/slice_header/CT.005.dcm"
cut(p, place(p, (0x0028, 0x0010)) + 3)
put("end_header")
p = f"{out}/end_header/CT.031.dcm"
cut(p, place(p, (0x0028, 0x0010)) + 3)
put("end_nameless")
open(f"{out}/end_nameless/CT.031.dcm", "wb").write(b"\0" * 128 + b"DICM" + b"\xff" * 40)
# no bytes at all
put("empty")
open(f"{out}/empty/more.dcm", "w").close()
