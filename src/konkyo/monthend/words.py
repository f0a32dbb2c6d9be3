"""What sheets, columns, checks and figures of the month-end are called in both languages."""

from konkyo.figures.texts import Language
from konkyo.pages.shell import Words

SHEETS = {
    "ranking": Words("Ranking", "順位"),
    "grounds": Words("Grounds", "根拠"),
    "inputs": Words("Inputs", "入力値"),
    "values": Words("Values", "全銘柄の入力値"),
    "relevances": Words("Relevances", "全銘柄の関連度"),
    "read_me": Words("Read me", "説明"),
}
HEADS = {
    "rank": Words("rank", "順位"),
    "stock": Words("stock", "銘柄"),
    "sector": Words("sector", "業種"),
    "decile": Words("decile", "分位"),
    "side": Words("side", "区分"),
    "score": Words("score", "スコア"),
    "size": Words("size", "規模"),
    "sentence": Words("why", "理由"),
    "absorbed": Words("absorbed", "吸収分"),
    "feature": Words("name in files", "ファイル内の名前"),
    "label": Words("input", "入力"),
    "group": Words("group", "群"),
    "unit": Words("unit of its values", "値の単位"),
    "value": Words("value of the month, where it is one for all stocks", "当月の値（全銘柄共通）"),
}
SIDES = {
    "long": Words("long", "ロング"),
    "short": Words("short", "ショート"),
    "named": Words("named", "指定銘柄"),
    "": Words("", ""),
}
GROUPS = {
    "characteristic": Words("characteristic", "属性"),
    "sector": Words("sector", "業種"),
    "calendar": Words("calendar", "暦月"),
    "market": Words("market", "市場"),
}
FACTS = {
    "month": Words("decision month (t)", "判断月（t）"),
    "earned": Words("the ranking is for the returns of", "予測対象のリターンの月"),
    "stocks": Words("stocks ranked", "順位付けした銘柄数"),
    "portfolios": Words("portfolios by score", "スコアの分位数"),
    "trained_on": Words("the network learnt from the months", "学習した月"),
    "network": Words("SHA-256 of the network's file", "ネットワークのファイルのSHA-256"),
    "params": Words("digest of params.yaml", "params.yamlのダイジェスト"),
    "source": Words("records", "データ"),
    "point_in_time": Words("records without later revisions", "遡及修正のないデータ"),
    "survivorship_free": Words("records with stocks that are gone", "上場廃止銘柄を含むデータ"),
    "version": Words("konkyo", "konkyo"),
}
ABOUT = (
    Words(
        "Ranking: every stock of the month, the best score first. The score is the predicted "
        "attractiveness relative to the other stocks of the month; it is no expected return. "
        "Long is the best portfolio by score, short the worst.",
        "順位：当月の全銘柄をスコアの高い順に並べたもの。スコアは同じ月の他銘柄に対する予測上の"
        "相対的な魅力度であり、期待リターンではない。ロングは最上位、ショートは最下位の分位。",
    ),
    Words(
        "Grounds: how much each input adds to the score of the longest, the shortest and the named "
        "stocks (its relevance, in units of the score). Red raises the score, blue lowers it, and "
        "the inputs and what is absorbed (biases and epsilon) add up to the score.",
        "根拠：上位・下位・指定銘柄のスコアに各入力が加えた量（関連度、スコアの単位）。赤はスコアを"
        "上げ、青は下げる。全入力と吸収分（バイアスとε）の合計がスコアになる。",
    ),
    Words(
        "Inputs: the same stocks and colours, but the numbers are the inputs' values.",
        "入力値：同じ銘柄と色で、数値は入力の値。",
    ),
    Words(
        "Values and Relevances: of every stock of the month. Inputs that are the same for all "
        "stocks are in the table below; the dummies of sectors are one column, as are those of "
        "months. The CSV file beside this one has every input.",
        "全銘柄の入力値・全銘柄の関連度：当月の全銘柄について示す。全銘柄に共通の入力は下の表に、"
        "業種と暦月のダミーはそれぞれ1列にまとめた。全入力は同じ場所のCSVファイルにある。",
    ),
    Words(
        "Everything was known at the end of the decision month. A relevance says what moved the "
        "network's score, not what will move the price.",
        "すべて判断月の月末に既知の情報による。関連度はネットワークのスコアを動かしたものであり、"
        "株価を動かすものではない。",
    ),
)


def said(words: Words, language: Language) -> str:
    """Return the words of one language."""
    return words.ja if language == "ja" else words.en


CHECK_NAMES = {
    "drifting": Words(
        "share of characteristics that drift (PSI above its limit)",
        "分布が変化した属性の割合（PSIが閾値超）",
    ),
    "range": Words(
        "farthest market series, deviations from its training window",
        "最も離れた市場系列（学習期間からの標準偏差の倍数）",
    ),
    "rank_ic": Words(
        "rank IC of the last months less all before, Welch's t",
        "直近の順位ICとそれ以前の差（ウェルチのt値）",
    ),
    "missing": Words(
        "largest share of stocks without an input", "入力が欠損する銘柄の割合（最大）"
    ),
    "signs": Words(
        "share of effects that changed sign within a year", "1年で符号が変わった効果の割合"
    ),
}
FIGURES = {
    "psi_map": Words(
        "Population stability index by characteristic", "属性別の母集団安定性指標（PSI）"
    ),
    "psi": Words("PSI (the scale ends at twice the limit)", "PSI（目盛の上端は閾値の2倍）"),
    "range_map": Words(
        "Market series in deviations from their training window",
        "市場系列の学習期間からの乖離（標準偏差の倍数）",
    ),
    "deviations": Words(
        "deviations (the scale ends at the limit)", "標準偏差の倍数（目盛の両端は閾値）"
    ),
    "missing_map": Words("Share of stocks without an input", "入力が欠損する銘柄の割合"),
    "share": Words(
        "share of stocks (the scale ends at twice the limit)",
        "銘柄に占める割合（目盛の上端は閾値の2倍）",
    ),
    "limit": Words("limit", "閾値"),
    "found": Words("found", "値"),
    "beyond": Words("beyond the limit", "閾値超"),
}
