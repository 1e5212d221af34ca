"""Makes small DICOM sets: a box of water in air, a body, a target, photon plans, doses.

Each topic beside it is a program: python3 TOPIC.py OUT writes one folder a variant. Lengths in mm, LPS.
"""
import sys, os, copy
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

ROOT = "2.25.4711"
CT_CLASS, RS_CLASS, RP_CLASS, RD_CLASS = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.481.3",
                                          "1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.481.2")
STUDY, FOR, CT_SERIES = ROOT + ".1", ROOT + ".2", ROOT + ".3"
RS_UID, RP_UID = ROOT + ".40", ROOT + ".50"


def head(sop_class, uid, modality, series):
    d = Dataset()
    d.SOPClassUID, d.SOPInstanceUID, d.Modality = sop_class, uid, modality
    d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = STUDY, series, FOR
    d.PatientID, d.PatientName, d.PatientBirthDate, d.PatientSex = "T1", "Test^Box", "", "O"
    d.StudyDate, d.StudyTime, d.StudyID, d.AccessionNumber, d.ReferringPhysicianName = ("20260101", "080000",
                                                                                        "1", "", "")
    d.Manufacturer, d.SeriesNumber, d.InstanceNumber = "Own", 1, 1
    d.PositionReferenceIndicator = ""
    return d


def save(d, path, syntax=ExplicitVRLittleEndian, preamble=True):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    m = FileMetaDataset()
    m.MediaStorageSOPClassUID, m.MediaStorageSOPInstanceUID, m.TransferSyntaxUID = (d.SOPClassUID,
                                                                                    d.SOPInstanceUID, syntax)
    m.ImplementationClassUID = ROOT + ".9"
    f = copy.deepcopy(d)
    f.is_implicit_VR, f.is_little_endian = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    if preamble:
        f.file_meta, f.preamble = m, b"\0" * 128
    pydicom.dcmwrite(path, f, write_like_original=not preamble)  # the names that pydicom 2 and 3 both know
    return path


def box_hu(nx=60, ny=60, nz=32, sp=(4.0, 4.0, 5.0), half=(100, 100, 75), hu=0):
    """HU [z,y,x] of the box and the LPS of voxel (0,0,0)."""
    o = np.array([-(nx - 1) / 2 * sp[0], -(ny - 1) / 2 * sp[1], -(nz - 1) / 2 * sp[2]])
    x, y, z = (o[a] + np.arange(n) * sp[a] for a, n in enumerate((nx, ny, nz)))
    a = np.full((nz, ny, nx), -1000.0)
    inside = ((np.abs(z)[:, None, None] < half[2]) & (np.abs(y)[None, :, None] < half[1])
              & (np.abs(x)[None, None, :] < half[0]))
    a[inside] = hu
    return a, o, np.array(sp, float)


def ct_slice(hu2d, position, spacing, k, iop=(1, 0, 0, 0, 1, 0), slope=1.0, intercept=-1024.0, stored=16,
             signed=0, pos="HFS", series=CT_SERIES, thickness=5.0, frame=FOR, uid=None, offset=0):
    d = head(CT_CLASS, uid or f"{series}.{k + 1}", "CT", series)
    d.FrameOfReferenceUID = frame
    d.InstanceNumber = k + 1
    d.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    d.PatientPosition = pos
    d.ImagePositionPatient = [f"{v:.6g}" for v in position]
    d.ImageOrientationPatient = list(iop)
    d.PixelSpacing = [spacing[1], spacing[0]]
    d.SliceThickness = thickness
    d.KVP = 120
    d.Rows, d.Columns = hu2d.shape
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, stored, stored - 1, signed
    d.RescaleSlope, d.RescaleIntercept, d.RescaleType = slope, intercept, "HU"
    v = np.rint((hu2d - intercept) / slope).astype(np.int64) + offset
    d.PixelData = (v.astype(np.int16) if signed else v.astype(np.uint16)).tobytes()
    d["PixelData"].VR = "OW"
    return d


def ct_series(a, o, sp, iop=(1, 0, 0, 0, 1, 0), **kw):
    """Slices of the LPS array a[z,y,x]; rows and columns flipped as the orientation says.

    Only axis-parallel axial orientations.
    """
    out = []
    r, c = np.array(iop[:3]), np.array(iop[3:])
    assert abs(r[2]) + abs(c[2]) == 0
    for k in range(a.shape[0]):
        pix, p = a[k], np.array([o[0], o[1], o[2] + k * sp[2]], float)
        if abs(r[0]) == 1:
            if r[0] < 0:
                pix = pix[:, ::-1]
                p[0] += sp[0] * (a.shape[2] - 1)
            if c[1] < 0:
                pix = pix[::-1, :]
                p[1] += sp[1] * (a.shape[1] - 1)
            s = (sp[0], sp[1])
        else:  # rows along y
            pix = pix.T
            if r[1] < 0:
                pix = pix[:, ::-1]
                p[1] += sp[1] * (a.shape[1] - 1)
            if c[0] < 0:
                pix = pix[::-1, :]
                p[0] += sp[0] * (a.shape[2] - 1)
            s = (sp[1], sp[0])
        out.append(ct_slice(np.ascontiguousarray(pix), p, s, k, iop=iop, **kw))
    return out


