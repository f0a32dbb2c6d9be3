"use strict";
// One stock in one month: its sentence, its attribution as steps from zero to the score, and what
// changed since the month before. The charts get their steps by name (`konkyo.charts.fill`).
konkyo.stock = (() => {
  const SHOWN = 12;
  const GROUPS = ["characteristic", "sector", "calendar", "market"];
  const t = konkyo.words.t;

  // Steps to a score: the inputs shown, a remainder a group, what is absorbed.
  function parts({ score, totals }, shown) {
    const { groups } = konkyo.pack.head(), rest = [...totals];
    const steps = shown.map(({ input, relevance, text, error, reliable }) => {
      rest[groups[input]] -= relevance;
      return { name: `${konkyo.words.name(input)}  ${text}`, part: relevance, error, reliable };
    });
    rest.forEach((part, group) => {
      const all = groups.filter((other) => other === group).length, count = all - shown.filter(({ input }) => groups[input] === group).length;
      const key = count === all ? "stock.whole_group" : "stock.others";
      if (count && part) steps.push({ name: t(key, { count, group: t("stock.group." + GROUPS[group]) }), part });
    });
    return [...steps, { name: t("stock.absorbed"), part: score - steps.reduce((sum, { part }) => sum + part, 0) }];
  }

  // Bars that start where the one above ended, from zero or from a score to a score.
  function waterfall(before, steps, after) {
    const { step } = konkyo.pack.head(), unique = konkyo.words.unique();
    let at = 0;
    const rows = [...before, ...steps].map((one) => ({ ...one, from: at, to: (at += one.part), total: false }));
    if (before.length) rows[0].total = true;
    rows.push({ name: after, part: at, from: 0, to: at, total: true });
    return rows.map(({ name, part, from, to, total, error, reliable }, place) => ({
      place, name: unique(name), total, part, start: from * step, end: to * step, change: part * step,
      ...(error !== undefined && { reliable, low: (to - error) * step, high: (to + error) * step }),
    }));
  }

  function attribution(stock) {
    const only = document.getElementById("only-reliable")?.checked;
    const shown = stock.inputs.filter(({ relevance, reliable }) => relevance && (reliable || !only)).slice(0, SHOWN).map((one) => ({ ...one, text: konkyo.words.value(one.input, one.value) }));
    return waterfall([], parts(stock, shown), t("column.score"));
  }

  // Inputs that both months have singly, those that changed most; remainders take the rest.
  function change(now, before) {
    const earlier = new Map(before.inputs.map((one) => [one.input, one]));
    const shown = now.inputs.filter(({ input }) => earlier.has(input)).map(({ input, relevance, value }) => {
      const old = earlier.get(input), values = [old.value, value].map((one) => konkyo.words.value(input, one));
      return { input, relevance: relevance - old.relevance, text: [...new Set(values)].join(" \u2192 ") };
    }).filter(({ relevance }) => relevance).sort((a, b) => Math.abs(b.relevance) - Math.abs(a.relevance)).slice(0, SHOWN - 2);
    const difference = { score: now.score - before.score, totals: now.totals.map((total, group) => total - before.totals[group]) };
    const start = { name: t("stock.score_in", { month: before.month }), part: before.score };
    return waterfall([start], parts(difference, shown), t("stock.score_in", { month: now.month }));
  }

  async function draw(place, m, name) {
    const { months } = konkyo.pack.head(), stock = konkyo.pack.stock(m, m.placeOf.get(name));
    const earlier = m.number > 0 ? await konkyo.pack.month(months[m.number - 1].month) : null;
    const past = earlier && earlier.placeOf.has(name) ? change(stock, konkyo.pack.stock(earlier, earlier.placeOf.get(name))) : null;
    const missing = earlier ? t("stock.not_ranked_in", { month: earlier.label }) : t("stock.first_month");
    const fill = (selector, text) => place.querySelector(selector).replaceChildren(text);
    fill(".who", name);
    fill(".facts", t("stock.facts", { ...stock, sector: konkyo.words.sector(stock) || t("legend.no_sector"), score: konkyo.words.score(stock.score) }));
    fill(".sentence", konkyo.words.sentence(stock, konkyo.language()));
    fill(".no-past", past ? "" : missing);
    document.getElementById("past").hidden = !past;
    konkyo.charts.fill(document.getElementById("attribution"), { steps: attribution(stock) });
    if (past) konkyo.charts.fill(document.getElementById("past"), { steps: past });
    place.dataset.shown = `${name} ${m.label} ${konkyo.language()}`;
  }
  return { draw };
})();

