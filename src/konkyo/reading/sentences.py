"""A prediction's grounds in plain words, by rules that a page can follow as well."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from konkyo.reading.evidence import Evidence

_HALVES = {"characteristic": (-1 / 3, 1 / 3), "sector": (0.5, 0.5), "calendar": (0.5, 0.5)}
_BY_SIZE = [[1000.0, 0], [100.0, 1], [1.0, 2], [0.0, 3]]

GRAMMAR: dict[str, Any] = {
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
    "en": {
        "sentence": "ranked {rank} of {stocks}: {grounds}",
        "separator": ", ",
        "ground": "{words} ({relevance})",
        # For a low, an average and a high value.
        "characteristic": ["{name} {low}", "{name} average", "{name} {high}"],
        "sector": ["not in sector {name}", "", "in sector {name}"],
        "calendar": ["decided in another month than {name}", "", "decided in {name}"],
        "level": ["{name} at {value}", "{name} at {value}", "{name} at {value}"],
        "change": [
            "{name} {low} {value}% in a month",
            "{name} unchanged in a month",
            "{name} {high} {value}% in a month",
        ],
        "difference": [
            "{name} {low} {value} in a month",
            "{name} unchanged in a month",
            "{name} {high} {value} in a month",
        ],
        "rate": ["{name} {value}%", "{name} {value}%", "{name} {value}%"],
        "rate_difference": [
            "{name} {low} {value} points from the month before",
            "{name} as the month before",
            "{name} {high} {value} points from the month before",
        ],
    },
    "ja": {
        "sentence": "{stocks}銘柄中{rank}位：{grounds}",
        "separator": "、",
        "ground": "{words}（{relevance}）",
        "characteristic": ["{name}が{low}", "{name}が平均的", "{name}が{high}"],
        "sector": ["業種が{name}以外", "", "業種が{name}"],
        "calendar": ["判断月が{name}以外", "", "判断月が{name}"],
        "level": ["{name}が{value}", "{name}が{value}", "{name}が{value}"],
        "change": [
            "{name}が1か月で{value}%{low}",
            "{name}が1か月で横ばい",
            "{name}が1か月で{value}%{high}",
        ],
        "difference": [
            "{name}が1か月で{value}{low}",
            "{name}が1か月で横ばい",
            "{name}が1か月で{value}{high}",
        ],
        "rate": ["{name}が{value}%", "{name}が{value}%", "{name}が{value}%"],
        "rate_difference": [
            "{name}が前月より{value}ポイント{low}",
            "{name}が前月と同じ",
            "{name}が前月より{value}ポイント{high}",
        ],
    },
}  # fmt: skip
"""Thresholds, numbers and templates: plain values, which a page takes as JSON."""


def sentence(
    labels: pd.DataFrame,
    rank: int,
    stocks: int,
    values: Sequence[float] | np.ndarray,
    relevances: Sequence[float] | np.ndarray,
    language: str,
    n: int = 3,
) -> str:
    """Say why a stock is ranked where it is.

    The rules, all of whose words and limits are in `GRAMMAR`: the `n` inputs of largest absolute
    relevance are named, of equal ones the earlier. An input is low, average or high by the
    thresholds of its kind, which choose the template; {low}, {high} and {name} are the label's. A
    third of the ranks of a month is low and a third high.

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
    e: Evidence, rows: Sequence[int] | np.ndarray, labels: pd.DataFrame, n: int = 3
) -> pd.DataFrame:
    """Say it of many stocks.

    Parameters
    ----------
    e : Evidence
        The grounds.
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
    own = e.index.iloc[rows]
    out = own[["month", "stock"]].reset_index(drop=True)
    ranks, stocks = own["rank"].tolist(), own["stocks"].tolist()
    for language in ("en", "ja"):
        words = _Words(labels, language)
        out[language] = [
            words.sentence(rank, count, e.values[row], e.relevance[row], n)
            for row, rank, count in zip(rows, ranks, stocks, strict=True)
        ]
    return out


def grounds_in_words(
    e: Evidence, rows: Sequence[int] | np.ndarray, labels: pd.DataFrame, language: str, n: int
) -> list[list[str]]:
    """Return the inputs of largest absolute relevance of some stocks, each in words.

    Parameters
    ----------
    e : Evidence
        The grounds.
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
    return [words.grounds(e.values[row], e.relevance[row], n) for row in rows]


def number(value: float, decimals: int, scale: int = 1) -> str:
    """Return a size in digits, without its sign: |value| * scale rounded half up, "1,700" style.

    Rounded by floor(x + 1/2) and not by the language's own formatting, so that a page in
    JavaScript shows the same digits.
    """
    whole = int(np.floor(abs(float(value)) * (scale * 10**decimals) + 0.5))
    if decimals == 0:
        return f"{whole:,}"
    unit = 10**decimals
    return f"{whole // unit:,}.{whole % unit:0{decimals}d}"


class _Words:
    """The label table and the grammar of one language, ready to be looked up."""

    def __init__(self, labels: pd.DataFrame, language: str) -> None:
        self.rules = GRAMMAR[language]
        self.kinds = labels["kind"].tolist()
        self.names = labels[f"said_{language}"].tolist()
        self.low = labels[f"low_{language}"].tolist()
        self.high = labels[f"high_{language}"].tolist()

    def sentence(
        self, rank: int, stocks: int, values: np.ndarray, relevances: np.ndarray, n: int
    ) -> str:
        grounds = self.rules["separator"].join(self.grounds(values, relevances, n))
        return self.rules["sentence"].format(
            rank=f"{rank:,}", stocks=f"{stocks:,}", grounds=grounds
        )

    def grounds(self, values: np.ndarray, relevances: np.ndarray, n: int) -> list[str]:
        chosen = np.argsort(-np.abs(relevances), kind="stable")[:n]
        return [self.ground(at, float(values[at]), float(relevances[at])) for at in chosen]

    def ground(self, at: int, value: float, relevance: float) -> str:
        kind = self.kinds[at]
        low, high = GRAMMAR["thresholds"][kind]
        template = self.rules[kind][2 if value > high else 0 if value < low else 1]
        words = template.format(
            name=self.names[at], low=self.low[at], high=self.high[at], value=_shown(kind, value)
        )
        return self.rules["ground"].format(words=words, relevance=_signed(relevance))


def _shown(kind: str, value: float) -> str:
    rule = GRAMMAR["numbers"].get(kind)
    if rule is None:
        return ""
    size = abs(value) * rule["scale"]
    decimals = next(count for limit, count in rule["decimals"] if size >= limit)
    return ("-" if rule["signed"] and value < 0 else "") + number(value, decimals, rule["scale"])


def _signed(relevance: float) -> str:
    return ("-" if relevance < 0 else "+") + number(relevance, GRAMMAR["relevance_decimals"])