def rect(x0, x1, y0, y1, z):
    return [x0, y0, z, x1, y0, z, x1, y1, z, x0, y1, z]


def contour(points, kind="CLOSED_PLANAR"):
    c = Dataset()
    c.ContourGeometricType = kind
    c.NumberOfContourPoints = len(points) // 3
    c.ContourData = [f"{v:.6g}" for v in points]
    return c


def structure_set(rois, ct=None, uid=RS_UID, frame=FOR, series=CT_SERIES):
    """rois: list of (number, name, type, [contours])"""
    d = head(RS_CLASS, uid, "RTSTRUCT", ROOT + ".41")
    d.StructureSetLabel, d.StructureSetDate, d.StructureSetTime = "SET", "20260101", "080000"
    f, st, se = Dataset(), Dataset(), Dataset()
    se.SeriesInstanceUID = series
    im = []
    for s in (ct or []):
        i = Dataset()
        i.ReferencedSOPClassUID, i.ReferencedSOPInstanceUID = s.SOPClassUID, s.SOPInstanceUID
        im.append(i)
    se.ContourImageSequence = Sequence(im)
    st.ReferencedSOPClassUID, st.ReferencedSOPInstanceUID, st.RTReferencedSeriesSequence = (
        "1.2.840.10008.3.1.2.3.1", STUDY, Sequence([se]))
    f.FrameOfReferenceUID, f.RTReferencedStudySequence = frame, Sequence([st])
    d.ReferencedFrameOfReferenceSequence = Sequence([f])
    a, b, c = [], [], []
    for number, name, kind, contours in rois:
        r = Dataset()
        r.ROINumber, r.ReferencedFrameOfReferenceUID, r.ROIName, r.ROIGenerationAlgorithm = (number, frame,
                                                                                             name, "MANUAL")
        a.append(r)
        q = Dataset()
        q.ROIDisplayColor = [255, 0, 0]
        q.ReferencedROINumber = number
        if contours: q.ContourSequence = Sequence(contours)
        b.append(q)
        o = Dataset()
        o.ObservationNumber, o.ReferencedROINumber, o.RTROIInterpretedType, o.ROIInterpreter = (
            number, number, kind, "")
        c.append(o)
    d.StructureSetROISequence, d.ROIContourSequence, d.RTROIObservationsSequence = (Sequence(a), Sequence(b),
                                                                                    Sequence(c))
    d.ApprovalStatus = "UNAPPROVED"
    return d


def default_rois(o, sp, nz, half=(100, 100, 75), ptv=20):
    zs = [o[2] + k * sp[2] for k in range(nz)]
    body = [contour(rect(-half[0], half[0], -half[1], half[1], z)) for z in zs if abs(z) < half[2]]
    tgt = [contour(rect(-ptv, ptv, -ptv, ptv, z)) for z in zs if abs(z) < ptv]
    return [(1, "BODY", "EXTERNAL", body), (2, "PTV", "PTV", tgt)]


def bld(kind, pairs=1, edges=None):
    d = Dataset()
    d.RTBeamLimitingDeviceType, d.NumberOfLeafJawPairs = kind, pairs
    if edges is not None: d.LeafPositionBoundaries = [f"{v:g}" for v in edges]
    return d


def bldp(kind, positions):
    d = Dataset()
    d.RTBeamLimitingDeviceType, d.LeafJawPositions = kind, [f"{v:.6g}" for v in positions]
    return d


def control_point(i, weight, devices=(), energy=None, gantry=None, coll=None, couch=None, iso=None,
                  direction=None):
    c = Dataset()
    c.ControlPointIndex = i
    if energy is not None: c.NominalBeamEnergy = energy
    if devices: c.BeamLimitingDevicePositionSequence = Sequence(list(devices))
    if gantry is not None: c.GantryAngle = gantry
    if direction is not None: c.GantryRotationDirection = direction
    if coll is not None: c.BeamLimitingDeviceAngle, c.BeamLimitingDeviceRotationDirection = coll, "NONE"
    if couch is not None: c.PatientSupportAngle, c.PatientSupportRotationDirection = couch, "NONE"
    if iso is not None: c.IsocenterPosition = list(iso)
    c.CumulativeMetersetWeight = weight
    return c


