"use strict";
// Charts: Vega is opened when the first one comes near the window, each chart likewise. A page's
// policy forbids `eval`, so expressions are interpreted (vega-embed's `ast`).
konkyo.charts = (() => {
  const NARROW = 480;
  let library = null;

  function load() {
    library ||= konkyo.text("vega").then((source) => {
      document.head.append(konkyo.el("script", {}, source));
      // Letters are measured when a chart is drawn: those of a font that comes later would not fit.
      return document.fonts.load('12px "konkyo ja"', "\u6f22\u5b57");
    });
    return library;
  }

  // A table lies once in the page, by columns, however many charts of either language read it.
  async function table(name) {
    const columns = Object.entries(await konkyo.json("table/" + name));
    const count = columns.length ? columns[0][1].length : 0;
    return Array.from({ length: count }, (_, i) => Object.fromEntries(columns.map(([key, values]) => [key, values[i]])));
  }

  // The chart's ink, grid and paper become the page's own, which differ in the dark.
  async function open(name, rows) {
    let text = await konkyo.text(`chart/${konkyo.language()}/${name}`);
    const root = document.documentElement, style = getComputedStyle(root);
    for (const [colour, own] of Object.entries(JSON.parse(root.dataset.inks))) text = text.replaceAll(`"${colour}"`, `"${style.getPropertyValue(own).trim()}"`);
    const spec = JSON.parse(text), names = spec.usermeta.tables;
    spec.datasets = { ...Object.fromEntries(await Promise.all(names.map(async (key) => [key, await table(key)]))), ...rows };
    return spec;
  }

  function visit(spec, change) {
    change(spec);
    for (const key of ["layer", "vconcat", "hconcat", "concat"]) for (const part of spec[key] || []) visit(part, change);
    if (spec.spec) visit(spec.spec, change);
  }
  // On a telephone names have little room, and a legend has one column.
  function slender(spec, width) {
    if (spec.columns) spec.columns = 1;
    const axis = { ...spec.config.axis, labelFontSize: 10, titleFontSize: 11, titleLimit: width - 60, labelLimit: 120 };
    const legend = { ...spec.config.legend, columns: 1, labelLimit: width - 50, titleLimit: width - 20, gradientLength: 180 };
    spec.config = { ...spec.config, axis, axisQuantitative: { tickCount: 4 }, legend };
    visit(spec, (part) => {
      for (const channel of Object.values(part.encoding || {})) delete channel.legend?.columns;
      if (part.width > width - 90) part.width = width - 90;
    });
  }
  // A single view fills its place; views side by side or below each other keep their size, and the
  // style shrinks their SVG where the window is narrow.
  const composed = (spec) => ["vconcat", "hconcat", "concat", "spec"].some((key) => spec[key]);
  // Title and note; {month} and the like are what a script hands over with its rows.
  function caption(node) {
    const [title, note] = [node.meta.title, node.meta.note].map((text) => (node.values ? text.replace(/\{(\w+)\}/g, (_, name) => node.values[name]) : text));
    node.querySelector("figcaption").replaceChildren(title, note ? konkyo.el("small", {}, note) : "");
  }

  // A chart of rows that a script hands over is as high as there are rows (`usermeta.row`).
  const count = (rows) => Math.max(...Object.values(rows).map((values) => values.length));

  async function draw(node) {
    const name = node.dataset.figure, state = wanted(node);
    if (!name) return;
    await load();
    const rows = node.rows, spec = await open(name, rows);
    if (wanted(node) !== state) return;
    const canvas = node.querySelector(".canvas"), width = canvas.clientWidth;
    node.meta = spec.usermeta;
    if (node.meta.row && rows) spec.height = node.meta.row * count(rows);
    caption(node);
    delete spec.title;
    spec.config = { ...spec.config, font: getComputedStyle(document.body).fontFamily, background: "transparent", padding: { left: 2, right: 10, top: 4, bottom: 4 } };
    if (width < NARROW) slender(spec, width);
    node.result?.finalize();
    if (!composed(spec)) Object.assign(spec, { width: "container", autosize: { type: "fit-x", contains: "padding" } });
    node.result = await vegaEmbed(canvas, spec, {
      mode: "vega-lite", actions: false, renderer: composed(spec) ? "svg" : "canvas", ast: true,
      tooltip: { theme: konkyo.dark() ? "dark" : "light" }, loader: { load: () => Promise.reject(new Error("no network")) },
    });
    node.view = node.result.view;
    node.shown = rows;
    node.width = width;
    canvas.style.minHeight = "0";
    node.dataset.drawn = state;
  }

  const near = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) { near.delete(entry.target); continue; }
      near.add(entry.target);
      refresh(entry.target);
    }
  }, { rootMargin: "600px 0px" });
  const wanted = (node) => `${node.dataset.figure} ${konkyo.language()} ${konkyo.dark() ? "dark" : "light"}`;
  // Other rows for the data that a drawn chart has by name.
  async function feed(node) {
    const rows = node.rows;
    for (const [name, values] of Object.entries(rows)) node.view.data(name, values);
    if (node.meta.row) node.view.height(node.meta.row * count(rows));
    caption(node);
    // The size of names and numbers is known after they are drawn: twice, so that all of them fit.
    for (let turn = 0; turn < 2; turn += 1) await node.view.resize().runAsync();
    node.shown = rows;
  }
  // One drawing at a time in a place; what was asked for meanwhile is drawn afterwards.
  async function refresh(node) {
    if (node.busy || (node.hasAttribute("data-waits") && !node.rows)) return;
    node.busy = true;
    try {
      while (node.dataset.drawn !== wanted(node) || node.shown !== node.rows) {
        await (node.dataset.drawn === wanted(node) ? feed(node) : draw(node));
      }
    } catch (problem) { konkyo.trouble(new Error(`${node.dataset.figure}: ${problem.message}`)); }
    finally { node.busy = false; }
  }
  // Shows another figure in the same place.
  function show(node, name) {
    node.dataset.figure = name;
    if (near.has(node)) refresh(node);
  }

  // Hands rows by name to the chart of an element, {steps: [{...}, ...]}, and values to its title.
  function fill(node, rows, values) {
    Object.assign(node, { rows, values });
    if (near.has(node)) refresh(node);
  }

  konkyo.onChange(() => { for (const node of near) refresh(node); });
  let turned = null;
  window.addEventListener("resize", () => {
    clearTimeout(turned);
    turned = setTimeout(() => {
      for (const node of document.querySelectorAll(".plot[data-drawn]")) {
        if (Math.abs(node.querySelector(".canvas").clientWidth - node.width) < 8) continue;
        delete node.dataset.drawn;
        if (near.has(node)) refresh(node);
      }
    }, 200);
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const node of document.querySelectorAll(".plot")) watch.observe(node);
    for (const picker of document.querySelectorAll("select[data-shows]")) {
      // A place with a family shows that member of it which is picked: one picker for several places.
      picker.addEventListener("change", () => {
        for (const id of picker.dataset.shows.split(" ")) {
          const place = document.getElementById(id);
          show(place, (place.dataset.family || "") + picker.value);
        }
      });
    }
  });
  return { show, fill };
})();
