"use strict";
// What every page can do: two languages, light and dark, packed data, links into itself.
const konkyo = (() => {
  const root = document.documentElement;
  const listeners = [];

  // A sandboxed frame has no storage, and asking for it throws.
  function recall(key) {
    try { return localStorage.getItem("konkyo." + key); } catch { return null; }
  }
  function remember(key, value) {
    try { localStorage.setItem("konkyo." + key, value); } catch { /* shown for this visit only */ }
  }

  function language() { return root.lang; }
  function dark() {
    const theme = root.dataset.theme;
    return theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  }
  function onChange(listener) { listeners.push(listener); }

  function speak(choice) {
    root.lang = choice;
    const button = document.getElementById("language");
    button.lang = choice === "ja" ? "en" : "ja";
    button.textContent = button.dataset[choice];
    for (const node of document.querySelectorAll("[data-label-en]")) {
      node.setAttribute("aria-label", node.dataset[choice === "ja" ? "labelJa" : "labelEn"]);
    }
    for (const node of document.querySelectorAll("option[data-en]")) node.textContent = node.dataset[choice];
    for (const listener of listeners) listener();
  }
  function colour(choice) {
    root.dataset.theme = choice;
    document.getElementById("theme").setAttribute("aria-pressed", String(dark()));
    for (const listener of listeners) listener();
  }

  // Packed data lies in script elements as gzip in base64; each is opened once, when it is wanted.
  const opened = new Map();
  async function bytes(name) {
    const node = document.querySelector(`script[data-chunk="${CSS.escape(name)}"]`);
    if (!node) throw new Error("this page carries no " + name);
    const text = atob(node.textContent.trim());
    const packed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
  function open(name) {
    if (!opened.has(name)) opened.set(name, bytes(name));
    return opened.get(name);
  }
  async function text(name) { return new TextDecoder().decode(await open(name)); }
  async function json(name) { return JSON.parse(await text(name)); }

  // Elements are made of nodes and text alone, so that no name in the data can become markup.
  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "style") node.style.cssText = value;
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }

  const minus = (text) => text.replace("-", "\u2212");

  // #stock=1301&month=2020-03 names a view; #time names a section.
  function readHash() {
    const hash = location.hash.slice(1);
    return hash.includes("=") ? Object.fromEntries(new URLSearchParams(hash)) : {};
  }
  function writeHash(values) {
    const hash = "#" + new URLSearchParams(values).toString();
    try { history.replaceState(null, "", hash); } catch { /* a frame may forbid it */ }
  }

  function trouble(problem) {
    const node = document.getElementById("trouble");
    node.textContent = String((problem && problem.message) || problem);
    node.hidden = false;
    console.error(problem);
  }

  function start() {
    const button = document.getElementById("language");
    button.addEventListener("click", () => {
      const choice = language() === "en" ? "ja" : "en";
      remember("language", choice);
      speak(choice);
    });
    document.getElementById("theme").addEventListener("click", () => {
      const choice = dark() ? "light" : "dark";
      remember("theme", choice);
      colour(choice);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => colour(root.dataset.theme));
    const links = new Map([...document.querySelectorAll(".bar nav a")].map((a) => [a.hash.slice(1), a]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const link = links.get(entry.target.id);
        if (!link || !entry.isIntersecting) continue;
        for (const other of links.values()) other.removeAttribute("aria-current");
        link.setAttribute("aria-current", "true");
      }
    }, { rootMargin: "-20% 0px -70% 0px" });
    for (const section of document.querySelectorAll("main > section")) seen.observe(section);
    speak(recall("language") || language());
    colour(recall("theme") || root.dataset.theme);
  }

  document.addEventListener("DOMContentLoaded", start);
  return { language, dark, onChange, open, text, json, el, minus, readHash, writeHash, trouble };
})();

// Tables that sort by a click on a column's head: numbers by data-value where a cell has one.
konkyo.sortable = (table) => {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const key = (row, column) => {
    const cell = row.cells[column], given = cell.dataset.value;
    if (given === undefined) return cell.innerText.trim();
    return given === "" || Number.isNaN(Number(given)) ? null : Number(given);
  };
  function sort(column, descending) {
    const rows = [...table.tBodies[0].rows].map((row) => [key(row, column), row]);
    // Empty cells stay last whichever way the others go.
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), konkyo.language());
      return descending ? -order : order;
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }
  heads.forEach((head, column) => {
    const button = konkyo.el("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    const first = head.dataset.first !== "ascending" && head.classList.contains("number");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(column, now ? now === "ascending" : first);
    });
  });
};
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.sortable")) konkyo.sortable(table);
});
