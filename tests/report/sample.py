"""A made check of a thorax-like phantom, as JSON and as the page that a physicist signs.

The numbers are formulas, so that a test can say what the page must show at a voxel. Run as a program it
writes a page to look at:  sample.py PARTS_FOLDER OUT.html [PLOTLY.js]
"""
import base64
import gzip
import json
import pathlib
import sys

import numpy as np

SIZE = (150, 100, 60)          # x, y, z
SPACING_MM = (2.5, 2.5, 3.0)
ORIGIN_MM = (-186.25, -123.75, -90.0)
ISOCENTRE_MM = (41.25, -11.25, 0.0)
PRESCRIBED_GY = 60.0
PLOTLY_PLACES = ("/usr/share/python3-plotly/plotly.js",
                 "/usr/lib/python3/dist-packages/plotly/package_data/plotly.min.js")


def packed(values: np.ndarray) -> str:
    """Base64 of gzip of an array [z, y, x]: x runs fastest."""
    return base64.b64encode(gzip.compress(np.ascontiguousarray(values).tobytes(), 6)).decode()


def grid() -> tuple[np.ndarray, ...]:
    axes = [ORIGIN_MM[a] + SPACING_MM[a] * np.arange(SIZE[a]) for a in range(3)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    return x, y, z


def ellipse(x, y, centre, radii):
    return ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1


def arrays() -> dict[str, np.ndarray]:
    """CT in HU, doses in Gy, difference in percent of the planned maximum, gamma; all [z, y, x]."""
    x, y, z = grid()
    body = ellipse(x, y, (0, 0), (165, 105))
    hu = np.where(body, 20.0, -1000.0)
    for side in (-1, 1):
        hu[ellipse(x, y, (side * 75, -5), (52, 75)) & body] = -750
    hu[ellipse(x, y, (0, 70), (18, 18))] = 500
    hu[ellipse(x, y, (ISOCENTRE_MM[0], ISOCENTRE_MM[1]), (24, 24)) & (abs(z) < 27)] = 40
    u, v = x - ISOCENTRE_MM[0], y - ISOCENTRE_MM[1]
    edge = 1 / (1 + np.exp((np.sqrt(u**2 + v**2 + z**2) - 38) / 4))
    beams = sum(np.exp(-((u * np.sin(a) - v * np.cos(a)) / 26) ** 4) * (abs(z) < 36) for a in (0.2, 1.4, 2.5))
    planned = np.where(body, PRESCRIBED_GY * (0.72 * edge + 0.09 * beams + 0.02), 0.0)
    calculated = planned * (1 + 0.015 * np.tanh(u / 30) + 0.004)
    difference = 100 * (calculated - planned) / planned.max()
    gamma = np.where(planned > 0.1 * planned.max(), abs(difference) * 0.6, np.nan)
    return {"ct": hu, "planned": planned, "calculated": calculated, "difference": difference, "gamma": gamma}


def volumes() -> dict:
    values = arrays()
    scale = max(values["planned"].max(), values["calculated"].max()) / 60000

    def counts(name):
        return {"data": packed(np.round(values[name] / scale).astype("<u2")), "scale_gy": scale}
    ct = np.round(255 * (np.clip(values["ct"], -1000, 1500) + 1000) / 2500).astype(np.uint8)
    difference = np.clip(128 + np.round(values["difference"] / 0.1), 0, 255).astype(np.uint8)
    missing = np.isnan(values["gamma"])
    gamma = np.where(missing, 255, np.clip(np.round(np.nan_to_num(values["gamma"]) / 0.01), 0, 254))
    return {"size": SIZE, "spacing_mm": SPACING_MM, "origin_mm": ORIGIN_MM, "isocentre_mm": ISOCENTRE_MM,
            "ct": {"data": packed(ct), "lower": -1000, "upper": 1500},
            "planned": counts("planned"), "calculated": counts("calculated"),
            "difference": {"data": packed(difference), "percent_per_count": 0.1},
            "gamma": {"data": packed(gamma.astype(np.uint8)), "per_count": 0.01}}


REGIONS = (("PTV", "PTV", (ISOCENTRE_MM[0], ISOCENTRE_MM[1]), (30, 30), 33),
           ("Lung left", "ORGAN", (75, -5), (52, 75), 90), ("Lung right", "ORGAN", (-75, -5), (52, 75), 90),
           ("Spinal canal", "ORGAN", (0, 70), (10, 10), 90), ("Body", "EXTERNAL", (0, 0), (165, 105), 90))


def outlines() -> list[dict]:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    found = []
    for name, kind, centre, radii, half_mm in REGIONS:
        circle = np.stack([centre[0] + radii[0] * np.cos(angles), centre[1] + radii[1] * np.sin(angles)], 1)
        points = np.round(circle.ravel(), 1).tolist()
        planes = [ORIGIN_MM[2] + SPACING_MM[2] * k for k in range(SIZE[2])]
        found.append({"name": name, "type": kind,
                      "contours": [{"z_mm": z, "points": points} for z in planes if abs(z) <= half_mm]})
    return found


def histograms() -> list[dict]:
    x, y, z = grid()
    values = arrays()
    doses = np.linspace(0, 66, 301)
    found = []
    for name, kind, centre, radii, half_mm in REGIONS[:4]:
        inside = ellipse(x, y, centre, radii) & (abs(z) <= half_mm)
        curves = {}
        for dose in ("planned", "calculated"):
            ordered = np.sort(values[dose][inside])
            share = 100 * (1 - np.searchsorted(ordered, doses) / ordered.size)
            curves[dose + "_percent"] = np.round(share, 2).tolist()
        volume = float(inside.sum() * np.prod(SPACING_MM) / 1000)
        found.append({"structure": name, "type": kind, "target": kind == "PTV",
                      "volume_cm3": round(volume, 2), "dose_gy": np.round(doses, 3).tolist(), **curves})
    return found


def row(section, identity, name, subject, verdict, reason="", **more) -> dict:
    empty = {"planned": "", "calculated": "", "limit": "", "source": "", "value": None, "unit": ""}
    return {"section": section, "id": identity, "name": name, "subject": subject, "verdict": verdict,
            "reason": reason, **empty, **more}


def rows() -> list[dict]:
    own, limit = "our own setting", "look beyond 2 %, fail beyond 3 % of planned"
    return [
        row("integrity", "patient", "Same patient in every object", "", "PASS", "one ID and one name"),
        row("integrity", "references", "Plan, structures, CT and dose refer to each other", "", "PASS"),
        row("integrity", "isocentre-in-body", "Isocentre inside the body", "beam 1", "PASS"),
        row("integrity", "prescription", "Prescription against planned dose", "PTV", "PASS",
            planned="60.00 Gy", calculated="57.70 Gy", value=-3.8, unit="%"),
        row("integrity", "approval", "Approval", "plan \"Lung left\"", "LOOK",
            "the plan is UNAPPROVED: approve it in the planning system before it is treated"),
        row("integrity", "couch", "Couch", "", "NOT CHECKED",
            "no structure of type SUPPORT and no couch model: whether a couch attenuates the "
            "beam is not known"),
        row("dose", "target-d98%", "D98%", "PTV", "PASS", "D98% of PTV agrees", planned="44.31 Gy",
            calculated="44.12 Gy", limit=limit, source=own, value=-0.4, unit="%"),
        row("dose", "target-d50%", "D50%", "PTV", "PASS", "D50% of PTV agrees", planned="56.58 Gy",
            calculated="56.81 Gy", limit=limit, source=own, value=0.4, unit="%"),
        row("dose", "target-dmean", "Dmean", "PTV", "FAIL", "Dmean of PTV is 57.49 Gy recalculated, 55.20 Gy "
            "planned: +4.1 %", planned="55.20 Gy", calculated="57.49 Gy", limit=limit, source=own, value=4.1,
            unit="%"),
        row("dose", "goal", "V20Gy", "Lung left", "LOOK", "V20Gy of Lung left is 36.20 % recalculated",
            planned="35.10 %", calculated="36.20 %", limit="look above 35, fail above 40",
            source="QUANTEC 2010", value=36.2, unit="%"),
        row("dose", "goal", "D0.1cc", "Spinal canal", "PASS", "", planned="12.40 Gy", calculated="12.20 Gy",
            limit="look above 45, fail above 50", source="QUANTEC 2010", value=12.2, unit="Gy"),
        row("gamma", "gamma", "Gamma 3 %/2 mm global", "body", "PASS", "97.6 % of the voxels pass",
            limit="look below 95 %, fail below 90 %", source="AAPM TG-218", value=97.6, unit="%"),
    ]


def aperture(index: int, total: int) -> dict:
    boundaries = np.arange(-100, 101, 5.0)
    middle = (boundaries[:-1] + boundaries[1:]) / 2
    half = np.sqrt(np.clip(38**2 - middle**2, 0, None))
    shift = 6 * np.sin(2 * np.pi * index / total)
    leaves = {"motion": "x", "boundaries_mm": boundaries.tolist(),
              "lower_mm": np.round(shift - half, 1).tolist(), "upper_mm": np.round(shift + half, 1).tolist()}
    return {"mu": 12.25 + index, "gantry_deg": 181.0 + index, "collimator_deg": 10.0, "couch_deg": 0.0,
            "jaw_x": [-45.0, 45.0], "jaw_y": [-40.0, 40.0], "leaves": [leaves]}


def beam(number: int) -> dict:
    point = {"name": "isocentre", "position_mm": ISOCENTRE_MM, "planned_gy": 0.512,
             "calculated_gy": 0.512 * (1 + 0.01 * (number - 2))}
    return {"number": number, "name": f"field {number}", "machine": "TrueBeam", "energy_mv": 6.0,
            "fluence_mode": "STANDARD", "mu": 80.0 + 7.25 * number, "gantry": str(90 * number - 90),
            "collimator": "10", "couch": "0", "model": "example_6mv", "complexity": None, "points": [point],
            "apertures": [aperture(i, 6) for i in range(6)]}


def sample(with_volumes: bool = True) -> dict:
    """The whole check. The patient's name holds what would break a page that puts text in as HTML."""
    uid = "1.2.826.0.1.3680043.8.498.1234567890123456789012345"
    kinds = (("RTPLAN", 1), ("RTSTRUCT", 1), ("CT", 60), ("RTDOSE", 1))
    objects = [{"kind": kind, "uid": f"{uid}.{i}", "label": kind.lower(), "date": "20261128", "files": files,
                "sha256": "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"}
               for i, (kind, files) in enumerate(kinds)]
    complexity = [{"beam": n, "mu": 80 + 7.25 * n, "mu_per_gy": None, "mcs": 0.61, "leaf_travel_mm": None,
                   "sas_5mm": 0.012, "sas_10mm": 0.034, "edge_metric_per_mm": 0.0271,
                   "mean_aperture_area_cm2": 44.2} for n in (1, 2, 3, 4)]
    return {
        "format": "libdose-check 1", "libdose": "0.2.0", "created": "2026-12-01T10:00:00Z", "verdict": "FAIL",
        "patient": {"id": "PHANTOM-7", "name": "Doe^Jane </script><b>", "birth_date": "19500102", "sex": "F"},
        "plan": {"label": "Lung left", "name": "", "date": "20261128", "sop_instance_uid": uid + ".0",
                 "approval": "UNAPPROVED", "fractions": 30, "fraction_group": 1, "machine": "TrueBeam",
                 "prescriptions": [{"name": "PTV", "dose_gy": PRESCRIBED_GY}]},
        "objects": objects,
        "protocol": {"name": "default", "version": "1", "site": "lung", "hash": "a1" * 32},
        "rows": rows(), "beams": [beam(n) for n in (1, 2, 3, 4)], "histograms": histograms(),
        "gammas": [{"criterion": "3 % / 2 mm, global, above 10 %", "region": "body", "passed": 112345,
                    "failed": 2762, "not_evaluated": 45012, "pass_rate_percent": 97.6}],
        "attribution": {"verdict": "output",
                        "sentence": "The output of beam 2 explains 94 % of the difference.",
                        "difference_percent": 1.24, "causes": [
                            {"kind": "output", "name": "output of beam 2", "size": 3.1, "unit": "%",
                             "explained": 0.94},
                            {"kind": "shift", "name": "shift in x", "size": -0.4, "unit": "mm",
                             "explained": 0.11}], "not_tried": ["grid: the doses have the same grid"]},
        "complexity": complexity, "speed_notes": [],
        "known_offsets": ["In lung, collapsed cone and Acuros differ by up to 2 % in the target."],
        "assumptions": ["The CT has no table of its own for HU: \"generic\" was used.",
                        "No couch was put under the body."],
        "method": {"algorithm": "collapsed_cone", "quality": "standard", "backend": "cpu",
                   "settings": {"directions": "106"}, "model_hashes": {"example_6mv": "b2" * 32},
                   "hu_curve": {"name": "generic", "hash": "c3" * 32}, "seconds": {"calculation": 21.3},
                   "notes": []},
        "volumes": volumes() if with_volumes else None, "outlines": outlines() if with_volumes else []}


def plotly_text() -> str:
    """Plotly's bundle where it is installed, else nothing."""
    for place in PLOTLY_PLACES:
        if pathlib.Path(place).is_file():
            return pathlib.Path(place).read_text(encoding="utf-8")
    return ""


def packed_text(text: str) -> str:
    """Base64 of gzip of a text; nothing for nothing."""
    return base64.b64encode(gzip.compress(text.encode("utf-8"), 6)).decode() if text else ""


def page(parts: pathlib.Path, check: dict, plotly: str) -> str:
    """The page, made as libdose makes it: each marker is replaced once."""
    text = (parts / "report.html").read_text(encoding="utf-8")
    data = json.dumps(check).replace("<", "\\u003c")
    for marker, value in (("/*CSS*/", (parts / "report.css").read_text(encoding="utf-8")),
                          ("/*JS*/", (parts / "report.js").read_text(encoding="utf-8")),
                          ("/*PLOTLY*/", packed_text(plotly)), ("<!--DATA-->", data)):
        assert text.count(marker) == 1, marker
        text = text.replace(marker, value, 1)
    return text


if __name__ == "__main__":
    bundle = pathlib.Path(sys.argv[3]).read_text(encoding="utf-8") if len(sys.argv) > 3 else plotly_text()
    pathlib.Path(sys.argv[2]).write_text(page(pathlib.Path(sys.argv[1]), sample(), bundle), encoding="utf-8")
