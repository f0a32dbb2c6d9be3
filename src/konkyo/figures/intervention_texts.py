"""Every word in the figures of the second study, in English and in Japanese."""

import math

from konkyo.figures.texts import Language

TEXTS: dict[str, tuple[str, str]] = {
    # inputs, with and without their units
    "change": ("change of the rate", "為替変化率"),
    "change_before": ("change one month before", "前月の為替変化率"),
    "deviation": ("deviation from parity", "購買力平価からの乖離"),
    "balance": ("trade balance", "貿易収支"),
    "change_axis": ("change of the rate (per cent)", "為替変化率（％）"),
    "change_before_axis": ("change one month before (per cent)", "前月の為替変化率（％）"),
    "deviation_axis": ("deviation from parity (yen)", "購買力平価からの乖離（円）"),
    "balance_axis": ("trade balance (per cent of GDP)", "貿易収支（対GDP比、％）"),
    # models and what happened
    "actual": ("actual", "実績"),
    "network": ("network", "ニューラルネット"),
    "linear": ("linear", "線形"),
    "tobit": ("Tobit", "トービット"),
    "logit": ("logit", "ロジット"),
    "planted": ("planted", "設定した反応"),
    "acted": ("intervention", "介入あり"),
    "none": ("no intervention", "介入なし"),
    "threshold": ("threshold {at:+.2f} per cent", "閾値 {at:+.2f}％"),
    "no_threshold": ("no threshold", "閾値なし"),
    "usual": ("usual month", "平均的な月"),
    "sum": ("sum: log-odds", "合計：対数オッズ"),
    "seeds": ("bars: deviation between seeds", "線：シード間の標準偏差"),
    # axes
    "amount_axis": (
        "million dollars, positive where yen is sold",
        "百万ドル（円売りが正）",
    ),
    "share_axis": ("intervention (per cent of reserves)", "介入額（対外貨準備、％）"),
    "move_axis": (
        "move that the authority leans against (per cent)",
        "当局が抑えようとする変動（％）",
    ),
    "odds_axis": ("log-odds of the forecast", "予測の対数オッズ"),
    "chance_axis": ("mean probability, bins of one fifth", "平均予測確率（5等分）"),
    "often_axis": ("share of months with intervention", "介入のあった月の割合"),
    "data_I": ("data set I: realised inputs", "データI：実現値"),
    "data_II": ("data set II: published inputs", "データII：公表値"),
    # titles
    "buy": ("{first} to {last} (buying yen)", "{first}～{last}（円買い）"),
    "sell": ("{first} to {last} (selling yen)", "{first}～{last}（円売り）"),
    "fitted": ("Intervention and its in-sample fit, {period}", "介入額と標本内推定、{period}"),
    "surface": ("Reaction surface, {period}", "反応曲面、{period}"),
    "contour": ("Reaction surface from above, {period}", "反応曲面（等高線）、{period}"),
    "curves": (
        "Reaction to the month's move, other inputs at their mean",
        "当月の変動への反応（他の入力は平均値）",
    ),
    "forecasts": ("One-step-ahead forecasts", "1か月先予測"),
    "calibration": ("Calibration of the forecast months", "予測確率の較正"),
    "grounds_amount": ("Grounds of the forecasts, amount", "予測の根拠（介入額）"),
    "grounds_occurrence": ("Grounds of the forecasts, occurrence", "予測の根拠（介入の有無）"),
}


def say(key: str, language: Language, **parts: object) -> str:
    """Return a text of the table, its gaps filled."""
    return TEXTS[key][language == "ja"].format(**parts)


def say_threshold(at: float, language: Language) -> str:
    """Return a threshold in words, also where there is none."""
    known = math.isfinite(at)
    return say("threshold", language, at=at) if known else say("no_threshold", language)
