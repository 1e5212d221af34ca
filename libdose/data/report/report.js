// The page of a check. Everything is in the page: no request is made. docs/reference/check-json.md describes
// the data.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

// ---- Small parts -----------------------------------------------------------------------------------------

/** An element with attributes and children; texts are texts, never HTML. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Shape of a verdict: told apart without colour. */
function shape(verdict) {
  const picture = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 2.4, "stroke-linecap": "round" };
  if (verdict === "PASS") {
    picture.append(svg("circle", { cx: 12, cy: 12, r: 10, ...line }), svg("path", { d: "M7 12.5l3.5 3.5L17 9", ...line }));
  } else if (verdict === "LOOK") {
    picture.append(svg("path", { d: "M12 2.5L22 21H2z", ...line, "stroke-linejoin": "round" }),
      svg("path", { d: "M12 9.5v5M12 17.6v.2", ...line }));
  } else if (verdict === "FAIL") {
    picture.append(svg("path", { d: "M8 1.5h8L22.5 8v8L16 22.5H8L1.5 16V8z", fill: "currentColor" }),
      svg("path", { d: "M8 8l8 8M16 8l-8 8", ...line, stroke: "#fff" }));
  } else {
    picture.append(svg("rect", { x: 2, y: 2, width: 20, height: 20, ...line, "stroke-dasharray": "3.4 3.4" }),
      svg("path", { d: "M9 9a3 3 0 1 1 4 3.2q-1 .5-1 1.8M12 17.4v.2", ...line }));
  }
  return picture;
}

function mark(verdict) {
  return element("span", { class: "mark" }, shape(verdict), verdict);
}

function number(value, decimals) {
  return value === null || value === undefined ? "–" : value.toFixed(decimals);
}

/** A table with a caption. Columns: [title, cell of a row, class]. */
function table(caption, columns, rows) {
  const head = element("tr", {}, ...columns.map(([title, , kind]) =>
    element("th", kind === "number" ? { scope: "col", class: kind } : { scope: "col" }, title)));
  const body = rows.map((row) => element("tr", {}, ...columns.map(([, cell, kind], i) => {
    const attributes = kind ? { class: kind } : {};
    return element(i === 0 ? "th" : "td", i === 0 ? { scope: "row", ...attributes } : attributes, cell(row));
  })));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body)));
}

function list(title, texts) {
  if (!texts || texts.length === 0) return null;
  return element("div", {}, element("h3", {}, title),
    element("ul", {}, ...texts.map((text) => element("li", {}, text))));
}

// ---- Page one ----------------------------------------------------------------------------------------------

const order = ["FAIL", "NOT CHECKED", "LOOK", "PASS"];

function plainVerdict(verdict) {
  return {
    PASS: "Every row passed.",
    LOOK: "Somebody has to look: the rows below say at what.",
    FAIL: "At least one row failed. Do not treat before it is explained.",
    "NOT CHECKED": "Something could not be checked. This is not a pass.",
  }[verdict];
}

function identity() {
  const patient = data.patient || {}, plan = data.plan || {};
  const prescriptions = (plan.prescriptions || []).map((p) => `${p.name} ${number(p.dose_gy, 2)} Gy`).join("; ");
  const facts = [
    ["Patient", [patient.name, patient.id && `ID ${patient.id}`, patient.birth_date && `born ${patient.birth_date}`,
      patient.sex].filter(Boolean).join(", ")],
    ["Plan", [plan.label, plan.name, plan.approval].filter(Boolean).join(", ")],
    ["Prescription", prescriptions || "none stated"],
    ["Fractions", plan.fractions === undefined ? "" : String(plan.fractions)],
    ["Machine", plan.machine || ""],
    ["Planning system", plan.planning_system || ""],
    ["Protocol", [data.protocol.name, data.protocol.site, `version ${data.protocol.version}`].filter(Boolean).join(", ")],
    ["Checked", `${data.created}, libdose ${data.libdose}, ${data.method.algorithm}`],
  ].filter(([, value]) => value);
  return table("Who and what", [["", ([name]) => name], ["", ([, value]) => value]], facts);
}

