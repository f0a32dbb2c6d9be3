"""A prediction's attribution in plain words, by rules that a page can follow as well."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

from konkyo.i18n import LANGUAGES, Language, t
from konkyo.report.tables.explained_panel import ExplainedPanel

_SERIES = ("level", "change", "difference", "rate", "rate_difference")
RULES: dict[str, Any] = {
    # Below the first a value is low, above the second high, between (or at) them average.
    "thresholds": {
        "characteristic": [-1 / 3, 1 / 3],
        "sector": [0.5, 0.5],
        "calendar": [0.5, 0.5],
        **{kind: [0.0, 0.0] for kind in _SERIES},
    },
    # What a value is multiplied by, and whether its minus sign is shown.
    "numbers": {
        "level": [1, True],
        "change": [100, False],
        "difference": [1, False],
        "rate": [100, True],
        "rate_difference": [100, False],
    },
    "relevance_decimals": 3,
}
"""Thresholds and numbers: plain values, which a page takes as JSON; words are in the catalogue."""


SENTENCE_INPUTS = 3
"""Inputs that a sentence names at most."""


class Phrases:
    """The inputs of a stock in words, in one language.

    The limits are in `RULES`, the words in the catalogue's section "sentence". An input is low,
    average or high by the thresholds of its kind, which choose the template; {low}, {high} and
    {name} are the label's.

    Parameters
    ----------
    labels : DataFrame
        What `labels.labels` returns, a row an input.
    language : str
        en or ja.
    """

    def __init__(self, labels: pd.DataFrame, language: Language) -> None:
        self.language: Language = language
        columns = ["kind", f"phrase_{language}", f"low_{language}", f"high_{language}"]
        self.labels = (
            labels[columns].set_axis(["kind", "name", "low", "high"], axis=1).to_dict("records")
        )

    def sentence(
        self,
        rank: int,
        stocks: int,
        values: np.ndarray,
        relevances: np.ndarray,
        n: int = SENTENCE_INPUTS,
        reliable: np.ndarray | None = None,
    ) -> str:
        """Say why a stock is ranked where it is.

        Parameters
        ----------
        rank, stocks : int
            The stock's rank in the month, 1 for the best, and how many were ranked.
        values, relevances : array
            [features], in the order of the labels: the inputs at t, and what they add to the score.
        n : int
            How many inputs to name at most.
        reliable : array, optional
            [features] bool: only these are named.

        Returns
        -------
        str
            "ranked 12 of 1,700: forecast ROE high (+0.083), size large (-0.031)", or that no input
            can be told from noise.
        """
        reasons = t("sentence.separator", self.language).join(
            self.reasons(values, relevances, n, reliable)
        ) or t("sentence.none", self.language)
        numbers = {"rank": f"{rank:,}", "stocks": f"{stocks:,}"}
        return t("sentence.sentence", self.language, **numbers, reasons=reasons)

    def reasons(
        self,
        values: np.ndarray,
        relevances: np.ndarray,
        n: int,
        reliable: np.ndarray | None = None,
    ) -> list[str]:
        """Return the `n` inputs of largest absolute relevance, of equal ones the earlier first.

        Only reliable ones, where it is said which these are.
        """
        largest = np.argsort(-np.abs(relevances), kind="stable")
        if reliable is not None:
            largest = largest[reliable[largest]]
        return [self._reason(at, float(values[at]), float(relevances[at])) for at in largest[:n]]

    def _reason(self, at: int, value: float, relevance: float) -> str:
        label = self.labels[at]
        low, high = RULES["thresholds"][label["kind"]]
        side = "high" if value > high else "low" if value < low else "average"
        key = f"sentence.{label['kind']}.{side}"
        words = t(key, self.language, value=_shown(label["kind"], value), **label)
        sign = "-" if relevance < 0 else "+"
        digits = sign + number(relevance, RULES["relevance_decimals"])
        return t("sentence.reason", self.language, words=words, relevance=digits)


def sentences(
    panel: ExplainedPanel,
    rows: Sequence[int] | np.ndarray,
    labels: pd.DataFrame,
    n: int = SENTENCE_INPUTS,
) -> pd.DataFrame:
    """Return the sentences of many stocks.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    rows : sequence of int
        Row positions in the panel.
    labels : DataFrame
        What `labels.labels` returns for `panel.names`.
    n : int
        How many inputs a sentence names.

    Returns
    -------
    DataFrame
        month, stock, en, ja; one row a position, in their order.
    """
    table = panel.index.iloc[np.asarray(rows)][["month", "stock", "rank", "stocks"]]
    ranks = list(zip(rows, table["rank"], table["stocks"], strict=True))
    for language in LANGUAGES:
        phrases = Phrases(labels, language)
        table[language] = [
            phrases.sentence(
                rank,
                stocks,
                panel.features[row],
                panel.relevance[row],
                n,
                None if panel.reliable is None else panel.reliable[row],
            )
            for row, rank, stocks in ranks
        ]
    return table.drop(columns=["rank", "stocks"]).reset_index(drop=True)


def number(value: float, decimals: int) -> str:
    """Return a size in digits without its sign, "1,700" style.

    Ties go up, as JavaScript's toFixed rounds them, so that a page shows the same digits.
    """
    unit = Decimal(1).scaleb(-decimals)
    return f"{Decimal(abs(value)).quantize(unit, ROUND_HALF_UP):,}"


def _shown(kind: str, value: float) -> str:
    """Return a value of a market series in as many digits as tell it; nothing of other kinds."""
    if kind not in RULES["numbers"]:
        return ""
    scale, signed = RULES["numbers"][kind]
    size = abs(value) * scale
    by_size = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 3
    sign = "-" if signed and value < 0 else ""
    return sign + number(size, 1 if scale == 100 else by_size)
