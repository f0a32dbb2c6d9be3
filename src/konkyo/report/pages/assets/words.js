"use strict";
// Texts of the catalogue (konkyo/i18n) that scripts fill, why a stock is ranked where it is by the
// rules of konkyo/reading/sentences.py, and the names of the inputs. The page carries all of them.
konkyo.words = (() => {
  let labels = null, rules = null, texts = null;

  async function start() {
    ({ labels, rules, texts } = await konkyo.json("words.json"));
  }

  // A text in the page's language or in another one, its placeholders filled.
  function t(key, values = {}, language = konkyo.language()) {
    return texts[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }
  // Rounded half up on the size, as Python's side does, and not by the browser's own formatting.
  function number(value, decimals, scale = 1) {
    const unit = 10 ** decimals, whole = Math.floor(Math.abs(value) * (scale * unit) + 0.5);
    const front = Math.floor(whole / unit).toString().replace(/\B(?=(\d{3})+$)/g, ",");
    return decimals ? front + "." + String(whole % unit).padStart(decimals, "0") : front;
  }
  function signed(value, decimals) { return (value < 0 ? "-" : "+") + number(value, decimals); }

  function shown(kind, value) {
    const rule = rules.numbers[kind];
    if (!rule) return "";
    const size = Math.abs(value) * rule.scale;
    const decimals = rule.decimals.find(([limit]) => size >= limit)[1];
    return (rule.signed && value < 0 ? "-" : "") + number(value, decimals, rule.scale);
  }

  function reason({ input, value, relevance }, language, step) {
    const label = labels[input], [low, high] = rules.thresholds[label.kind];
    const side = value > high ? "high" : value < low ? "low" : "average";
    const words = t("sentence." + label.kind + "." + side, {
      name: label["said_" + language], low: label["low_" + language], high: label["high_" + language],
      value: shown(label.kind, value),
    }, language);
    return t("sentence.reason", { words, relevance: signed(relevance * step, rules.relevance_decimals) }, language);
  }
  function reasons(stock, language, n) {
    const step = konkyo.pack.head().step;
    return stock.grounds.slice(0, n).map((one) => reason(one, language, step)).join(t("sentence.separator", {}, language));
  }

  function sentence(stock, language, n = 3) {
    return t("sentence.sentence", {
      rank: number(stock.rank, 0), stocks: number(stock.count, 0), reasons: reasons(stock, language, n),
    }, language);
  }

  function name(input) { return labels[input][konkyo.language()]; }
  function sector(stock) { return stock.dummy < 0 ? stock.sector : name(stock.dummy); }
  // An input's value as the tables show it: a dummy as yes or no, a series as in the sentence.
  function value(input, given) {
    const kind = labels[input].kind;
    if (kind === "sector" || kind === "calendar") return given ? "1" : "0";
    if (!rules.numbers[kind]) return (given < 0 ? "\u2212" : "") + number(given, 2);
    return (given < 0 ? "\u2212" : "") + shown(kind, Math.abs(given)) + (rules.numbers[kind].scale === 100 ? "%" : "");
  }
  function kind(input) { return labels[input].kind; }
  return { start, t, sentence, reasons, name, sector, value, kind, number, signed };
})();