function notPassed() {
  const rows = data.rows.filter((row) => row.verdict !== "PASS")
    .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  if (rows.length === 0) return element("p", {}, `All ${data.rows.length} rows passed.`);
  const passed = data.rows.length - rows.length;
  return element("div", {}, table("Not passed", [
    ["Row", (row) => [row.name, row.subject].filter(Boolean).join(", ")],
    ["Verdict", (row) => mark(row.verdict)],
    ["Why", (row) => row.reason],
  ], rows.slice(0, 14)),
  element("p", { class: "soft" }, (rows.length > 14 ? `${rows.length - 14} more below. ` : "") + `${passed} rows passed.`));
}

const mainFigures = (row) => row.section === "gamma" || row.section === "dose";

function mainRows() {
  const rows = data.rows.filter(mainFigures).slice(0, 26);
  if (rows.length === 0) return null;
  return table("Doses and gamma", [
    ["Figure", (row) => [row.name, row.subject].filter(Boolean).join(", ")],
    ["Planned", (row) => row.planned, "number"],
    ["Recalculated", (row) => row.calculated, "number"],
    ["Difference or rate", (row) => row.value === null ? "–" : `${number(row.value, row.unit === "%" ? 1 : 2)} ${row.unit}`, "number"],
    ["Verdict", (row) => mark(row.verdict)],
  ], rows);
}

function objects() {
  return table("Objects and their hashes (SHA-256)", [
    ["Object", (o) => o.kind + (o.files > 1 ? `, ${o.files} files` : "")],
    ["UID", (o) => o.uid, "uid"],
    ["Hash", (o) => o.sha256.slice(0, 16), "uid"],
  ], data.objects);
}

function assumed() {
  const texts = [...(data.assumptions || []), ...(data.known_offsets || []), ...(data.speed_notes || [])];
  if (texts.length === 0) return null;
  return element("div", {}, element("h3", {}, "Assumed"),
    element("p", {}, texts.slice(0, 4).join(" · ") + (texts.length > 4 ? ` · ${texts.length - 4} more under Method` : "")));
}

function signature() {
  const field = (name) => element("div", {}, name);
  return element("div", { class: "signature", role: "group", "aria-label": "Signature" },
    field("☐ accepted   ☐ not accepted"), field("Name"), field("Date"), field("Signature"));
}

function pageOne() {
  byId("page-one").append(
    element("div", { class: "head" }, shape(data.verdict), element("div", {},
      element("h1", {}, "Independent check of a plan"),
      element("div", { class: "verdict", id: "verdict-word" }, data.verdict),
      element("p", {}, plainVerdict(data.verdict)))),
    ...[notPassed(), element("p", {}, `Cause: ${data.attribution.sentence}`),
      element("div", { class: "columns" }, identity(), objects()), mainRows(), assumed(), signature()]
      .filter(Boolean));
}

// ---- Tables ------------------------------------------------------------------------------------------------

function rowTables() {
  const titles = { integrity: "Integrity", dose: "Dose", gamma: "Gamma index" };
  for (const [section, title] of Object.entries(titles)) {
    const rows = data.rows.filter((row) => row.section === section);
    if (rows.length === 0) continue;
    byId("rows").append(table(title, [
      ["Row", (row) => row.name], ["Of", (row) => row.subject], ["Verdict", (row) => mark(row.verdict)],
      ["Planned", (row) => row.planned], ["Recalculated", (row) => row.calculated],
      ["Difference or rate", (row) => row.value === null ? "" : `${number(row.value, 2)} ${row.unit}`, "number"],
      ["Limit and source", (row) => [row.limit, row.source].filter(Boolean).join(". ")],
      ["Why", (row) => row.reason],
    ], rows));
  }
  if (data.gammas.length > 0) byId("rows").append(table("Gamma index: voxels", [
    ["Criterion", (g) => g.criterion], ["Region", (g) => g.region], ["Passed", (g) => g.passed, "number"],
    ["Failed", (g) => g.failed, "number"], ["Not evaluated", (g) => g.not_evaluated, "number"],
    ["Pass rate, %", (g) => number(g.pass_rate_percent, 2), "number"]], data.gammas));
}

