"use strict";
// Charts: Vega is opened when the first one comes near the window, each chart likewise. A page's
// policy forbids `eval`, so expressions are interpreted (vega-embed's `ast`).
konkyo.charts = (() => {
  const NARROW = 480;
  let library = null;
  const root = document.documentElement;

  function load() {
    library ||= konkyo.text("vega").then((source) => {
      document.head.append(konkyo.el("script", {}, source));
      // Letters are measured when a chart is drawn: those of a font that comes later would not fit.
      return document.fonts.load('12px "konkyo ja"', "\u6f22\u5b57");
    });
    return library;
  }
  const tone = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // A table lies once in the page, by columns, however many charts of either language read it.
  async function table(name) {
    const columns = Object.entries(await konkyo.json("table/" + name));
    const count = columns.length ? columns[0][1].length : 0;
    return Array.from({ length: count }, (_, i) => Object.fromEntries(columns.map(([key, values]) => [key, values[i]])));
  }

  // The chart's ink, grid and paper become the page's own, which differ in the dark.
  async function open(name, rows) {
    let text = await konkyo.text(`chart/${konkyo.language()}/${name}`);
    for (const [colour, own] of Object.entries(JSON.parse(root.dataset.inks))) text = text.replaceAll(`"${colour}"`, `"${tone(own)}"`);
    const spec = JSON.parse(text), names = spec.usermeta.tables;
    spec.datasets = { ...Object.fromEntries(await Promise.all(names.map(async (key) => [key, await table(key)]))), ...rows };
    return spec;
  }

  function lines(text, most) {
    const out = [""];
    for (const word of String(text).split(/(?<= )|(?<=[\u3000-\u9fff])(?![\u3001\u3002\u300d\uff09])/)) {
      if (out.at(-1) && (out.at(-1) + word.trimEnd()).length > most) out.push("");
      out[out.length - 1] += word;
    }
    return out.map((line) => line.trimEnd());
  }
  function visit(spec, change) {
    change(spec);
    for (const key of ["layer", "vconcat", "hconcat", "concat"]) for (const part of spec[key] || []) visit(part, change);
    if (spec.spec) visit(spec.spec, change);
  }
  // On a telephone names stand in two short lines, titles of axes too, and a legend has few columns.
  function slender(spec, width) {
    const room = (text, pixels) => Math.max(8, Math.floor(pixels / (/[\u3000-\u9fff]/.test(text) ? 11 : 6)));
    for (const param of spec.params || []) if (param.name === "letters") param.value = 22;
    if (spec.columns) spec.columns = 1;
    const axis = { ...spec.config.axis, labelFontSize: 10, titleFontSize: 11, labelLimit: 140 };
    spec.config = { ...spec.config, axis, axisQuantitative: { tickCount: 4 }, legend: { ...spec.config.legend, labelLimit: width - 50, titleLimit: width - 20, gradientLength: 180 } };
    visit(spec, (part) => {
      for (const [channel, code] of Object.entries(part.encoding || {})) {
        if (channel === "y" || channel === "x") {
          if (typeof code.title === "string") code.title = lines(code.title, room(code.title, channel === "x" ? width - 150 : 220));
        } else if (code.legend && code.legend.columns) {
          const names = code.scale.domain.map(String), pixels = Math.max(...names.map((text) => (/[\u3000-\u9fff]/.test(text) ? 11 : 6)));
          const most = Math.floor((width - 150) / pixels), widest = Math.min(most, Math.max(...names.map((text) => text.length)));
          code.legend.columns = Math.max(1, Math.floor((width - 110) / (widest * pixels + 30)));
          code.legend.labelExpr = `length(datum.label) > ${most} ? split(replace(datum.label, regexp('^(.{1,${most}} |.{${most}})'), '$1\\n'), '\\n') : datum.label`;
        } else if (code.legend && code.legend.title) code.legend.title = lines(code.legend.title, room(code.legend.title, width - 150));
      }
    });
  }

  // A single view fills its place by itself. Views side by side or below each other cannot: their
  // names are measured by drawing once, and what is left over or missing is shared out.
  const composed = (spec) => ["vconcat", "hconcat", "concat", "spec"].some((key) => spec[key]);
  function stretch(spec, factor) {
    visit(spec, (part) => { if (typeof part.width === "number") part.width = Math.max(20, part.width * factor); });
  }
  function natural(spec) {
    if (spec.columns && spec.spec) return spec.columns * natural(spec.spec);
    if (spec.columns && spec.concat) return spec.columns * Math.max(...spec.concat.map(natural));
    if (spec.hconcat) return spec.hconcat.reduce((sum, part) => sum + natural(part), 0);
    const own = typeof spec.width === "number" ? [spec.width] : [];
    return Math.max(0, ...own, ...["vconcat", "layer"].flatMap((key) => (spec[key] || []).map(natural)), spec.spec ? natural(spec.spec) : 0);
  }

  // Title and note; {month} and the like are what a script hands over with its rows.
  function caption(node) {
    const [title, note] = [node.meta.title, node.meta.note].map((text) => (node.values ? text.replace(/\{(\w+)\}/g, (_, name) => node.values[name]) : text));
    node.querySelector("figcaption").replaceChildren(title, note ? konkyo.el("small", {}, note) : "");
  }

  // A chart of rows that a script hands over is as high as there are rows (`usermeta.row`).
  const count = (rows) => Math.max(...Object.values(rows).map((values) => values.length));

  async function render(canvas, spec) {
    const options = {
      mode: "vega-lite", actions: false, renderer: "canvas", ast: true, loader: { load: () => Promise.reject(new Error("no network")) },
      tooltip: { theme: konkyo.dark() ? "dark" : "light" },
    };
    return vegaEmbed(canvas, spec, options);
  }

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
    if (composed(spec)) {
      const before = natural(spec);
      for (let turn = 0; turn < 2; turn += 1) {
        node.result?.finalize();
        node.result = await render(canvas, spec);
        const over = canvas.querySelector("canvas, svg").getBoundingClientRect().width - width;
        if (over <= 0 && over > -6) break;
        const now = natural(spec);
        stretch(spec, Math.max(40, now - over - 2) / now);
        if (turn === 1 || before <= 0) node.result = await render(canvas, spec);
      }
    } else {
      Object.assign(spec, { width: "container", autosize: { type: "fit-x", contains: "padding" } });
      node.result = await render(canvas, spec);
    }
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
