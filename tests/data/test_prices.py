"""Dated rows to months: literal answers, a slow oracle, the same bits whatever comes later."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konkyo.config import Table
from konkyo.data import monthly_prices
from konkyo.data.columns import cells_of
from konkyo.data.reader import engine
from konkyo.data.scan import scan
from konkyo.dates import month_end, ordinal
from small_prices import random_rows

LARGEST = 2.0


def months_of(rows: pd.DataFrame, folder: Path, percent: bool = False, last=None) -> pd.DataFrame:
    path = folder / "rows.parquet"
    rows.to_parquet(path, index=False)
    with engine("rows.parquet") as connection:
        table = scan(connection, Table((str(path),), {}), cells_of("prices"))
        monthly_prices.load(connection, table, last, percent=percent)
        return monthly_prices.to_months(connection, list(table.columns), LARGEST)


def oracle(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the same months by loops over stocks and months, straight from the definitions."""
    rows = rows.sort_values(["stock", "date"]).copy()
    rows["r"] = np.nan
    for _, own in rows.groupby("stock"):
        own = own[own["close"].notna()]
        for before, now in zip(own.index[:-1], own.index[1:], strict=True):
            earned = own.loc[now, "close"] / own.loc[before, "close"] - 1
            near = (own.loc[now, "date"] - own.loc[before, "date"]).days <= monthly_prices.SPAN
            if near and earned <= LARGEST:
                rows.loc[now, "r"] = earned
    rows["mean"] = rows.groupby("date")["r"].transform("mean")
    rows["month"] = month_end(ordinal(rows["date"]))
    lines = []
    for (month, stock), own in rows.groupby(["month", "stock"]):
        year = rows[
            (rows["stock"] == stock)
            & (rows["month"] <= month)
            & (ordinal(rows["month"]) > ordinal(pd.DatetimeIndex([month]))[0] - 12)
            & rows["r"].notna()
        ]
        closes = own["close"].dropna()
        value = own["close"] * own["volume"] / 1e6
        size = own["r"].abs() / value
        moved = ((year["mean"] - year["mean"].mean()) ** 2).sum()
        beta = np.nan
        if year["month"].nunique() >= 8 and moved > 0:
            beta = (year["r"] * (year["mean"] - year["mean"].mean())).sum() / moved
        lines.append(
            {
                "month": month,
                "stock": stock,
                "close": closes.iloc[-1] if len(closes) else np.nan,
                "volume": own["volume"].sum(min_count=1),
                "dollar_volume": value.sum(min_count=1) * 1e3,
                "days": float(len(own)),
                "daily_volatility": own["r"].std(),
                "maximum_daily_return": own["r"].max(),
                "illiquidity": size[(value > 0) & own["r"].notna()].mean(),
                "beta_daily": beta,
            }
        )
    return pd.DataFrame(lines).sort_values(["month", "stock"], ignore_index=True)


def test_months_by_hand(tmp_path):
    rows = pd.DataFrame(
        {
            "date": pd.to_datetime(
                ["2020-01-30", "2020-01-31", "2020-02-03", "2020-02-28", "2020-02-28"]
            ),
            "stock": ["A", "A", "A", "A", "B"],
            "close": [10.0, 11.0, 12.1, 12.1, 5.0],
            "volume": [100.0, 0.0, 1000.0, 500.0, 10.0],
            "shares": [1e6, 1e6, None, 2e6, None],
        }
    )
    found = months_of(rows, tmp_path)
    assert found["month"].dt.strftime("%Y-%m-%d").to_list() == ["2020-01-31"] + ["2020-02-29"] * 2
    assert found["stock"].to_list() == ["A", "A", "B"]
    assert found["close"].to_list() == [11.0, 12.1, 5.0]
    assert found["volume"].to_list() == [100.0, 1500.0, 10.0]
    assert found["dollar_volume"].to_list() == [1.0, 18.15, 0.05]
    assert found["days"].to_list() == [2.0, 2.0, 1.0]
    assert found["shares"].to_list()[:2] == [1e6, 2e6]
    assert found["share_turnover"].to_list()[:2] == [0.0001, 0.00075]
    assert np.isnan(found["shares"][2]) and np.isnan(found["share_turnover"][2])
    # February's row returns of A are 0.1 and 0; of 12,100 a million was traded for the first.
    np.testing.assert_allclose(found["maximum_daily_return"], [0.1, 0.1, np.nan])
    np.testing.assert_allclose(found["daily_volatility"], [np.nan, 0.1 / np.sqrt(2), np.nan])
    np.testing.assert_allclose(found["illiquidity"], [np.nan, (0.1 / 0.0121) / 2, np.nan])
    assert found["beta_daily"].isna().all() and "return" not in found


