"use strict";
// One stock in one month: its sentence, its attribution as steps from zero to the score, and what
// changed since the month before. The charts get their steps by name (`konkyo.charts.fill`).
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

  // Bars that start where the one above ended, from a score or from zero to a score.
  function fall(items, from, to) {
    const unit = konkyo.pack.head().score_step, names = new Set();
    let at = from ? from.part : 0;
    const rows = from ? [{ name: from.label, start: 0, part: at, total: true }] : [];
    for (const item of items) {
      rows.push({ name: item.value ? `${item.label}  ${item.value}` : item.label, start: at, part: item.part, total: false });
      at += item.part;
    }
    rows.push({ name: to, start: 0, part: at, total: true });
    return rows.map(({ name, start, part, total }, place) => {
      // Rows of a chart are told apart by their names: a space without width makes two of one.
      let own = name;
      while (names.has(own)) own += "\u200b";
      names.add(own);
      return { place, name: own, total, part, start: start * unit, end: (start + part) * unit, change: part * unit };
    });
  }

  function attribution(stock) {
    return fall(parts(stock, stock.grounds.slice(0, SHOWN)), null, t("column.score"));
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
    return fall(parts(difference, both), from, t("stock.score_in", { month: now.month }));
  }

  async function draw(place, m, name) {
    const row = m.placeOf.get(name);
    if (row === undefined) {
      place.replaceChildren(el("p", { role: "status" }, t("report.not_ranked")));
      return;
    }
    const stock = konkyo.pack.stock(m, row), months = konkyo.pack.head().months;
    const text = minus(konkyo.words.signed(stock.score, 3));
    let past = null, missing = t("stock.first_month");
    if (m.number > 0) {
      const earlier = await konkyo.pack.month(months[m.number - 1].month), old = earlier.placeOf.get(name);
      if (old === undefined) missing = t("stock.not_ranked_in", { month: earlier.label });
      else past = change(stock, konkyo.pack.stock(earlier, old));
    }
    place.querySelector(".who").replaceChildren(name);
    place.querySelector(".facts").replaceChildren(t("stock.facts", {
      month: stock.month, sector: konkyo.words.sector(stock) || t("legend.no_sector"), score: text,
      rank: stock.rank, count: stock.count, quantile: stock.quantile,
    }));
    place.querySelector(".sentence").replaceChildren(konkyo.words.sentence(stock, konkyo.language()));
    place.querySelector(".no-past").replaceChildren(past ? "" : missing);
    document.getElementById("past").hidden = !past;
    konkyo.charts.fill(document.getElementById("attribution"), { steps: attribution(stock) });
    if (past) konkyo.charts.fill(document.getElementById("past"), { steps: past });
    place.dataset.shown = `${name} ${m.label} ${konkyo.language()}`;
  }
  return { draw };
})();