function cause() {
  const a = data.attribution;
  byId("cause").append(element("p", {}, element("strong", {}, a.verdict), `. ${a.sentence}`));
  if (a.causes.length > 0) byId("cause").append(table("What each cause alone explains of the squared difference", [
    ["Cause", (c) => c.name], ["Kind", (c) => c.kind], ["Best size", (c) => `${number(c.size, 2)} ${c.unit}`, "number"],
    ["Explained, %", (c) => number(100 * c.explained, 1), "number"]], a.causes));
}

function method() {
  const m = data.method;
  const facts = Object.entries({
    Algorithm: m.algorithm, Quality: m.quality, Backend: m.backend,
    "HU table": m.hu_curve ? `${m.hu_curve.name} (${m.hu_curve.hash.slice(0, 16)})` : undefined,
    Grid: m.grid ? `${m.grid.size.join(" × ")} voxels of ${m.grid.spacing_mm.map((s) => number(s, 2)).join(" × ")} mm` : undefined,
    Protocol: `${data.protocol.name} ${data.protocol.version} (${data.protocol.hash.slice(0, 16)})`,
  }).concat(Object.entries(m.model_hashes || {}).map(([name, hash]) => [`Model ${name}`, hash]))
    .concat(Object.entries(m.settings || {}))
    .concat(Object.entries(m.seconds || {}).map(([stage, seconds]) => [`Time, ${stage}`, `${number(seconds, 1)} s`]))
    .filter(([, value]) => value !== undefined);
  byId("method").append(...[table("Settings", [["", ([name]) => name], ["", ([, value]) => String(value), "uid"]], facts),
    list("Assumed", data.assumptions), list("Known differences of algorithms", data.known_offsets),
    list("Speeds", data.speed_notes)].filter(Boolean));
}

// ---- Beams -------------------------------------------------------------------------------------------------

/** Draws one aperture, beam's eye view, 400 mm wide at the isocentre. */
function drawAperture(picture, aperture) {
  picture.replaceChildren();
  const x = aperture.jaw_x || [-200, 200], y = aperture.jaw_y || [-200, 200];
  const box = (x0, y0, x1, y1, attributes) => picture.append(svg("rect", {
    x: Math.min(x0, x1), y: -Math.max(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0), ...attributes }));
  box(x[0], y[0], x[1], y[1], { fill: "#fff7d6", stroke: "#1b1f24", "stroke-width": 1.2 });
  for (const bank of aperture.leaves) {
    const edges = bank.boundaries_mm;
    for (let l = 0; l + 1 < edges.length; ++l) {
      for (const [from, to] of [[-200, bank.lower_mm[l]], [bank.upper_mm[l], 200]]) {
        const style = { fill: "#8c98a4", "fill-opacity": .75, stroke: "#57606a", "stroke-width": .3 };
        if (bank.motion === "x") box(from, edges[l], to, edges[l + 1], style);
        else box(edges[l], from, edges[l + 1], to, style);
      }
    }
  }
  picture.append(svg("path", { d: "M-6 0H6M0-6V6", stroke: "#a40e26", "stroke-width": 1 }));
}

function beamFigure(beam) {
  const picture = svg("svg", { viewBox: "-130 -130 260 260", role: "img",
    "aria-label": `Aperture of beam ${beam.number}, beam's eye view` });
  const words = element("p", { class: "soft", "aria-live": "polite" });
  const show = (i) => {
    const a = beam.apertures[i];
    drawAperture(picture, a);
    words.textContent = `Aperture ${i + 1} of ${beam.apertures.length}: ${number(a.mu, 1)} MU, gantry ` +
      `${a.gantry_deg}°, collimator ${a.collimator_deg}°`;
  };
  if (beam.apertures.length === 0) return element("div", {}, "no aperture");
  show(0);
  const slider = element("input", { type: "range", min: 0, max: beam.apertures.length - 1, value: 0,
    "aria-label": `Aperture of beam ${beam.number}` });
  slider.addEventListener("input", () => show(Number(slider.value)));
  return element("div", {}, picture, beam.apertures.length > 1 ? slider : null, words);
}

