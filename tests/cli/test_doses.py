"""dose sum, gamma and calc on doses of small files made here.

Usage: test_doses.py DOSE. Exit code 77: pydicom or numpy is not installed.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import pydicom
except ImportError:
    print("skipped: pydicom and numpy are not installed")
    sys.exit(77)
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "inputs" / "dicom"))
import box  # noqa: E402

DOSE = ""
Z = np.arange(-20, 21, 5.0)


def run(*arguments):
    return subprocess.run([DOSE, *map(str, arguments)], capture_output=True, text=True, timeout=550)


class Doses(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def flat(self, name, gy, columns=9, **attributes):
        d = box.rtdose(np.full((len(Z), 9, columns), gy), (-16, -16, Z[0]), (4, 4), Z - Z[0],
                       uid=f"{box.ROOT}.60.{len(name)}.{int(gy * 10)}")
        for key, value in attributes.items():
            setattr(d, key, value)
        return box.save(d, str(self.folder / name))

    def values(self, file):
        d = pydicom.dcmread(file)
        return d, d.pixel_array * float(d.DoseGridScaling)

    def done(self, *arguments):
        result = run(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def refused(self, words, *arguments):
        result = run(*arguments)
        self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
        self.assertIn(words, result.stderr)

    def test_sum(self):
        a, b, out = self.flat("a.dcm", 2.0), self.flat("bb.dcm", 3.0), self.folder / "sum.dcm"
        self.done("sum", a, b, "--out", out, "--json", self.folder / "sum.json")
        d, gy = self.values(out)
        self.assertTrue(np.allclose(gy, 5))
        self.assertEqual((d.DoseType, d.DoseSummationType, d.PixelRepresentation, d.PatientID,
                          d.StudyInstanceUID), ("PHYSICAL", "PLAN", 0, "T1", box.STUDY))
        self.assertEqual((d.FrameOfReferenceUID, d.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID),
                         (box.FOR, box.RP_UID))
        told = json.loads((self.folder / "sum.json").read_text())
        self.assertAlmostEqual(told["maximum_gy"], 5, places=6)
        self.done("sum", a, b, "--weights", 0.5, -1, "--out", out)  # 1 - 3 Gy
        d, gy = self.values(out)
        self.assertTrue(np.allclose(gy, -2))
        self.assertEqual((d.DoseType, d.PixelRepresentation), ("ERROR", 1))
        self.refused("3004,0004", "gamma", a, out)
        self.done("sum", out, b, "--out", self.folder / "back.h5")  # -2 + 3 Gy
        self.done("sum", self.folder / "back.h5", "--patient", a, "--out", out)
        self.assertTrue(np.allclose(self.values(out)[1], 1))
        self.refused("--patient", "sum", self.folder / "back.h5", "--out", out)

    def test_sums_that_are_refused(self):
        a, out = self.flat("a.dcm", 2.0), self.folder / "sum.dcm"
        self.refused("frames of reference", "sum", a, self.flat("frame.dcm", 1.0, FrameOfReferenceUID="1.2"),
                     "--out", out)
        self.refused("patients", "sum", a, self.flat("patient.dcm", 1.0, PatientID="T2"), "--out", out)
        self.refused("3004,000a", "sum", a, self.flat("fraction.dcm", 1.0, DoseSummationType="FRACTION"),
                     "--out", out)
        self.refused("weights", "sum", a, "--weights", 1, 2, "--out", out)
        narrow = self.flat("narrow.dcm", 1.0, columns=5)
        self.refused("--grid", "sum", a, narrow, "--out", out)
        self.refused("does not cover", "sum", a, narrow, "--grid", "first", "--out", out)
        self.refused("same, first or common", "sum", a, narrow, "--grid", "large", "--out", out)
        self.assertFalse(out.exists())
        self.done("sum", narrow, a, "--grid", "first", "--out", out)
        self.assertEqual(self.values(out)[1].shape, (9, 9, 5))
        self.assertTrue(np.allclose(self.values(out)[1], 3))

    def test_one_fraction_becomes_the_course(self):
        fraction, plan, out = (self.flat("f.dcm", 2.0, DoseSummationType="FRACTION"),
                               self.flat("plan.dcm", 60.0), self.folder / "course.dcm")
        self.refused("3004,000a", "gamma", plan, fraction)
        self.done("sum", fraction, "--fractions", 30, "--out", out)
        self.assertEqual(self.values(out)[0].DoseSummationType, "PLAN")
        self.assertIn("100.00 %", self.done("gamma", plan, out))

    def test_gamma_options(self):
        a, narrow = self.flat("a.dcm", 2.0), self.flat("narrow.dcm", 2.0, columns=5)
        self.assertIn("lie outside", self.done("gamma", a, narrow))
        out = self.folder / "g.json"
        # 4 of 9 columns lie outside. Normalised to 4 Gy the threshold is 0.4 Gy.
        text = self.done("gamma", a, narrow, "--margin", 1, "--normalisation", 4, "--threads", 1, "--json",
                         out)
        told = json.loads(out.read_text())
        # y and z of both are the same: the outermost rows are 2 mm from a face, the frames 2.5 mm.
        self.assertEqual((told["points"], told["left_out"], told["outside"], told["normalisation_gy"]),
                         (9 * 9 * 5, 9 * 9 * 4, 0, 4))
        self.assertIn("324 points", text)
        self.assertIn("100.00 % of 405 points", text)
        for words in (("--normalisation", "0"), ("--normalisation", "much"), ("--normalisation", "-2"),
                      ("--margin", "-1"), ("--threads", "-1")):
            self.refused(words[0], "gamma", a, narrow, *words)
        self.done("gamma", a, a, "--normalisation", "maximum")

    def test_calculation_on_a_given_grid(self):
        box.standard(str(self.folder / "case"))
        grid = self.flat("grid.dcm", 1.0)
        common = ("calc", self.folder / "case", "--engine", "pencil-beam", "--quality", "draft")
        self.done(*common, "--grid-of", grid, "--out", self.folder / "given", "--json",
                  self.folder / "given.json")
        d, gy = self.values(self.folder / "given" / "plan.dcm")
        self.assertEqual([float(x) for x in d.ImagePositionPatient], [-16, -16, -20])
        self.assertEqual(([float(x) for x in d.PixelSpacing], gy.shape), ([4, 4], (9, 9, 9)))
        self.done(*common, "--grid", "5", "--margin", "50", "--out", self.folder / "own", "--json",
                  self.folder / "own.json")
        doses = [json.loads((self.folder / f"{name}.json").read_text())["beams"][0]["isocentre"]["plan_gy"]
                 for name in ("given", "own")]
        self.assertAlmostEqual(doses[0] / doses[1], 1, delta=0.02)
        text = self.done(*common, "--grid-of", "ct", "--out", self.folder / "ct")
        self.assertIn("as given", text)
        self.assertEqual(self.values(self.folder / "ct" / "plan.dcm")[1].shape, (32, 60, 60))
        self.refused("--grid-of", *common, "--grid-of", "ct", "--grid", "5", "--out", self.folder / "both")
        self.refused("frames of reference", *common, "--grid-of",
                     self.flat("other.dcm", 1.0, FrameOfReferenceUID="1.2"), "--out", self.folder / "both")
        self.assertFalse((self.folder / "both").exists())


if __name__ == "__main__":
    DOSE = sys.argv.pop(1)
    unittest.main()
