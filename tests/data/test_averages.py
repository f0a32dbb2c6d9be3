"""Returns that follow those of the month before: found in averages, not in month-ends."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from konkyo.data import notes
from konkyo.data.stocks import rank_autocorrelation


def returns_of(closes: pd.DataFrame) -> pd.DataFrame:
    """Return month, stock, return of closes side by side, rows in any order."""
    tidy = closes.pct_change(fill_method=None).melt(
        ignore_index=False, var_name="stock", value_name="return"
    )
    return tidy.rename_axis("month").reset_index().sample(frac=1, random_state=1)


def daily(stocks: int = 60) -> pd.DataFrame:
    days = pd.bdate_range("2010-01-01", "2015-12-31")
    steps = np.random.default_rng(0).normal(0, 0.015, (len(days), stocks))
    return pd.DataFrame(100 * np.exp(steps.cumsum(0)), index=days)


def test_averages_are_noted_and_month_ends_are_not():
    averages, ends = daily().resample("ME").mean(), daily().resample("ME").last()
    averaged, ended = (rank_autocorrelation(returns_of(one)) for one in (averages, ends))
    assert 0.18 < averaged < 0.28 and abs(ended) < 0.04
    (note,) = notes.of_averages(averaged)
    assert "prepare.skip_months: 1" in note.text and f"{averaged:.2f}" in note.text
    assert not list(notes.of_averages(ended)) and list(notes.of_averages(-0.11))


def test_equals_the_loop_over_months():
    table = returns_of(daily(9).resample("ME").mean()[:14])
    table.loc[table.sample(frac=0.2, random_state=2).index, "return"] = np.nan
    wide = table.pivot_table(index="month", columns="stock", values="return", dropna=False)
    slow = []
    for t in range(1, len(wide)):
        pair = wide.iloc[[t - 1, t]].dropna(axis=1)
        if pair.shape[1] >= 3:
            slow.append(spearmanr(*pair.to_numpy()).statistic)
    assert rank_autocorrelation(table) == pytest.approx(np.mean(slow))


@pytest.mark.parametrize("stocks", [1, 2])
def test_too_few_stocks_or_equal_returns_have_none(stocks):
    table = returns_of(daily(stocks).resample("ME").last())
    assert rank_autocorrelation(table) is None
    equal = returns_of(daily(5).resample("ME").last()).assign(**{"return": 0.01})
    assert rank_autocorrelation(equal) is None and not list(notes.of_averages(None))


def test_a_month_without_rows_is_no_pair():
    months = pd.to_datetime(["2020-01-31", "2020-03-31"]).repeat(4)
    table = pd.DataFrame({"month": months, "stock": list("abcd") * 2, "return": [1, 2, 3, 4] * 2})
    assert rank_autocorrelation(table) is None
