"use strict";
// Reads what pages/pack.py writes: a month's arrays, each a byte that says how many planes of bytes
// follow and the planes, the lowest first; whole numbers folded so that signs cost nothing.
konkyo.pack = (() => {
  const months = new Map();
  let head = null;

  async function start() {
    head = await konkyo.json("pack/head.json");
    head.at = new Map(head.months.map((entry, place) => [entry.month, place]));
    head.stockAt = new Map(head.stocks.map((name, place) => [name, place]));
    head.place = new Map(head.characteristics.map((column, place) => [column, place]));
    head.commonPlace = new Map(head.common.map((column, place) => [column, place]));
    head.moved = new Map();
    for (const [stock, month, sector] of head.moves) {
      if (!head.moved.has(stock)) head.moved.set(stock, []);
      head.moved.get(stock).push([month, sector]);
    }
    return head;
  }

  function reader(bytes) {
    let at = 0;
    return (count, summed = false) => {
      const width = bytes[at];
      const out = new Int32Array(count);
      for (let i = 0; i < count; i++) {
        let folded = 0;
        for (let plane = width - 1; plane >= 0; plane--) folded = folded * 256 + bytes[at + 1 + plane * count + i];
        out[i] = folded % 2 ? -(folded - 1) / 2 - 1 : folded / 2;
        if (summed && i) out[i] += out[i - 1];
      }
      at += 1 + width * count;
      return out;
    };
  }

  async function month(label) {
    if (!months.has(label)) months.set(label, konkyo.open("pack/" + label).then((bytes) => read(label, bytes)));
    return months.get(label);
  }

  function read(label, bytes) {
    const take = reader(bytes), number = head.at.get(label);
    const { count, full: filled, values } = head.months[number];
    const kept = head.kept, groups = 4;
    const stock = take(count), score = take(count, true), quantile = take(count, true), totals = take(groups * count);
    const inputs = take(kept * count), coded = take(kept * count);
    const size = new Int32Array(kept * count);
    for (let k = kept - 1; k >= 0; k--) {
      for (let i = 0; i < count; i++) size[k * count + i] = (coded[k * count + i] >> 1) + (k + 1 < kept ? size[(k + 1) * count + i] : 0);
    }
    const own = [...inputs].map((input) => head.place.has(input));
    const shown = take(own.filter(Boolean).length);
    const value = new Int32Array(kept * count);
    for (let j = 0, next = 0; j < own.length; j++) if (own[j]) value[j] = shown[next++];
    const full = take(filled, true), codes = take(head.names.length * filled), fullValues = take(head.characteristics.length * filled);
    const fullAt = new Map([...full].map((row, place) => [row, place]));
    const placeOf = new Map([...stock].map((name, row) => [head.stocks[name], row]));
    return { label, number, count, values, stock, score, quantile, totals, inputs, coded, size, value, full: fullAt, filled, codes, fullValues, placeOf };
  }

  function sector(stock, number) {
    let found = -1;
    for (const [from, to] of head.moved.get(stock) || []) if (from <= number) found = to;
    return found;
  }

  // What is known of a stock in a month: its inputs from the largest relevance down, all of them or
  // the kept ones, and each group's total. Relevances and totals are whole steps.
  function stock(m, row) {
    const number = sector(m.stock[row], m.number), dummy = number < 0 ? -1 : head.dummies[number];
    const own = [];
    const push = (input, relevance, code) => {
      let value = input === dummy ? 1 : 0;
      if (head.place.has(input)) value = code * head.value_steps[head.place.get(input)];
      else if (head.commonPlace.has(input)) value = Math.fround(m.values[head.commonPlace.get(input)]);
      own.push({ input, relevance, value });
    };
    for (let k = 0; k < head.kept; k++) {
      const at = k * m.count + row;
      push(m.inputs[at], m.coded[at] % 2 ? -m.size[at] : m.size[at], m.value[at]);
    }
    const whole = m.full.has(row);
    if (whole) {
      const place = m.full.get(row), first = new Set(own.map((ground) => ground.input)), rest = own.length;
      for (let input = 0; input < head.names.length; input++) {
        if (first.has(input)) continue;
        const at = head.place.get(input);
        push(input, m.codes[input * m.filled + place], at === undefined ? 0 : m.fullValues[at * m.filled + place]);
      }
      own.splice(rest, Infinity, ...own.slice(rest).sort((a, b) => Math.abs(b.relevance) - Math.abs(a.relevance)));
    }
    return {
      name: head.stocks[m.stock[row]], month: m.label, rank: row + 1, count: m.count, score: m.score[row] * head.score_step,
      quantile: m.quantile[row] || "–", sector: number < 0 ? "" : head.sectors[number], dummy, whole, grounds: own,
      totals: [0, 1, 2, 3].map((group) => m.totals[group * m.count + row]),
    };
  }

  return { start, month, stock, head: () => head };
})();
