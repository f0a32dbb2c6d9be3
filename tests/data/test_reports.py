"""Reports as known at t: by hand, against slow loops, and never ahead of time."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.config import Reports
from konkyo.data import fundamentals, point_in_time
from konkyo.data.fundamentals_read import to_statements
from konkyo.data.ratios import FLOWS
from konkyo.dates import month_end, ordinal

nan = np.nan
MONTHS = month_end(np.arange(600, 630))
"""2020-01 to 2022-06."""


def spec(lag: int = 90, carry: int = 12, unit: int = 1000) -> Reports:
    return Reports(files=("own/reports.csv",), columns={}, lag=lag, carry=carry, unit=unit)


def grid(*stocks: str, **columns) -> pd.DataFrame:
    """Return a row for each stock and month."""
    frame = pd.DataFrame([(month, stock) for month in MONTHS for stock in stocks])
    return frame.set_axis(["month", "stock"], axis=1).assign(**columns)


def table(*rows: dict) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows))
    for name in ("period_end", "published", "forecast_end"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name])
    return frame


def by_month(frame: pd.DataFrame, name: str, stock: str = "A") -> dict[str, float]:
    """Return a column's values of a stock by month, without the missing ones."""
    own = frame[frame["stock"] == stock].dropna(subset=[name])
    return dict(zip(own["month"].dt.strftime("%Y-%m"), own[name], strict=True))


def test_reports_count_from_publication_or_lag():
    told = table(
        {"stock": "A", "period_end": "2020-03-31", "published": "2020-05-31", "sales": 1.0},
        {"stock": "A", "period_end": "2020-06-30", "published": None, "sales": 2.0},
        {"stock": "A", "period_end": "2020-09-30", "published": "2020-11-02", "sales": 3.0},
    )
    found = by_month(fundamentals.join(grid("A"), [told], [spec(lag=90, carry=2)]), "sales")
    # 90 days after 2020-06-30 is 2020-09-28.
    assert found == {
        "2020-05": 1.0, "2020-06": 1.0, "2020-07": 1.0,
        "2020-09": 2.0, "2020-10": 2.0, "2020-11": 3.0, "2020-12": 3.0, "2021-01": 3.0,
    }  # fmt: skip


def test_a_late_report_of_an_old_period_is_not_newest():
    told = table(
        {"stock": "A", "period_end": "2020-06-30", "published": "2020-08-10", "equity": 2.0},
        {"stock": "A", "period_end": "2020-03-31", "published": "2020-09-10", "equity": 1.0},
        {"stock": "A", "period_end": "2020-06-30", "published": "2020-10-10", "equity": 2.5},
    )
    found = by_month(fundamentals.join(grid("A"), [told], [spec(carry=3)]), "equity")
    assert found == {
        "2020-08": 2.0, "2020-09": 2.0,
        "2020-10": 2.5, "2020-11": 2.5, "2020-12": 2.5, "2021-01": 2.5,
    }  # fmt: skip


def test_growth_uses_the_restated_year_before():
    told = table(
        {"stock": "A", "period_end": "2020-03-31", "published": "2020-05-10", "sales": 100.0},
        {"stock": "A", "period_end": "2021-03-31", "published": "2021-05-10", "sales": 120.0},
        {"stock": "A", "period_end": "2020-03-31", "published": "2021-06-10", "sales": 80.0},
    )
    found = by_month(fundamentals.join(grid("A"), [told], [spec(carry=3)]), "sales_growth")
    assert found == pytest.approx({"2021-05": 0.2, "2021-06": 0.5, "2021-07": 0.5, "2021-08": 0.5})


