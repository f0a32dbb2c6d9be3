"""The ranking of a decision month with its grounds: one row a stock, as it is handed over."""

import numpy as np
import pandas as pd

from konkyo.i18n import Language
from konkyo.report import tables
from konkyo.report.tables import ExplainedPanel
from konkyo.report.tables.factors import SIDES

SAID = 3
"""Inputs that a stock's sentence names, each of which has a column of its own too."""
VALUE, RELEVANCE = "value_", "relevance_"


def ranking(
    e: ExplainedPanel, month: pd.Timestamp, labels: pd.DataFrame, language: Language
) -> pd.DataFrame:
    """Return the ranking of a month, best score first.

    Parameters
    ----------
    e : Evidence
        Grounds that have the month.
    month : Timestamp
        The decision month t; everything returned was known at its end.
    labels : DataFrame
        What `reading.labels` returns for the features.
    language : str
        "en" or "ja": of the sentences.

    Returns
    -------
    DataFrame
        month, rank (1 is the best), stock, sector, quantile (1 is the worst; missing where the
        month's scores form no portfolios), side (long, short or empty), score, size (the records'
        unit), sentence, ground_1 to ground_3 (the inputs of largest absolute relevance in words),
        value_<feature> (as the network saw it), then relevance_<feature> and absorbed (units of the
        score), which add up to the score.

    Raises
    ------
    ArtifactError
        No stock was ranked in the month.
    """
    rows = e.rows(month)
    order = rows.start + np.argsort(e.index["rank"].to_numpy()[rows])
    own = e.index.iloc[order].reset_index(drop=True)
    said = tables.grounds_in_words(e, order, labels, language, SAID)
    sides = np.full(len(e.index), "", dtype=object)
    for side in SIDES:
        sides[e.side(side)] = side
    keys = own[["month", "rank", "stock", "sector", "quantile"]].assign(
        side=sides[order],
        score=own["score"],
        size=own["size"],
        sentence=tables.sentences(e, order, labels, SAID)[language],
    )
    grounds = pd.DataFrame(said, columns=[f"ground_{n + 1}" for n in range(len(said[0]))])
    values = pd.DataFrame(e.features[order], columns=[VALUE + name for name in e.names])
    relevances = pd.DataFrame(e.relevance[order], columns=[RELEVANCE + name for name in e.names])
    absorbed = pd.Series(e.absorbed[order], name="absorbed")
    return pd.concat([keys, grounds, values, relevances, absorbed], axis=1)
