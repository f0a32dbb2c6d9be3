"""What the two portfolios hold, and which inputs make them trade."""

import numpy as np
import pandas as pd

from konkyo.dates import ordinal
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import SIDES
from konkyo.report.tables.stocks import ABSORBED, attribution_rows

UNRANKED = "unranked"
"""The feature to which trades are put that no change of relevance explains."""


def exposure(panel: ExplainedPanel) -> pd.DataFrame:
    """Return the sectors and the size of the two portfolios, month by month.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions; a stock without a sector is in the sector "".

    Returns
    -------
    DataFrame
        month, kind (sector, size), name, long, short, difference, known at t. For a sector the
        share of the portfolio's stocks; all sectors ever held are there in every month, none
        where no stock has one. For size, where the records have it,
        with the name "size", the portfolio's mean percentile of size among the month's ranked
        stocks: (rank - 1/2) / stocks, 0 to 1, so that a portfolio like the market is at 0.5.
    """
    codes, sectors = pd.factorize(panel.index["sector"].fillna(""), sort=True)
    by_month = panel.index.groupby("month", sort=False)["size"]
    percentile = ((by_month.rank() - 0.5) / by_month.transform("count")).to_numpy()
    legs = {}
    for side in SIDES:
        rows = panel.side(side)
        held = np.zeros((len(rows), len(sectors) + 1))
        held[np.arange(len(rows)), codes[rows]] = 1
        held[:, -1] = percentile[rows]
        legs[side] = panel.monthly_mean(held, rows)
    table = panel.by_month(
        "name", [*sectors, "size"], **legs, difference=legs["long"] - legs["short"]
    )
    kinds = [*["sector"] * len(sectors), "size"]
    table.insert(1, "kind", np.tile(kinds, len(table) // len(kinds)))
    if list(sectors) == [""]:
        table = table[table["kind"] != "sector"]
    if np.isnan(percentile).all():
        table = table[table["kind"] != "size"]
    return table.reset_index(drop=True)


def relevance_turnover(panel: ExplainedPanel) -> pd.DataFrame:
    """Split what the two portfolios trade by the inputs whose relevance changed.

    Stocks of a portfolio have equal weights at t. A stock that enters, leaves or whose weight
    changes trades |change of weight| / 2, which is divided over the features, "absorbed" included,
    in proportion to the absolute change of its relevances since the month before. A stock that
    was not ranked in one of the two months has no such change, nor has one whose relevances are the
    same: its trade goes to the feature "unranked".

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.

    Returns
    -------
    DataFrame
        month, side (long, short), feature (all, then "absorbed" and "unranked"), turnover. The sum
        over features is the one-way turnover of equal weights: that of
        `konkyo.backtesting.turnover.trades` where no weight drifts between two month-ends. Months
        without portfolios, their own or those of the calendar month before, are left out, the first
        one among them.
    """
    features = [*panel.names, ABSORBED, UNRANKED]
    month = ordinal(panel.index["month"])
    stock, _ = pd.factorize(panel.index["stock"])
    # Where a stock stands in each month, -1 where it was not ranked; the row before the first
    # month is empty.
    place = np.full((month[-1] - month[0] + 2, stock.max() + 1), -1, dtype=np.int64)
    place[month - month[0] + 1, stock] = np.arange(len(month))
    quantile = panel.portfolio()
    formed = np.bincount(month - month[0] + 1, quantile, minlength=len(place)) > 0
    tables = []
    for now in np.unique(month - month[0] + 1):
        if not (formed[now - 1] and formed[now]):
            continue
        for side, target_quantile in zip(SIDES, (panel.best, 1), strict=True):
            parts = _trades(panel, place[now - 1], place[now], quantile, target_quantile)
            tables.append(
                pd.DataFrame(
                    {
                        "month": panel.index["month"].iloc[place[now].max()],
                        "side": side,
                        "feature": features,
                        "turnover": parts,
                    }
                )
            )
    columns = ["month", "side", "feature", "turnover"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _trades(
    panel: ExplainedPanel,
    before: np.ndarray,
    now: np.ndarray,
    quantile: np.ndarray,
    target_quantile: int,
) -> np.ndarray:
    """Return one portfolio's turnover in a month by feature.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    before, now : numpy.ndarray
        [stocks], rows in the two months, -1 where not ranked.
    quantile : numpy.ndarray
        [rows].
    target_quantile : int
        The portfolio's quantile.
    """
    held_before = (before >= 0) & (quantile[before] == target_quantile)
    held_now = (now >= 0) & (quantile[now] == target_quantile)
    changed = np.abs(held_now / held_now.sum() - held_before / held_before.sum()) / 2
    traded = np.flatnonzero(changed)
    both = traded[(before[traded] >= 0) & (now[traded] >= 0)]
    moved = np.abs(attribution_rows(panel, now[both]) - attribution_rows(panel, before[both]))
    total = moved.sum(1)
    defined = total > 0
    share = np.divide(moved, total[:, None], out=np.zeros_like(moved), where=defined[:, None])
    parts = changed[both] @ share
    rest = changed[traded].sum() - changed[both][defined].sum()
    return np.r_[parts, max(rest, 0.0)]
