"use strict";
// Figures 9 and 10 of the month shown: the rows of their charts, and the table of all means.
konkyo.factors = (() => {
  const MOST = 30;
  const { el, minus } = konkyo, t = konkyo.words.t, find = (id) => document.getElementById(id);
  const stars = (p) => (p < 0.01 ? "**" : p < 0.05 ? "*" : "");
  const side = (long) => t(long ? "portfolio.long" : "portfolio.short");

  // Two bars an input, the largest difference first; the stars stand beside the first of them.
  function bars({ input, long, short, p, p_adjusted: adjusted }) {
    const unique = konkyo.words.unique(), moved = [...input.keys()].filter((at) => long[at] || short[at]);
    return moved.slice(0, MOST).flatMap((at, place) => {
      const row = unique(konkyo.words.name(input[at]));
      return [
        { place, row, side: side(true), value: long[at], stars: stars(p[at]), stars_adjusted: stars(adjusted[at]) },
        { place, row, side: side(false), value: short[at], stars: "", stars_adjusted: "" },
      ];
    });
  }

  function table(m, means) {
    const { group_names: groups, groups: groupOf } = konkyo.pack.head();
    const figure = (value, decimals) => el("td", { "data-value": value ?? "" }, value === null ? "–" : minus(konkyo.words.signed(value, decimals)));
    const chance = (p) => el("td", { "data-value": p }, `${p < 0.0005 ? "<0.001" : p.toFixed(3)} ${stars(p)}`);
    const rows = means.input.map((input, at) => {
      const name = konkyo.words.name(input), { long, short, t: statistic, p, p_adjusted: adjusted } = means;
      return el("tr", {}, el("td", { class: "left" }, name), el("td", { class: "left" }, t("group." + groups[groupOf[input]])), figure(long[at], 4), figure(short[at], 4),
        figure(long[at] - short[at], 4), figure(statistic[at], 1), chance(p[at]), chance(adjusted[at]));
    });
    konkyo.month.put(find("means"), m, [[t("column.label"), "left"], [t("column.group"), "left"], [side(true), "number"], [side(false), "number"],
      [t("report.difference"), "number"], ["t", "number"], ["p", "number", "ascending"], [t("report.p_adjusted"), "number", "ascending"]], rows);
  }

  async function scatter(m) {
    const name = find("factor")?.value.split("/")[1], input = konkyo.pack.head().names.indexOf(name);
    if (input < 0 || !m.legs.length) return;
    const { curves } = await konkyo.json("factors/" + m.label), columns = Object.entries(curves[input]);
    const curve = columns[0][1].map((_, at) => Object.fromEntries(columns.map(([key, values]) => [key, values[at]])));
    const points = konkyo.pack.points(m, input).map(({ name: who, long, value, relevance }) => ({ who, side: side(long), value, relevance }));
    konkyo.charts.fill(find("factor-figure"), { points, curve }, { month: m.label });
  }

  async function draw(m) {
    const empty = !m.legs.length;
    find("no-portfolios").hidden = !empty;
    find("no-portfolios").textContent = t("report.no_portfolios", { month: m.label });
    for (const node of document.querySelectorAll("#factors .by-month")) node.hidden = empty;
    if (empty) return;
    const { means } = await konkyo.json("factors/" + m.label), rows = bars(means);
    konkyo.charts.fill(find("factor-bars"), { bars: rows }, { month: m.label, shown: rows.length / 2, count: means.input.length });
    table(m, means);
    await scatter(m);
  }
  return { draw, scatter };
})();
