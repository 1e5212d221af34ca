// The page of a check: builds it from the JSON in the element "data". No framework; nothing is loaded.
// The JSON is described in docs/reference/check-json.md. Any part of it may be absent.
"use strict";

// ---------------------------------------------------------------------------------------------- small tools
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; text is always text, never HTML. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const list = (value) => (Array.isArray(value) ? value : []);
const known = (value) => value !== null && value !== undefined && value !== "";
const text = (value, missing = "not known") => (known(value) ? String(value) : missing);
/** A number with fixed decimals, a true minus sign and a dash where there is none. */
function number(value, decimals, sign = false) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  const rounded = value.toFixed(decimals).replace(/^-(0(\.0*)?)$/, "$1").replace("-", "−");
  return sign && value > 0 && Number(value.toFixed(decimals)) !== 0 ? "+" + rounded : rounded;
}
const count = (value) => (known(value) ? String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f") : "–");
/** DICOM dates 20261201 as 2026-12-01. */
const date = (value) => text(value).replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");

/**
 * A table with a caption. Columns: name, and class "number", "code" or none; cells: text or nodes; kind: the
 * class of the table.
 */
function table(caption, columns, rows, kind = null) {
  const head = columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name));
  const body = rows.map((cells) => el("tr", {}, cells.map((cell, c) => (c === 0
    ? el("th", { scope: "row", class: columns[c][1] }, cell)
    : el("td", { class: columns[c][1] }, cell)))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", { class: kind }, el("caption", {}, caption),
      el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
}

function definitions(pairs) {
  return el("dl", {}, pairs.filter(([, value]) => known(value))
    .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

const missing = (sentence) => el("p", { class: "missing" }, sentence);
const bullets = (items) => el("ul", { class: "plain" }, items.map((item) => el("li", {}, item)));

// ------------------------------------------------------------------------------------------------- verdicts
const SHAPES = {
  "PASS": [["circle", { cx: 12, cy: 12, r: 10 }], ["path", { d: "M7 12.5l3.4 3.5L17 8.5" }]],
  "LOOK": [["path", { d: "M12 2.5L22.5 21H1.5z" }], ["path", { d: "M12 9v6M12 17.4v1.2" }]],
  "FAIL": [["path", { d: "M8 1.5h8L22.5 8v8L16 22.5H8L1.5 16V8z", fill: "currentColor" }],
    ["path", { d: "M8 8l8 8M16 8l-8 8", stroke: "#fff" }]],
  "NOT CHECKED": [["rect", { x: 2.5, y: 2.5, width: 19, height: 19, "stroke-dasharray": "4 2.6" }],
    ["path", { d: "M9 9.2a3 3 0 1 1 4.2 2.8c-.9.5-1.2 1-1.2 2M12 16.6v1.4" }]],
};
const ORDER = ["FAIL", "NOT CHECKED", "LOOK", "PASS"];
/** What is no verdict is none: it counts as not checked. */
const verdictOf = (word) => (ORDER.includes(word) ? word : "NOT CHECKED");
const verdictClass = (word) => "v-" + verdictOf(word).toLowerCase().replace(" ", "-");

/** The shape of a verdict: circle, triangle, octagon or dashed square. The word stands beside it. */
function shape(word) {
  const parts = SHAPES[verdictOf(word)].map(([tag, attributes]) => svg(tag, attributes));
  return svg("svg", { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
    "data-shape": verdictOf(word) }, ...parts);
}

const verdict = (word) => el("span", { class: "verdict " + verdictClass(word) }, shape(word),
  verdictOf(word));

const rows = list(data.rows);
const worst = (some) => [...some].sort((a, b) =>
  ORDER.indexOf(verdictOf(a.verdict)) - ORDER.indexOf(verdictOf(b.verdict)));
const rowTitle = (row) => text(row.name, row.id) + (known(row.subject) ? ", " + row.subject : "");
const rowValue = (row) => (known(row.value) ? number(row.value, 1, row.unit === "%" && row.section === "dose"
  && row.id !== "goal")
  + (known(row.unit) ? " " + row.unit : "") : "");

/** How many rows there are of each verdict, in words. */
function summary() {
  if (rows.length === 0) return "Nothing was checked.";
  const counts = ORDER.map((word) => [word, rows.filter((row) => verdictOf(row.verdict) === word).length]);
  const parts = counts.filter(([, n]) => n > 0).map(([word, n]) => `${n} ${word}`);
  return `${rows.length} rows: ${parts.join(", ")}. The worst row decides.`;
}

// --------------------------------------------------------------------------------------------------- page 1
const LINES_OF_REASONS = 20;  // that fit on page 1 beside the rest

/** The rows that are not PASS. Page 1 is one page: what does not fit is counted and stands on the next. */
function reasons() {
  const open = worst(rows.filter((row) => verdictOf(row.verdict) !== "PASS"));
  if (open.length === 0) return [el("p", {}, rows.length ? "Every row is PASS." : "There are no rows.")];
  const shown = [];
  let lines = 0;
  for (const row of open) {
    lines += Math.ceil((rowTitle(row).length + text(row.reason, "").length + 2) / 105);
    if (lines > LINES_OF_REASONS && shown.length > 0) break;
    shown.push(el("li", {}, verdict(row.verdict),
      el("span", {}, el("b", {}, rowTitle(row)), ": ", text(row.reason, "no reason was given"))));
  }
  const left = open.length - shown.length;
  const more = left > 0 ? el("p", {},
    el("b", {}, `${left} more ${left === 1 ? "row is" : "rows are"} not PASS`),
    ": see ", el("a", { href: "#rows" }, "All rows"), ".") : null;
  return [el("ul", { class: "reasons" }, shown), more];
}

function identity() {
  const patient = data.patient || {}, plan = data.plan || {};
  const prescriptions = list(plan.prescriptions).map((p) =>
    `${number(p.dose_gy, 2)} Gy${known(p.name) ? " to " + p.name : ""}`).join("; ");
  const fractions = known(plan.fractions) ? `${plan.fractions} fractions` : null;
  return el("div", { class: "columns" },
    el("section", { "aria-labelledby": "h-patient" }, el("h2", { id: "h-patient" }, "Patient"),
      data.patient ? definitions([["Name", text(patient.name)], ["ID", text(patient.id)],
        ["Born", date(patient.birth_date)], ["Sex", text(patient.sex)]])
        : el("p", {}, "No patient is known: no object names one.")),
    el("section", { "aria-labelledby": "h-plan" }, el("h2", { id: "h-plan" }, "Plan"),
      data.plan ? definitions([["Label", text(plan.label) + (known(plan.name) ? ` (${plan.name})` : "")],
        ["Date", date(plan.date)], ["Approval", text(plan.approval)], ["Machine", text(plan.machine)],
        ["Prescribed", prescriptions || "not in the plan"], ["Delivered in", fractions]])
        : el("p", {}, "There is no plan.")));
}

/** Prescription against plan against dose, then the targets' figures and the worst organ. */
function doseRows() {
  const pick = (test) => rows.filter((row) => test(text(row.id, "")));
  const targets = worst(pick((id) => /^target-(d98|d50|dmean)/.test(id)));
  const organs = worst(pick((id) => id === "goal"));
  const chosen = [...pick((id) => id.includes("prescription")).slice(0, 2), ...targets.slice(0, 9),
    ...organs.slice(0, 1)];
  if (chosen.length === 0) return missing("No target or organ dose was compared.");
  const cells = chosen.map((row) => [rowTitle(row), text(row.planned, "–"), text(row.calculated, "–"),
    rowValue(row) || "–", verdict(row.verdict)]);
  const left = targets.length - 9;
  return [table("Prescription, targets and worst organ", [["Quantity"], ["Planned", "number"],
    ["Calculated", "number"], ["Result", "number"], ["Verdict"]], cells),
  left > 0 ? el("p", {}, `${left} more figures of targets: see All rows.`) : null];
}

const percentOf = (point) => (point.planned_gy
  ? 100 * (point.calculated_gy - point.planned_gy) / point.planned_gy : null);

function beamRows() {
  const beams = list(data.beams);
  if (beams.length === 0) return missing("There are no beams.");
  const most = 8;
  const cells = beams.slice(0, most).map((beam) => {
    const point = list(beam.points)[0] || {};
    return [`${beam.number} ${text(beam.name, "")}`, number(beam.mu, 1), number(point.planned_gy, 3),
      number(point.calculated_gy, 3), number(percentOf(point), 1, true)];
  });
  return [table("MU and point dose of each beam, one fraction", [["Beam"], ["MU", "number"],
    ["Planned Gy", "number"], ["Calculated Gy", "number"], ["Difference %", "number"]], cells),
  beams.length > most ? el("p", {}, `${beams.length - most} more beams: see Beams.`) : null];
}

function gammaTable(most) {
  const gammas = list(data.gammas);
  if (gammas.length === 0) return missing("Gamma was not evaluated.");
  const cells = gammas.slice(0, most).map((g) => [`${g.criterion}; ${g.region}`,
    number(g.pass_rate_percent, 1), count(g.passed), count(g.failed), count(g.not_evaluated)]);
  return [table("Gamma", [["Criterion and region"], ["Rate %", "number"], ["Passed", "number"],
    ["Failed", "number"], ["Not evaluated", "number"]], cells),
  gammas.length > most ? el("p", {}, `${gammas.length - most} more comparisons: see Gamma.`) : null];
}

/** As many items as fit in some lines; the others are counted. */
function fitting(items, lines, width, place) {
  const shown = [];
  let used = 0;
  for (const item of items) {
    used += Math.ceil(String(item).length / width);
    if (used > lines) break;
    shown.push(item);
  }
  const left = items.length - shown.length;
  return left > 0 ? [...shown, `${left} more: see ${place}.`] : shown;
}

function objectTable(whole) {
  const objects = list(data.objects);
  if (objects.length === 0) return missing("No objects were read.");
  const most = whole ? objects.length : 5;
  const cells = objects.slice(0, most).map((o) => [text(o.kind), text(o.label, ""), date(o.date),
    count(o.files), text(o.uid), whole ? text(o.sha256) : text(o.sha256).slice(0, 12)]);
  return [table(whole ? "Objects with whole hashes" : "Objects that were read",
    [["Kind"], ["Label"], ["Date"],
    ["Files", "number"], ["UID", "code"], ["SHA-256", "code"]], cells, "wide"),
  objects.length > most ? el("p", {}, `${objects.length - most} more objects: see Method.`) : null];
}

function signature() {
  const box = (word) => el("div", {}, el("span", { class: "box" }), word);
  return el("section", { class: "sign", "aria-label": "Signature" },
    el("div", {}, box("accepted"), box("not accepted")), el("div", { class: "field" }, "Name"),
    el("div", { class: "field" }, "Date"), el("div", { class: "field" }, "Signature"));
}

function pageOne() {
  const protocol = data.protocol || {};
  const site = known(protocol.site) ? ", site " + protocol.site : "";
  const assumed = fitting(list(data.assumptions), 6, 72, "Method");
  const word = verdictOf(data.verdict);
  return el("section", { id: "summary", class: "sheet", "aria-labelledby": "h-summary" },
    el("div", { class: "sheet-head" }, el("h1", { id: "h-summary" }, "Independent dose check"),
      el("span", { class: "soft" }, `libdose ${text(data.libdose)} · `
        + text(data.created).replace("T", " ").replace("Z", " UTC"))),
    el("div", { class: "band " + verdictClass(word), id: "verdict" }, shape(word),
      el("div", {}, el("div", { class: "word" }, word), el("div", { class: "sum" }, summary()))),
    identity(),
    el("h2", {}, "What needs a look"), reasons(),
    doseRows(),
    el("div", { class: "columns" }, el("div", {}, beamRows()), el("div", {}, gammaTable(5))),
    el("div", { class: "columns" },
      el("div", {}, el("h2", {}, "Assumed"),
        assumed.length ? bullets(assumed) : el("p", {}, "Nothing had to be assumed.")),
      el("div", {}, el("h2", {}, "Cause of the difference"),
        el("p", {}, text((data.attribution || {}).sentence, "No cause was looked for.")),
        el("p", { class: "soft" }, `Protocol ${text(protocol.name)} ${text(protocol.version, "")}${site}, `,
          "SHA-256 ",
          el("span", { class: "code" }, text(protocol.hash).slice(0, 12))))),
    objectTable(false), signature(),
    el("p", { class: "soft" },
      "Not a medical device. The result needs the judgement of a qualified physicist."));
}

// --------------------------------------------------------------------------------------------------- tables
function section(id, title, ...children) {
  return el("section", { id, "aria-labelledby": "h-" + id, "data-title": title },
    el("h2", { id: "h-" + id }, title), ...children);
}

function allRows() {
  const names = { integrity: "Integrity", dose: "Dose", gamma: "Gamma" };
  const parts = [...new Set(["integrity", "dose", "gamma", ...rows.map((row) => row.section)])].map((id) => {
    const some = rows.filter((row) => row.section === id);
    if (some.length === 0) return missing(`No row of the section ${names[id] || id}.`);
    const cells = some.map((row) => [rowTitle(row), verdict(row.verdict), text(row.planned, ""),
      text(row.calculated, ""), rowValue(row), text(row.reason, ""),
      el("span", {}, text(row.limit, ""), el("br"), el("span", { class: "soft" }, text(row.source, "")))]);
    return table(names[id] || id, [["Checked"], ["Verdict"], ["Planned", "number"], ["Calculated", "number"],
      ["Result", "number"], ["Reason"], ["Limit and its source"]], cells, "wide all-rows");
  });
  return section("rows", "All rows", ...parts);
}

function goals() {
  const some = rows.filter((row) => row.id === "goal");
  const cells = some.map((row) => [text(row.subject), text(row.name), text(row.planned, "–"),
    text(row.calculated, "–"), text(row.limit, ""), verdict(row.verdict), text(row.source, "")]);
  return section("goals", "Goals", some.length === 0
    ? missing("The protocol has no goal for these structures.")
    : table("Goals in absolute dose", [["Structure"], ["Goal"], ["Planned", "number"],
      ["Calculated", "number"],
      ["Limit"], ["Verdict"], ["Source"]], cells, "wide"));
}

function attribution() {
  const a = data.attribution;
  if (!a) return section("attribution", "Attribution", missing("No cause was looked for."));
  const cells = list(a.causes).map((c) => [text(c.kind), text(c.name), number(c.size, 2, c.unit !== ""),
    text(c.unit, ""), number(100 * c.explained, 0)]);
  return section("attribution", "Attribution", el("p", {}, el("b", {}, text(a.verdict)), ": ",
    text(a.sentence, "")),
    el("p", {}, "Root mean square of the difference: " + number(a.difference_percent, 2)
      + " % of the planned maximum."),
    cells.length ? table("Causes that were tried", [["Kind"], ["Cause"], ["Best size", "number"], ["Unit"],
      ["Explains %", "number"]], cells) : null,
    list(a.not_tried).length ? [el("h3", {}, "Not tried"), bullets(list(a.not_tried))] : null);
}

/** Settings and the like: any JSON as pairs. */
function pairs(value) {
  return definitions(Object.entries(value || {}).map(([name, v]) => [name,
    el("span", { class: "code" }, typeof v === "object" ? JSON.stringify(v) : String(v))]));
}

function method() {
  const m = data.method;
  const notes = (title, items) => (list(items).length ? [el("h3", {}, title), bullets(list(items))] : null);
  const curve = (m || {}).hu_curve || {};
  return section("method", "Method",
    m ? definitions([["Algorithm", text(m.algorithm)], ["Quality", text(m.quality)],
      ["Backend", text(m.backend)],
      ["HU table", text(curve.name)], ["Its hash", known(curve.hash)
        ? el("span", { class: "code" }, curve.hash)
        : null], ["Protocol hash", el("span", { class: "code" }, text((data.protocol || {}).hash))]])
      : missing("Nothing was calculated."),
    m && known(m.settings) ? [el("h3", {}, "Settings"), pairs(m.settings)] : null,
    m && known(m.model_hashes) ? [el("h3", {}, "Hashes of the beam models"), pairs(m.model_hashes)] : null,
    m && known(m.seconds) ? [el("h3", {}, "Seconds"), definitions(Object.entries(m.seconds).map(([name, s]) =>
      [name, number(s, 2)]))] : null,
    notes("Assumptions", data.assumptions), notes("Notes of the calculation", (m || {}).notes),
    notes("Known differences of algorithms", data.known_offsets), notes("Speeds", data.speed_notes),
    objectTable(true));
}

// ---------------------------------------------------------------------------------------------------- beams
/** Half the side of what is drawn: the jaws or leaves, and some room. */
function fieldExtent(beam) {
  let most = 30;
  const take = (values) => list(values).forEach((v) => { most = Math.max(most, Math.abs(v)); });
  for (const a of list(beam.apertures)) {
    if (a.jaw_x || a.jaw_y) {
      take(a.jaw_x);
      take(a.jaw_y);
    } else {
      list(a.leaves).forEach((m) => take(m.lower_mm));
    }
  }
  return Math.min(most + 15, 220);
}

/** One aperture as seen from the source: x to the right, y up, at the isocentre, in mm. */
function drawAperture(picture, aperture, half) {
  const rectangle = (x0, x1, y0, y1, fill) => svg("rect", { x: Math.min(x0, x1), y: -Math.max(y0, y1),
    width: Math.abs(x1 - x0), height: Math.abs(y1 - y0), fill, stroke: "#5b6875",
      "stroke-width": half / 400 });
  const parts = [svg("rect", { x: -half, y: -half, width: 2 * half, height: 2 * half, fill: "#fff8e1" })];
  for (const mlc of list(aperture.leaves)) {
    mlc.lower_mm.forEach((lower, i) => {
      const [from, to] = [mlc.boundaries_mm[i], mlc.boundaries_mm[i + 1]];
      const along = (a, b) => (mlc.motion === "y" ? rectangle(from, to, a, b, "#b9c9d9")
        : rectangle(a, b, from, to, "#b9c9d9"));
      if (lower > -half) parts.push(along(-half, Math.min(lower, half)));
      if (mlc.upper_mm[i] < half) parts.push(along(Math.max(mlc.upper_mm[i], -half), half));
    });
  }
  const jaw = (pair, make) => { if (pair) parts.push(make(-half, pair[0]), make(pair[1], half)); };
  jaw(aperture.jaw_x, (a, b) => rectangle(a, Math.max(a, b), -half, half, "#46535fb0"));
  jaw(aperture.jaw_y, (a, b) => rectangle(-half, half, a, Math.max(a, b), "#46535fb0"));
  parts.push(svg("path", { d: `M${-half} 0H${half}M0 ${-half}V${half}`, stroke: "#9a4600",
    "stroke-width": half / 250,
    "stroke-dasharray": `${half / 40} ${half / 60}`, fill: "none" }));
  const bar = svg("g", {}, svg("rect", { x: half * 0.9 - 53, y: half * 0.8, width: 56, height: half * 0.19,
    fill: "#fffffff0" }), svg("path", { d: `M${half * 0.9 - 50} ${half * 0.94}h50`, stroke: "#16202b",
    "stroke-width": half / 60 }), svg("text", { x: half * 0.9 - 25, y: half * 0.9, "text-anchor": "middle",
    "font-size": half * 0.085, fill: "#16202b" }, "5 cm"));
  picture.replaceChildren(...parts, bar);
}

function apertureWords(aperture, index, total) {
  const jaws = (pair) => (pair ? `${number(pair[0], 1)} to ${number(pair[1], 1)} mm` : "none");
  return `Aperture ${index + 1} of ${total}: ${number(aperture.mu, 2)} MU, gantry `
    + `${number(aperture.gantry_deg, 1)}°, collimator ${number(aperture.collimator_deg, 1)}°, jaws x `
    + `${jaws(aperture.jaw_x)}, y ${jaws(aperture.jaw_y)}`;
}

/** The apertures of a beam with a slider through them. */
function apertureBox(beam) {
  const apertures = list(beam.apertures);
  if (apertures.length === 0) return missing("No aperture is known.");
  const half = fieldExtent(beam);
  const picture = svg("svg", { class: "aperture", viewBox: `${-half} ${-half} ${2 * half} ${2 * half}`,
    role: "img" });
  const words = el("p", { class: "soft", "aria-live": "polite" });
  const slider = el("input", { type: "range", min: 0, max: apertures.length - 1, value: 0,
    "aria-label": `Aperture of beam ${beam.number}` });
  const show = () => {
    const index = Number(slider.value);
    drawAperture(picture, apertures[index], half);
    const sentence = apertureWords(apertures[index], index, apertures.length);
    words.textContent = sentence;
    picture.setAttribute("aria-label", sentence);
    slider.setAttribute("aria-valuetext", sentence);
  };
  slider.addEventListener("input", show);
  show();
  return el("div", {}, picture, apertures.length > 1 ? slider : null, words);
}

function beamBox(beam) {
  const cells = list(beam.points).map((p) => [text(p.name), list(p.position_mm).map((x) => number(x,
    1)).join(", "),
    number(p.planned_gy, 3), number(p.calculated_gy, 3), number(percentOf(p), 1, true)]);
  const energy = known(beam.energy_mv) ? `${beam.energy_mv} MV ${text(beam.fluence_mode, "")}` : null;
  return el("section", { class: "beam", "aria-label": `Beam ${beam.number}` }, apertureBox(beam),
    el("div", {}, el("h3", {}, `Beam ${beam.number} ${text(beam.name, "")}`),
      definitions([["Machine", beam.machine], ["Energy", energy], ["MU of one fraction", number(beam.mu, 2)],
        ["Gantry", known(beam.gantry) ? beam.gantry + "°" : null],
        ["Collimator", known(beam.collimator) ? beam.collimator + "°" : null],
        ["Couch", known(beam.couch) ? beam.couch + "°" : null], ["Beam model", beam.model],
        ["Apertures with MU", list(beam.apertures).length]]),
      cells.length ? table(`Points of beam ${beam.number}, one fraction`,
        [["Point"], ["Position mm", "number"],
        ["Planned Gy", "number"], ["Calculated Gy", "number"], ["Difference %", "number"]], cells) : null));
}

function complexity() {
  const some = list(data.complexity);
  if (some.length === 0) return null;
  const cells = some.map((c) => [c.beam ? `Beam ${c.beam}` : "Plan", number(c.mu, 1), number(c.mu_per_gy, 1),
    number(c.mcs, 3), number(c.leaf_travel_mm, 1), number(c.sas_5mm, 3), number(c.sas_10mm, 3),
    number(c.edge_metric_per_mm, 4), number(c.mean_aperture_area_cm2, 1)]);
  return table("Complexity, as context without a verdict", [["Of"], ["MU", "number"], ["MU per Gy", "number"],
    ["MCS", "number"], ["Leaf travel mm", "number"], ["Small apertures, 5 mm", "number"],
    ["Small apertures, 10 mm", "number"], ["Edge metric 1/mm", "number"], ["Mean area cm²", "number"]], cells,
      "wide");
}

function beamSection() {
  const beams = list(data.beams);
  return section("beams", "Beams", beams.length ? el("p", {},
    "Apertures at the isocentre, seen from the source: "
    + "light is open, blue-grey are leaves, dark are jaws.")
      : missing("There are no beams: no plan was read."),
  beams.map(beamBox), complexity());
}

// --------------------------------------------------------------------------------------------------- planes
const volumes = data.volumes || null;
const view = { point: [0, 0, 0], overlay: "none", style: "wash", window: "body", outlines: true };
const voxels = {};  // typed arrays of ct, planned, calculated, difference, gamma
/** The planes: which axis runs to the right, which down (and whether it is flipped), which one scrolls. */
const PLANES = [
  { name: "axial", title: "Axial", right: 0, down: 1, flip: false, through: 2, letter: "z" },
  { name: "coronal", title: "Coronal", right: 0, down: 2, flip: true, through: 1, letter: "y" },
  { name: "sagittal", title: "Sagittal", right: 1, down: 2, flip: true, through: 0, letter: "x" },
];
const WINDOWS = { body: ["Soft tissue, −160 to 240 HU", -160, 240],
  lung: ["Lung, −1000 to 200 HU", -1000, 200],
  bone: ["Bone, −450 to 1050 HU", -450, 1050], whole: ["Whole range", -1000, 1500] };
const OVERLAYS = { none: "CT alone", planned: "Planned dose", calculated: "Calculated dose",
  difference: "Calculated − planned", gamma: "Gamma" };
// Stops of cividis (Nuñez, Anderton and Renslow, PLoS ONE 2018): even steps of lightness, for every eye.
const DOSE_COLOURS = [[0, 34, 78], [42, 63, 109], [87, 93, 109], [125, 124, 120], [166, 157, 117],
  [210, 193, 100], [254, 232, 56]];
const DIFFERENCE_COLOURS = [[8, 48, 107], [66, 135, 199], [245, 245, 245], [230, 140, 40], [127, 59, 8]];
const GAMMA_COLOURS = [[222, 235, 247], [133, 178, 217], [66, 110, 170], [230, 140, 40], [127, 59, 8]];
const OUTLINE_COLOURS = ["#ffffff", "#56b4e9", "#e69f00", "#f0e442", "#cc79a7", "#9ad0c0", "#d9b38c"];
const LEVELS = [20, 50, 80, 90, 95, 100, 105];  // percent of the reference dose
const DIFFERENCE_REACH = 5, GAMMA_REACH = 2;    // ends of the colour bars: percent, gamma

/** Bytes of base64 of gzip. Done by the browser, without a request. */
async function unpack(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** Runs Plotly's bundle, which lies packed in the page; the page has no curves where it is empty. */
async function loadPlotly() {
  const packed = document.getElementById("plotly").textContent.trim();
  if (packed === "") return;
  try {
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(await unpack(packed));
    document.head.append(script);
  } catch (error) {
    window.Plotly = undefined;  // the tables stand in for the curves
  }
}

async function unpackVolumes() {
  const total = volumes.size[0] * volumes.size[1] * volumes.size[2];
  for (const name of ["ct", "planned", "calculated", "difference", "gamma"]) {
    if (!volumes[name]) continue;
    const bytes = await unpack(volumes[name].data);
    const wide = name === "planned" || name === "calculated";
    // Doses are little-endian, as is every machine that has a current browser.
    voxels[name] = wide ? new Uint16Array(bytes) : new Uint8Array(bytes);
    if (voxels[name].length !== total) throw new Error(`The volume "${name}" has not ${total} voxels.`);
    volumes[name].data = null;
  }
}

const indexOf = (p) => (p[2] * volumes.size[1] + p[1]) * volumes.size[0] + p[0];
const positionOf = (axis, index) => volumes.origin_mm[axis] + index * volumes.spacing_mm[axis];
/** A value in its unit: HU, Gy, percent of the planned maximum or gamma; null where there is none. */
function valueAt(name, index) {
  if (!voxels[name]) return null;
  const raw = voxels[name][index], about = volumes[name];
  if (name === "ct") return about.lower + (raw / 255) * (about.upper - about.lower);
  if (name === "difference") return (raw - 128) * about.percent_per_count;
  if (name === "gamma") return raw === 255 ? null : raw * about.per_count;
  return raw * about.scale_gy;
}

/** The dose that is 100 % of isodoses and the end of the colour bar: the highest prescription or dose. */
function referenceDose() {
  const prescribed = list((data.plan || {}).prescriptions).map((p) => p.dose_gy || 0);
  if (Math.max(0, ...prescribed) > 0) return Math.max(...prescribed);
  return view.maximum;
}

function largestDose() {
  let most = 0;
  for (const name of ["planned", "calculated"]) {
    if (!voxels[name]) continue;
    let raw = 0;
    for (const v of voxels[name]) if (v > raw) raw = v;
    most = Math.max(most, raw * volumes[name].scale_gy);
  }
  return most;
}

/** The colour at a part, 0 to 1, of a list of stops. */
function colourOf(stops, part) {
  const at = Math.min(Math.max(part, 0), 1) * (stops.length - 1),
    low = Math.min(Math.floor(at), stops.length - 2);
  return stops[low].map((c, i) => Math.round(c + (stops[low + 1][i] - c) * (at - low)));
}

/** Colour and opacity of an overlay at a voxel; null where nothing lies over the CT. */
function overlayColour(name, value) {
  if (value === null) return null;
  if (name === "difference") {
    if (Math.abs(value) < 0.5) return null;
    return [colourOf(DIFFERENCE_COLOURS, 0.5 + value / (2 * DIFFERENCE_REACH)), 0.65];
  }
  if (name === "gamma") return [colourOf(GAMMA_COLOURS, value / GAMMA_REACH), value > 1 ? 0.9 : 0.45];
  return value < 0.1 * view.reference ? null : [colourOf(DOSE_COLOURS, value / view.maximum), 0.55];
}

/** Index of the voxel of a plane at column a and row b of its picture. */
function planeVoxel(plane, a, b) {
  const p = [...view.point];
  p[plane.right] = a;
  p[plane.down] = plane.flip ? volumes.size[plane.down] - 1 - b : b;
  return indexOf(p);
}

function slicePicture(plane) {
  const width = volumes.size[plane.right], height = volumes.size[plane.down];
  const image = new ImageData(width, height);
  const [, low, high] = WINDOWS[view.window], wash = view.style === "wash" || !isDose(view.overlay);
  for (let b = 0; b < height; b++)
    for (let a = 0; a < width; a++) {
      const voxel = planeVoxel(plane, a, b), at = 4 * (b * width + a);
      const hu = voxels.ct ? valueAt("ct", voxel) : -1000;
      const grey = 255 * Math.min(Math.max((hu - low) / (high - low), 0), 1);
      const over = wash && view.overlay !== "none"
        ? overlayColour(view.overlay, valueAt(view.overlay, voxel)) : null;
      for (let c = 0; c < 3; c++) image.data[at + c] =
        over ? grey * (1 - over[1]) + over[0][c] * over[1] : grey;
      image.data[at + 3] = 255;
    }
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

const isDose = (name) => name === "planned" || name === "calculated";

/** Where a line of one level crosses the square of four values: pairs of points, by marching squares. */
function crossings(values, level) {
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1]], found = [];
  for (let e = 0; e < 4; e++) {
    const [from, to] = [values[e], values[(e + 1) % 4]];
    if ((from >= level) === (to >= level)) continue;
    const part = (level - from) / (to - from), [p, q] = [corners[e], corners[(e + 1) % 4]];
    found.push([p[0] + (q[0] - p[0]) * part, p[1] + (q[1] - p[1]) * part]);
  }
  return found;
}

function drawIsodoses(plane, context, scaleX, scaleY) {
  const width = volumes.size[plane.right], height = volumes.size[plane.down];
  context.lineWidth = 1.6;
  for (const percent of LEVELS) {
    const level = percent / 100 * view.reference;
    context.strokeStyle = `rgb(${levelColour(percent)})`;
    context.beginPath();
    for (let b = 0; b + 1 < height; b++)
      for (let a = 0; a + 1 < width; a++) {
        const values = [[a, b], [a + 1, b], [a + 1, b + 1], [a, b + 1]].map(([c, r]) =>
          valueAt(view.overlay, planeVoxel(plane, c, r)));
        const found = crossings(values, level);
        for (let i = 0; i + 1 < found.length; i += 2) {
          context.moveTo((a + 0.5 + found[i][0]) * scaleX, (b + 0.5 + found[i][1]) * scaleY);
          context.lineTo((a + 0.5 + found[i + 1][0]) * scaleX, (b + 0.5 + found[i + 1][1]) * scaleY);
        }
      }
    context.stroke();
  }
}
const levelColour = (percent) => colourOf(DOSE_COLOURS, 0.25 + 0.75 * (percent - 20) / 85);

/** From mm to pixels of a plane's canvas. */
function pixelOf(plane, axis, mm, length) {
  const part = (mm - volumes.origin_mm[axis]) / volumes.spacing_mm[axis] + 0.5;
  const along = part / volumes.size[axis] * length;
  return axis === plane.down && plane.flip ? length - along : along;
}

/** Contours that lie on the shown axial plane, the nearest within half a contour spacing. */
function drawOutlines(plane, context, width, height) {
  const z = positionOf(2, view.point[2]);
  list(data.outlines).forEach((outline, o) => {
    context.strokeStyle = outline.color || OUTLINE_COLOURS[o % OUTLINE_COLOURS.length];
    context.lineWidth = 1.5;
    context.setLineDash(o >= OUTLINE_COLOURS.length ? [5, 3] : []);
    const nearest = Math.min(...list(outline.contours).map((c) => Math.abs(c.z_mm - z)));
    if (nearest > volumes.spacing_mm[2] / 2 + 1e-3) return;
    for (const contour of outline.contours) {
      if (Math.abs(Math.abs(contour.z_mm - z) - nearest) > 1e-3) continue;
      context.beginPath();
      for (let i = 0; i + 1 < contour.points.length; i += 2)
        context.lineTo(pixelOf(plane, 0, contour.points[i], width),
          pixelOf(plane, 1, contour.points[i + 1], height));
      context.closePath();
      context.stroke();
    }
  });
  context.setLineDash([]);
}

function drawCross(plane, context, width, height) {
  const x = pixelOf(plane, plane.right, positionOf(plane.right, view.point[plane.right]), width);
  const y = pixelOf(plane, plane.down, positionOf(plane.down, view.point[plane.down]), height);
  context.beginPath();
  for (const [from, to] of [[[0, y], [x - 8, y]], [[x + 8, y], [width, y]], [[x, 0], [x, y - 8]],
    [[x, y + 8], [x, height]]]) {
    context.moveTo(...from);
    context.lineTo(...to);
  }
  context.lineWidth = 1;
  context.strokeStyle = "#ffffffb0";
  context.stroke();
}

/** Letters of the patient's sides: R, L, A, P, F, H. */
function drawSides(plane, context, width, height) {
  const sides = { axial: "RLAP", coronal: "RLHF", sagittal: "APHF" }[plane.name];
  context.font = "bold 15px sans-serif";
  context.fillStyle = "#fff";
  context.textBaseline = "middle";
  context.textAlign = "center";
  [[12, height / 2], [width - 12, height / 2], [width / 2, 12],
    [width / 2, height - 12]].forEach(([x, y], s) => {
    context.strokeStyle = "#000";
    context.lineWidth = 3;
    context.strokeText(sides[s], x, y);
    context.fillText(sides[s], x, y);
  });
}

function drawPlane(plane) {
  const { canvas } = plane, context = canvas.getContext("2d");
  context.imageSmoothingEnabled = true;
  context.drawImage(slicePicture(plane), 0, 0, canvas.width, canvas.height);
  if (view.style === "lines" && isDose(view.overlay))
    drawIsodoses(plane, context, canvas.width / volumes.size[plane.right],
      canvas.height / volumes.size[plane.down]);
  if (view.outlines && plane.name === "axial") drawOutlines(plane, context, canvas.width, canvas.height);
  drawCross(plane, context, canvas.width, canvas.height);
  drawSides(plane, context, canvas.width, canvas.height);
  const index = view.point[plane.through], mm = number(positionOf(plane.through, index), 1);
  const words = `${plane.letter} ${mm} mm, plane ${index + 1} of ${volumes.size[plane.through]}`;
  plane.slider.value = index;
  plane.slider.setAttribute("aria-valuetext", words);
  plane.words.textContent = words;
  canvas.setAttribute("aria-label",
    `${plane.title} plane at ${words}. ${OVERLAYS[view.overlay]}. Arrow keys move `
    + "the point, page keys change the plane.");
}

function pointSentence() {
  const voxel = indexOf(view.point), value = (name) => valueAt(name, voxel);
  const where = ["x", "y", "z"].map((letter, a) =>
    `${letter} ${number(positionOf(a, view.point[a]), 1)}`).join(", ");
  const parts = [`Point ${where} mm`];
  if (voxels.ct) parts.push(`CT ${number(value("ct"), 0)} HU`);
  if (voxels.planned) parts.push(`planned ${number(value("planned"), 2)} Gy`);
  if (voxels.calculated) parts.push(`calculated ${number(value("calculated"), 2)} Gy`);
  if (voxels.difference)
    parts.push(`difference ${number(value("difference"), 1, true)} % of the planned maximum`);
  if (voxels.gamma) parts.push(value("gamma") === null ? "gamma not evaluated"
    : `gamma ${number(value("gamma"), 2)}`);
  return parts.join("; ");
}

let waiting = false;
/** Draws soon, once for many changes. */
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    PLANES.forEach(drawPlane);
    document.getElementById("point-values").textContent = pointSentence();
    drawProfiles();
  });
}