def test_returns_of_rows_are_compounded(tmp_path):
    rows = pd.DataFrame(
        {
            "date": pd.to_datetime(["2020-01-10", "2020-01-31", "2020-02-28", "2020-02-29"]),
            "stock": "A",
            "return": [10.0, -50.0, -100.0, 5.0],
        }
    )
    found = months_of(rows, tmp_path, percent=True)
    np.testing.assert_allclose(found["return"], [1.1 * 0.5 - 1, -1.0], rtol=1e-12)
    assert list(found.columns[:3]) == ["month", "stock", "return"] and "close" not in found


@pytest.mark.parametrize("seed", [0, 1])
def test_as_the_slow_way(seed, tmp_path):
    rows = random_rows(seed)
    found, expected = months_of(rows, tmp_path), oracle(rows)
    assert expected["beta_daily"].notna().sum() > 30
    for name in expected:
        if name in ("month", "stock"):
            assert found[name].to_list() == expected[name].to_list()
        else:
            # Row returns are kept to a billionth.
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-8)


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(cut=st.integers(1, 18), seed=st.integers(0, 99))
def test_later_rows_and_their_order_change_no_bit(cut, seed, tmp_path):
    rows = random_rows(2, days=300)
    end = month_end(ordinal(pd.DatetimeIndex(["2001-01-31"])) + cut)[0]
    before = months_of(rows[rows["date"] <= end], tmp_path)
    rng = np.random.default_rng(seed)
    changed = rows.sample(frac=1, random_state=seed).reset_index(drop=True)
    later = changed["date"] > end
    changed.loc[later, "close"] = rng.random(later.sum()) * 1000 + 1
    new = changed[later].head(50).assign(stock="0 NEW").drop_duplicates(["stock", "date"])
    after = months_of(pd.concat([changed, new]), tmp_path)
    same = after[after["month"] <= end].reset_index(drop=True)
    pd.testing.assert_frame_equal(before, same, check_exact=True)
    cut_off = months_of(pd.concat([changed, new]), tmp_path, last=end)
    pd.testing.assert_frame_equal(before, cut_off, check_exact=True)


def test_a_fault_among_the_rows_moves_no_mean(tmp_path):
    rows = random_rows(3)
    spoilt = rows.copy()
    first = spoilt[(spoilt["stock"] == "A") & spoilt["close"].notna()]["date"].max()
    spoilt.loc[(spoilt["stock"] == "A") & (spoilt["date"] == first), "close"] *= 1e6
    clean, found = months_of(rows, tmp_path), months_of(spoilt, tmp_path)
    others = clean["stock"] != "A"
    np.testing.assert_allclose(
        clean.loc[others, "beta_daily"], found.loc[others, "beta_daily"], rtol=0.2
    )
    assert found["maximum_daily_return"].max() <= LARGEST


def test_a_last_month_that_is_not_whole():
    assert monthly_prices.incomplete(pd.Timestamp("2017-12-11")) == "2017-11"
    assert monthly_prices.incomplete(pd.Timestamp("2020-01-24")) == "2019-12"
    assert monthly_prices.incomplete(pd.Timestamp("2020-01-25")) is None
