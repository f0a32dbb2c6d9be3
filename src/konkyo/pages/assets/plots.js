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

  // Black is drawn in the page's ink, so that it can be seen in the dark.
  function inked(value, ink) {
    if (typeof value === "string") return /^#000(000)?$/.test(value) ? ink : value;
    if (Array.isArray(value)) return value.map((part) => inked(part, ink));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inked(part, ink)]));
    }
    return value;
  }

  // A layout in the page's own colours, letters and width; its title stands above it as text.
  function dressed(layout, width) {
    const ink = tone("--ink"), line = tone("--line"), narrow = width < 560;
    const own = inked(layout, ink);
    own.font = { ...own.font, family: getComputedStyle(document.body).fontFamily, color: ink, size: narrow ? 11 : 12 };
    own.paper_bgcolor = own.plot_bgcolor = "rgba(0,0,0,0)";
    own.autosize = true;
    delete own.width;
    delete own.title;
    const narrower = (side, most) => Math.min((own.margin && own.margin[side]) ?? 60, most);
    own.margin = { ...own.margin, t: 24, r: narrower("r", narrow ? 16 : 120), l: narrower("l", narrow ? 150 : 320) };
    if (narrow && own.legend !== undefined) own.legend = { ...own.legend, orientation: "h", x: 0, xanchor: "left", y: -0.2, yanchor: "top" };
    for (const key of Object.keys(own).concat(["xaxis", "yaxis"])) {
      if (!/^[xy]axis\d*$/.test(key)) continue;
      own[key] = { ...own[key], gridcolor: line, zerolinecolor: tone("--soft"), linecolor: line, automargin: true };
    }
    own.hoverlabel = { ...own.hoverlabel, bgcolor: tone("--raised"), font: { color: ink } };
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
    const layout = dressed(figure.layout, canvas.clientWidth);
    const options = { responsive: true, displaylogo: false, displayModeBar: false };
    await Plotly.react(canvas, inked(figure.data, tone("--ink")), layout, options);
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