function setPoint(point) {
  view.point = point.map((p, a) => Math.min(Math.max(Math.round(p), 0), volumes.size[a] - 1));
  redraw();
}

function move(axis, step) {
  const point = [...view.point];
  point[axis] += step;
  setPoint(point);
}

/** Mouse, wheel and keys of a plane. Arrows move the point in the plane, page keys change the plane. */
function listen(plane) {
  const { canvas } = plane;
  const pick = (event) => {
    const box = canvas.getBoundingClientRect(), point = [...view.point];
    const across = (event.clientX - box.left) / box.width * volumes.size[plane.right];
    const down = (event.clientY - box.top) / box.height * volumes.size[plane.down];
    point[plane.right] = Math.floor(across);
    point[plane.down] = Math.floor(plane.flip ? volumes.size[plane.down] - down : down);
    setPoint(point);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pick(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) pick(event); });
  canvas.addEventListener("wheel", (event) => {
    if (event.ctrlKey) return;  // the browser's zoom
    event.preventDefault();
    move(plane.through, event.deltaY > 0 ? 1 : -1);
  }, { passive: false });
  const up = plane.flip ? 1 : -1;
  const keys = { ArrowLeft: [plane.right, -1], ArrowRight: [plane.right, 1], ArrowUp: [plane.down, up],
    ArrowDown: [plane.down, -up], PageUp: [plane.through, 1], PageDown: [plane.through, -1] };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    move(...keys[event.key]);
  });
  plane.slider.addEventListener("input", () => {
    const point = [...view.point];
    point[plane.through] = Number(plane.slider.value);
    setPoint(point);
  });
}

