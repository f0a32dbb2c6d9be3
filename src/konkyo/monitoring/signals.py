"""Monthly signals: rank IC against its history, missing inputs, sign flips of effects."""

import numpy as np
import pandas as pd
from scipy import stats

from konkyo.backtesting import newey_west_t

MONTHS_PER_YEAR = 12
MIN_T = 2.0
"""Smallest absolute t of a 12-month mean effect for its sign to count."""


def rank_ic_against_history(returns: pd.DataFrame, months: int) -> pd.DataFrame:
    """Test the recent rank ICs against all earlier ones, as of every month.

    Parameters
    ----------
    returns : DataFrame
        month (decision month t, ascending) and rank_ic of one model; the rank IC of t is realised
        at the end of the month that t earns.
    months : int
        Length of the recent period.

    Returns
    -------
    DataFrame
        month, rank_ic, recent (mean of the last `months`, t included), earlier (mean of all months
        before), t (Welch's t-statistic of recent minus earlier; NaN with fewer than two earlier
        months or without variance).
    """
    rank_ics = returns.dropna(subset="rank_ic").reset_index(drop=True)
    values = rank_ics["rank_ic"].to_numpy(dtype=np.float64)
    rows = []
    for end in range(1, len(values) + 1):
        recent, earlier = values[max(end - months, 0) : end], values[: max(end - months, 0)]
        enough = len(earlier) >= 2 and (np.ptp(recent) > 0 or np.ptp(earlier) > 0)
        t = float(stats.ttest_ind(recent, earlier, equal_var=False).statistic) if enough else np.nan
        rows.append((recent.mean(), earlier.mean() if len(earlier) else np.nan, t))
    statistics = pd.DataFrame(rows, columns=["recent", "earlier", "t"])
    return pd.concat([rank_ics[["month", "rank_ic"]], statistics], axis=1)


def missing_shares(missing: pd.DataFrame, n_months: int) -> pd.DataFrame:
    """Return the share of stocks without an input in the newest months.

    Parameters
    ----------
    missing : DataFrame
        month, feature, missing, stocks: data/panel/missing.csv.
    n_months : int
        Number of newest months returned, at most.

    Returns
    -------
    DataFrame
        month, feature, missing, stocks, share; in the order of the input.
    """
    is_recent = missing["month"].isin(np.sort(missing["month"].unique())[-n_months:])
    recent = missing[is_recent].reset_index(drop=True)
    return recent.assign(share=recent["missing"] / recent["stocks"])


def sign_changes(effects: pd.DataFrame, span: int = MONTHS_PER_YEAR) -> pd.DataFrame:
    """Return the inputs whose effect changed sign against a year before, as of every month.

    Parameters
    ----------
    effects : DataFrame
        month, feature, effect: of `report.tables.effects`, consecutive months.
    span : int
        Months of each of the two adjacent periods.

    Returns
    -------
    DataFrame
        month, feature, before (mean effect of the earlier period), now (of the last `span`
        months), t_before, t_now (Newey-West), changed (the signs differ and both |t| are at least
        `MIN_T`, so that an effect near 0 does not count). The first month is that with two full
        periods behind it.
    """
    wide = effects.pivot_table(
        index="month", columns="feature", values="effect", sort=False, dropna=False
    ).sort_index()
    months, tables = wide.index, []
    for end in range(2 * span, len(wide) + 1):
        early, late = wide.iloc[end - 2 * span : end - span], wide.iloc[end - span : end]
        table = pd.DataFrame(
            {
                "month": months[end - 1],
                "feature": wide.columns,
                "before": early.mean().to_numpy(),
                "now": late.mean().to_numpy(),
                "t_before": [_mean_t(early[name]) for name in wide.columns],
                "t_now": [_mean_t(late[name]) for name in wide.columns],
            }
        )
        significant = (table["t_before"].abs() >= MIN_T) & (table["t_now"].abs() >= MIN_T)
        table["changed"] = significant & (table["before"] * table["now"] < 0)
        tables.append(table)
    columns = ["month", "feature", "before", "now", "t_before", "t_now", "changed"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _mean_t(values: pd.Series) -> float:
    return newey_west_t(pd.Series(values.index), values.reset_index(drop=True))