function beams() {
  for (const beam of data.beams) {
    const c = beam.complexity || {};
    const facts = [
      ["Machine and energy", `${beam.machine}, ${beam.energy_mv} MV ${beam.fluence_mode}`],
      ["MU", number(beam.mu, 1)], ["Gantry, collimator, couch", `${beam.gantry}°, ${beam.collimator}°, ${beam.couch}°`],
      ...beam.points.map((p) => [`Dose at the ${p.name} (${p.position_mm.join(", ")}) mm`,
        `planned ${number(p.planned_gy, 3)} Gy, recalculated ${number(p.calculated_gy, 3)} Gy`]),
      ["Complexity", `MCS ${number(c.mcs, 3)}, small apertures ${number(c.sas_10mm, 3)} (10 mm), ` +
        `edge metric ${number(c.edge_metric_per_mm, 3)}/mm, leaf travel ${number(c.leaf_travel_mm, 0)} mm`]];
    byId("beams").append(element("div", { class: "beam" }, beamFigure(beam),
      table(`Beam ${beam.number}: ${beam.name}`, [["", ([name]) => name], ["", ([, value]) => value]], facts)));
  }
}

// ---- Curves ------------------------------------------------------------------------------------------------

const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5195", "#8c6d00", "#4d4d4d", "#56b4e9"];
const havePlotly = typeof Plotly !== "undefined";

function plot(where, traces, xTitle, yTitle) {
  const layout = { margin: { l: 52, r: 8, t: 8, b: 42 }, xaxis: { title: xTitle, rangemode: "tozero" },
    yaxis: { title: yTitle, rangemode: "tozero" }, legend: { orientation: "h", y: -0.22 },
    font: { family: "system-ui, DejaVu Sans, Arial, sans-serif", size: 12 } };
  Plotly.react(where, traces, layout, { responsive: true, displaylogo: false });
}

function histograms() {
  const where = byId("dvh");
  const known = data.histograms;
  if (known.length === 0 || !havePlotly) {
    where.classList.remove("plot");
    where.append(element("p", {}, known.length === 0 ? "There are no histograms." :
      "Curves need Plotly, which was not found when this page was made. The figures are in check.json."));
    return;
  }
  const traces = known.flatMap((h, i) => {
    const line = { color: colours[i % colours.length], width: h.target ? 3 : 1.6 };
    const planned = h.planned_percent.length > 0 ? [{ x: h.dose_gy, y: h.planned_percent, name: h.structure,
      legendgroup: h.structure, line }] : [];
    return [...planned, { x: h.dose_gy, y: h.calculated_percent, name: `${h.structure}, recalculated`,
      legendgroup: h.structure, showlegend: planned.length === 0, line: { ...line, dash: "dash" } }];
  });
  plot(where, traces, "Dose, Gy", "Volume, %");
}

// ---- Volumes -----------------------------------------------------------------------------------------------

/** Bytes of base64 of gzip. */
async function unpacked(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

// Anchors of cividis (dose) and of a blue to orange scale (difference): readable without telling red from green.
const doseAnchors = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]];
const differenceAnchors = [[5, 80, 174], [120, 170, 225], [235, 235, 235], [240, 170, 90], [179, 72, 0]];

function colourAt(anchors, part) {
  const at = Math.min(Math.max(part, 0), 1) * (anchors.length - 1);
  const low = Math.min(Math.floor(at), anchors.length - 2), t = at - low;
  return [0, 1, 2].map((c) => anchors[low][c] + t * (anchors[low + 1][c] - anchors[low][c]));
}

