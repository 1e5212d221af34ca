"""Tables of docs/validation, as Markdown."""

CRITERIA = ("1%/1mm", "2%/1mm", "2%/2mm", "3%/2mm")


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def spacing(case):
    values = case["grid_mm"]
    return f"{values[0]:g}" if len(set(values)) == 1 else " x ".join(f"{v:g}" for v in values)


def agreement(cases):
    rows = []
    for case in cases:
        field, build_up, outside = (case["regions"].get(name, {})
                                    for name in ("in-field", "build-up", "out-of-field"))
        rows.append([case["name"], spacing(case)] + [f"{case['gamma'][c]:.2f}" for c in CRITERIA] + [
            f"{case['gamma_raw']['2%/2mm']:.2f}", f"{field['mean_percent']:+.2f}",
            f"{field['sd_beyond_noise_percent']:.2f}", f"{build_up.get('mean_percent_of_maximum', 0):+.2f}",
            f"{outside.get('mean_percent_of_maximum', 0):+.2f}", f"{field['largest_percent_of_maximum']:.1f}",
            f"{case['seconds']:.1f}"])
    return table(["case", "grid mm", *CRITERIA, "raw 2%/2mm", "in-field mean", "SD beyond noise", "build-up",
                  "out of field", "largest in field", "s"], rows)


def materials(cases):
    rows = []
    for case in cases:
        found = {name[10:]: s for name, s in case["regions"].items() if name.startswith("material: ")}
        if len(found) > 1:
            rows += [[case["name"], name, f"{s['mean_percent']:+.2f}", f"{s['sd_percent']:.2f}",
                      f"{s['reference_noise_percent']:.2f}"] for name, s in found.items()]
    return table(["case", "material", "mean %", "SD %", "noise %"], rows)


def suites(cases):
    """Criteria passed of those that apply."""
    names = list(cases[0]["suites"])
    rows = []
    for case in cases:
        row = [case["name"]]
        for name in names:
            judged = case.get("suites", {}).get(name, [])
            row.append(f"{sum(r['passed'] for r in judged)} of {len(judged)}" if judged else "–")
        rows.append(row)
    return table(["case", *names], rows)


def failed(cases):
    rows = [[case["name"], suite, r["test"], f"{r['value']:.2f} {r['unit']}",
             f"{'≥' if r['at_least'] else '≤'} {r['tolerance']:g} {r['unit']}"] for case in cases
            for suite, judged in case.get("suites", {}).items() for r in judged if not r["passed"]]
    return table(["case", "suite", "criterion", "measured", "tolerance"], rows) if rows else "None."


def lateral_scaling(without, scaled):
    rows = []
    for a, b in zip(without, scaled):
        lung = "material: lung"
        cell = (lambda case: f"{case['regions'][lung]['mean_percent']:+.1f}" if lung in case["regions"]
                else "–")
        rows.append([a["name"], f"{a['gamma']['2%/2mm']:.1f}", f"{b['gamma']['2%/2mm']:.1f}", cell(a),
                     cell(b), f"{a['seconds']:.1f}", f"{b['seconds']:.1f}"])
    return table(["case", "2%/2mm without", "with", "mean in lung % without", "with", "s without", "with"],
                 rows)


def case_of(cases, part):
    return next((c for c in cases if part in c["name"]), None)


def ablation(variants):
    rows = []
    for label, cases in variants:
        waters = [c for c in cases if "water" in c["name"]]
        worst = max((c["regions"]["in-field"]["mean_percent"] for c in waters), key=abs)
        row = [label, f"{min(c['gamma']['1%/1mm'] for c in waters):.2f}", f"{worst:+.2f}"]
        parts = (("slab_lung_6MV", "2%/1mm", "lung"), ("lung_tumour", "2%/1mm", "lung"),
                 ("slab_lung_15MV", "3%/2mm", "lung"), ("titanium", "2%/1mm", "titanium"))
        for part, criterion, material in parts:
            case = case_of(cases, part)
            row += ([f"{case['gamma'][criterion]:.2f}",
                     f"{case['regions']['material: ' + material]['mean_percent']:+.2f}"] if case
                    else ["–", "–"])
        rows.append(row + [f"{sum(c['seconds'] for c in cases):.0f}"])
    return table(["variant", "water, worst 1%/1mm", "worst mean", "slabs 6 MV 2%/1mm", "lung mean",
                  "tumour 2%/1mm", "lung mean", "slabs 15 MV 3%/2mm", "lung mean", "titanium 2%/1mm",
                  "titanium mean", "s, all cases"], rows)


def quality(found):
    results, difference = found
    rows = []
    for name, cases in results.items():
        waters = [c for c in cases if "water" in c["name"]]
        others = [c for c in cases if "water" not in c["name"]]
        row = [name, f"{min(c['gamma']['2%/1mm'] for c in waters):.2f}",
               f"{max((c['regions']['in-field']['mean_percent'] for c in waters), key=abs):+.2f}",
               f"{min(c['gamma']['2%/2mm'] for c in others):.2f}"]
        row += [f"{difference[name][case][0]:.2f} / {difference[name][case][1]:.2f}"
                for case in sorted(difference[name])]
        rows.append(row + [f"{sum(c['seconds'] for c in cases):.0f}"])
    cases = sorted(difference["standard"])
    return table(["quality", "water, worst 2%/1mm", "worst in-field mean %", "others, worst 2%/2mm",
                  *(f"{c}: largest / 99th percentile" for c in cases), "s, all cases"], rows)


def directions(rows):
    cases = sorted(rows[0][1])
    return table(["directions", *(f"{c}: largest / 99th percentile" for c in cases), "s"],
                 [[setting, *(f"{found[c][0]:.2f} / {found[c][1]:.2f}" for c in cases), f"{seconds:.1f}"]
                  for setting, found, seconds in rows])


def grid(rows):
    names = [c["name"] for c in rows[0][1]]
    out = []
    for mm, cases in rows:
        row = [f"{mm:g}"]
        for case in cases:
            row.append(f"{case['gamma']['2%/2mm']:.2f} / {case['regions']['in-field']['mean_percent']:+.2f} "
                       f"/ {case['seconds']:.1f}")
        out.append(row)
    return table(["grid mm", *(f"{n}: 2%/2mm / mean % / s" for n in names)], out)


def arc(rows):
    return table(["step, degrees", "largest difference, % of maximum", "rms above 10 %", "s"],
                 [[f"{s:g}", f"{d:.2f}", f"{r:.3f}", f"{t:.0f}"] for s, d, r, t in rows])


def rotation(found):
    rows = []
    for name, line in found:
        field, first, second = name.split("_")
        words = line.split()
        rows.append([field.removeprefix("Field").replace("mm", " mm"), first, second, words[2], words[5],
                     words[-1]])
    return table(["field", "about x, degrees", "about y, degrees", "1%/1mm, %", "voxels", "largest gamma"],
                 rows)
