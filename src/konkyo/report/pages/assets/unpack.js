"use strict";
// Reads what pages/codec.py writes, whose docstrings describe it.
konkyo.pack = (() => {
  const months = new Map();
  let head = null;

  async function start() {
    head = await konkyo.json("pack/head.json");
    head.at = new Map(head.months.map((entry, place) => [entry.month, place]));
    head.stockAt = new Map(head.stocks.map((name, place) => [name, place]));
    return head;
  }

  function month(label) {
    if (!months.has(label)) months.set(label, konkyo.open("pack/" + label).then((bytes) => read(label, bytes)));
    return months.get(label);
  }

  function read(label, bytes) {
    const number = head.at.get(label), { count, full, market } = head.months[number];
    let at = 0;
    const column = (length) => {
      const out = new Int32Array(length);
      for (let plane = 0; plane < 4; plane++) for (let i = 0; i < length; i++) out[i] |= bytes[at++] << (8 * plane);
      return out.map((zigzag) => (zigzag >>> 1) ^ -(zigzag & 1));
    };
    const m = {
      label, number, count, market, stock: column(count), sector: column(count), score: column(count), quantile: column(count),
      totals: [0, 1, 2, 3].map(() => column(count)), input: column(head.largest * count), relevance: column(head.largest * count),
      value: column(head.largest * count), full: column(full), fullRelevance: column(head.names.length * full), fullValue: column(head.names.length * full),
    };
    m.placeOf = new Map([...m.stock].map((name, row) => [head.stocks[name], row]));
    m.fullAt = new Map([...m.full].map((row, place) => [row, place]));
    return m;
  }

  // A stock in a month: its inputs from the largest relevance down, all of them or the largest,
  // and each group's total. Score, relevances and totals are whole steps.
  function stock(m, row) {
    const one = (input, relevance, value) => (
      { input, relevance, value: head.groups[input] === 3 ? Math.fround(m.market[input]) : value * head.units[input] });
    const inputs = Array.from({ length: head.largest }, (_, k) => k * m.count + row).map((at) => one(m.input[at], m.relevance[at], m.value[at]));
    if (m.fullAt.has(row)) {
      const first = new Set(inputs.map(({ input }) => input));
      const rest = head.names.map((_, input) => input * m.full.length + m.fullAt.get(row)).map((at, input) => one(input, m.fullRelevance[at], m.fullValue[at]));
      inputs.push(...rest.filter(({ input }) => !first.has(input)).sort((a, b) => Math.abs(b.relevance) - Math.abs(a.relevance)));
    }
    return {
      name: head.stocks[m.stock[row]], month: m.label, rank: row + 1, count: m.count, score: m.score[row], inputs,
      quantile: m.quantile[row] || "–", sector: head.sectors[m.sector[row]], totals: m.totals.map((total) => total[row]),
    };
  }

  return { start, month, stock, head: () => head };
})();
