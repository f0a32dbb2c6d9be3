"use strict";
// A stock's grounds in plain words, by the rules of konkyo/reading/sentences.py, whose GRAMMAR the
// page carries; and what the inputs are called.
konkyo.words = (() => {
  let labels = null, grammar = null;

  async function start() {
    ({ labels, grammar } = await konkyo.json("words.json"));
  }

  function fill(template, values) {
    return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }
  // Rounded half up on the size, as Python's side does, and not by the browser's own formatting.
  function number(value, decimals, scale = 1) {
    const unit = 10 ** decimals, whole = Math.floor(Math.abs(value) * (scale * unit) + 0.5);
    const front = Math.floor(whole / unit).toString().replace(/\B(?=(\d{3})+$)/g, ",");
    return decimals ? front + "." + String(whole % unit).padStart(decimals, "0") : front;
  }
  function signed(value, decimals) { return (value < 0 ? "-" : "+") + number(value, decimals); }

  function shown(kind, value) {
    const rule = grammar.numbers[kind];
    if (!rule) return "";
    const size = Math.abs(value) * rule.scale;
    const decimals = rule.decimals.find(([limit]) => size >= limit)[1];
    return (rule.signed && value < 0 ? "-" : "") + number(value, decimals, rule.scale);
  }

  function ground({ input, value, relevance }, language, step) {
    const label = labels[input], [low, high] = grammar.thresholds[label.kind];
    const template = grammar[language][label.kind][value > high ? 2 : value < low ? 0 : 1];
    const words = fill(template, {
      name: label["said_" + language], low: label["low_" + language], high: label["high_" + language],
      value: shown(label.kind, value),
    });
    return fill(grammar[language].ground, { words, relevance: signed(relevance * step, grammar.relevance_decimals) });
  }

  function sentence(stock, language, n = 3) {
    const step = konkyo.pack.head().step, rules = grammar[language];
    const grounds = stock.grounds.slice(0, n).map((one) => ground(one, language, step));
    return fill(rules.sentence, {
      rank: number(stock.rank, 0), stocks: number(stock.count, 0), grounds: grounds.join(rules.separator),
    });
  }

  function name(input) { return labels[input][konkyo.language()]; }
  function sector(stock) { return stock.dummy < 0 ? stock.sector : name(stock.dummy); }
  // An input's value as the tables show it: a dummy as yes or no, a series as in the sentence.
  function value(input, given) {
    const kind = labels[input].kind;
    if (kind === "sector" || kind === "calendar") return given ? "1" : "0";
    if (!grammar.numbers[kind]) return (given < 0 ? "\u2212" : "") + number(given, 2);
    return (given < 0 ? "\u2212" : "") + shown(kind, Math.abs(given)) + (grammar.numbers[kind].scale === 100 ? "%" : "");
  }
  function kind(input) { return labels[input].kind; }
  return { start, sentence, ground, name, sector, value, kind, number, signed };
})();