function planeBox(plane) {
  const mm = (axis) => volumes.size[axis] * volumes.spacing_mm[axis];
  plane.canvas = el("canvas", { id: "plane-" + plane.name, tabindex: 0, role: "application", width: 640,
    height: Math.max(80, Math.round(640 * mm(plane.down) / mm(plane.right))) });
  plane.slider = el("input", { type: "range", min: 0, max: volumes.size[plane.through] - 1,
    "aria-label": `${plane.title} plane`, id: "slider-" + plane.name });
  plane.words = el("span", { class: "soft" });
  listen(plane);
  return el("div", { class: "plane" }, el("h3", {}, plane.title), plane.canvas, plane.slider, plane.words);
}

function choice(label, id, options, change) {
  const select = el("select", { id }, Object.entries(options).map(([value, name]) =>
    el("option", { value }, name)));
  select.value = view[id];
  select.addEventListener("change", () => {
    view[id] = select.value;
    drawBar();
    redraw();
    if (change) change();
  });
  return el("label", {}, label + " ", select);
}

/** The colour bar of the overlay with its unit, or the levels of the isodoses. */
function drawBar() {
  const bar = document.getElementById("colour-bar"), name = view.overlay;
  bar.replaceChildren();
  if (name === "none") return;
  if (isDose(name) && view.style === "lines") {
    bar.append(el("div", { class: "levels" }, LEVELS.map((p) => {
      const mark = el("i");
      mark.style.background = `rgb(${levelColour(p)})`;
      return el("span", {}, mark, `${p} % = ${number(p / 100 * view.reference, 1)} Gy`);
    })));
    return;
  }
  const canvas = el("canvas", { width: 256, height: 1, "aria-hidden": "true" });
  const stops = isDose(name) ? DOSE_COLOURS : name === "gamma" ? GAMMA_COLOURS : DIFFERENCE_COLOURS;
  for (let i = 0; i < 256; i++) {
    canvas.getContext("2d").fillStyle = `rgb(${colourOf(stops, i / 255)})`;
    canvas.getContext("2d").fillRect(i, 0, 1, 1);
  }
  const ends = isDose(name) ? ["0",
    `${number(view.maximum, 1)} Gy; below ${number(0.1 * view.reference, 1)} Gy no `
    + "colour"] : name === "gamma" ? ["0", `${GAMMA_REACH} and more; blue passes, orange is above 1`]
    : [`−${DIFFERENCE_REACH} % (blue: calculated is lower)`,
      `+${DIFFERENCE_REACH} % of the planned maximum (orange: `
      + "higher); within 0.5 % no colour"];
  bar.append(el("span", {}, ends[0]), canvas, el("span", {}, ends[1]));
}