// The stocks of a month: the table of figure 8, and all of them in the order of their scores.
konkyo.month = (() => {
  const MOST = 12;
  const { el, minus } = konkyo, t = konkyo.words.t;
  const link = ({ name, month }) => el("a", { href: "#" + new URLSearchParams({ stock: name, month }) }, name);
  const rank = (stock) => el("td", { "data-value": stock.rank }, String(stock.rank));
  const score = (stock) => el("td", { "data-value": stock.score }, konkyo.words.score(stock.score));

  function put(place, m, heads, rows, look = "") {
    const table = el("table", { class: look + "sortable" },
      el("thead", {}, el("tr", {}, ...heads.map(([text, kind, first]) => el("th", { scope: "col", class: kind, "data-first": first }, text)))), el("tbody", {}, ...rows));
    konkyo.sortable(table);
    place.querySelector(".scroll").replaceChildren(table);
    place.dataset.shown = `${m.label} ${konkyo.language()}`;
  }

  // The rows that carry every input: shorts on top, stocks of the watchlist, longs.
  function heat(place, m, { n_extremes: each, watchlist, columns: chosen }) {
    const { step, names } = konkyo.pack.head(), weight = new Float64Array(names.length);
    const extremes = Array.from({ length: m.count }, (_, row) => row).filter((row) => Math.min(row, m.count - 1 - row) < each);
    const watched = watchlist.filter((name) => m.placeOf.has(name)).map((name) => m.placeOf.get(name));
    const stocks = [...new Set([...extremes, ...watched])].sort((a, b) => b - a).map((row) => konkyo.pack.stock(m, row));
    for (const stock of stocks) for (const { input, relevance } of stock.inputs) weight[input] += Math.abs(relevance);
    const weighty = [...weight.keys()].filter((input) => weight[input]).sort((a, b) => weight[b] - weight[a]);
    const columns = chosen.length ? chosen : weighty.slice(0, MOST);
    const largest = Math.max(1, ...stocks.flatMap(({ inputs }) => inputs.filter(({ input }) => columns.includes(input)).map(({ relevance }) => Math.abs(relevance))));
    const shown = ({ input, value, raw }) => (raw === undefined ? konkyo.words.value(input, value)
      : raw === null ? "–" : minus(raw && Math.abs(raw) < 1e-3 ? raw.toExponential(1) : raw.toLocaleString("en", { maximumSignificantDigits: 3 })));
    const cell = (one) => {
      const { relevance, value, raw, reliable } = one, share = Math.abs(relevance) / largest, text = minus(konkyo.words.signed(relevance * step, 3));
      return el("td", { class: `${relevance < 0 ? "minus" : "plus"}${share > 0.8 ? " strong" : ""}${reliable === false ? " unsure" : ""}`, style: `--size:${(100 * share).toFixed(1)}%`, title: text, "data-value": raw ?? value },
        shown(one), el("span", { class: "unseen" }, ` (${text})`));
    };
    const rows = stocks.map((stock) => {
      const inputs = new Map(stock.inputs.map((one) => [one.input, one]));
      return el("tr", { class: stock.rank * 2 > stock.count ? "low" : null },
        el("th", { scope: "row", "data-value": stock.rank }, link(stock)), rank(stock), score(stock), ...columns.map((input) => cell(inputs.get(input))));
    });
    put(place, m, [[t("column.stock")], [t("column.rank")], [konkyo.words.scoreName(), "number"], ...columns.map((input) => [konkyo.words.name(input), "number"])], rows, "heat ");
    place.querySelector(".columns").replaceChildren(!chosen.length && columns.length < names.length ? t("stock.most_relevant", { count: names.length, shown: columns.length }) : "");
    const end = konkyo.words.number(largest * step, 3);
    place.querySelector(".most").replaceChildren("\u2212" + end, el("i", { class: "scale", "aria-hidden": "true" }), "+" + end);
  }

  function all(place, m) {
    const rows = Array.from({ length: m.count }, (_, row) => konkyo.pack.stock(m, row)).map((stock) => el("tr", { id: "row-" + stock.name },
      rank(stock), el("td", {}, link(stock)), el("td", { class: "left" }, konkyo.words.sector(stock)), score(stock),
      el("td", { "data-value": Number(stock.quantile) || 0 }, String(stock.quantile)), el("td", { class: "left" }, konkyo.words.reasons(stock, konkyo.language(), 2))));
    put(place, m, [[t("column.rank"), "number", "ascending"], [t("column.stock"), "left"], [t("column.sector"), "left"], [konkyo.words.scoreName(), "number"],
      [t("column.quantile"), "number"], [t("stock.reasons"), "left"]], rows);
  }
  return { heat, all, put };
})();
