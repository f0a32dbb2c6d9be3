"use strict";
// Texts of the catalogue (konkyo/i18n) that scripts fill, why a stock is ranked where it is by the
// rules of konkyo/report/tables/sentences.py, and the names of the inputs. The page carries all of them.
konkyo.words = (() => {
  let labels = null, rules = null, texts = null, inPerCent = false;
  async function start() {
    ({ labels, rules, texts, in_per_cent: inPerCent } = await konkyo.json("words.json"));
  }

  // A text in the page's language or in another one, its placeholders filled.
  function t(key, values = {}, language = konkyo.language()) {
    return texts[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }
  const number = (value, decimals) => Math.abs(value).toFixed(decimals).replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ",");
  const signed = (value, decimals) => (value < 0 ? "-" : "+") + number(value, decimals);

  function shown(kind, value) {
    if (!rules.numbers[kind]) return "";
    const [scale, withSign] = rules.numbers[kind], size = Math.abs(value) * scale;
    const decimals = scale === 100 ? 1 : size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
    return (withSign && value < 0 ? "-" : "") + number(size, decimals);
  }

  function reason({ input, value, relevance }, language) {
    const label = labels[input], [low, high] = rules.thresholds[label.kind];
    const side = value > high ? "high" : value < low ? "low" : "average";
    const words = t("sentence." + label.kind + "." + side, {
      name: label["phrase_" + language], low: label["low_" + language], high: label["high_" + language], value: shown(label.kind, value),
    }, language);
    return t("sentence.reason", { words, relevance: signed(relevance * konkyo.pack.head().step, rules.relevance_decimals) }, language);
  }
  function reasons(stock, language, n) {
    const named = stock.inputs.filter(({ reliable }) => reliable !== false).slice(0, n);
    return named.map((one) => reason(one, language)).join(t("sentence.separator", {}, language)) || t("sentence.none", {}, language);
  }
  function sentence(stock, language, n = 3) {
    return t("sentence.sentence", { rank: number(stock.rank, 0), stocks: number(stock.count, 0), reasons: reasons(stock, language, n) }, language);
  }

  // A score, in per cent where it is a predicted return, and what it is called.
  const score = (steps) => {
    const value = steps * konkyo.pack.head().step;
    return konkyo.minus(inPerCent ? signed(100 * value, 2) + "%" : signed(value, 3));
  };
  const scoreName = () => t(inPerCent ? "column.predicted_return" : "column.score");
  // Rows of a chart are told apart by their names: spaces without width make two of one.
  function unique() {
    const seen = new Map();
    return (text) => {
      seen.set(text, (seen.get(text) ?? -1) + 1);
      return text + "\u200b".repeat(seen.get(text));
    };
  }
  const name = (input) => labels[input][konkyo.language()];
  function sector(stock) {
    const dummy = konkyo.pack.head().names.indexOf("sector_" + stock.sector);
    return dummy < 0 ? stock.sector : name(dummy);
  }
  // An input's value as the tables show it: a dummy as 1 or 0, a series as in the sentence.
  function value(input, given) {
    const kind = labels[input].kind, rule = rules.numbers[kind];
    if (kind === "sector" || kind === "calendar") return given ? "1" : "0";
    return (given < 0 ? "\u2212" : "") + (rule ? shown(kind, Math.abs(given)) + (rule[0] === 100 ? "%" : "") : number(given, 2));
  }
  return { start, t, score, scoreName, unique, sentence, reasons, name, sector, value, number, signed };
})();