function outlineKey() {
  return el("div", { class: "levels" }, list(data.outlines).map((outline, o) => {
    const mark = el("i");
    mark.style.background = outline.color || OUTLINE_COLOURS[o % OUTLINE_COLOURS.length];
    return el("span", {}, mark, outline.name);
  }));
}

/** Where the planes begin: at the isocentre, or at the middle. */
function startPoint() {
  const middle = volumes.size.map((n) => Math.floor(n / 2));
  if (!volumes.isocentre_mm) return middle;
  return volumes.isocentre_mm.map((mm, a) => (mm - volumes.origin_mm[a]) / volumes.spacing_mm[a]);
}

function planeSection() {
  if (!volumes) return section("planes", "Planes and profiles",
    missing("There are no planes and profiles: they need a CT "
    + "and at least one dose."));
  return section("planes", "Planes and profiles", el("p", { id: "unpacking" },
    "The volumes are being unpacked."));
}

function fillPlanes() {
  view.maximum = largestDose();
  view.reference = referenceDose();
  const there = Object.fromEntries(Object.entries(OVERLAYS).filter(([name]) => name === "none"
    || voxels[name]));
  view.overlay = voxels.calculated ? "calculated" : voxels.planned ? "planned" : "none";
  const outlines = el("input", { type: "checkbox", checked: "" });
  outlines.addEventListener("change", () => {
    view.outlines = outlines.checked;
    redraw();
  });
  const absent = ["ct", "planned", "calculated"].filter((name) => !voxels[name]);
  const names = { ct: "CT", planned: "planned dose", calculated: "calculated dose" };
  document.getElementById("unpacking").replaceWith(
    el("p", { class: "screen" },
      "Click sets the point in all planes. Wheel or page keys change the plane; arrow keys move "
      + "the point."),
    ...absent.map((name) => missing(`There is no ${names[name]}.`)),
    el("div", { class: "controls" }, choice("Over the CT", "overlay", there),
      choice("Dose as", "style", { wash: "colour wash", lines: "isodose lines" }),
      choice("Window", "window", Object.fromEntries(Object.entries(WINDOWS).map(([k, v]) => [k, v[0]]))),
      el("label", {}, outlines, " Outlines on the axial plane")),
    el("div", { class: "planes" }, PLANES.map(planeBox)),
    el("div", { class: "bar", id: "colour-bar" }), outlineKey(),
    el("p", { id: "point-values", "aria-live": "polite" }),
    el("h3", {}, "Profiles through the point"), el("div", { class: "profiles", id: "profiles" },
      profileBoxes()));
  drawBar();
  setPoint(startPoint());
}