def test_interim_reports_become_a_year():
    """Since the year's beginning + last full year - the same months of last year."""
    quarters = [
        ("2020-06-30", 3, 10.0), ("2020-09-30", 6, 30.0), ("2020-12-31", 9, 60.0),
        ("2021-03-31", 12, 100.0), ("2021-06-30", 3, 15.0), ("2021-09-30", 6, 37.0),
    ]  # fmt: skip
    told = table(
        *(
            {
                "stock": "A",
                "period_end": end,
                "published": None,
                "months": m,
                "sales": s,
                "equity": s,
            }
            for end, m, s in quarters
        )
    )
    joined = fundamentals.join(grid("A"), [told], [spec(lag=30, carry=12)])
    found = by_month(joined, "sales")
    assert {month: found[month] for month in ("2021-04", "2021-07", "2021-10")} == {
        "2021-04": 100.0,
        "2021-07": 100.0 + 15.0 - 10.0,
        "2021-10": 100.0 + 37.0 - 30.0,
    }
    # Before there is a full year, no part of one is taken for it.
    assert min(found) == "2021-04"
    assert by_month(joined, "equity")["2021-07"] == 15.0


def test_quarters_on_their_own_become_a_year():
    ends = ["2020-03-31", "2020-06-30", "2020-09-30", "2020-12-31", "2021-03-31"]
    told = table(
        *(
            {"stock": "A", "period_end": end, "months": 3, "sales": 10.0**place}
            for place, end in enumerate(ends)
        )
    )
    found = by_month(fundamentals.join(grid("A"), [told], [spec(lag=31, carry=1)]), "sales")
    assert found == {"2021-01": 1111.0, "2021-02": 1111.0, "2021-05": 11110.0} | {
        month: 11110.0 for month in found if month in ("2021-05", "2021-06")
    }


def test_interim_reports_fill_from_the_last_full_year():
    told = table(
        {"stock": "A", "period_end": "2020-12-31", "months": 12, "operating_profit": 9.0,
         "sales": 90.0, "assets": 500.0, "net_profit": 5.0},
        {"stock": "A", "period_end": "2021-03-31", "months": 3, "assets": 1000.0},
    )  # fmt: skip
    joined = fundamentals.join(grid("A"), [told], [spec(lag=30)])
    assert by_month(joined, "operating_margin")["2021-06"] == 0.1
    assert by_month(joined, "roa")["2021-06"] == 0.005


def test_forecasts_revisions_and_the_year_before():
    told = table(
        {"stock": "A", "period_end": "2020-03-31", "published": "2020-05-10", "months": 12,
         "ordinary_profit": 100.0, "equity": 1000.0, "ordinary_profit_forecast": 110.0},
        # A revision that says nothing else, for the year that ends in 2021-03.
        {"stock": "A", "period_end": "2021-03-31", "published": "2020-09-20",
         "ordinary_profit_forecast": 150.0},
        {"stock": "A", "period_end": "2021-03-31", "published": "2021-05-10", "months": 12,
         "ordinary_profit": 160.0, "equity": 1000.0, "ordinary_profit_forecast": 200.0},
    )  # fmt: skip
    joined = fundamentals.join(grid("A"), [told], [spec(carry=12)])
    growth = by_month(joined, "ordinary_profit_growth_forecast")
    assert [growth[m] for m in ("2020-05", "2020-09", "2021-04")] == pytest.approx([0.1, 0.5, 0.5])
    assert growth["2021-05"] == pytest.approx(0.25)
    revision = by_month(joined, "ordinary_profit_revision")
    assert revision["2020-09"] == pytest.approx(0.04)
    assert {m: v for m, v in revision.items() if v} == {"2020-09": revision["2020-09"]}
    # Forecasts that are the first of their year revise nothing.
    assert "2020-05" not in revision and "2021-05" not in revision and "2021-06" in revision


def test_a_forecast_ends_with_the_report_of_its_year():
    told = table(
        {"stock": "A", "period_end": "2020-03-31", "published": "2020-05-10", "equity": 50.0,
         "net_profit_forecast": 10.0, "forecast_end": "2020-12-31"},
        {"stock": "A", "period_end": "2020-12-31", "published": "2021-02-10", "equity": 50.0},
    )  # fmt: skip
    found = by_month(fundamentals.join(grid("A"), [told], [spec(carry=24)]), "roe_forecast")
    assert (min(found), max(found), set(found.values())) == ("2020-05", "2021-01", {0.2})


