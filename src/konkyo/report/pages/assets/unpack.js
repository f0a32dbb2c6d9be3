"use strict";
// Reads what pages/codec.py writes, whose docstrings describe it.
konkyo.pack = (() => {
  const months = new Map();
  let head = null;

  async function start() {
    head = await konkyo.json("pack/head.json");
    head.missing = 2 ** 30;
    head.at = new Map(head.months.map((entry, place) => [entry.month, place]));
    head.stockAt = new Map(head.stocks.map((name, place) => [name, place]));
    return head;
  }

  function month(label) {
    if (!months.has(label)) months.set(label, konkyo.open("pack/" + label).then((bytes) => read(label, bytes)));
    return months.get(label);
  }

  function read(label, bytes) {
    const number = head.at.get(label), { count, full, legs, market } = head.months[number];
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
      fullRaw: head.raw_units && column(head.names.length * full), legRelevance: column(head.factors.length * legs), legValue: column(head.factors.length * legs),
      error: head.errors && column(head.largest * count), fullError: head.errors && column(head.names.length * full),
    };
    m.legs = [...m.quantile.keys()].filter((row) => m.quantile[row] === head.best || m.quantile[row] === 1);
    m.placeOf = new Map([...m.stock].map((name, row) => [head.stocks[name], row]));
    m.fullAt = new Map([...m.full].map((row, place) => [row, place]));
    return m;
  }

  // A stock in a month: its inputs from the largest relevance down, all of them or the largest,
  // and each group's total. Score, relevances and totals are whole steps.
  function stock(m, row) {
    const one = (input, relevance, value, error) => ({
      input, relevance, value: head.groups[input] === 3 ? Math.fround(m.market[input]) : value * head.units[input],
      ...(head.errors && { error: error >> 1, reliable: error % 2 === 1 }),
    });
    const inputs = Array.from({ length: head.largest }, (_, k) => k * m.count + row).map((at) => one(m.input[at], m.relevance[at], m.value[at], m.error?.[at]));
    if (m.fullAt.has(row)) {
      const first = new Set(inputs.map(({ input }) => input));
      const rest = head.names.map((_, input) => input * m.full.length + m.fullAt.get(row)).map((at, input) => one(input, m.fullRelevance[at], m.fullValue[at], m.fullError?.[at]));
      if (m.fullRaw) raw(m, m.fullAt.get(row), [...inputs, ...rest]);
      inputs.push(...rest.filter(({ input }) => !first.has(input)).sort((a, b) => Math.abs(b.relevance) - Math.abs(a.relevance)));
    }
    return {
      name: head.stocks[m.stock[row]], month: m.label, rank: row + 1, count: m.count, score: m.score[row], inputs,
      quantile: m.quantile[row] || "–", sector: head.sectors[m.sector[row]], totals: m.totals.map((total) => total[row]),
    };
  }

  // The values of characteristics before standardisation, where the page carries them.
  function raw(m, at, inputs) {
    for (const one of inputs) {
      const steps = m.fullRaw[one.input * m.full.length + at];
      if (head.groups[one.input] === 0) one.raw = steps === head.missing ? null : steps * head.raw_units[one.input];
    }
  }

  // Value and relevance of one of figure 10's inputs, for the stocks of both portfolios.
  function points(m, input) {
    const at = head.factors.indexOf(input) * m.legs.length, isMarket = head.groups[input] === 3;
    return m.legs.map((row, place) => ({
      name: head.stocks[m.stock[row]], long: m.quantile[row] === head.best, relevance: m.legRelevance[at + place] * head.step,
      value: isMarket ? Math.fround(m.market[input]) : m.legValue[at + place] * head.units[input],
    }));
  }

  return { start, month, stock, points, head: () => head };
})();