// --------------------------------------------------------------------------------------------------- curves
const plotly = () => window.Plotly || null;
const CURVE_COLOURS = ["#0072b2", "#d55e00", "#7a4b8f", "#00796b", "#8a6d00", "#444444", "#b0447f",
  "#3b8ec2"];
const CONFIG = { displayModeBar: false, responsive: true };
function layout(x, y, more) {
  return { margin: { l: 52, r: 12, t: 8, b: 42 }, font: { family: "Liberation Sans, Arial, sans-serif",
    size: 12,
    color: "#16202b" }, showlegend: false, paper_bgcolor: "#fff", plot_bgcolor: "#fff",
  xaxis: { title: { text: x }, gridcolor: "#e4e8ec", zeroline: false, linecolor: "#4b5866" },
  yaxis: { title: { text: y }, gridcolor: "#e4e8ec", zeroline: false, rangemode: "tozero",
    linecolor: "#4b5866" },
  ...more };
}

/** Positions and doses along one axis through the point. */
function profile(axis) {
  const along = { position: [], planned: [], calculated: [] };
  for (let i = 0; i < volumes.size[axis]; i++) {
    const p = [...view.point];
    p[axis] = i;
    along.position.push(positionOf(axis, i));
    for (const name of ["planned", "calculated"]) if (voxels[name])
      along[name].push(valueAt(name, indexOf(p)));
  }
  return along;
}