def beam(number=1, name="B1", gantry=0, mu_devices=None, energy=6, iso=(0, 0, 0), coll=0, couch=0,
         points=None, limits=None, kind="STATIC"):
    b = Dataset()
    b.Manufacturer, b.ManufacturerModelName, b.TreatmentMachineName = "Varian", "TrueBeam", "LINAC1"
    b.PrimaryDosimeterUnit, b.SourceAxisDistance = "MU", 1000
    b.BeamLimitingDeviceSequence = Sequence(limits or [bld("ASYMX"), bld("ASYMY")])
    b.BeamNumber, b.BeamName, b.BeamType, b.RadiationType, b.TreatmentDeliveryType = (number, name, kind,
                                                                                      "PHOTON", "TREATMENT")
    b.NumberOfWedges = b.NumberOfCompensators = b.NumberOfBoli = b.NumberOfBlocks = 0
    b.FinalCumulativeMetersetWeight = 1
    devices = mu_devices or [bldp("ASYMX", (-50, 50)), bldp("ASYMY", (-50, 50))]
    b.ControlPointSequence = Sequence(points or [control_point(0, 0, devices, energy, gantry, coll, couch,
                                                               iso, "NONE"), control_point(1, 1)])
    b.NumberOfControlPoints = len(b.ControlPointSequence)
    b.ReferencedPatientSetupNumber = 1
    return b


def plan(beams=None, mu=None, position="HFS", fractions=1, uid=RP_UID, label="PLAN", rs=RS_UID):
    beams = beams or [beam()]
    mu = mu or [100.0] * len(beams)
    d = head(RP_CLASS, uid, "RTPLAN", ROOT + ".51")
    d.RTPlanLabel, d.RTPlanDate, d.RTPlanTime, d.RTPlanGeometry = label, "20260101", "080000", "PATIENT"
    g = Dataset()
    g.FractionGroupNumber, g.NumberOfFractionsPlanned, g.NumberOfBeams, g.NumberOfBrachyApplicationSetups = (
        1, fractions, len(beams), 0)
    refs = []
    for b, m in zip(beams, mu):
        r = Dataset()
        r.ReferencedBeamNumber = b.BeamNumber
        if m is not None: r.BeamMeterset = m
        refs.append(r)
    g.ReferencedBeamSequence = Sequence(refs)
    d.FractionGroupSequence, d.BeamSequence = Sequence([g]), Sequence(beams)
    s = Dataset()
    s.PatientPosition, s.PatientSetupNumber = position, 1
    d.PatientSetupSequence = Sequence([s])
    if rs:
        q = Dataset()
        q.ReferencedSOPClassUID, q.ReferencedSOPInstanceUID = RS_CLASS, rs
        d.ReferencedStructureSetSequence = Sequence([q])
    d.ApprovalStatus = "UNAPPROVED"
    return d


def rtdose(a, ipp, spacing, offsets, iop=(1, 0, 0, 0, 1, 0), bits=32, scale=1e-4, uid=ROOT + ".60",
           summation="PLAN", units="GY"):
    """a[frame,row,column] in Gy as stored."""
    d = head(RD_CLASS, uid, "RTDOSE", ROOT + ".61")
    d.ImagePositionPatient, d.ImageOrientationPatient = [f"{v:.6g}" for v in ipp], list(iop)
    d.PixelSpacing = list(spacing)
    d.NumberOfFrames, d.Rows, d.Columns = a.shape
    d.FrameIncrementPointer = pydicom.tag.Tag(0x3004, 0x000C)
    d.GridFrameOffsetVector = [f"{v:.6g}" for v in offsets]
    d.SamplesPerPixel, d.PhotometricInterpretation, d.PixelRepresentation = 1, "MONOCHROME2", 0
    d.BitsAllocated = d.BitsStored = bits
    d.HighBit = bits - 1
    d.DoseUnits, d.DoseType, d.DoseSummationType, d.DoseGridScaling = units, "PHYSICAL", summation, scale
    d.SliceThickness = None
    q = Dataset()
    q.ReferencedSOPClassUID, q.ReferencedSOPInstanceUID = RP_CLASS, RP_UID
    d.ReferencedRTPlanSequence = Sequence([q])
    d.PixelData = np.rint(a / scale).astype(np.uint32 if bits == 32 else np.uint16).tobytes()
    d["PixelData"].VR = "OW"
    return d


def write_case(out, slices=None, rs=None, rp=None):
    for i, s in enumerate(slices or []): save(s, f"{out}/CT.{i:03d}.dcm")
    if rs is not None: save(rs, f"{out}/RS.dcm")
    if rp is not None: save(rp, f"{out}/RP.dcm")


def standard(out=None, **kw):
    a, o, sp = box_hu()
    ct = ct_series(a, o, sp)
    rs = structure_set(default_rois(o, sp, a.shape[0]), ct)
    rp = plan(**kw)
    if out: write_case(out, ct, rs, rp)
    return a, o, sp, ct, rs, rp
