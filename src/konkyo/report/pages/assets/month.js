"use strict";
// The stocks of a month: the table of figure 8, and all of them in the order of their scores.
konkyo.month = (() => {
  const { el, minus } = konkyo, t = konkyo.words.t;
  const link = ({ name, month }) => el("a", { href: "#" + new URLSearchParams({ stock: name, month }) }, name);
  const rank = (stock) => el("td", { "data-value": stock.rank }, String(stock.rank));
  const score = (stock) => {
    const value = stock.score * konkyo.pack.head().step;
    return el("td", { "data-value": value }, minus(konkyo.words.signed(value, 3)));
  };

  function put(place, m, heads, rows, look = "") {
    const table = el("table", { class: look + "sortable" },
      el("thead", {}, el("tr", {}, ...heads.map(([text, kind, first]) => el("th", { scope: "col", class: kind, "data-first": first }, text)))), el("tbody", {}, ...rows));
    konkyo.sortable(table);
    place.querySelector(".scroll").replaceChildren(table);
    place.dataset.shown = `${m.label} ${konkyo.language()}`;
  }

  // The rows that carry every input: top and bottom stocks, those of the watchlist.
  function heat(place, m, each, watchlist, most) {
    const { step, names } = konkyo.pack.head(), weight = new Float64Array(names.length);
    const extremes = Array.from({ length: m.count }, (_, row) => row).filter((row) => Math.min(row, m.count - 1 - row) < each);
    const watched = watchlist.filter((name) => m.placeOf.has(name)).map((name) => m.placeOf.get(name));
    const stocks = [...new Set([...extremes, ...watched])].sort((a, b) => a - b).map((row) => konkyo.pack.stock(m, row));
    for (const stock of stocks) for (const { input, relevance } of stock.inputs) weight[input] += Math.abs(relevance);
    const largest = Math.max(1, ...stocks.map((stock) => Math.abs(stock.inputs[0].relevance)));
    const columns = [...weight.keys()].filter((input) => weight[input]).sort((a, b) => weight[b] - weight[a]).slice(0, most);
    const cell = ({ input, relevance, value }) => {
      const share = Math.abs(relevance) / largest, text = minus(konkyo.words.signed(relevance * step, 3));
      return el("td", { class: `${relevance < 0 ? "minus" : "plus"}${share > 0.8 ? " strong" : ""}`, style: `--share:${(100 * share).toFixed(1)}%`, title: text, "data-value": value },
        konkyo.words.value(input, value), el("span", { class: "unseen" }, ` (${text})`));
    };
    const rows = stocks.map((stock) => {
      const inputs = new Map(stock.inputs.map((one) => [one.input, one]));
      return el("tr", { class: stock.rank * 2 > stock.count ? "low" : null },
        el("th", { scope: "row", "data-value": stock.rank }, link(stock)), rank(stock), score(stock), ...columns.map((input) => cell(inputs.get(input))));
    });
    put(place, m, [[t("column.stock")], [t("column.rank")], [t("column.score"), "number"], ...columns.map((input) => [konkyo.words.name(input), "number"])], rows, "heat ");
    place.querySelector(".columns").replaceChildren(columns.length < names.length ? t("stock.most_relevant", { count: names.length, shown: columns.length }) : "");
    const end = konkyo.words.number(largest * step, 3);
    place.querySelector(".most").replaceChildren("\u2212" + end, el("i", { class: "scale", "aria-hidden": "true" }), "+" + end);
  }

  function all(place, m) {
    const rows = Array.from({ length: m.count }, (_, row) => konkyo.pack.stock(m, row)).map((stock) => el("tr", { id: "row-" + stock.name },
      rank(stock), el("td", {}, link(stock)), el("td", { class: "left" }, konkyo.words.sector(stock)), score(stock),
      el("td", { "data-value": Number(stock.quantile) || 0 }, String(stock.quantile)), el("td", { class: "left" }, konkyo.words.reasons(stock, konkyo.language(), 2))));
    put(place, m, [[t("column.rank"), "number", "ascending"], [t("column.stock"), "left"], [t("column.sector"), "left"], [t("column.score"), "number"],
      [t("column.quantile"), "number"], [t("stock.reasons"), "left"]], rows);
  }
  return { heat, all };
})();