function profileTable(box, axis, letter) {
  const along = profile(axis), n = along.position.length, step = Math.max(1, Math.floor(n / 20));
  const cells = along.position.map((mm, i) => [number(mm, 1), number(along.planned[i], 2),
    number(along.calculated[i], 2)]).filter((_, i) => i % step === view.point[axis] % step);
  box.replaceChildren(table(`Dose along ${letter}`, [[`${letter} mm`, "number"], ["Planned Gy", "number"],
    ["Calculated Gy", "number"]], cells));
}

/** The three boxes of the profiles; all of them before the first curve, which takes the width of its box. */
function profileBoxes() {
  return ["x", "y", "z"].map((letter) => el("div", { id: "profile-" + letter,
    class: plotly() ? "profile" : null, role: "group",
    "aria-label": `Dose along ${letter} through the point, planned and calculated` }));
}

function drawProfiles() {
  ["x", "y", "z"].forEach((letter, axis) => {
    const box = document.getElementById("profile-" + letter);
    if (!plotly()) return profileTable(box, axis, letter);
    const along = profile(axis), here = positionOf(axis, view.point[axis]);
    const curve = (name, dash, color) => ({ x: along.position, y: along[name], name, mode: "lines",
      line: { dash, color, width: 2 } });
    const curves = [curve("planned", "solid", "#0072b2"), curve("calculated", "dash", "#b34700")];
    plotly().react(box, curves.filter((c) => c.y.length), layout(`${letter} (mm)`, "Dose (Gy)",
      { showlegend: axis === 0,
      legend: { x: 0, y: 1.02, yanchor: "bottom", orientation: "h" }, margin: { l: 52, r: 12, t: 24, b: 42 },
      shapes: [{ type: "line", x0: here, x1: here, yref: "paper", y0: 0, y1: 1,
        line: { color: "#4b5866", width: 1, dash: "dot" } }] }), CONFIG);
    return null;
  });
}