def test_market_value_fills_and_moves_with_prices():
    stocks = grid("A", "B")
    stocks["close"] = np.where(stocks["stock"] == "A", ordinal(stocks["month"]) - 590.0, nan)
    told = table(
        {"stock": "A", "published": "2020-02-20", "size": 2.2, "equity": 1.1},
        {"stock": "B", "published": "2020-02-20", "size": 5.0},
    )
    found = fundamentals.join(stocks, [told], [spec(carry=3, unit=1_000_000)])
    # Closes are 11 at the end of 2020-02, then 12, 13, 14.
    assert by_month(found, "size") == pytest.approx(
        {"2020-02": 2200.0, "2020-03": 2400.0, "2020-04": 2600.0, "2020-05": 2800.0}
    )
    assert by_month(found, "book_to_price")["2020-03"] == pytest.approx(1100 / 2400)
    assert by_month(found, "size", "B") == {}
    without_prices = fundamentals.join(stocks.drop(columns="close"), [told], [spec(carry=3)])
    assert by_month(without_prices, "size", "B")["2020-05"] == 5.0
    own = fundamentals.join(stocks.assign(size=7.0), [told], [spec(carry=3)])
    assert (own["size"] == 7.0).all()


def test_market_value_is_shares_times_close():
    told = table({"stock": "A", "published": "2020-02-20", "shares": 3000.0})
    stocks = grid("A", close=2.0, volume=600.0)
    found = fundamentals.join(stocks, [told], [spec(carry=1)])
    assert by_month(found, "size") == {"2020-02": 6.0, "2020-03": 6.0}
    assert by_month(found, "share_turnover") == pytest.approx({"2020-02": 0.2, "2020-03": 0.2})
    assert "shares" not in found


def test_the_second_table_fills_the_first():
    first = table({"stock": "A", "published": "2020-03-10", "sales": 1.0, "equity": nan})
    second = table(
        {"stock": "a", "published": "2020-02-10", "sales": 2.0, "equity": 4.0, "assets": 8.0}
    )
    found = fundamentals.join(grid("A"), [first, second], [spec(carry=1), spec(carry=2)])
    assert by_month(found, "sales") == {"2020-02": 2.0, "2020-03": 1.0, "2020-04": 1.0}
    assert by_month(found, "equity_ratio") == {m: 0.5 for m in ("2020-02", "2020-03", "2020-04")}


def test_growth_never_mixes_two_tables():
    first = table({"stock": "A", "period_end": "2020-12-31", "sales": 100.0})
    second = table(
        {"stock": "A", "period_end": "2020-12-31", "sales": 7.0},
        {"stock": "A", "period_end": "2019-12-31", "sales": 5.0},
    )
    joined = fundamentals.join(grid("A"), [first, second], [spec(), spec()])
    assert by_month(joined, "sales")["2021-04"] == 100.0 and "sales_growth" not in joined


def test_vendor_ratios_keep_their_names():
    told = table(
        {"stock": "A", "published": "2020-02-20", "roe": 9.0, "net_profit": 1.0, "equity": 2.0,
         "analysts": 4.0, "illiquidity": 3.0},
    )  # fmt: skip
    stocks = grid("A", illiquidity=[nan, 1.0] + [nan] * 28)
    found = fundamentals.join(stocks, [told], [spec(carry=1, unit=1_000_000)])
    assert by_month(found, "roe") == {"2020-02": 9.0, "2020-03": 9.0}
    assert by_month(found, "analysts") == {"2020-02": 4.0, "2020-03": 4.0}
    assert by_month(found, "illiquidity") == {"2020-02": 1.0, "2020-03": 3.0}


