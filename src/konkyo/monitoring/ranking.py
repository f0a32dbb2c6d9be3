"""The ranking of a decision month with its attributions, one row a stock."""

import numpy as np
import pandas as pd

from konkyo.attribution.row_errors import error_columns
from konkyo.i18n import Language
from konkyo.report import tables
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import SIDES
from konkyo.report.tables.sentences import SENTENCE_INPUTS, Phrases

VALUE, RELEVANCE = "value_", "relevance_"


def month_ranking(
    panel: ExplainedPanel, month: pd.Timestamp, labels: pd.DataFrame, language: Language
) -> pd.DataFrame:
    """Return the ranking of a month, best score first.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores and attributions that include the month.
    month : Timestamp
        The decision month t; everything returned is known at its end.
    labels : DataFrame
        Of `report.tables.labels`.
    language : str
        Of the sentences, "en" or "ja".

    Returns
    -------
    DataFrame
        month, rank (1 is the best), stock, sector, quantile (1 is the worst; missing where the
        month's scores form no portfolios), side (long, short or empty), score, size (the records'
        unit), sentence, reason_1 to reason_3 (the inputs of largest absolute relevance, in words;
        only reliable ones where there are standard errors, empty where they are fewer),
        value_<feature> (the network's input), relevance_<feature> and absorbed (units of the
        score), which sum to the score; with standard errors error_<feature> and reliable_<feature>.

    Raises
    ------
    ArtifactError
        No stock was ranked in the month.
    """
    rows = panel.rows(month)
    order = rows.start + np.argsort(panel.index["rank"].to_numpy()[rows])
    index = panel.index.iloc[order].reset_index(drop=True)
    phrases = Phrases(labels, language)
    reasons = [
        phrases.reasons(
            panel.features[row],
            panel.relevance[row],
            SENTENCE_INPUTS,
            None if panel.reliable is None else panel.reliable[row],
        )
        for row in order
    ]
    sides = np.full(len(panel.index), "", dtype=object)
    for side in SIDES:
        sides[panel.side(side)] = side
    keys = index[["month", "rank", "stock", "sector", "quantile"]].assign(
        side=sides[order],
        score=index["score"],
        size=index["size"],
        sentence=tables.sentences(panel, order, labels, SENTENCE_INPUTS)[language],
    )
    reason_columns = pd.DataFrame(
        [[*one, *[""] * (SENTENCE_INPUTS - len(one))] for one in reasons],
        columns=[f"reason_{n + 1}" for n in range(SENTENCE_INPUTS)],
    )
    values = pd.DataFrame(panel.features[order], columns=[VALUE + name for name in panel.names])
    relevances = pd.DataFrame(
        panel.relevance[order], columns=[RELEVANCE + name for name in panel.names]
    )
    absorbed = pd.Series(panel.absorbed[order], name="absorbed")
    parts = [keys, reason_columns, values, relevances, absorbed]
    if panel.error is not None and panel.reliable is not None:
        parts.append(
            error_columns(panel.error[order], panel.reliable[order], panel.names, index.index)
        )
    return pd.concat(parts, axis=1)
