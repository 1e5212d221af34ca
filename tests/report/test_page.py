"""The page of a check in a real browser. Run:  test_page.py PARTS_FOLDER WORK_FOLDER

Reported as skipped (77) where Chromium or chromedriver is missing.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import browser  # noqa: E402
import sample  # noqa: E402

PARTS = WORK = None
PAGE_UP, PAGE_DOWN, LEFT, RIGHT, UP, DOWN = "\ue00e", "\ue00f", "\ue012", "\ue014", "\ue013", "\ue015"


def write(name: str, check: dict, plotly: str | None = None) -> pathlib.Path:
    file = WORK / f"{name}.html"
    bundle = sample.plotly_text() if plotly is None else plotly
    file.write_text(sample.page(PARTS, check, bundle), encoding="utf-8")
    return file


class PageTest(unittest.TestCase):
    """One browser for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def text(self, selector: str) -> str:
        return self.browser.js("return document.querySelector(arguments[0]).textContent", selector)

    def assert_quiet(self, file: pathlib.Path) -> None:
        """No error in the console, and no request but for the file itself."""
        self.assertEqual(self.browser.errors(), [])
        self.assertEqual(self.browser.requests(), [file.as_uri()])


class WholeCheck(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.check = sample.sample()
        cls.arrays = sample.arrays()
        cls.file = write("whole", cls.check)
        cls.browser.open(cls.file)

    def point_mm(self) -> list[float]:
        """The point that the page names, in mm."""
        words = self.text("#point-values").replace("\u2212", "-")
        return [float(re.search(rf"\b{letter} (-?[\d.]+)", words).group(1)) for letter in "xyz"]

    def voxel(self) -> tuple[int, ...]:
        return tuple(round((mm - sample.ORIGIN_MM[a]) / sample.SPACING_MM[a])
                     for a, mm in enumerate(self.point_mm()))

    def assert_values(self) -> None:
        """The sentence of the point and the profiles say what the formulas give at that voxel."""
        i, j, k = self.voxel()
        words = self.text("#point-values").replace("\u2212", "-")
        for name, pattern, tolerance in (("ct", r"CT (-?\d+) HU", 5.5),
                                         ("planned", r"planned ([\d.]+) Gy", 0.006),
                                         ("calculated", r"calculated ([\d.]+) Gy", 0.006),
                                         ("difference", r"difference \+?(-?[\d.]+) %", 0.11)):
            shown = float(re.search(pattern, words).group(1))
            self.assertAlmostEqual(shown, self.arrays[name][k, j, i], delta=tolerance, msg=name)
        for letter, line in (("x", self.arrays["planned"][k, j, :]), ("y", self.arrays["planned"][k, :, i]),
                             ("z", self.arrays["planned"][:, j, i])):
            curve = self.browser.js("const d = document.getElementById('profile-' + arguments[0]).data;"
                                    "return d ? Array.from(d[0].y) : null", letter)
            if curve is None:
                continue  # without Plotly; the tables have their own test
            np.testing.assert_allclose(curve, line, atol=0.002)

    def test_opens_without_a_request_or_an_error(self):
        # The first to be loaded is the file; what the tests before did is covered as well.
        self.browser.open(self.file)
        self.assert_quiet(self.file)
        self.assertLess(self.file.stat().st_size, 15_000_000)

    def test_begins_at_the_isocentre(self):
        self.browser.open(self.file)
        np.testing.assert_allclose(self.point_mm(), sample.ISOCENTRE_MM, atol=sample.SPACING_MM[0] / 2 + 0.06)
        self.assert_values()

    def test_a_click_sets_the_point_in_all_planes(self):
        box = self.browser.js("const b = document.getElementById('plane-axial').getBoundingClientRect();"
                              "return [b.width, b.height]")
        before = self.voxel()
        self.browser.click("#plane-axial", 30, -20)
        i, j, k = self.voxel()
        # x grows to the right, y down; the middle of the picture is the middle of the grid.
        self.assertAlmostEqual(i, sample.SIZE[0] * (0.5 + 30 / box[0]) - 0.5, delta=1.5)
        self.assertAlmostEqual(j, sample.SIZE[1] * (0.5 - 20 / box[1]) - 0.5, delta=1.5)
        self.assertEqual(k, before[2])
        self.assert_values()
        for name, index in (("axial", k), ("coronal", j), ("sagittal", i)):
            slider = self.browser.js("return Number(document.getElementById('slider-' + arguments[0]).value)",
                                     name)
            self.assertEqual(slider, index)
        self.browser.click("#plane-coronal", 0, -20)
        self.assertGreater(self.voxel()[2], sample.SIZE[2] / 2)  # up is the head, where z is larger
        self.assert_values()

    def test_wheel_keys_and_slider_change_the_plane(self):
        self.browser.open(self.file)
        start = self.voxel()
        self.browser.wheel("#plane-axial", 100)
        self.assertEqual(self.voxel(), (start[0], start[1], start[2] + 1))
        self.browser.wheel("#plane-axial", -100)
        self.assertEqual(self.voxel(), start)
        self.browser.js("document.getElementById('plane-axial').focus()")
        for key, move in ((PAGE_UP, (0, 0, 1)), (PAGE_DOWN, (0, 0, -1)), (RIGHT, (1, 0, 0)),
                          (LEFT, (-1, 0, 0)), (DOWN, (0, 1, 0)), (UP, (0, -1, 0))):
            before = self.voxel()
            self.browser.key(key)
            self.assertEqual(np.subtract(self.voxel(), before).tolist(), list(move))
        self.browser.js("const s = document.getElementById('slider-axial'); s.value = 5;"
                        "s.dispatchEvent(new Event('input'))")
        self.browser.settle()
        self.assertEqual(self.voxel()[2], 5)
        self.assert_values()

    def test_every_overlay_and_window_draws_another_picture(self):
        picture = "return document.getElementById('plane-axial').toDataURL()"
        choose = ("const s = document.getElementById(arguments[0]); s.value = arguments[1];"
                  "s.dispatchEvent(new Event('change'))")
        seen = set()
        for name, value in (("overlay", "none"), ("window", "lung"), ("overlay", "planned"),
                            ("style", "lines"), ("overlay", "difference"), ("overlay", "gamma")):
            self.browser.js(choose, name, value)
            self.browser.settle()
            image = self.browser.js(picture)
            self.assertNotIn(image, seen, (name, value))
            seen.add(image)
        self.assertEqual(self.browser.errors(), [])

    def test_verdicts_are_words_and_shapes(self):
        shapes = self.browser.js("return [...document.querySelectorAll('.verdict')].map((v) => "
                                 "[v.textContent, v.querySelector('svg').dataset.shape])")
        self.assertEqual({word for word, _ in shapes}, {"PASS", "LOOK", "FAIL", "NOT CHECKED"})
        self.assertTrue(all(word == shape for word, shape in shapes))
        self.assertEqual(self.text("#verdict .word"), "FAIL")
        self.assertIn("1 FAIL, 1 NOT CHECKED, 2 LOOK, 8 PASS", self.text("#verdict"))
        for row in self.check["rows"]:
            if row["verdict"] != "PASS":
                self.assertIn(row["reason"], self.text("#summary .reasons"))

    def test_text_is_never_html(self):
        self.assertIn("Doe^Jane </script><b>", self.text("#summary"))

    def test_tables_and_pictures_have_names(self):
        nameless = self.browser.js(
            "return [...document.querySelectorAll('table')].filter((t) => !t.caption "
            "|| !t.caption.textContent || [...t.querySelectorAll('th')].some((th) => !th.scope)).length "
            "+ [...document.querySelectorAll('canvas:not([aria-hidden]), svg[role=img], input[type=range]')]"
            ".filter((e) => !e.getAttribute('aria-label')).length "
            "+ [...document.querySelectorAll('select, input[type=checkbox]')]"
            ".filter((e) => !e.closest('label')).length")
        self.assertEqual(nameless, 0)
        self.assertGreater(self.browser.js("return document.querySelectorAll('table').length"), 10)
        self.assertNotIn("[object", self.text("main"))

    def test_narrow_window_has_no_scroll_sideways(self):
        self.browser.resize(360, 700)
        self.addCleanup(self.browser.resize, 1200, 1000)
        self.browser.open(self.file)
        self.assertLessEqual(self.browser.js("return document.documentElement.scrollWidth"), 360)

    @unittest.skipUnless(shutil.which("pdftotext"), "poppler-utils is not installed")
    def test_page_1_prints_alone_on_a4(self):
        file = WORK / "whole.pdf"
        file.write_bytes(self.browser.pdf())
        about = subprocess.run(["pdfinfo", file], capture_output=True, text=True, check=True).stdout
        self.assertRegex(about, r"Page size: +59\d\.\d+ x 84\d\.\d+ pts \(A4\)")
        first, second = (subprocess.run(["pdftotext", "-f", str(n), "-l", str(n), "-layout", file, "-"],
                         capture_output=True, text=True, check=True).stdout for n in (1, 2))
        for words in ("FAIL", "Signature", "not accepted", "PHANTOM-7", "Not a medical device", "SHA-256"):
            self.assertIn(words, first)
        self.assertNotIn("All rows\n", first)
        self.assertIn("All rows", second)


class PartsMissing(PageTest):
    def opened(self, name: str, check: dict, plotly: str = "") -> str:
        file = write(name, check, plotly)
        self.browser.open(file)
        self.assert_quiet(file)
        return self.text("main")

    def test_nothing_at_all(self):
        words = self.opened("empty", {"format": "libdose-check 1"})
        for sentence in ("NOT CHECKED", "There is no plan", "There are no planes", "There are no histograms",
                         "Gamma was not evaluated", "No objects were read", "Nothing was calculated"):
            self.assertIn(sentence, words)

    def test_a_verdict_that_is_none_is_not_checked(self):
        self.assertIn("NOT CHECKED", self.opened("odd", {"format": "libdose-check 1", "verdict": "OK"}))

    def test_another_format_is_named(self):
        self.assertIn('the data say "libdose-check 9"', self.opened("format", {"format": "libdose-check 9"}))

    def test_no_planned_dose(self):
        check = sample.sample()
        for name in ("planned", "difference", "gamma"):
            del check["volumes"][name]
        for histogram in check["histograms"]:
            histogram["planned_percent"] = []
        words = self.opened("calculated", check, sample.plotly_text())
        self.assertIn("There is no planned dose.", words)
        self.assertNotIn("planned", self.text("#point-values"))
        self.assertIn("calculated", self.text("#point-values"))

    def test_volumes_that_cannot_be_unpacked(self):
        check = sample.sample()
        check["volumes"]["ct"]["data"] = check["volumes"]["gamma"]["data"][:400]
        self.browser.open(write("broken", check, ""))
        self.assertIn("The planes cannot be shown", self.text("#planes"))

    def test_without_plotly_there_are_tables(self):
        words = self.opened("tables", sample.sample())
        self.assertIn("The curves need Plotly", words)
        captions = self.browser.js(
            "return [...document.querySelectorAll('caption')].map((c) => c.textContent)")
        for caption in ("Dose along x", "Dose along y", "Dose along z", "Figures of the curves"):
            self.assertIn(caption, captions)

    def test_many_reasons_leave_page_1_one_page(self):
        check = sample.sample(with_volumes=False)
        check["rows"] += [sample.row("dose", "goal", f"V{n}Gy", "Lung", "FAIL", "a long reason, " * 9)
                          for n in range(40)]
        words = self.opened("many", check)
        self.assertIn("more rows are not PASS", words)
        if shutil.which("pdftotext"):
            file = WORK / "many.pdf"
            file.write_bytes(self.browser.pdf())
            first = subprocess.run(["pdftotext", "-f", "1", "-l", "1", file, "-"], capture_output=True,
                                   text=True, check=True).stdout
            self.assertIn("Signature", first)


if __name__ == "__main__":
    if browser.programs() is None:
        print("Chromium or chromedriver is not installed")
        sys.exit(77)
    PARTS, WORK = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
