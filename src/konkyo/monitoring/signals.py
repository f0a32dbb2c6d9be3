"""Rank IC, missing inputs and the signs of effects, month by month."""

import numpy as np
import pandas as pd
from scipy import stats

from konkyo.backtest import newey_west_t

YEAR = 12
CLEAR = 2.0
"""An effect is clear in a year whose mean is so many standard errors from 0."""


def rank_ic_against_history(returns: pd.DataFrame, months: int) -> pd.DataFrame:
    """Compare the rank ICs of the last months with all earlier ones, as of every month.

    Parameters
    ----------
    returns : DataFrame
        month (decision month t) and rank_ic of one model, in order; the rank IC of t is known at
        the end of t+1.
    months : int
        How many are the last ones.

    Returns
    -------
    DataFrame
        month, rank_ic, recent (mean of the last months, t included), earlier (mean of all before
        them), t: Welch's statistic of recent less earlier, below 0 where the ranking got worse;
        NaN where fewer than two months are earlier or nothing varies.
    """
    known = returns.dropna(subset="rank_ic").reset_index(drop=True)
    values = known["rank_ic"].to_numpy(dtype=np.float64)
    rows = []
    for end in range(1, len(values) + 1):
        last, before = values[max(end - months, 0) : end], values[: max(end - months, 0)]
        enough = len(before) >= 2 and (np.ptp(last) > 0 or np.ptp(before) > 0)
        t = float(stats.ttest_ind(last, before, equal_var=False).statistic) if enough else np.nan
        rows.append((last.mean(), before.mean() if len(before) else np.nan, t))
    found = pd.DataFrame(rows, columns=["recent", "earlier", "t"])
    return pd.concat([known[["month", "rank_ic"]], found], axis=1)


def missing_shares(missing: pd.DataFrame, newest: int) -> pd.DataFrame:
    """Return the share of stocks without an input in the newest months.

    Parameters
    ----------
    missing : DataFrame
        month, feature, missing, stocks: data/panel/missing.csv.
    newest : int
        At most so many months.

    Returns
    -------
    DataFrame
        month, feature, missing, stocks, share; in the order given.
    """
    chosen = missing["month"].isin(np.sort(missing["month"].unique())[-newest:])
    own = missing[chosen].reset_index(drop=True)
    return own.assign(share=own["missing"] / own["stocks"])


def sign_changes(effects: pd.DataFrame, span: int = YEAR) -> pd.DataFrame:
    """Say which inputs' effects have another sign than a year before, as of every month.

    Parameters
    ----------
    effects : DataFrame
        month, feature, effect: what `reading.effects` returns, consecutive months.
    span : int
        Months of each of the two periods.

    Returns
    -------
    DataFrame
        month, feature, before (mean effect of the span that ends `span` months ago), now (of the
        last `span` months), t_before, t_now (Newey and West's), changed: the signs differ and both
        means are at least `CLEAR` standard errors from 0, so that an effect that hovers about
        nothing does not count. Rows begin where two whole periods are there.
    """
    wide = effects.pivot_table(
        index="month", columns="feature", values="effect", sort=False, dropna=False
    ).sort_index()
    ends, tables = wide.index, []
    for end in range(2 * span, len(wide) + 1):
        early, late = wide.iloc[end - 2 * span : end - span], wide.iloc[end - span : end]
        table = pd.DataFrame(
            {
                "month": ends[end - 1],
                "feature": wide.columns,
                "before": early.mean().to_numpy(),
                "now": late.mean().to_numpy(),
                "t_before": [_t(early[name]) for name in wide.columns],
                "t_now": [_t(late[name]) for name in wide.columns],
            }
        )
        clear = (table["t_before"].abs() >= CLEAR) & (table["t_now"].abs() >= CLEAR)
        table["changed"] = clear & (table["before"] * table["now"] < 0)
        tables.append(table)
    columns = ["month", "feature", "before", "now", "t_before", "t_now", "changed"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _t(values: pd.Series) -> float:
    return newey_west_t(pd.Series(values.index), values.reset_index(drop=True))