/** What is laid over the CT: value of a voxel, range, colours, unit, and below which magnitude it is clear. */
function overlays(volumes) {
  const dose = (name) => ({ at: (v) => volumes[name].values[v] * volumes[name].scale_gy, low: 0,
    high: volumes.highest_gy, anchors: doseAnchors, unit: "Gy", clear: 0.05 * volumes.highest_gy });
  const made = {};
  if (volumes.planned) made.planned = { title: "Planned dose", ...dose("planned") };
  if (volumes.calculated) made.calculated = { title: "Recalculated dose", ...dose("calculated") };
  if (volumes.difference) made.difference = { title: "Recalculated minus planned",
    at: (v) => (volumes.difference.values[v] - 128) * volumes.difference.percent_per_count, low: -5, high: 5,
    anchors: differenceAnchors, unit: "% of the planned maximum", clear: 0.5 };
  if (volumes.gamma) made.gamma = { title: "Gamma index",
    at: (v) => volumes.gamma.values[v] === 255 ? NaN : volumes.gamma.values[v] * volumes.gamma.per_count, low: 0,
    high: 2, anchors: differenceAnchors, unit: "", clear: -1 };
  return made;
}

/** The three planes through a point. Axes: 0 x (left), 1 y (posterior), 2 z (superior). */
const planeKinds = [
  { name: "Axial", across: 0, down: 1, through: 2, flip: false },
  { name: "Coronal", across: 0, down: 2, through: 1, flip: true },
  { name: "Sagittal", across: 1, down: 2, through: 0, flip: true },
];

class Planes {
  constructor(volumes) {
    this.v = volumes;
    this.overlays = overlays(volumes);
    this.overlay = this.overlays.difference ? "calculated" : Object.keys(this.overlays)[0];
    this.window = { lower: -160, upper: 240 };
    const start = volumes.isocentre_mm || volumes.origin_mm;
    this.point = [0, 1, 2].map((a) => Math.min(Math.max(Math.round(
      (start[a] - volumes.origin_mm[a]) / volumes.spacing_mm[a]), 0), volumes.size[a] - 1));
    this.controls();
    this.views = planeKinds.map((kind) => this.view(kind));
    byId("plane-views").append(...this.views.map((view) => view.figure));
    this.draw();
  }

  index(p) { return (p[2] * this.v.size[1] + p[1]) * this.v.size[0] + p[0]; }

  mm(axis, i) { return this.v.origin_mm[axis] + i * this.v.spacing_mm[axis]; }

  controls() {
    const overlay = element("select", { id: "overlay" }, ...Object.entries(this.overlays).map(([key, o]) =>
      element("option", key === this.overlay ? { value: key, selected: "" } : { value: key }, o.title)));
    overlay.addEventListener("change", () => { this.overlay = overlay.value; this.draw(); });
    const windows = { "Soft tissue": [-160, 240], Lung: [-1000, 200], Bone: [-200, 1200] };
    const level = element("select", { id: "window" }, ...Object.keys(windows).map((name) => element("option", {}, name)));
    level.addEventListener("change", () => {
      [this.window.lower, this.window.upper] = windows[level.value];
      this.draw();
    });
    byId("plane-controls").append(element("label", {}, "Shown over the CT", overlay), element("label", {}, "CT window", level));
  }

