"use strict";
// The stocks of a month: the table of figure 8, and all of them in the order of their scores.
konkyo.month = (() => {
  const { el } = konkyo;
  const t = konkyo.words.t;
  const minus = (text) => text.replace("-", "\u2212");
  const link = (stock) => el("a", { href: "#" + new URLSearchParams({ stock: stock.name, month: stock.month }) }, stock.name);

  // Rows that carry every input: the longest, the named ones, the shortest.
  function shown(m, each, named) {
    const rows = new Set();
    for (let i = 0; i < Math.min(each, m.count); i++) { rows.add(i); rows.add(m.count - 1 - i); }
    for (const name of named) if (m.placeOf.has(name)) rows.add(m.placeOf.get(name));
    return [...rows].sort((a, b) => a - b).map((row) => konkyo.pack.stock(m, row));
  }

  function heat(place, m, each, named, most) {
    const stocks = shown(m, each, named), step = konkyo.pack.head().step, names = konkyo.pack.head().names.length;
    const weight = new Float64Array(names);
    let largest = 1;
    for (const stock of stocks) {
      for (const ground of stock.grounds) {
        weight[ground.input] += Math.abs(ground.relevance);
        largest = Math.max(largest, Math.abs(ground.relevance));
      }
    }
    const columns = [...weight.keys()].filter((input) => weight[input]).sort((a, b) => weight[b] - weight[a]).slice(0, most);
    const cell = (ground) => {
      const share = Math.abs(ground.relevance) / largest, side = ground.relevance < 0 ? "minus" : "plus";
      const text = minus(konkyo.words.signed(ground.relevance * step, 3));
      return el("td", { class: `${side}${share > 0.8 ? " strong" : ""}`, style: `--share:${(100 * share).toFixed(1)}%`, title: text, "data-value": ground.value },
        konkyo.words.value(ground.input, ground.value), el("span", { class: "unseen" }, ` (${text})`));
    };
    const body = stocks.map((stock) => {
      const own = new Map(stock.grounds.map((ground) => [ground.input, ground]));
      return el("tr", { class: stock.rank * 2 > stock.count ? "low" : null },
        el("th", { scope: "row", "data-value": stock.rank }, link(stock)), el("td", { "data-value": stock.rank }, String(stock.rank)),
        el("td", { "data-value": stock.score }, minus(konkyo.words.signed(stock.score, 3))),
        ...columns.map((input) => cell(own.get(input))));
    });
    const table = el("table", { class: "heat sortable" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("column.stock")), el("th", { scope: "col" }, t("column.rank")), el("th", { scope: "col", class: "number" }, t("column.score")),
        ...columns.map((input) => el("th", { scope: "col", class: "number" }, konkyo.words.name(input))))),
      el("tbody", {}, ...body));
    konkyo.sortable(table);
    place.querySelector(".scroll").replaceChildren(table);
    place.querySelector(".columns").replaceChildren(columns.length < names ? t("stock.most_relevant", { count: names, shown: columns.length }) : "");
    place.querySelector(".most").replaceChildren(`\u2212${konkyo.words.number(largest * step, 3)}`, el("i", { class: "scale", "aria-hidden": "true" }), `+${konkyo.words.number(largest * step, 3)}`);
    place.dataset.shown = `${m.label} ${konkyo.language()}`;
  }

  function all(place, m) {
    const language = konkyo.language();
    const rows = [];
    for (let row = 0; row < m.count; row++) {
      const stock = konkyo.pack.stock(m, row);
      rows.push(el("tr", { id: "row-" + stock.name },
        el("td", { "data-value": stock.rank }, String(stock.rank)), el("td", {}, link(stock)), el("td", { class: "left" }, konkyo.words.sector(stock)),
        el("td", { "data-value": stock.score }, minus(konkyo.words.signed(stock.score, 3))), el("td", { "data-value": Number(stock.quantile) || 0 }, String(stock.quantile)),
        el("td", { class: "left" }, konkyo.words.reasons(stock, language, 2))));
    }
    const heads = [["column.rank", "number"], ["column.stock", "left"], ["column.sector", "left"], ["column.score", "number"],
      ["column.quantile", "number"], ["stock.reasons", "left"]];
    const table = el("table", { class: "sortable" },
      el("thead", {}, el("tr", {}, ...heads.map(([key, kind]) => el("th", { scope: "col", class: kind, "data-first": key === "column.rank" ? "ascending" : null }, t(key))))),
      el("tbody", {}, ...rows));
    konkyo.sortable(table);
    place.querySelector(".scroll").replaceChildren(table);
    place.dataset.shown = `${m.label} ${language}`;
  }
  return { heat, all };
})();
