"""The dose command as a user runs it: exit codes, one clear error, help. Usage: test_command_line.py DOSE"""
import json
import math
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

DOSE = ""
REFERENCE = pathlib.Path(__file__).resolve().parents[1] / "data/reference"


def run(*arguments):
    # calibrating a model takes minutes on a busy machine
    return subprocess.run([DOSE, *map(str, arguments)], capture_output=True, text=True, timeout=550)


class CommandLine(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def assert_error(self, result, code, *words):
        self.assertEqual(result.returncode, code, result.stderr)
        errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, result.stderr)
        for word in words:
            self.assertIn(word, errors[0])

    def test_help_of_every_command(self):
        for command in (["info"], ["gate"], ["calc"], ["gamma"], ["dvh"], ["model"], ["validate"]):
            with self.subTest(command=command):
                result = run(*command, "--help")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn("Example", result.stdout)
                self.assertIn("Exit codes: 0 done, 1 failed criteria, 2 bad input, 3 refused plan, 4 "
                              "internal", result.stdout)

    def test_version(self):
        result = run("--version")
        self.assertEqual(result.returncode, 0)
        project = (pathlib.Path(__file__).resolve().parents[2] / "CMakeLists.txt").read_text()
        version = re.search(r"project\(libdose VERSION (\S+)", project).group(1)
        self.assertEqual(result.stdout.strip(), "libdose " + version)

    def test_usage_errors(self):
        for arguments in ([], ["fly"], ["calc"], ["gamma", "one"], ["gamma", "a", "b", "--distance-mm", "-1"],
                          ["info", "--no-such-option", "."]):
            with self.subTest(arguments=arguments):
                self.assert_error(run(*arguments), 2)

    def test_plans_of_mppg5b(self):
        # Draft quality on a coarse grid: the shape of the answer, judged by the tolerances of
        # MPPG 5.b, table 5. That the fields agree is for tests/validation.
        command = [DOSE, "validate", "--suite", "mppg5b", "--engine", "pencil-beam", "--quality", "draft",
                   "--grid", "4", "--backend", "auto"]
        environment = dict(os.environ, LIBDOSE_CUDA_LIBRARY="/nowhere/libdose_cuda.so")
        result = subprocess.run([*command, "--json", str(self.folder / "plans.json")], capture_output=True,
                                text=True, env=environment)
        self.assertIn("note: backend: cpu, for the CUDA library of libdose is not installed", result.stdout)
        written = json.loads((self.folder / "plans.json").read_text())
        self.assertEqual(written["backend"], "cpu")
        plans = written["plans"]
        self.assertEqual([p["test"][:3] for p in plans], ["5.4", "5.5", "5.6", "5.7", "5.8"])
        for plan in plans:
            self.assertEqual([r["test"].split(",")[0] for r in plan["rows"]],
                             ["high dose", "penumbra", "tail"])
            for row in plan["rows"]:
                # Two different calculations never agree to the last digit.
                self.assertGreater(row["value"], 0, plan)
                self.assertGreater(row["points"], 10, plan)
                self.assertEqual(row["passed"], row["value"] <= row["tolerance"], plan)
        # Exit code 1 says that a criterion failed, and nothing else does.
        rows = [row for plan in plans for row in plan["rows"]]
        self.assertEqual(result.returncode, 0 if all(r["passed"] for r in rows) else 1, result.stderr)
        self.assertEqual({(r["test"].split(",")[0], r["tolerance"]) for r in rows},
                         {("high dose", 2), ("high dose", 5), ("penumbra", 2), ("tail", 3)})
        self.assert_error(run("validate", "--suite", "gates"), 2, "no reference case")
        self.assert_error(run("validate", "--suite", "mppg5b", "--leaves", "nobody"), 2, "nobody")

    def write_measurements(self, name="set", change=lambda text: text):
        """Curves with the shape of 6 MV."""
        folder = self.folder / name
        folder.mkdir()
        depths = range(0, 301, 5)
        rows = "".join(f"{d}," + ",".join(f"{math.exp(-0.0056 * d) * (1 - 0.5 * math.exp(-d / 4)):.5f}"
                                          for _ in range(3)) + "\n" for d in depths)
        (folder / "depth_dose.csv").write_text(
            change("# 6 MV, flattened; SSD 1000 mm\ndepth_mm,side_40_mm,side_100_mm,side_200_mm\n" + rows))
        (folder / "output_factors.csv").write_text(
            "# SSD 900 mm, depth 100 mm; 100 x 100 mm = 1\n"
            "side_mm,output_factor\n30,0.842\n40,0.878\n100,1\n200,1.1\n")
        return folder

    def test_lint(self):
        result = run("model", "lint", self.write_measurements(), "--json", self.folder / "lint.json")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        findings = json.loads((self.folder / "lint.json").read_text())["findings"]
        self.assertIn("no absolute dose", " ".join(f["text"] for f in findings))
        # Depths in cm under a header of mm.
        wrong = self.write_measurements(
            "wrong", lambda text: re.sub(r"(?m)^(\d+),", lambda m: f"{int(m.group(1)) / 10:g},", text))
        result = run("model", "lint", wrong)
        self.assertEqual(result.returncode, 1)
        self.assertIn("were depths in cm read as mm?", result.stdout)
        self.assert_error(run("model", "commission", wrong, "--out", self.folder / "wrong.h5"), 2,
                          "were depths in cm read as mm?")
        self.assertFalse((self.folder / "wrong.h5").exists())
        self.assert_error(run("model", "commission", self.folder / "set", "--out",
                              self.folder / "nowhere/m.h5"), 2, "cannot be written")
        self.assert_error(run("model", "lint", self.folder / "set", "--energy-mv", "10"), 2,
                          "--energy-mv says 10")
        self.assert_error(run("model", "lint", self.folder / "nowhere"), 2, "nowhere")

    def test_models_are_verified_compared_and_signed(self):
        models = pathlib.Path(__file__).resolve().parents[2] / "libdose/data/models"
        model, private, public = (self.folder / "model.h5", self.folder / "private.pem",
                                  self.folder / "public.pem")
        model.write_bytes((models / "generic-6MV.h5").read_bytes())
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True,
                       capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True,
                       capture_output=True)
        result = run("model", "verify", model)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("not signed", result.stdout)
        self.assert_error(run("model", "verify", model, "--public-key", public), 2, "not signed")
        self.assert_error(run("model", "sign", model, "--key", public), 2, "private Ed25519 key")
        self.assertEqual(run("model", "sign", model, "--key", private).returncode, 0)
        result = run("model", "verify", model, "--public-key", public)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("signed by the owner of", result.stdout)
        other = self.folder / "other.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True,
                       capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", other], check=True,
                       capture_output=True)
        self.assert_error(run("model", "verify", model, "--public-key", other), 2,
                          "the signature is not one of this model")
        self.assertEqual(run("model", "diff", model, "generic-6MV").returncode, 0,
                         "a signature is no content")
        result = run("model", "diff", model, "generic-10MV")
        self.assertEqual(result.returncode, 1)
        self.assertIn("nominal_energy_mv", result.stdout)
        # A changed byte of a number is noticed.
        content = bytearray(model.read_bytes())
        at = content.find(struct.pack("<d", 0.005))
        self.assertGreater(at, 0)
        content[at:at + 8] = struct.pack("<d", 0.006)
        model.write_bytes(content)
        self.assert_error(run("model", "verify", model), 2, "does not match its hash")

    def test_missing_path(self):
        missing = self.folder / "nowhere"
        self.assert_error(run("info", missing), 2, "nowhere")
        self.assert_error(run("calc", missing, "--out", self.folder / "out"), 2, "nowhere")
        self.assertFalse((self.folder / "out").exists())
        self.assert_error(run("gamma", missing, missing), 2, "nowhere")
        self.assert_error(run("dvh", missing, missing), 2, "nowhere")
        self.assert_error(run("validate", self.folder / "nowhere.h5"), 2, "nowhere.h5")

    def test_gate_needs_a_plan(self):
        self.assert_error(run("gate", self.folder / "nowhere"), 2, "nowhere")
        self.assert_error(run("gate", self.folder), 2, "RT Plan")

    def test_empty_folder(self):
        self.assert_error(run("info", self.folder), 2, str(self.folder))
        self.assert_error(run("calc", self.folder, "--out", self.folder / "out"), 2)
        self.assertFalse((self.folder / "out").exists())

    def test_unknown_names(self):
        self.assert_error(run("calc", self.folder, "--out", self.folder / "out", "--engine", "abacus"), 2,
                          "abacus")
        self.assert_error(run("calc", self.folder, "--out", self.folder / "out", "--quality", "best"), 2,
                          "best")
        # Each option by its name and by its synonym.
        for option in ("--grouping", "--transport"):
            self.assert_error(run("calc", self.folder, "--out", self.folder / "out", option, "bus"), 2, "bus",
                              "auto, shared or per-geometry")
        self.assert_error(run("calc", self.folder, "--out", self.folder / "out", "--algorithm", "abacus"), 2,
                          "abacus")
        self.assert_error(run("model", "show", "generic-7MV"), 2, "generic-7MV", "generic-6MV")

    def test_a_choice_is_made_once(self):
        # A synonym beside the name is one option given twice.
        for name, synonym, word in (("--algorithm", "--engine", "pencil-beam"),
                                    ("--grouping", "--transport", "auto")):
            command = ("calc", self.folder, "--out", self.folder / "out")
            self.assert_error(run(*command, name, word, synonym, word), 2, name)

    def test_backends_must_be_known_and_there(self):
        self.assert_error(run("calc", self.folder, "--out", self.folder / "out", "--backend", "opencl"), 2,
                          "unknown backend", "cpu, cuda or auto")
        environment = dict(os.environ, LIBDOSE_CUDA_LIBRARY="/nowhere/libdose_cuda.so")
        result = subprocess.run([DOSE, "validate", str(REFERENCE / "water_6MV_3x3.h5"), "--backend", "cuda"],
                                capture_output=True, text=True, env=environment)
        self.assert_error(result, 2, "/nowhere/libdose_cuda.so", "--backend cpu or auto")
        result = subprocess.run([DOSE, "validate", "--suite", "mppg5b", "--backend", "cuda"],
                                capture_output=True, text=True, env=environment)
        self.assert_error(result, 2, "/nowhere/libdose_cuda.so", "--backend cpu or auto")
        # A sealed model does not depend on the machine that made it.
        for command in (["model", "calibrate", self.folder / "model.h5"],
                        ["model", "commission", self.folder, "--out", self.folder / "model.h5"]):
            self.assert_error(run(*command, "--backend", "cuda"), 2, "--backend", "same on every machine")

    def test_density_must_be_a_number(self):
        self.assert_error(run("calc", self.folder, "--out", self.folder / "out", "--density", "PTV=heavy"), 2,
                          "PTV=heavy")

    def test_materials_and_media_must_be_known(self):
        out = self.folder / "out"
        self.assert_error(run("calc", self.folder, "--out", out, "--material", "Hip"), 2, "Hip")
        self.assert_error(run("calc", self.folder, "--out", out, "--material", "Hip="), 2, "Hip=")
        self.assert_error(run("calc", self.folder, "--out", out, "--material", "Hip=steel", "--material",
                              "Hip=titanium"), 2, "two materials")
        self.assert_error(run("calc", self.folder, "--out", out, "--dose-to", "muscle"), 2, "muscle")
        self.assert_error(run("calc", self.folder, "--out", out, "--sub-arc", "0"), 2, "--sub-arc")
        self.assert_error(run("calc", self.folder, "--out", out, "--leaf-ends", "flat"), 2, "flat")

    def test_leaves_must_be_known(self):
        command = ["calc", self.folder, "--out", self.folder / "out"]
        self.assert_error(run(*command, "--leaves", "acme"), 2, "acme", "varian-millennium-120",
                          "elekta-agility")
        self.assert_error(run(*command, "--leaves", "elekta-agility", "--leaf-ends", "sharp"), 2,
                          "elekta-agility", "--leaf-ends sharp")
        # Known leaves: the next thing that is wrong is that there is no plan.
        result = run(*command, "--leaves", "elekta-agility")
        self.assert_error(result, 2, "no RTPLAN")

    def test_validate_refuses_what_it_does_not_know(self):
        case = sorted(REFERENCE.glob("*.h5"))[0]
        for arguments, word in ((["--suite", "iso"], "iso"), (["--directions", "12y12"], "12y12"),
                                (["--directions", "3"], "3"), (["--lattice", "bent"], "bent"),
                                (["--without", "physics"], "physics"), (["--grid", "2", "2"], "--grid")):
            with self.subTest(arguments=arguments):
                self.assert_error(run("validate", case, *arguments), 2, word)

    def test_validate_says_which_criteria_fail(self):
        out = self.folder / "doses"
        json_file = self.folder / "v.json"
        # The wrong beam: nothing agrees.
        result = run("validate", REFERENCE / "water_6MV_3x3.h5", "--model", "generic-15MV", "--quality",
                     "draft", "--grid", "5", "--suite", "mppg5b", "--out", out, "--json", json_file)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("FAIL", result.stdout)
        rows = json.loads(json_file.read_text())["cases"][0]["suites"]["mppg5b"]
        self.assertTrue(any(not row["passed"] for row in rows))
        self.assertEqual([path.name for path in out.iterdir()], ["water_6MV_3x3-collapsed-cone.h5"])

    def test_kernels_of_more_rates(self):
        # Coefficients of either sign through the whole engine: a small field against Monte Carlo still meets
        # its gates.
        model = self.folder / "five.h5"
        model.write_bytes((pathlib.Path(__file__).resolve().parents[2]
                           / "libdose/data/models/generic-6MV.h5").read_bytes())
        result = run("model", "calibrate", model, "--rates", "5")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"kernels made, rates( \S+){5} cm2/g")
        result = run("validate", REFERENCE / "water_6MV_3x3.h5", "--model", model, "--suite", "gates")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        before = model.read_bytes()
        for command in (["calibrate", model, "--rates", "6"],
                        ["commission", self.folder, "--out", self.folder / "m.h5", "--rates", "2"]):
            self.assert_error(run("model", *command), 2, "--rates")
        self.assertEqual(model.read_bytes(), before)

    def test_models_are_listed(self):
        result = run("model", "list")
        self.assertEqual(result.returncode, 0, result.stderr)
        for design in ("varian-millennium-120", "varian-millennium-80", "varian-hd120", "elekta-agility",
                       "elekta-mlci"):
            self.assertIn(design, result.stdout)
        for name in ("generic-4MV", "generic-6MV", "generic-10MV", "generic-15MV"):
            self.assertIn(name, result.stdout)

    def test_model_shows_where_its_numbers_come_from(self):
        result = run("model", "show", "generic-6MV")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("sources", result.stdout)

    def test_missing_data_folder(self):
        environment = dict(os.environ, LIBDOSE_DATA=str(self.folder))
        result = subprocess.run([DOSE, "model", "show", "generic-6MV"], capture_output=True, text=True,
                                env=environment)
        self.assert_error(result, 2, "LIBDOSE_DATA")

    def test_corrupted_doses(self):
        # A DICOM preamble, the start of the file meta information, and then nothing.
        dicom = self.folder / "dose.dcm"
        dicom.write_bytes(bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, 500)
                          + b"\x02\x00\x01")
        self.assert_error(run("gamma", dicom, dicom), 2, "dose.dcm")
        hdf5 = self.folder / "dose.h5"
        hdf5.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(20))
        self.assert_error(run("gamma", hdf5, hdf5), 2, "dose.h5")
        self.assert_error(run("validate", hdf5), 2, "dose.h5")
        text = self.folder / "note.dcm"
        text.write_text("not a dose\n")
        self.assert_error(run("dvh", text, text), 2, "note.dcm")


if __name__ == "__main__":
    DOSE = sys.argv.pop(1)
    unittest.main(verbosity=2)
