"""A prediction's grounds in plain words, by rules that a page can follow as well."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from konkyo.i18n import LANGUAGES, Language, t
from konkyo.report.tables.explained_panel import ExplainedPanel

_HALVES = {"characteristic": (-1 / 3, 1 / 3), "sector": (0.5, 0.5), "calendar": (0.5, 0.5)}
_BY_SIZE = [[1000.0, 0], [100.0, 1], [1.0, 2], [0.0, 3]]

RULES: dict[str, Any] = {
    # Below the first a value is low, above the second high, between (or at) them average.
    "thresholds": {
        kind: list(_HALVES.get(kind, (0.0, 0.0)))
        for kind in (
            "characteristic", "sector", "calendar", "level", "change", "difference", "rate",
            "rate_difference",
        )
    },
    # A value is shown times `scale`, with the decimals beside the first limit that its shown size
    # reaches; `signed` says whether with its minus sign.
    "numbers": {
        "level": {"scale": 1, "signed": True, "decimals": _BY_SIZE},
        "change": {"scale": 100, "signed": False, "decimals": [[0.0, 1]]},
        "difference": {"scale": 1, "signed": False, "decimals": _BY_SIZE},
        "rate": {"scale": 100, "signed": True, "decimals": [[0.0, 1]]},
        "rate_difference": {"scale": 100, "signed": False, "decimals": [[0.0, 1]]},
    },
    "relevance_decimals": 3,
}  # fmt: skip
"""Thresholds and numbers: plain values, which a page takes as JSON; words are in the catalogue."""
_SIDES = ("low", "average", "high")


def sentence(
    labels: pd.DataFrame,
    rank: int,
    stocks: int,
    values: Sequence[float] | np.ndarray,
    relevances: Sequence[float] | np.ndarray,
    language: Language,
    n: int = 3,
) -> str:
    """Say why a stock is ranked where it is.

    The limits are in `RULES`, the words in the catalogue's section "sentence": the `n` inputs of
    largest absolute relevance are named, of equal ones the earlier. An input is low, average or
    high by the thresholds of its kind, which choose the template; {low}, {high} and {name} are the
    label's. A third of the ranks of a month is low and a third high.

    Parameters
    ----------
    labels : DataFrame
        What `labels.labels` returns, a row an input.
    rank, stocks : int
        The stock's rank in the month, 1 for the best, and how many were ranked.
    values, relevances : sequence of float
        [features], in the order of `labels`: the inputs at t, and what they add to the score.
    language : str
        "en" or "ja".
    n : int
        How many inputs to name.

    Returns
    -------
    str
        "ranked 12 of 1,700: forecast ROE high (+0.083), size large (-0.031)".
    """
    words = _Words(labels, language)
    return words.sentence(rank, stocks, np.asarray(values), np.asarray(relevances), n)


def sentences(
    panel: ExplainedPanel, rows: Sequence[int] | np.ndarray, labels: pd.DataFrame, n: int = 3
) -> pd.DataFrame:
    """Say it of many stocks.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    rows : sequence of int
        Row positions in `e`.
    labels : DataFrame
        What `labels.labels` returns for `e.names`.
    n : int
        How many inputs a sentence names.

    Returns
    -------
    DataFrame
        month, stock, en, ja; one row a position, in their order.
    """
    rows = np.asarray(rows)
    own = panel.index.iloc[rows]
    out = own[["month", "stock"]].reset_index(drop=True)
    ranks, stocks = own["rank"].tolist(), own["stocks"].tolist()
    for language in LANGUAGES:
        words = _Words(labels, language)
        out[language] = [
            words.sentence(rank, count, panel.features[row], panel.relevance[row], n)
            for row, rank, count in zip(rows, ranks, stocks, strict=True)
        ]
    return out


def attributions_in_words(
    panel: ExplainedPanel,
    rows: Sequence[int] | np.ndarray,
    labels: pd.DataFrame,
    language: Language,
    n: int,
) -> list[list[str]]:
    """Return the inputs of largest absolute relevance of some stocks, each in words.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    rows : sequence of int
        Row positions in `e`.
    labels : DataFrame
        What `labels.labels` returns for `e.names`.
    language : str
        "en" or "ja".
    n : int
        How many inputs, of equal ones the earlier; all where there are fewer.

    Returns
    -------
    list of lists of str
        A list a position: "size large (-0.031)", the largest first.
    """
    words = _Words(labels, language)
    return [words.reasons(panel.features[row], panel.relevance[row], n) for row in rows]


def number(value: float, decimals: int, scale: int = 1) -> str:
    """Return a size in digits, without its sign: |value| * scale rounded half up, "1,700" style.

    Rounded by floor(x + 1/2) and not by the language's own formatting, so that a page in
    JavaScript shows the same digits.
    """
    digits = int(np.floor(abs(float(value)) * (scale * 10**decimals) + 0.5))
    if decimals == 0:
        return f"{digits:,}"
    unit = 10**decimals
    return f"{digits // unit:,}.{digits % unit:0{decimals}d}"


class _Words:
    """The label table of one language, ready to be looked up."""

    def __init__(self, labels: pd.DataFrame, language: Language) -> None:
        self.language: Language = language
        self.kinds = labels["kind"].tolist()
        self.names = labels[f"said_{language}"].tolist()
        self.low = labels[f"low_{language}"].tolist()
        self.high = labels[f"high_{language}"].tolist()

    def sentence(
        self, rank: int, stocks: int, values: np.ndarray, relevances: np.ndarray, n: int
    ) -> str:
        reasons = t("sentence.separator", self.language).join(self.reasons(values, relevances, n))
        return t(
            "sentence.sentence", self.language, rank=f"{rank:,}", stocks=f"{stocks:,}",
            reasons=reasons,
        )  # fmt: skip

    def reasons(self, values: np.ndarray, relevances: np.ndarray, n: int) -> list[str]:
        chosen = np.argsort(-np.abs(relevances), kind="stable")[:n]
        return [self.reason(at, float(values[at]), float(relevances[at])) for at in chosen]

    def reason(self, at: int, value: float, relevance: float) -> str:
        kind = self.kinds[at]
        low, high = RULES["thresholds"][kind]
        side = _SIDES[2 if value > high else 0 if value < low else 1]
        words = t(
            f"sentence.{kind}.{side}", self.language, name=self.names[at], low=self.low[at],
            high=self.high[at], value=_shown(kind, value),
        )  # fmt: skip
        return t("sentence.reason", self.language, words=words, relevance=_signed(relevance))


def _shown(kind: str, value: float) -> str:
    rule = RULES["numbers"].get(kind)
    if rule is None:
        return ""
    size = abs(value) * rule["scale"]
    decimals = next(count for limit, count in rule["decimals"] if size >= limit)
    return ("-" if rule["signed"] and value < 0 else "") + number(value, decimals, rule["scale"])


def _signed(relevance: float) -> str:
    return ("-" if relevance < 0 else "+") + number(relevance, RULES["relevance_decimals"])