  view(kind) {
    const { size, spacing_mm: spacing } = this.v;
    const canvas = element("canvas", { width: size[kind.across], height: size[kind.down], tabindex: "0", role: "img" });
    canvas.style.aspectRatio = `${size[kind.across] * spacing[kind.across]} / ${size[kind.down] * spacing[kind.down]}`;
    const slider = element("input", { type: "range", min: 0, max: size[kind.through] - 1, "aria-label": `${kind.name} plane` });
    const place = element("span");
    slider.addEventListener("input", () => this.move(kind.through, Number(slider.value)));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.move(kind.through, this.point[kind.through] + Math.sign(event.deltaY));
    }, { passive: false });
    canvas.addEventListener("click", (event) => this.click(kind, canvas, event));
    canvas.addEventListener("keydown", (event) => this.key(kind, event));
    const figure = element("figure", { class: "plane" }, element("figcaption", {}, kind.name, place), canvas, slider);
    return { kind, canvas, slider, place, figure };
  }

  click(kind, canvas, event) {
    const box = canvas.getBoundingClientRect();
    const u = Math.floor((event.clientX - box.left) / box.width * this.v.size[kind.across]);
    const w = Math.floor((event.clientY - box.top) / box.height * this.v.size[kind.down]);
    this.point[kind.across] = Math.min(Math.max(u, 0), this.v.size[kind.across] - 1);
    const down = Math.min(Math.max(w, 0), this.v.size[kind.down] - 1);
    this.point[kind.down] = kind.flip ? this.v.size[kind.down] - 1 - down : down;
    this.draw();
  }

  key(kind, event) {
    const down = kind.flip ? -1 : 1;
    const steps = { ArrowLeft: [kind.across, -1], ArrowRight: [kind.across, 1], ArrowUp: [kind.down, -down],
      ArrowDown: [kind.down, down], PageUp: [kind.through, 1], PageDown: [kind.through, -1] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const [axis, step] = steps[event.key];
    this.move(axis, this.point[axis] + step);
  }

  move(axis, i) {
    this.point[axis] = Math.min(Math.max(i, 0), this.v.size[axis] - 1);
    this.draw();
  }

  draw() {
    for (const view of this.views) this.drawView(view);
    this.say();
    this.legend();
    this.profiles();
  }

  drawView({ kind, canvas, slider, place }) {
    const [width, height] = [this.v.size[kind.across], this.v.size[kind.down]];
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    const p = [...this.point];
    for (let w = 0; w < height; ++w) {
      p[kind.down] = kind.flip ? height - 1 - w : w;
      for (let u = 0; u < width; ++u) {
        p[kind.across] = u;
        image.data.set(this.pixel(this.index(p)), 4 * (w * width + u));
      }
    }
    context.putImageData(image, 0, 0);
    this.outlines(kind, context);
    this.cross(kind, context, width, height);
    slider.value = this.point[kind.through];
    const mm = this.mm(kind.through, this.point[kind.through]);
    place.textContent = `${"xyz"[kind.through]} = ${number(mm, 1)} mm`;
    canvas.setAttribute("aria-label", `${kind.name} plane at ${place.textContent}, ${this.overlays[this.overlay]?.title || "CT"}. ` +
      "Arrow keys move the point, page keys change the plane.");
  }

  /** CT in grey, the overlay half transparent over it. */
  pixel(v) {
    const hu = this.v.ct.lower + this.v.ct.values[v] / 255 * (this.v.ct.upper - this.v.ct.lower);
    const grey = 255 * Math.min(Math.max((hu - this.window.lower) / (this.window.upper - this.window.lower), 0), 1);
    const o = this.overlays[this.overlay];
    const value = o ? o.at(v) : NaN;
    if (!o || Number.isNaN(value) || Math.abs(value) < o.clear) return [grey, grey, grey, 255];
    const colour = colourAt(o.anchors, (value - o.low) / (o.high - o.low));
    return [...colour.map((c) => 0.45 * grey + 0.55 * c), 255];
  }

  /** Contours near the axial plane. */
  outlines(kind, context) {
    if (kind.name !== "Axial") return;
    const z = this.mm(2, this.point[2]), half = 0.51 * this.v.spacing_mm[2];
    (data.outlines || []).forEach((outline, i) => {
      context.strokeStyle = colours[i % colours.length];
      for (const contour of outline.contours) {
        if (Math.abs(contour.z_mm - z) > half) continue;
        context.beginPath();
        for (let n = 0; n < contour.points.length; n += 2) {
          context.lineTo((contour.points[n] - this.v.origin_mm[0]) / this.v.spacing_mm[0] + 0.5,
            (contour.points[n + 1] - this.v.origin_mm[1]) / this.v.spacing_mm[1] + 0.5);
        }
        context.closePath();
        context.stroke();
      }
    });
  }

  cross(kind, context, width, height) {
    const u = this.point[kind.across] + 0.5;
    const w = (kind.flip ? height - 1 - this.point[kind.down] : this.point[kind.down]) + 0.5;
    context.strokeStyle = "rgba(255,255,255,.55)";
    context.beginPath();
    context.moveTo(u, 0);
    context.lineTo(u, height);
    context.moveTo(0, w);
    context.lineTo(width, w);
    context.stroke();
  }

  say() {
    const v = this.index(this.point);
    const values = Object.values(this.overlays).map((o) => {
      const value = o.at(v);
      return `${o.title.toLowerCase()} ${Number.isNaN(value) ? "not evaluated" : `${number(value, 2)} ${o.unit}`.trim()}`;
    });
    byId("point-values").textContent = `At (${this.point.map((i, a) => number(this.mm(a, i), 1)).join(", ")}) mm: ${values.join("; ")}.`;
  }

  legend() {
    const o = this.overlays[this.overlay];
    if (!o) return;
    const bar = element("canvas", { width: 256, height: 1, "aria-hidden": "true" });
    const image = bar.getContext("2d").createImageData(256, 1);
    for (let i = 0; i < 256; ++i) image.data.set([...colourAt(o.anchors, i / 255), 255], 4 * i);
    bar.getContext("2d").putImageData(image, 0, 0);
    const ticks = [0, .25, .5, .75, 1].map((t) => element("span", {}, number(o.low + t * (o.high - o.low), 1)));
    byId("legend").replaceChildren(element("div", {}, `${o.title}${o.unit ? `, ${o.unit}` : ""}`), bar,
      element("div", { class: "ticks" }, ...ticks));
  }

  profiles() {
    if (!havePlotly) return;
    [0, 1, 2].forEach((axis) => {
      const p = [...this.point], x = [], lines = { planned: [], calculated: [] };
      for (let i = 0; i < this.v.size[axis]; ++i) {
        p[axis] = i;
        x.push(this.mm(axis, i));
        for (const name of Object.keys(lines)) if (this.overlays[name]) lines[name].push(this.overlays[name].at(this.index(p)));
      }
      const style = { planned: ["planned", "solid", "#0072b2"], calculated: ["recalculated", "dash", "#d55e00"] };
      const traces = Object.entries(lines).filter(([, y]) => y.length > 0).map(([name, y]) => ({ x, y,
        name: style[name][0], line: { dash: style[name][1], color: style[name][2] }, showlegend: axis === 0 }));
      plot(this.profilePlace(axis), traces, `${"xyz"[axis]}, mm`, "Dose, Gy");
    });
  }

  profilePlace(axis) {
    const id = `profile-${"xyz"[axis]}`;
    if (!byId(id)) byId("profiles").append(element("div", { id, role: "img", "aria-label": `Profile along ${"xyz"[axis]} through the point` }));
    return byId(id);
  }
}

async function planes() {
  const volumes = data.volumes;
  if (!volumes) {
    byId("point-values").textContent = "There are no planes: the CT or every dose is missing.";
    return;
  }
  for (const name of ["ct", "planned", "calculated", "difference", "gamma"]) {
    if (!volumes[name]) continue;
    const bytes = await unpacked(volumes[name].data);
    volumes[name].values = name === "planned" || name === "calculated" ? new Uint16Array(bytes) : new Uint8Array(bytes);
  }
  volumes.highest_gy = Math.max(...["planned", "calculated"].filter((n) => volumes[n]).map((n) =>
    volumes[n].values.reduce((a, b) => Math.max(a, b), 0) * volumes[n].scale_gy), 1e-6);
  if (!havePlotly) byId("profiles").append("Profiles need Plotly, which was not found when this page was made.");
  window.planes = new Planes(volumes);
  document.body.dataset.ready = "yes";
}

document.title = `${data.verdict}: ${(data.plan && data.plan.label) || "plan"}`;
pageOne();
rowTables();
beams();
histograms();
cause();
method();
planes();
