"""The factors: which separate long from short (figure 9), and in what shape (figure 10)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from konkyo.backtesting import newey_west_t
from konkyo.errors import KonkyoError
from konkyo.report.tables.explained_panel import ExplainedPanel

Stars = Literal["paper", "resampled"]
"""The test behind the stars of figure 9; see `factor_means`."""
SIDES = ("long", "short")
_LOW, _HIGH = 0.1, 0.9


def positions(panel: ExplainedPanel, features: Sequence[str]) -> np.ndarray:
    """Return the columns of features by name.

    Raises
    ------
    KonkyoError
        There is no such feature: names them, and some that there are.
    """
    at = pd.Index(panel.names).get_indexer(pd.Index(list(features), dtype=object))
    if (at < 0).any():
        absent = [name for name, place in zip(features, at, strict=True) if place < 0]
        raise KonkyoError(
            f"the panel has no feature {', '.join(absent)}: choose from its {len(panel.names)} "
            f"({', '.join(panel.names[:5])}, ...), listed in data/panel/catalogue.csv"
        )
    return at


def factor_means(
    panel: ExplainedPanel, month: pd.Timestamp, stars: Stars = "paper"
) -> pd.DataFrame:
    """Test each feature's mean relevance in the long against that in the short portfolio.

    The numbers of the paper's figure 9, of one decision month, as there (2019-06): stock-months of
    all networks taken together are no independent draws, and nearly every input would get two
    stars. What the stars say and what they do not: `mean_differences`.
    Portfolios formed by the score differ by construction.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    month : Timestamp
        The decision month t (period end).
    stars : str
        paper: by Welch's test over stocks. resampled: the difference over its standard error, from
        networks of half windows, against the normal distribution; it asks whether another sample of
        months would show it too.

    Returns
    -------
    DataFrame
        month, feature, group, long, short, difference (units of the score), t, p, p_adjusted
        (Benjamini and Hochberg over all features), stars, stars_adjusted ("**" below 1 per cent,
        "*" below 5); in column order. Without portfolios in the month the figures are NaN.
    """
    rows = panel.rows(month)
    legs = []
    for side in SIDES:
        of_side = panel.side(side)
        of_month = of_side[(of_side >= rows.start) & (of_side < rows.stop)]
        legs.append(pd.DataFrame(panel.relevance[of_month], columns=panel.names))
    means = mean_differences(legs[0], legs[1], panel.names)
    if stars == "resampled" and panel.difference_error is not None:
        error = panel.difference_error.loc[month].to_numpy(dtype=float)
        t = np.divide(means["difference"], error, out=np.full(len(error), np.nan), where=error > 0)
        means = means.assign(**_tested(t))
    means = _with_groups(panel, means)
    means.insert(0, "month", month)
    return means


def mean_differences(long: pd.DataFrame, short: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Test each factor's mean relevance in the long against that in the short portfolio.

    The numbers of the paper's figure 9. Welch's test takes rows as independent draws with a
    variance of each portfolio's own. Portfolios formed by the score that the relevances add up to
    differ by construction in what moves the score: their stars say how clearly a factor separates
    long from short, not that it predicts returns. For portfolios formed without the relevances the
    stars appear at their nominal rate.

    Parameters
    ----------
    long, short : DataFrame
        One row a stock-month of the portfolio and one column a factor, relevance in units of the
        score, known at t.
    names : sequence of str
        The factors to test.

    Returns
    -------
    DataFrame
        feature, long, short (means), difference, t, p (two-sided), p_adjusted (Benjamini and
        Hochberg over the factors), stars ("**" for p below 1 per cent, "*" below 5). A factor
        that is the same everywhere has a difference and no t, and counts with p = 1; without rows
        in a portfolio nothing is defined.
    """
    one, other = long[list(names)].to_numpy(float), short[list(names)].to_numpy(float)
    if not (len(one) and len(other)):
        one = other = np.full((1, len(names)), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        t, p = stats.ttest_ind(one, other, axis=0, equal_var=False)
    still = (np.ptp(one, axis=0) == 0) & (np.ptp(other, axis=0) == 0)
    t, p = np.where(still, np.nan, t), np.where(still | np.isnan(p), 1.0, p)
    return pd.DataFrame(
        {
            "feature": list(names),
            "long": one.mean(0),
            "short": other.mean(0),
            "difference": one.mean(0) - other.mean(0),
            **_tested(t, p),
        }
    )


def _tested(t: np.ndarray, p: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return the columns of a test, t, p, p_adjusted and stars, p of the normal distribution."""
    if p is None:
        p = np.where(np.isnan(t), 1.0, 2 * stats.norm.sf(np.abs(t)))
    return {
        "t": t,
        "p": p,
        "p_adjusted": stats.false_discovery_control(p),
        "stars": np.select([p < 0.01, p < 0.05], ["**", "*"], ""),
    }


def factor_means_over_time(panel: ExplainedPanel) -> pd.DataFrame:
    """Test the mean over months of each feature's difference between long and short.

    Returns
    -------
    DataFrame
        Columns of `factor_means` but for the month: long, short and difference are means over the
        months that formed portfolios, each month counting once, and t is Newey and West's of the
        monthly differences (`newey_west_t`), with p of the normal distribution. A feature whose
        difference is the same in every month has no t, and counts with p = 1.
    """
    monthly = {}
    for side in SIDES:
        rows = panel.side(side)
        frame = pd.DataFrame(panel.relevance[rows].astype("float64"), columns=panel.names)
        monthly[side] = frame.groupby(panel.index["month"].to_numpy()[rows]).mean()
    long, short = (monthly[side] for side in SIDES)
    difference = long - short
    months = pd.Series(difference.index)
    t = np.array([newey_west_t(months, difference[name]) for name in panel.names])
    means = pd.DataFrame(
        {
            "feature": panel.names,
            "long": long.mean().to_numpy(),
            "short": short.mean().to_numpy(),
            "difference": difference.mean().to_numpy(),
            **_tested(t),
        }
    )
    return _with_groups(panel, means)


def _with_groups(panel: ExplainedPanel, means: pd.DataFrame) -> pd.DataFrame:
    means.insert(1, "group", panel.catalogue["group"].to_numpy())
    adjusted = means["p_adjusted"]
    means["stars_adjusted"] = np.select([adjusted < 0.01, adjusted < 0.05], ["**", "*"], "")
    return means


def top_factors(
    means: pd.DataFrame, n: int, groups: Sequence[str] = ("characteristic",)
) -> list[str]:
    """Return the `n` features of some groups with the greatest difference, greatest first.

    Parameters
    ----------
    means : DataFrame
        What `factor_means` returns.
    n : int
        How many; fewer where there are fewer.
    groups : sequence of str
        The groups to choose from.
    """
    candidates = means[means["group"].isin(groups)]
    order = candidates["difference"].abs().sort_values(ascending=False, kind="stable").index
    return candidates.loc[order[:n], "feature"].tolist()


def factor_points(
    panel: ExplainedPanel,
    features: Sequence[str],
    month: pd.Timestamp | None = None,
    per_side: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """Return input values beside relevances, for stocks of the two portfolios.

    The points of the paper's figure 10.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    features : sequence of str
        One panel of the figure each.
    month : Timestamp, optional
        The decision month, as in the paper; by default a sample of all months.
    per_side : int
        Stock-months of each portfolio, drawn without replacement and the same for all features;
        all of them where there are fewer.
    seed : int
        Of the draw.

    Returns
    -------
    DataFrame
        feature, month, stock, side (long, short), value (the input at t), relevance.

    Raises
    ------
    KonkyoError
        There is no such feature.
    """
    columns = positions(panel, features)
    rng = np.random.default_rng(seed)
    drawn = {}
    for side in SIDES:
        rows = panel.side(side)
        if month is not None:
            rows = rows[panel.index["month"].to_numpy()[rows] == month.to_datetime64()]
        drawn[side] = np.sort(rng.choice(rows, min(per_side, len(rows)), replace=False))
    sample = np.concatenate(list(drawn.values()))
    keys = panel.index.loc[sample, ["month", "stock"]].reset_index(drop=True)
    keys["side"] = np.repeat(SIDES, [len(rows) for rows in drawn.values()])
    tables = [
        keys.assign(
            feature=name,
            value=panel.features[sample, column],
            relevance=panel.relevance[sample, column],
        )
        for name, column in zip(features, columns, strict=True)
    ]
    order = ["feature", "month", "stock", "side", "value", "relevance"]
    return pd.concat(tables, ignore_index=True)[order] if tables else pd.DataFrame(columns=order)


def factor_shape(
    panel: ExplainedPanel,
    features: Sequence[str],
    month: pd.Timestamp | None = None,
    bins: int = 25,
) -> pd.DataFrame:
    """Return the mean relevance given the input's value, over all scored stocks.

    The smoothed line of figure 10. Stock-months are put into `bins` of equal count by value; equal
    values share a bin, that of their mean rank, so that a bin can be larger and another empty (a
    dummy has two). Each bin gives its mean value, mean relevance and the 10th and 90th percentile
    of relevance. Then every bin but the first and the last becomes the weighted mean of itself
    (weight 2) and its two neighbours (1 each), in all four numbers, so that a straight line stays
    as it is.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    features : sequence of str
        One line each.
    month : Timestamp, optional
        The decision month; by default all of them.
    bins : int
        At least 1.

    Returns
    -------
    DataFrame
        feature, value, relevance, low, high, count (of the bin itself); sorted by value.

    Raises
    ------
    KonkyoError
        There is no such feature.
    """
    tables = []
    rows = slice(None) if month is None else panel.rows(month)
    for name, column in zip(features, positions(panel, features), strict=True):
        table = _shape(panel.features[rows, column], panel.relevance[rows, column], bins)
        table.insert(0, "feature", name)
        tables.append(table)
    order = ["feature", "value", "relevance", "low", "high", "count"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=order)


def _shape(value: np.ndarray, relevance: np.ndarray, bins: int) -> pd.DataFrame:
    order = np.argsort(value, kind="stable")
    value, relevance = value[order].astype(np.float64), relevance[order].astype(np.float64)
    # Equal values are runs [first, last); the middle of a run is its mean rank.
    first = np.flatnonzero(np.r_[True, value[1:] != value[:-1]])
    last = np.r_[first[1:], len(value)]
    bin_of = ((first + last) * bins // (2 * len(value))).clip(max=bins - 1)
    starts = first[np.r_[True, bin_of[1:] != bin_of[:-1]]]
    parts = np.split(relevance, starts[1:])
    band = np.array([np.quantile(part, [_LOW, _HIGH]) for part in parts])
    count = np.diff(np.r_[starts, len(value)])
    table = np.column_stack(
        [
            np.add.reduceat(value, starts) / count,
            np.add.reduceat(relevance, starts) / count,
            band,
        ]
    )
    smooth = table.copy()
    smooth[1:-1] = (table[:-2] + 2 * table[1:-1] + table[2:]) / 4
    out = pd.DataFrame(smooth, columns=["value", "relevance", "low", "high"])
    return out.assign(count=count)
