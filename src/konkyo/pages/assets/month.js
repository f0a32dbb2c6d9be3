"use strict";
// The stocks of a month: the table of figure 8, and all of them in the order of their scores.
konkyo.month = (() => {
  const { el } = konkyo;
  const T = {
    en: { stock: "stock", rank: "rank", score: "score", sector: "sector", decile: "portfolio", grounds: "largest contributions",
      wide: (all, most) => `the ${most} of ${all} inputs with the largest relevances` },
    ja: { stock: "銘柄", rank: "順位", score: "スコア", sector: "業種", decile: "分位", grounds: "主な寄与",
      wide: (all, most) => `${all}入力のうち関連度の大きい${most}個` },
  };
  const texts = () => T[konkyo.language()];
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
    const t = texts();
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
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t.stock), el("th", { scope: "col" }, t.rank), el("th", { scope: "col", class: "number" }, t.score),
        ...columns.map((input) => el("th", { scope: "col", class: "number" }, konkyo.words.name(input))))),
      el("tbody", {}, ...body));
    konkyo.sortable(table);
    place.querySelector(".scroll").replaceChildren(table);
    place.querySelector(".columns").replaceChildren(columns.length < names ? t.wide(names, columns.length) : "");
    place.querySelector(".most").replaceChildren(`\u2212${konkyo.words.number(largest * step, 3)}`, el("i", { class: "scale", "aria-hidden": "true" }), `+${konkyo.words.number(largest * step, 3)}`);
    place.dataset.shown = `${m.label} ${konkyo.language()}`;
  }

  function all(place, m) {
    const t = texts(), language = konkyo.language(), step = konkyo.pack.head().step;
    const rows = [];
    for (let row = 0; row < m.count; row++) {
      const stock = konkyo.pack.stock(m, row);
      rows.push(el("tr", { id: "row-" + stock.name },
        el("td", { "data-value": stock.rank }, String(stock.rank)), el("td", {}, link(stock)), el("td", { class: "left" }, konkyo.words.sector(stock)),
        el("td", { "data-value": stock.score }, minus(konkyo.words.signed(stock.score, 3))), el("td", { "data-value": Number(stock.decile) || 0 }, String(stock.decile)),
        el("td", { class: "left" }, stock.grounds.slice(0, 2).map((ground) => konkyo.words.ground(ground, language, step)).join(language === "ja" ? "、" : ", "))));
    }
    const heads = [["rank", "number"], ["stock", "left"], ["sector", "left"], ["score", "number"], ["decile", "number"], ["grounds", "left"]];
    const table = el("table", { class: "sortable" },
      el("thead", {}, el("tr", {}, ...heads.map(([key, kind]) => el("th", { scope: "col", class: kind, "data-first": key === "rank" ? "ascending" : null }, t[key])))),
      el("tbody", {}, ...rows));
    konkyo.sortable(table);
    place.querySelector(".scroll").replaceChildren(table);
    place.dataset.shown = `${m.label} ${language}`;
  }
  return { heat, all };
})();
