"""The market series: their part over time (figure 11), and whose score they move (figure 12)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.errors import KonkyoError
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import SIDES, positions


def market_over_time(
    panel: ExplainedPanel, features: Sequence[str], largest: int = 5
) -> pd.DataFrame:
    """Return the difference of mean relevance between long and short, month by month.

    The lines of the paper's figure 11; any feature can be asked for.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    features : sequence of str
        One line each.
    largest : int
        So many months of each feature are marked: those of the greatest absolute difference, of
        equal ones the earlier.

    Returns
    -------
    DataFrame
        month, feature, long, short (mean relevance, units of the score), difference, marked;
        sorted by feature as asked, then month.

    Raises
    ------
    KonkyoError
        There is no such feature.
    """
    columns = positions(panel, features)
    long, short = (_means(panel, side, columns) for side in SIDES)
    table = panel.by_month("feature", features, long=long, short=short, difference=long - short)
    # NaN, in a month without portfolios, has no rank.
    sizes = table["difference"].abs().groupby(table["feature"])
    table["marked"] = sizes.rank(method="first", ascending=False) <= largest
    order = pd.Index(features).get_indexer(table["feature"])
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def top_market(panel: ExplainedPanel, n: int) -> list[str]:
    """Return the `n` market features that set long and short apart most, the greatest first.

    Greatest in the mean over months of the absolute difference of mean relevance.
    """
    columns = panel.columns("market")
    long, short = (_means(panel, side, columns) for side in SIDES)
    order = np.argsort(-np.nanmean(np.abs(long - short), axis=0), kind="stable")[:n]
    return [panel.names[column] for column in columns[order]]


def largest_month(over_time: pd.DataFrame, feature: str) -> pd.Timestamp:
    """Return the month of a feature's greatest absolute difference (the first of equals).

    Parameters
    ----------
    over_time : DataFrame
        What `market_over_time` returns, the feature included.
    feature : str
        A feature of it.
    """
    series = over_time[over_time["feature"] == feature]
    return pd.Timestamp(series.loc[series["difference"].abs().idxmax(), "month"])


def market_quantiles(
    panel: ExplainedPanel,
    feature: str,
    month: pd.Timestamp,
    attributes: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the mean attributes of stocks in quantiles by the relevance of one feature.

    The numbers of the paper's figure 12. A market series is the same for all stocks of a month, and
    its relevance differs because the network lets other inputs decide what the series means.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    feature : str
        A market series.
    month : Timestamp
        The decision month.
    attributes : sequence of str, optional
        The features to take means of; all characteristics by default.

    Returns
    -------
    DataFrame
        feature, month, relevance_quantile (from 1 up; in the last the series adds most to the
        score), stocks, relevance (mean of the quantile), attribute, value (mean of the quantile).
        There are as many as portfolios, p. Of n stocks in order of relevance the one at place k
        (0 the least) is in quantile floor(p k / n) + 1; equal relevances are in order of the code.

    Raises
    ------
    ArtifactError
        No stock was ranked in the month.
    KonkyoError
        There is no such feature, or there are fewer stocks than quantiles.
    """
    if attributes is None:
        attributes = [panel.names[column] for column in panel.columns("characteristic")]
    rows = panel.rows(month)
    relevance = panel.relevance[rows, int(positions(panel, [feature])[0])].astype(np.float64)
    parts = panel.best
    if len(relevance) < parts:
        raise KonkyoError(
            f"{label(month)} has {len(relevance)} ranked stocks, fewer than the {parts} portfolios "
            "of figure 12: set report.market_month to another month"
        )
    values = panel.features[rows][:, positions(panel, attributes)].astype(np.float64)
    order = np.argsort(relevance, kind="stable")
    starts = -(-np.arange(parts) * len(order) // parts)
    count = np.diff(np.r_[starts, len(order)])
    mean_value = np.add.reduceat(values[order], starts, axis=0) / count[:, None]
    mean_relevance = np.add.reduceat(relevance[order], starts) / count
    wide = len(attributes)
    return pd.DataFrame(
        {
            "feature": feature,
            "month": month,
            "relevance_quantile": np.repeat(np.arange(1, parts + 1), wide),
            "stocks": np.repeat(count, wide),
            "relevance": np.repeat(mean_relevance, wide),
            "attribute": np.tile(np.array(attributes, dtype=object), parts),
            "value": mean_value.ravel(),
        }
    )


def _means(panel: ExplainedPanel, side: str, columns: np.ndarray) -> np.ndarray:
    """Return the mean relevance of a portfolio, [months, columns]."""
    rows = panel.side(side)
    return panel.monthly_mean(panel.relevance[np.ix_(rows, columns)], rows)
