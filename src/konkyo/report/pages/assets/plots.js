"use strict";
// Figures: plotly.js is opened when the first one comes near the window, each figure likewise.
konkyo.plots = (() => {
  const NARROW = 560;
  let library = null;

  function load() {
    library ||= konkyo.text("plotly").then((source) => {
      document.head.append(konkyo.el("script", {}, source));
      return window.Plotly;
    });
    return library;
  }

  function tone(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // A figure's inks are the page's own, which differ in the dark.
  function inked(value, inks) {
    if (typeof value === "string") return inks.get(value.toLowerCase()) || value;
    if (Array.isArray(value)) return value.map((part) => inked(part, inks));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inked(part, inks)]));
    }
    return value;
  }
  function palette() {
    const names = JSON.parse(document.documentElement.dataset.inks);
    return new Map(Object.entries(names).map(([colour, name]) => [colour.toLowerCase(), tone(name)]));
  }

  // A title is a text, an object with a text or without one, or not there.
  function wording(title) {
    const text = title && typeof title === "object" ? title.text : title;
    return typeof text === "string" ? text : "";
  }
  function reworded(title, text) {
    return { ...(title && typeof title === "object" ? title : {}), text };
  }

  // Breaks a text into lines of at most so many letters: at spaces, or anywhere where it has none.
  function broken(text, most) {
    const lines = [""];
    for (const word of text.split(/(?<= )|(?<=[\u3000-\u9fff、。）])/)) {
      if (lines.at(-1) && (lines.at(-1) + word.trimEnd()).length > most) lines.push("");
      lines[lines.length - 1] += word;
    }
    return lines.map((line) => line.trimEnd()).join("<br>");
  }

  function twoLines(text) {
    const lines = text.split("<br>");
    return lines.length > 2 ? lines.slice(0, 2).join("<br>") + "\u2026" : text;
  }

  // On a telephone names stand in two lines, titles too, and an axis has few numbers.
  function slender(own, width) {
    const wide = /[\u3000-\u9fff]/;
    const letters = (text, pixels) => Math.floor(pixels / (wide.test(text) ? 11 : 6.2));
    const axes = Object.keys(own).filter((key) => /^[xy]axis\d*$/.test(key));
    const named = axes.some((key) => key[0] === "y" && own[key].ticktext);
    for (const key of axes) {
      const axis = own[key] = { ...own[key] };
      if (key[0] === "y" && axis.ticktext) {
        axis.ticktext = axis.ticktext.map((text) => twoLines(broken(text, letters(text, 140))));
        axis.tickfont = { ...axis.tickfont, size: 10 };
        if (axis.ticktext.some((text) => text.includes("<br>"))) own.height = Math.max(own.height, 27 * axis.ticktext.length + 120);
      }
      if (key[0] === "x") Object.assign(axis, { nticks: 5, tickangle: 0 });
      const text = wording(axis.title), share = axis.domain ? axis.domain[1] - axis.domain[0] : 1;
      const length = key[0] === "x" ? (width - (named ? 170 : 60)) : (own.height - 100) * share;
      if (text) axis.title = { ...reworded(axis.title, broken(text, letters(text, length))), standoff: 4 };
    }
  }
  // A colour bar as wide as its figure, its title in lines.
  function barred(data) {
    return data.map((trace) => {
      if (!trace.colorbar || trace.colorbar.orientation !== "h") return trace;
      const title = trace.colorbar.title, text = wording(title);
      const most = /[\u3000-\u9fff]/.test(text) ? 18 : 32;
      const bar = { ...trace.colorbar, len: 1, nticks: 4, tickangle: 0, title: reworded(title, broken(text, most)) };
      return { ...trace, colorbar: bar };
    });
  }

  // A layout in the page's letters and width; its title stands above it as text.
  function dressed(layout, width) {
    const narrow = width < NARROW;
    const own = { ...layout, autosize: true };
    delete own.width;
    delete own.title;
    own.font = { ...own.font, family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 12 };
    own.margin = { ...own.margin, t: 28, l: 14, r: Math.max(14, (own.margin && own.margin.r) || 0) };
    if (narrow) slender(own, width);
    own.hoverlabel = { ...own.hoverlabel, bgcolor: tone("--raised"), font: { color: tone("--ink") } };
    return own;
  }

  async function draw(node) {
    const name = node.dataset.figure;
    if (!name) return;
    const Plotly = await load();
    const figure = await konkyo.json(`figure/${konkyo.language()}/${name}`);
    if (node.dataset.figure !== name) return;
    const canvas = node.querySelector(".canvas");
    node.querySelector("figcaption").textContent = wording(figure.layout.title).replace(/<br\s*\/?>/g, " ").replace(/<[^>]*>/g, "");
    const inks = palette(), layout = dressed(inked(figure.layout, inks), canvas.clientWidth);
    const options = { responsive: true, displaylogo: false, displayModeBar: false };
    const data = inked(figure.data, inks);
    await Plotly.react(canvas, canvas.clientWidth < NARROW ? barred(data) : data, layout, options);
    canvas.style.minHeight = "0";
    node.dataset.drawn = `${name} ${konkyo.language()} ${konkyo.dark() ? "dark" : "light"}`;
  }

  const near = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) { near.delete(entry.target); continue; }
      near.add(entry.target);
      refresh(entry.target);
    }
  }, { rootMargin: "600px 0px" });

  function wanted(node) {
    return `${node.dataset.figure} ${konkyo.language()} ${konkyo.dark() ? "dark" : "light"}`;
  }
  function refresh(node) {
    if (node.dataset.drawn !== wanted(node)) draw(node).catch((problem) => konkyo.trouble(new Error(`${node.dataset.figure}: ${problem.message}`)));
  }
  // Shows another figure in the same place.
  function show(node, name) {
    node.dataset.figure = name;
    if (near.has(node)) refresh(node);
  }

  konkyo.onChange(() => { for (const node of near) refresh(node); });
  document.addEventListener("DOMContentLoaded", () => {
    for (const node of document.querySelectorAll(".plot")) watch.observe(node);
    for (const picker of document.querySelectorAll("select[data-shows]")) {
      const place = document.getElementById(picker.dataset.shows);
      picker.addEventListener("change", () => show(place, picker.value));
    }
  });
  return { show };
})();
