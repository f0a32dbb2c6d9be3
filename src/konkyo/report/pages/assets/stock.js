"use strict";
// One stock in one month: its sentence, its grounds as steps from zero to the score, and what
// changed since the month before.
konkyo.stock = (() => {
  const { el } = konkyo;
  const SHOWN = 12;
  const GROUPS = ["characteristic", "sector", "calendar", "market"];
  const t = konkyo.words.t;
  const minus = (text) => text.replace("-", "\u2212");

  // What is left of a group of inputs, or all of it.
  function others(count, all, group) {
    return t(count === all ? "stock.whole_group" : "stock.others", { count, group: t("stock.group." + GROUPS[group]) });
  }

  // Shown inputs, a remainder a group, what is absorbed: together the score, in fine steps.
  function parts(stock, shown) {
    const head = konkyo.pack.head(), finer = head.step / head.score_step;
    const rest = [...stock.totals], all = [0, 0, 0, 0], out = [];
    for (const group of head.groups) all[group] += 1;
    const many = [...all];
    for (const ground of shown) {
      const group = head.groups[ground.input];
      rest[group] -= ground.relevance;
      many[group] -= 1;
      out.push({ label: konkyo.words.name(ground.input), value: ground.note ?? konkyo.words.value(ground.input, ground.value), part: ground.relevance * finer });
    }
    let left = Math.round(stock.score / head.score_step) - shown.reduce((sum, ground) => sum + ground.relevance, 0) * finer;
    rest.forEach((total, group) => {
      if (!many[group] || !total) return;
      out.push({ label: others(many[group], all[group], group), value: "", part: total * finer });
      left -= total * finer;
    });
    out.push({ label: t("stock.absorbed"), value: "", part: Math.round(left) });
    return out;
  }

  // A table whose bars start where the one above ended.
  function fall(items, from, to, heads) {
    const unit = konkyo.pack.head().score_step;
    let at = from.part, low = Math.min(0, at), high = Math.max(0, at);
    const rows = items.map((item) => {
      const start = at;
      at += item.part;
      low = Math.min(low, at);
      high = Math.max(high, at);
      return { ...item, start, end: at };
    });
    const span = high - low || 1;
    const percent = (part) => (100 * (part - low)) / span;
    const bar = (start, end, kind) => el("div", { class: "track", "aria-hidden": "true" },
      el("i", { class: "zero", style: `left:${percent(0)}%` }),
      el("b", { class: kind, style: `left:${percent(Math.min(start, end))}%;width:${Math.max(0.4, percent(Math.max(start, end)) - percent(Math.min(start, end)))}%` }));
    const line = (label, value, part, start, end, kind) => el("tr", { class: kind === "sum" ? "sum" : null, "data-part": part },
      el("th", { scope: "row" }, label, value ? el("span", { class: "value" }, value) : null),
      el("td", { class: "bars" }, bar(start, end, kind)),
      el("td", {}, minus(konkyo.words.signed(part * unit, 3))));
    return el("table", { class: "fall" },
      el("thead", {}, el("tr", {}, ...heads.map((head, i) => el("th", { scope: "col", class: i < 2 ? "left" : null }, head)))),
      el("tbody", {},
        from.label ? line(from.label, "", from.part, 0, from.part, "sum") : null,
        ...rows.map((row) => line(row.label, row.value, row.part, row.start, row.end, row.part < 0 ? "minus" : "plus")),
        line(to.label, "", at, 0, at, "sum")));
  }

  function grounds(stock) {
    return fall(parts(stock, stock.grounds.slice(0, SHOWN)), { part: 0 }, { label: t("column.score") }, [t("stock.input"), t("stock.running"), t("stock.contribution")]);
  }

  // Inputs that both months carry, those that changed most; remainders take the rest, so that the
  // steps lead from the score before to the score now.
  function change(now, before) {
    const unit = konkyo.pack.head().score_step;
    const earlier = new Map(before.grounds.map((ground) => [ground.input, ground]));
    const both = now.grounds.filter((ground) => earlier.has(ground.input)).map((ground) => {
      const old = earlier.get(ground.input), input = ground.input;
      const values = [old.value, ground.value].map((value) => konkyo.words.value(input, value));
      const note = values[0] === values[1] ? values[0] : values.join(" \u2192 ");
      return { input, relevance: ground.relevance - old.relevance, note };
    }).filter((ground) => ground.relevance).sort((a, b) => Math.abs(b.relevance) - Math.abs(a.relevance)).slice(0, SHOWN - 2);
    const difference = {
      score: now.score - before.score, totals: now.totals.map((total, group) => total - before.totals[group]),
    };
    const from = { label: t("stock.score_in", { month: before.month }), part: Math.round(before.score / unit) };
    return fall(parts(difference, both), from, { label: t("stock.score_in", { month: now.month }) },
      [t("stock.input"), t("stock.running_change"), t("stock.change")]);
  }

  async function draw(place, m, name) {
    const row = m.placeOf.get(name);
    if (row === undefined) {
      place.replaceChildren(el("p", { role: "status" }, t("report.not_ranked")));
      return;
    }
    const stock = konkyo.pack.stock(m, row), months = konkyo.pack.head().months;
    const text = minus(konkyo.words.signed(stock.score, 3));
    let past = el("p", { class: "soft" }, t("stock.first_month"));
    if (m.number > 0) {
      const earlier = await konkyo.pack.month(months[m.number - 1].month), old = earlier.placeOf.get(name);
      past = old === undefined ? el("p", { class: "soft" }, t("stock.not_ranked_in", { month: earlier.label })) : change(stock, konkyo.pack.stock(earlier, old));
    }
    place.querySelector(".who").replaceChildren(name);
    place.querySelector(".facts").replaceChildren(t("stock.facts", {
      month: stock.month, sector: konkyo.words.sector(stock) || t("legend.no_sector"), score: text,
      rank: stock.rank, count: stock.count, quantile: stock.quantile,
    }));
    place.querySelector(".sentence").replaceChildren(konkyo.words.sentence(stock, konkyo.language()));
    place.querySelector(".grounds").replaceChildren(grounds(stock));
    place.querySelector(".past").replaceChildren(past);
    place.dataset.shown = `${name} ${m.label} ${konkyo.language()}`;
  }
  return { draw };
})();