/** The dose that a percentage of the volume has at least, from a curve; null where the curve is absent. */
function doseAtPercent(doses, percents, percent) {
  if (list(percents).length !== doses.length) return null;
  if (percents[0] < percent) return 0;  // that volume is not all inside the dose grid
  for (let i = 1; i < doses.length; i++)
    if (percents[i] < percent) {
      const part = (percents[i - 1] - percent) / (percents[i - 1] - percents[i]);
      return doses[i - 1] + part * (doses[i] - doses[i - 1]);
    }
  return doses[doses.length - 1];
}

function histogramSection() {
  const histograms = list(data.histograms);
  if (histograms.length === 0) return section("dvh", "Dose–volume histograms",
    missing("There are no histograms: they need "
    + "structures and a dose."));
  const cells = histograms.map((h) => [h.structure + (h.target ? " (target)" : ""), number(h.volume_cm3, 1),
    ...[98, 50, 2].flatMap((p) => [number(doseAtPercent(h.dose_gy, h.planned_percent, p), 2),
      number(doseAtPercent(h.dose_gy, h.calculated_percent, p), 2)])]);
  const columns = [["Structure"], ["Volume cm³", "number"], ...["D98 %", "D50 %", "D2 %"].flatMap((d) =>
    [[`${d} planned Gy`, "number"], [`${d} calculated Gy`, "number"]])];
  const figures = table("Figures of the curves", columns, cells, "wide");
  return section("dvh", "Dose–volume histograms",
    plotly() ? el("p", {}, "Solid: planned. Dashed: calculated. The same colour is the same structure.")
      : missing("The curves need Plotly, which this report was written without; the table has "
        + "their figures."),
    histograms.some((h) => !list(h.planned_percent).length)
      ? missing("There is no planned dose for some structures.") : null,
    plotly() ? el("div", { id: "dvh-chart", role: "group",
      "aria-label": "Dose–volume histograms; the table below has "
      + "their figures" }) : null, figures);
}