def test_without_reports_rows_are_unchanged():
    stocks = grid("A", "B", size=1.0).sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(fundamentals.join(stocks, [], []), stocks)
    told = table({"stock": "C", "published": "2020-02-20", "sales": 1.0})
    pd.testing.assert_frame_equal(fundamentals.join(stocks, [told], [spec()]), stocks)
    told["stock"] = "B"
    joined = fundamentals.join(stocks, [told], [spec()])
    pd.testing.assert_frame_equal(joined[list(stocks)], stocks)
    assert list(joined.columns[3:]) == ["sales", "sales_to_price"]


# Reports at random: two stocks, quarters of 2019 to 2021, known 0 to 400 days later.
NUMBERS = ("sales", "equity", "cash_per_head", "net_profit_forecast")
number = st.sampled_from([nan, 1.0, 2.0, 3.0, 5.0, 8.0])
report = st.fixed_dictionaries(
    {
        "stock": st.sampled_from(["A", "B"]),
        "period_end": st.integers(0, 11).map(lambda q: month_end(590 + 3 * q)[0]),
        "late": st.sampled_from([None, 1, 40, 75, 130, 400]),
        "months": st.sampled_from([3, 6, 9, 12, nan]),
        **dict.fromkeys(NUMBERS, number),
    }
)


