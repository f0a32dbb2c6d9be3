"use strict";
// The report's pickers: a month, a stock, an input; the address carries what is shown.
(() => {
  const find = (id) => document.getElementById(id);
  const state = { month: "", stock: "" };
  const pickers = document.querySelectorAll("select.month");
  let first = {};

  function options() {
    const head = konkyo.pack.head();
    for (const picker of pickers) picker.replaceChildren(...head.months.map((entry) => konkyo.el("option", { value: entry.month }, entry.month)).reverse());
  }

  async function show() {
    const m = await konkyo.pack.month(state.month);
    if (m.label !== state.month) return;
    const place = find("one");
    for (const picker of pickers) picker.value = state.month;
    if (find("names").dataset.month !== m.label + konkyo.language()) {
      find("names").replaceChildren(...[...m.placeOf].map(([name, row]) => {
        const stock = konkyo.pack.stock(m, row);
        return konkyo.el("option", { value: name }, `${stock.rank} · ${konkyo.words.sector(stock)}`);
      }));
      find("names").dataset.month = m.label + konkyo.language();
    }
    find("name").value = state.stock;
    const row = m.placeOf.get(state.stock);
    find("better").disabled = row === undefined || row === 0;
    find("worse").disabled = row === undefined || row === m.count - 1;
    const places = konkyo.pack.head().months;
    find("earlier").disabled = m.number === 0;
    find("later").disabled = m.number === places.length - 1;
    find("one-missing").hidden = row !== undefined;
    place.hidden = row === undefined;
    if (row !== undefined) await konkyo.stock.draw(place, m, state.stock);
    const heat = find("heat");
    if (heat.dataset.shown !== `${m.label} ${konkyo.language()}`) konkyo.month.heat(heat, m, first);
    const factors = find("means");
    if (factors.dataset.shown !== `${m.label} ${konkyo.language()}`) await konkyo.factors.draw(m);
    const all = find("all");
    if (all.open && all.dataset.shown !== `${m.label} ${konkyo.language()}`) konkyo.month.all(all, m);
    for (const marked of document.querySelectorAll("tr.selected")) marked.classList.remove("selected");
    find("row-" + state.stock)?.classList.add("selected");
  }
  const update = () => show().catch(konkyo.trouble);

  function go(values) {
    Object.assign(state, values);
    konkyo.writeHash({ stock: state.stock, month: state.month });
    update();
  }

  async function step(by) {
    const m = await konkyo.pack.month(state.month);
    const next = m.placeOf.get(state.stock) + by;
    if (next >= 0 && next < m.count) go({ stock: konkyo.pack.head().stocks[m.stock[next]] });
  }
  function turn(by) {
    const head = konkyo.pack.head(), next = head.months[head.at.get(state.month) + by];
    if (next) go({ month: next.month });
  }

  async function follow() {
    const wanted = konkyo.readHash(), head = konkyo.pack.head();
    if (head.at.has(wanted.month)) state.month = wanted.month;
    if (head.stockAt.has(wanted.stock)) state.stock = wanted.stock;
    await show();
    if (wanted.stock || wanted.month) find("stock").scrollIntoView();
  }

  async function start() {
    await Promise.all([konkyo.pack.start(), konkyo.words.start()]);
    first = await konkyo.json("first.json");
    options();
    state.month = first.month;
    const m = await konkyo.pack.month(state.month);
    state.stock = first.watchlist.find((name) => m.placeOf.has(name)) || konkyo.pack.head().stocks[m.stock[0]];
    for (const picker of pickers) picker.addEventListener("change", (event) => go({ month: event.target.value }));
    find("only-reliable")?.addEventListener("change", async () => konkyo.stock.draw(find("one"), await konkyo.pack.month(state.month), state.stock).catch(konkyo.trouble));
    find("factor")?.addEventListener("change", async () => konkyo.factors.scatter(await konkyo.pack.month(state.month)).catch(konkyo.trouble));
    find("name").addEventListener("change", (event) => go({ stock: event.target.value.trim() }));
    find("name").addEventListener("focus", (event) => event.target.select());
    find("better").addEventListener("click", () => step(-1).catch(konkyo.trouble));
    find("worse").addEventListener("click", () => step(1).catch(konkyo.trouble));
    find("earlier").addEventListener("click", () => turn(-1));
    find("later").addEventListener("click", () => turn(1));
    find("all").addEventListener("toggle", update);
    konkyo.onChange(update);
    window.addEventListener("hashchange", () => follow().catch(konkyo.trouble));
    await follow();
    document.body.dataset.ready = "true";
  }
  document.addEventListener("DOMContentLoaded", () => start().catch(konkyo.trouble));
})();
