"use strict";
// Figures: plotly.js is opened when the first one comes near the window, each figure likewise.
konkyo.plots = (() => {
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

  // A layout in the page's letters and width; its title stands above it as text.
  function dressed(layout, width) {
    const narrow = width < 560;
    const own = { ...layout, autosize: true };
    delete own.width;
    delete own.title;
    own.font = { ...own.font, family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 12 };
    own.margin = { ...own.margin, t: 28 };
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
    const title = figure.layout.title, words = title && (title.text ?? title);
    node.querySelector("figcaption").textContent = (words || "").replace(/<br\s*\/?>/g, " ").replace(/<[^>]*>/g, "");
    const inks = palette(), layout = dressed(inked(figure.layout, inks), canvas.clientWidth);
    const options = { responsive: true, displaylogo: false, displayModeBar: false };
    await Plotly.react(canvas, inked(figure.data, inks), layout, options);
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
    if (node.dataset.drawn !== wanted(node)) draw(node).catch(konkyo.trouble);
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