function drawHistograms() {
  const box = document.getElementById("dvh-chart");
  if (!box || !plotly()) return;
  const curves = list(data.histograms).flatMap((h, i) => {
    const color = CURVE_COLOURS[i % CURVE_COLOURS.length];
    const curve = (percents, word, dash, shown) => ({ x: h.dose_gy, y: percents, mode: "lines",
      showlegend: shown,
      name: h.structure, hovertemplate: `${word}: %{y:.1f} % at %{x:.1f} Gy`, legendgroup: h.structure + i,
      line: { color, dash, width: h.target ? 2.6 : 1.7 } });
    const planned = list(h.planned_percent).length > 0;
    return [...(planned ? [curve(h.planned_percent, "planned", "solid", true)] : []),
      curve(list(h.calculated_percent), "calculated", "dash", !planned)];
  });
  const more = layout("Dose (Gy)", "Volume (%)", { showlegend: true,
    legend: { orientation: "h", y: 1.02, yanchor: "bottom" } });
  more.margin.t = 44;
  plotly().newPlot(box, curves, more, CONFIG);
}

// ------------------------------------------------------------------------------------------------- the page
function gammaSection() {
  return section("gamma", "Gamma", gammaTable(Infinity),
    el("p", {}, "Passed, failed and not evaluated voxels together are all voxels of the region."));
}

function build() {
  const main = document.getElementById("main");
  const format = data.format === "libdose-check 1" ? null
    : missing(`This page was made for the format "libdose-check 1"; the data say "${text(data.format)}".`);
  main.replaceChildren(...[format, pageOne(), allRows(), beamSection(), planeSection(), histogramSection(),
    goals(),
    gammaSection(), attribution(), method()].filter(Boolean));
  const links = [["summary", "Summary"], ...[...main.querySelectorAll("section[data-title]")].map((s) =>
    [s.id, s.dataset.title])];
  document.getElementById("contents").append(el("ul", {}, links.map(([id, title]) =>
    el("li", {}, el("a", { href: "#" + id }, title)))));
  const about = "libdose is research software and not a medical device. This file holds patient data and "
    + "loads nothing.";
  document.getElementById("footer").append(el("p", {}, about), plotly()
    ? el("p", {}, `Curves by plotly.js ${plotly().version}, MIT licence.`) : "");
  const patient = (data.patient || {}).id;
  document.title = `${verdictOf(data.verdict)}: dose check${known(patient) ? " of " + patient : ""}`;
}

/** Curves as wide as the paper while it is printed. */
function listenToPrinter() {
  const resize = (widths) => document.querySelectorAll(".js-plotly-plot").forEach((box) => {
    const print = widths && (box.id === "dvh-chart" ? [690, 355] : [220, 180]);
    plotly().relayout(box, print ? { width: print[0], height: print[1] } : { autosize: true });
  });
  window.addEventListener("beforeprint", () => resize(true));
  window.addEventListener("afterprint", () => resize(false));
}

async function start() {
  await loadPlotly();
  build();
  listenToPrinter();
  drawHistograms();
  if (volumes) {
    try {
      await unpackVolumes();
      fillPlanes();
    } catch (error) {
      const place = document.getElementById("unpacking");
      if (!place) throw error;
      place.replaceWith(missing(`The planes cannot be shown: ${error.message}`));
    }
  }
  document.documentElement.dataset.ready = "yes";
}

start();
