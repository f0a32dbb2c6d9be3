"""The single stock: its attribution (figure 8), and what changed since the month before."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.errors import KonkyoError
from konkyo.report.tables.explained_panel import ExplainedPanel

ABSORBED = "absorbed"


def stock_table(
    panel: ExplainedPanel, month: pd.Timestamp, n: int, named: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the attributions of a month's top and bottom stocks, and of stocks by name.

    The numbers of the paper's figure 8.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    month : Timestamp
        The decision month.
    n : int
        So many long and so many short stocks; half the month's stocks where there are fewer.
    named : sequence of str
        Codes of further stocks, ranked in that month. One that is among the others stands twice.

    Returns
    -------
    DataFrame
        month, side (long, short, named), place (1 is the best score of the longs, the worst of the
        shorts, the first of the named), stock, sector, rank, stocks, score, quantile, feature,
        value (the input at t, raw where the panel has it) and relevance; where there are standard
        errors also error (units of the score) and reliable. One row a stock and feature, and one a
        stock for the feature "absorbed" (without a value), so that a stock's relevances add up to
        its score.

    Raises
    ------
    ArtifactError
        No stock was ranked in the month.
    KonkyoError
        A named stock was not ranked in it.
    """
    rows = panel.rows(month)
    order = rows.start + np.argsort(panel.index["rank"].to_numpy()[rows])
    n = min(n, len(order) // 2)
    wanted = _find(panel, rows, named, month)
    picked = np.concatenate([order[:n], order[::-1][:n], wanted])
    sides = np.repeat(["long", "short", "named"], [n, n, len(wanted)])
    places = np.concatenate([np.arange(n), np.arange(n), np.arange(len(wanted))]) + 1
    keys = panel.index.iloc[picked].reset_index(drop=True)
    keys.insert(1, "side", sides)
    keys.insert(2, "place", places)
    about = ["month", "side", "place", "stock", "sector", "rank", "stocks", "score", "quantile"]
    shown = panel.features if panel.raw is None else panel.raw
    values = np.column_stack([shown[picked], np.full(len(picked), np.nan)])
    parts = {"value": values, "relevance": attribution_rows(panel, picked)}
    if panel.error is not None and panel.reliable is not None:
        none = np.full(len(picked), np.nan)
        parts["error"] = np.column_stack([panel.error[picked], none]).astype(np.float64)
        parts["reliable"] = np.column_stack([panel.reliable[picked], np.zeros(len(picked), bool)])
    return _long(keys[about], [*panel.names, ABSORBED], parts)


def attribution_rows(panel: ExplainedPanel, rows: np.ndarray) -> np.ndarray:
    """Return relevances and what is absorbed, [rows, features + 1] float64."""
    return np.column_stack([panel.relevance[rows], panel.absorbed[rows]]).astype(np.float64)


def _find(
    panel: ExplainedPanel, rows: slice, stocks: Sequence[str], month: pd.Timestamp
) -> np.ndarray:
    """Return the rows of stocks by their codes, in the order asked."""
    ranked = pd.Index(panel.index["stock"].iloc[rows])
    at = ranked.get_indexer(pd.Index(list(stocks), dtype=ranked.dtype))
    if (at < 0).any():
        absent = [code for code, place in zip(stocks, at, strict=True) if place < 0]
        raise KonkyoError(
            f"{', '.join(absent)} not among the {len(ranked)} stocks ranked in {label(month)} "
            f"(such as {', '.join(ranked[:3])}): correct the codes or choose a month in which they "
            "were ranked"
        )
    return rows.start + at


def _long(
    keys: pd.DataFrame, features: Sequence[str], parts: dict[str, np.ndarray]
) -> pd.DataFrame:
    """Return one row a key and feature, the parts [keys, features] as columns."""
    table = keys.loc[keys.index.repeat(len(features))].reset_index(drop=True)
    table["feature"] = np.tile(np.array(features, dtype=object), len(keys))
    return table.assign(**{name: part.ravel() for name, part in parts.items()})