def random_table(rows: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    late = pd.to_timedelta(pd.to_numeric(frame.pop("late")), unit="D")
    frame["published"] = frame["period_end"] + late
    return frame


def slow(told: pd.DataFrame, rule: Reports, stock: str, month: pd.Timestamp) -> dict[str, float]:
    """Return what was known of a stock at the end of a month, by looking at every row."""
    rows = []
    for place, row in enumerate(told.to_dict("records")):
        lagged = row["period_end"] + pd.Timedelta(days=rule.lag)
        known = lagged if pd.isna(row["published"]) else row["published"]
        months = 12 if np.isnan(row["months"]) else int(row["months"])
        period = row["period_end"].year * 12 + row["period_end"].month
        if row["stock"] == stock and known <= month + pd.Timedelta(hours=23):
            rows.append({**row, "known": known, "months": months, "period": period, "no": place})
    rows.sort(key=lambda row: (row["known"], row["no"]))
    figures = [r for r in rows if not all(np.isnan(r[name]) for name in NUMBERS[:3])]

    def month_of(row: dict) -> int:
        return row["known"].year * 12 + row["known"].month

    def of(name: str, period: int, months: int, until: int) -> float:
        said = [
            r[name]
            for r in figures
            if (r["period"], r["months"]) == (period, months) and month_of(r) <= until
        ]
        said = [value for value in said if not np.isnan(value)]
        return said[-1] if said else nan

    def lengths(period: int) -> list[int]:
        return sorted({r["months"] for r in figures if r["period"] == period}, reverse=True)

    def at(name: str, period: int, until: int) -> float:
        """Return a balance, or the flow of twelve months: the first of all ways to get it."""
        ways = []
        for months in lengths(period):
            now = of(name, period, months, until)
            if name not in FLOWS or months == 12:
                ways.append(now)
                continue
            for year in sorted(lengths(period - months), key=lambda y: (y != 12, -y)):
                early = months + year - 12
                if early >= 0:
                    whole = now + of(name, period - months, year, until)
                    less = of(name, period - 12, early, until) if early else 0.0
                    ways.append(whole - less)
            if 12 % months == 0:
                back = range(0, 12, months)
                ways.append(sum(of(name, period - b, months, until) for b in back))
        return next((value for value in ways if not np.isnan(value)), nan)

    def with_the_year_before(name: str, period: int) -> tuple[float, float]:
        until = max(month_of(r) for r in figures if r["period"] == period)
        states_both = any(r["period"] == period - 12 and month_of(r) == until for r in figures)
        now = month.year * 12 + month.month
        return at(name, period, now), at(name, period - 12, until if states_both else now)

    def age(row: dict) -> int:
        return month.year * 12 + month.month - month_of(row)

    answer = dict.fromkeys((*NUMBERS, "sales_before"), nan)
    newest = max(((r["period"], r["months"]) for r in figures), default=None)
    if newest is not None:
        period, months = newest
        last = [r for r in figures if r["period"] == period][-1]
        years = [
            r["period"] for r in figures if r["months"] == 12 and 0 < period - r["period"] < 12
        ]
        if age(last) <= rule.carry:
            for name in NUMBERS[:3]:
                value, before = with_the_year_before(name, period)
                if name != "cash_per_head" and np.isnan(value) and months < 12 and years:
                    value, before = with_the_year_before(name, max(years))
                answer[name] = value
                if name == "sales":
                    answer["sales_before"] = before

    ahead = [r for r in rows if not np.isnan(r["net_profit_forecast"])]
    after = newest[0] if newest else month.year * 12 + month.month - 1
    for r in ahead:
        r["year"] = r["period"] + (12 if r["months"] == 12 else 12 - r["months"])
    if not newest and ahead:
        # The years that have ended are counted when a forecast was heard last.
        after = max(r["known"].year * 12 + r["known"].month for r in ahead) - 1
    ahead = [r for r in ahead if after < r["year"] <= after + 24]
    if ahead:
        heard = max((r["known"].year, r["known"].month) for r in ahead)
        last_heard = [r for r in ahead if (r["known"].year, r["known"].month) == heard]
        year = min(r["year"] for r in last_heard)
        last = [r for r in ahead if r["year"] == year][-1]
        if age(last) <= rule.carry:
            answer["net_profit_forecast"] = last["net_profit_forecast"]
    return answer


def as_known(told: pd.DataFrame, rule: Reports, stocks: pd.DataFrame) -> pd.DataFrame:
    codes = pd.Index(["A", "B"])
    stock = codes.get_indexer(stocks["stock"]).astype("int64")
    rows = pd.DataFrame({"stock": stock, "month": ordinal(stocks["month"])})
    known = point_in_time.as_known(*to_statements(told, rule, codes), rows, rule.carry)
    return pd.DataFrame(known, index=stocks.index)


@settings(max_examples=20)
@given(st.lists(report, min_size=1, max_size=14), st.sampled_from([3, 12]))
def test_against_loops_over_every_row(rows, carry):
    told, rule = random_table(rows), spec(carry=carry)
    stocks = grid("A", "B").iloc[::3]
    found = as_known(told, rule, stocks)
    expected = pd.DataFrame(
        [slow(told, rule, row.stock, row.month) for row in stocks.itertuples()], index=stocks.index
    )
    for name in expected:
        got = found[name] if name in found else np.full(len(stocks), nan)
        np.testing.assert_allclose(got, expected[name], err_msg=name)


Join = Callable[[pd.DataFrame, list[pd.DataFrame], list[Reports]], pd.DataFrame]


def looks_ahead(join: Join, told: pd.DataFrame, rule: Reports, month: pd.Timestamp) -> bool:
    """Return whether what becomes known after a month changes what joins up to it."""
    day = told["published"].fillna(told["period_end"] + pd.Timedelta(days=rule.lag))
    later = (day > month).to_numpy()
    numbers = told.select_dtypes("number").columns.drop("months")
    changed = told.copy()
    changed.loc[later, numbers] = changed.loc[later, numbers] * -3 + 1
    stocks = grid("A", "B", size=100.0, close=1.0)
    past = stocks["month"] <= month
    versions = [told, changed, told[~later].reset_index(drop=True)]
    first, *others = (join(stocks, [version], [rule])[past] for version in versions)
    columns = sorted(set(first).union(*others))
    frames = [frame.reindex(columns=columns) for frame in (first, *others)]
    return not all(frames[0].equals(other) for other in frames[1:])


@settings(max_examples=20)
@given(st.lists(report, min_size=1, max_size=14), st.sampled_from(list(MONTHS)))
def test_the_future_changes_nothing(rows, month):
    assert not looks_ahead(fundamentals.join, random_table(rows), spec(), month)


def test_that_test_catches_a_join_by_period_end():
    def leaking(stocks, told, rules):
        early = [table.assign(published=table["period_end"]) for table in told]
        return fundamentals.join(stocks, early, rules)

    rows = [
        {"stock": "A", "period_end": end, "late": 75, "months": 12} | dict.fromkeys(NUMBERS, 2.0)
        for end in MONTHS[::3]
    ]
    month = MONTHS[6]
    assert looks_ahead(leaking, random_table(rows), spec(), month)
    assert not looks_ahead(fundamentals.join, random_table(rows), spec(), month)


def test_stocks_that_are_not_there_are_passed_over():
    told = table(
        {"stock": "A", "published": "2020-02-20", "sales": 1.0},
        {"stock": "Z", "published": "2020-02-20", "sales": 2.0},
    )
    figures, forecasts = to_statements(told, spec(), pd.Index(["A"]))
    assert len(figures) == 1 and forecasts.empty


def test_a_year_of_nine_months_between():
    """The year's end moves from March to December: 2020-04 to 2020-12 is a year of nine months."""
    ends = [
        ("2019-06-30", 3, 235.0), ("2019-09-30", 6, 480.0), ("2019-12-31", 9, 730.0),
        ("2020-03-31", 12, 1000.0), ("2020-06-30", 3, 240.0), ("2020-09-30", 6, 490.0),
        ("2020-12-31", 9, 745.0), ("2021-03-31", 3, 255.0), ("2021-06-30", 6, 515.0),
        ("2021-09-30", 9, 780.0),
    ]  # fmt: skip
    told = table(*({"stock": "A", "period_end": e, "months": m, "sales": s} for e, m, s in ends))
    joined = fundamentals.join(grid("A"), [told], [spec(lag=40)])
    sales, growth = by_month(joined, "sales"), by_month(joined, "sales_growth")
    quarters = ("2021-02", "2021-05", "2021-08", "2021-11")
    assert [sales[month] for month in quarters] == [
        745.0 + 1000.0 - 730.0, 255.0 + 745.0, 515.0 + 745.0 - 240.0, 780.0 + 745.0 - 490.0
    ]  # fmt: skip
    # Against the twelve months to 2020-03, and to 2020-06: 240 + 1000 - 235.
    assert [growth[month] for month in quarters[1:3]] == pytest.approx([0.0, 1020 / 1005 - 1])


def test_growth_within_one_vintage():
    """What the newest figures were published with is their base, whatever is restated alone."""
    told = table(
        {"stock": "A", "period_end": "2020-03-31", "published": "2020-05-10", "sales": 100.0},
        {"stock": "A", "period_end": "2021-03-31", "published": "2021-05-10", "sales": 120.0},
        {"stock": "A", "period_end": "2020-03-31", "published": "2021-05-10", "sales": 96.0},
        {"stock": "A", "period_end": "2020-03-31", "published": "2021-07-10", "sales": 60.0},
    )
    growth = by_month(fundamentals.join(grid("A"), [told], [spec()]), "sales_growth")
    assert growth["2021-05"] == growth["2021-07"] == pytest.approx(0.25)


def test_a_code_that_passes_to_another_firm():
    """Rows of A end in 2020-06 and begin again in 2021-01: the first firm's report is gone."""
    told = table(
        {"stock": "A", "period_end": "2020-03-31", "published": "2020-05-10", "equity": 5.0},
        {"stock": "A", "period_end": "2020-12-31", "published": "2021-02-10", "equity": 7.0},
    )
    month = MONTHS.strftime("%Y-%m")
    stocks = grid("A", size=10.0)
    gone = stocks[~month.isin(pd.period_range("2020-07", "2020-12", freq="M").astype(str))]
    assert by_month(fundamentals.join(gone, [told], [spec()]), "book_to_price") == {
        "2020-05": 0.5, "2020-06": 0.5,
        **{m: 0.7 for m in month[month >= "2021-02"] if m <= "2022-02"},
    }  # fmt: skip
    # Two months without a row are a halt of trading.
    halted = stocks[~month.isin(["2020-07", "2020-08"])]
    equity = by_month(fundamentals.join(halted, [told], [spec()]), "equity")
    assert equity["2020-09"] == 5.0
