"""Every word in the figures, in English and in Japanese; what the inputs are called is a table."""

from typing import Literal

import pandas as pd

Language = Literal["en", "ja"]

TEXTS: dict[str, tuple[str, str]] = {
    # how much of a search is luck
    "logit_histogram": (
        "Rank in the other half of the months: {pbo:.0%} of choices at or below the median",
        "半分の月で選んだ試行の、残り半分の月での順位：中央値以下は{pbo:.0%}",
    ),
    "logit_axis": (
        "logit of the relative rank out of sample: 0 at the median of {trials} trials",
        "標本外の相対順位のロジット：0が{trials}試行の中央値",
    ),
    "share_of_splits": ("share of splits", "分割に占める割合"),
    "at_or_below_median": ("at or below the median", "中央値以下"),
    "above_median": ("above the median", "中央値より上"),
    "degradation_scatter": (
        "Chosen trial, in sample against out of sample: slope {slope:+.2f}, loss in {loss:.0%}",
        "選ばれた試行の標本内と標本外：傾き {slope:+.2f}、損失は{loss:.0%}",
    ),
    "in_sample": ("in sample: {what}", "標本内：{what}"),
    "out_of_sample": ("out of sample: {what}", "標本外：{what}"),
    "objective_return_risk": ("annual return / risk", "年率リターン／リスク"),
    "objective_t_statistic": ("t-statistic", "t値"),
    "objective_mean": ("mean of a month", "月次平均"),
    "one_split": ("a split", "分割"),
    "least_squares": ("least squares", "最小二乗"),
    "maximum_by_luck": (
        "Best of {trials} trials without skill (they count as {effective:.0f}), and the best found",
        "能力のない{trials}試行（実効{effective:.0f}）の最良値と、探索の最良値",
    ),
    "share_of_searches": ("share of searches without skill", "能力のない探索に占める割合"),
    "expected_by_luck": ("expected by luck {value:.2f}", "偶然による期待値 {value:.2f}"),
    "best_trial": ("best trial {value:.2f}", "最良の試行 {value:.2f}"),
    "reached_by_luck": (
        "{share:.1%} of searches without skill reach it",
        "能力のない探索の{share:.1%}が到達",
    ),
    # portfolios and models
    "long": ("long", "ロング"),
    "short": ("short", "ショート"),
    "named": ("named", "指定銘柄"),
    "spread": ("long - short", "ロング－ショート"),
    "spread_net": ("long - short, net", "ロング－ショート（費用控除後）"),
    "market": ("market", "市場平均"),
    "network": ("network", "ニューラルネット"),
    "ridge": ("ridge", "リッジ回帰"),
    "shuffled": ("shuffled labels", "ラベル並べ替え"),
    "others": ("{count} others", "他の{count}項目"),
    # axes
    "decision_month": ("decision month", "判断月"),
    "earned_month": ("month earned", "リターンの実現月"),
    "value_of_one": ("value of 1 invested (log scale)", "1の投資の価値（対数目盛）"),
    "per_cent": ("{what} (per cent)", "{what}（％）"),
    "return": ("return", "リターン"),
    "annual_return_mean": ("arithmetic mean return a year", "年率平均リターン（算術）"),
    "rank_ic_axis": (
        "rank correlation of score and next return",
        "スコアと翌月リターンの順位相関",
    ),
    "mean_of_12": ("mean of 12 months", "12か月平均"),
    "one_month": ("month", "単月"),
    "decile_axis": (
        "decile of score: 1 worst (short), {last} best (long)",
        "スコアの分位：1が最下位（ショート）、{last}が最上位（ロング）",
    ),
    "relevance": ("relevance (units of the score)", "関連度（スコアの単位）"),
    "mean_relevance": ("mean relevance (units of the score)", "平均関連度（スコアの単位）"),
    "relevance_difference": (
        "long - short, mean relevance (units of the score)",
        "平均関連度の差、ロング－ショート（スコアの単位）",
    ),
    "difference_short": ("mean relevance, long - short", "平均関連度の差"),
    "effect_axis": (
        "effect: relevance of the top fifth - bottom fifth (units of the score)",
        "効果：上位5分の1－下位5分の1の関連度（スコアの単位）",
    ),
    "input_value": ("{name}: {unit}", "{name}：{unit}"),
    "score": ("score", "スコア"),
    "stock": ("stock", "銘柄"),
    "rank": ("rank", "順位"),
    "month": ("month", "月"),
    "stocks": ("stocks", "銘柄数"),
    "difference": ("difference", "差"),
    "share_of_relevance": ("share of absolute relevance", "関連度の絶対値の割合"),
    "share_of_stocks": ("share of the portfolio's stocks", "ポートフォリオの銘柄に占める割合"),
    "size_axis": ("size: mean percentile", "規模の平均百分位"),
    "no_sector": ("no sector", "業種なし"),
    "sector_axis": ("share of a sector, long - short", "業種比率の差"),
    "turnover_axis": ("turnover a month, one way", "月次回転率（片道）"),
    "attribute_mean": (
        "mean of the decile's stocks (value of the input)",
        "分位内銘柄の平均（入力値）",
    ),
    "deleted_axis": (
        "share of inputs put to the centre, most relevant first",
        "中央値に置き換えた入力の割合（関連度の大きい順）",
    ),
    "score_change_axis": (
        "root mean square change of the score",
        "スコアの変化（二乗平均平方根）",
    ),
    "agreement_axis": (
        "rank correlation, mean over months (bars: two standard errors)",
        "順位相関の月平均（線は標準誤差の2倍）",
    ),
    # titles
    "portfolio_growth": (
        "Growth of 1: portfolios of the {model}",
        "1の成長：{model}の各ポートフォリオ",
    ),
    "model_growth": (
        "Growth of 1: long - short of each model",
        "1の成長：モデル別のロング－ショート",
    ),
    "monthly_rank_ic": (
        "Rank information coefficient of the {model}: mean {mean:.3f}",
        "{model}の順位情報係数：平均 {mean:.3f}",
    ),
    "monthly_spread": (
        "Long - short of the {model}: mean {mean:.2f} per cent a month",
        "{model}のロング－ショート：月平均 {mean:.2f}％",
    ),
    "decile_returns": (
        "Mean annual return by decile of score: {model} (bars)",
        "スコア分位別の年率平均リターン：{model}（棒）",
    ),
    "performance": ("Performance of the portfolios", "ポートフォリオの成績"),
    "stock_heat": (
        "Longest and shortest stocks, {month}: input values, coloured by relevance",
        "{month}の上位・下位銘柄：数値は入力値、色は関連度",
    ),
    "stock_heat_note": (
        "The {shown} inputs of largest mean absolute relevance among these stocks. The last column"
        " is the relevance of the other {left} and of what is absorbed: each row adds up to its"
        " score.",
        "これらの銘柄で関連度の絶対値平均が大きい{shown}入力。右端は残り{left}入力と吸収分の関連度の"
        "合計で、各行の関連度の合計がスコアになる。",
    ),
    "rest": ("the rest", "その他"),
    "turnover_note": (
        "The other {count}: long {long:.1f}, short {short:.1f} per cent a month.",
        "他の{count}項目：ロング{long:.1f}％、ショート{short:.1f}％（月次）。",
    ),
    "thin_lines": (
        "Thin lines: months; thick lines: means of 12 months.",
        "細線は単月、太線は12か月平均。",
    ),
    "change_bars": (
        "What changed the score of {stock} from {before} to {now}",
        "{stock}のスコアの変化の内訳：{before}から{now}",
    ),
    "score_of": ("score {month}", "スコア {month}"),
    "factor_bars": (
        "Mean relevance in the long and in the short portfolio",
        "ロングとショートの平均関連度",
    ),
    "factor_bars_note": (
        "{shown} of {count} inputs, by absolute difference. Stars: Welch's test, ** 1 per cent,"
        " * 5 per cent; right, after Benjamini and Hochberg. Portfolios formed by the score differ"
        " by construction.",
        "{count}入力中、差の絶対値の大きい{shown}。星印はウェルチ検定（** 1％、* 5％）、右列は"
        "ベンジャミニ・ホッホバーグ補正後。スコアで組むポートフォリオは構成上必ず差をもつ。",
    ),
    "test": ("test", "検定"),
    "corrected": ("corrected", "補正後"),
    "factor_scatter": ("{name}: value against relevance", "{name}：入力値と関連度"),
    "smoothed_mean": ("mean of all stocks", "全銘柄の平均"),
    "band": ("10th to 90th percentile", "10～90パーセンタイル"),
    "market_lines": (
        "Market series: mean relevance, long - short",
        "市場系列：平均関連度の差、ロング－ショート",
    ),
    "market_decile_bars": (
        "Stocks by the relevance of {name}, {month}",
        "{name}の関連度による銘柄の分位、{month}",
    ),
    "market_decile": (
        "decile {decile}: {count} stocks, mean relevance {relevance:+.3f}",
        "第{decile}分位：{count}銘柄、平均関連度 {relevance:+.3f}",
    ),
    "group_lines": ("Relevance by group of inputs over time", "入力群別の関連度の推移"),
    "effect_map": ("Effects of the attributes over time", "属性の効果の推移"),
    "exposure_lines": (
        "Size and sectors of the long and the short portfolio",
        "ロングとショートの規模と業種",
    ),
    "exposure_bars": (
        "Sectors of the long and the short portfolio, {when}",
        "ロングとショートの業種構成、{when}",
    ),
    "all_months": ("mean of all months", "全期間平均"),
    "relevance_turnover": (
        "Which inputs turn the portfolios over: mean of all months",
        "回転をもたらした入力：全期間平均",
    ),
    "truth_agreement": (
        "Rank correlation of relevances with the true contributions",
        "関連度と真の寄与との順位相関",
    ),
    "deletion_curves": (
        "Change of the score as inputs are put to the centre",
        "入力を中央値に置き換えたときのスコアの変化",
    ),
    # columns of the performance table
    "model": ("model", "モデル"),
    "portfolio": ("portfolio", "ポートフォリオ"),
    "annual_return": ("return a year, %", "年率リターン、%"),
    "annual_risk": ("risk a year, %", "年率リスク、%"),
    "return_risk": ("return / risk", "リターン／リスク"),
    "max_drawdown": ("maximum drawdown, %", "最大下落率、%"),
    "hit_rate": ("months above 0, %", "勝率、%"),
    "months": ("months", "月数"),
    # methods of explaining and how they are judged
    "lrp_epsilon": ("LRP epsilon (the paper's)", "LRP ε（論文の方法）"),
    "lrp_gamma": ("LRP gamma", "LRP γ"),
    "lrp_alpha2_beta1": ("LRP alpha 2 beta 1", "LRP α2β1"),
    "lrp_alpha1_beta0": ("LRP alpha 1 beta 0", "LRP α1β0"),
    "lrp_z_plus": ("LRP z-plus", "LRP z+"),
    "gradient_input": ("gradient x input", "勾配×入力"),
    "integrated_gradients": ("integrated gradients", "積分勾配"),
    "deep_lift": ("DeepLIFT", "DeepLIFT"),
    "shapley_sampling": ("Shapley sampling", "シャープレイ値（標本）"),
    "linear": ("linear model's coefficients x input", "線形モデルの係数×入力"),
    "area": ("{method}, area {area:+.2f}", "{method}、面積 {area:+.2f}"),
    "random_order": ("random order", "無作為な順"),
    "rank_per_input": ("over stocks, by input", "銘柄間（入力ごと）"),
    "rank_per_stock": ("over inputs, by stock", "入力間（銘柄ごと）"),
}


def text(key: str, language: Language, **parts: object) -> str:
    """Return a text of the table, its gaps filled; a key that the table lacks is its own text.

    Names of models, portfolios and methods are keys, and a user's own are shown as they are.
    """
    if key not in TEXTS:
        return key
    return TEXTS[key][language == "ja"].format(**parts)


def feature_names(labels: pd.DataFrame, language: Language) -> dict[str, str]:
    """Return what each feature is called.

    Parameters
    ----------
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    """
    return dict(zip(labels["feature"], labels[language], strict=True))


def value_words(labels: pd.DataFrame, feature: str, language: Language) -> str:
    """Return an input's name with the unit of its values.

    Parameters
    ----------
    labels : DataFrame
        feature, en, ja, unit, unit_ja.
    feature : str
        One of them.
    language : str
        en or ja.
    """
    row = labels[labels["feature"] == feature].iloc[0]
    unit = row["unit_ja" if language == "ja" else "unit"]
    return text("input_value", language, name=row[language], unit=unit)


def sector_name(sector: object, names: dict[str, str], language: Language) -> str:
    """Return what a sector is called: the label of its dummy, where it has one."""
    if pd.isna(sector) or sector == "":
        return text("no_sector", language)
    return names.get(f"sector_{sector}", str(sector))
