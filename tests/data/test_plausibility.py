"""What a column means, values that mean something else, numbers of other countries, by hand."""

import numpy as np
import pandas as pd
import pytest

from case_files import CASES, lines, odd
from konkyo.config import Reports, Table
from konkyo.data.market_series import first_day_of, last_days
from konkyo.data.revisions import append_new_months, differences
from konkyo.data.stocks import returns_of
from konkyo.errors import RecordsError

KEYS = ("month", "stock")


def stocks_of(months=24, codes=12, seed=0) -> pd.DataFrame:
    """Return a walk of prices, a size that follows them, and the return of each month."""
    rng = np.random.default_rng(seed)
    span = pd.period_range("2019-01", periods=months, freq="M").astype("str")
    steps = rng.normal(0, 0.06, (months, codes))
    close = np.round(20 * np.exp(steps.cumsum(0)), 4)
    names = [f"S{number:02}" for number in range(1, codes + 1)]
    frame = pd.DataFrame(close, span, names).rename_axis("month").reset_index()
    frame = frame.melt("month", var_name="stock", value_name="close")
    return frame.assign(size=frame["close"] * 1000)


@pytest.fixture
def write(tmp_path):
    """Return what writes a table as CSV."""

    def write(frame: pd.DataFrame, name="stocks.csv", **changes):
        frame.to_csv(tmp_path / name, index=False, **changes)
        return tmp_path / name

    return write


def note_of(records, words: str) -> str:
    found = [note for note in lines(records) if words in note]
    assert found
    return "\n".join(found)


# What a column means.


def test_size_and_filters_know_no_later_split(load, write):
    adjusted = pd.read_csv(CASES / "split_stocks.csv", dtype={"stock": str})
    traded = adjusted["close"].where(
        (adjusted["stock"] != "S01") | (adjusted["month"] >= "2021-02"), 100.0
    )
    both = adjusted.rename(columns={"close": "close_adjusted"}).assign(close=traded)
    records = load(write(both), eligible="close >= 8")
    december = records.stocks[records.stocks["month"] == "2020-12-31"].set_index("stock")
    assert december.loc["S01", "size"] == 100_000 == december["size"].max()
    assert december.loc["S01", "eligible"] == 1 and len(december) == 12
    # Returns are those of adjusted prices: 5 to 6, not 100 to 6.
    february = records.stocks[records.stocks["month"] == "2021-02-28"].set_index("stock")
    assert february.loc["S01", "return"] == pytest.approx(0.2)
    assert "close_adjusted" not in records.stocks and not odd(records)
    with pytest.raises(Exception, match="close_adjusted"):
        load(write(both), eligible="close_adjusted >= 8")


def test_one_close_alone_is_assumed_and_a_split_shows(load, write):
    records = load(CASES / "split_stocks.csv")
    note = note_of(records, "`close` is the price as traded and no stock was split")
    assert "its median is 10 in 2021-03" in note
    assert "`close` does not follow (S01 2021-02)" in note_of(records, "if these are splits")
    # Without adjusted prices the split is a loss of 94 per cent, which is said too.
    traded = pd.read_csv(CASES / "split_stocks.csv", dtype={"stock": str})
    traded["close"] = traded["close"].where(
        (traded["stock"] != "S01") | (traded["month"] >= "2021-02"), 100.0
    )
    records = load(write(traded))
    assert "(S01 2021-02)" in note_of(records, "1 return across splits")


def test_adjusted_prices_alone_make_no_size(load, write):
    with pytest.raises(RecordsError, match="'size' missing"):
        load(CASES / "split_stocks.csv", columns={"close": "close_adjusted"})


def test_reports_sizes_move_with_adjusted_prices(load, write):
    frame = stocks_of(months=6).drop(columns="size")
    split = (frame["stock"] == "S01") & (frame["month"] >= "2019-04")
    frame["close_adjusted"] = frame["close"]
    frame.loc[~split & (frame["stock"] == "S01"), "close"] *= 10
    reports = pd.DataFrame(
        {"stock": frame["stock"].unique(), "published": "2019-01-15", "size": 5_000_000}
    )
    beside = {"reports": (Reports((str(write(reports, "reports.csv")),), {}, 90, 15, 1000),)}
    stocks = load(write(frame), beside=beside).stocks
    size = stocks[stocks["stock"] == "S01"]["size"].to_numpy()
    price = frame[frame["stock"] == "S01"]["close_adjusted"].to_numpy()
    np.testing.assert_allclose(size, 5_000_000 * price / price[0])


def test_bars_dated_by_their_first_day(load, write, tmp_path):
    frame = stocks_of()
    expected = load(write(frame))
    first = load(write(frame.assign(month=frame["month"] + "-01")))
    pd.testing.assert_frame_equal(first.stocks, expected.stocks)
    assert "2019-01-01 is known at the end of 2019-01-31" in note_of(first, "dates each month")
    # As dated rows they are months as well, and the newest one is whole.
    dated = frame.rename(columns={"month": "date"})
    dated["date"] += "-01"
    found = load(write(dated), rows="dated").stocks[expected.stocks.columns]
    pd.testing.assert_frame_equal(found, expected.stocks)
    with pytest.raises(RecordsError, match="the newest row is of 2020-12-01"):
        load(write(dated), rows="dated", bar_date="last_day")


def test_weeks_dated_by_monday_end_on_sunday(load, write, tmp_path):
    days = pd.date_range("2019-01-07", "2019-12-30", freq="W-MON")
    rows = [(day, code, 10.0 + n, 5.0) for n, day in enumerate(days) for code in ("A", "B")]
    frame = pd.DataFrame(rows, columns=["date", "stock", "close", "size"])
    last = pd.Timestamp("2019-12-31")
    records = load(write(frame), last=last, rows="dated")
    close = records.stocks[records.stocks["stock"] == "A"].set_index("month")["close"]
    # The week of 28 January ends in February: January's last one began on the 21st.
    assert close.loc["2019-01-31"] == 10.0 + days.get_loc("2019-01-21")
    assert "2019-01-07 is known at the end of 2019-01-13" in note_of(records, "dates each week")
    stated = load(write(frame), last=last, rows="dated", bar_date="last_day").stocks
    assert stated["close"].iloc[0] == 10.0 + days.get_loc("2019-01-28")
    series = pd.DataFrame({"date": days, "MKT": range(len(days))})
    market = (Table((str(write(series, "market.csv")),), {}),)
    records = load(write(frame), market, last, rows="dated")
    assert records.market["MKT"].iloc[0] == days.get_loc("2019-01-21")


def test_no_change_of_later_weeks_is_seen_before():
    days = pd.Series(pd.date_range("2020-11-02", periods=12, freq="W-MON"))
    assert first_day_of(days, "") == "week" and first_day_of(days, "last_day") == ""
    assert (
        first_day_of(days.head(7), "") == "" and first_day_of(days.head(7), "first_day") == "week"
    )
    assert last_days(days, "week").iloc[8] == pd.Timestamp("2021-01-03")
    assert first_day_of(days + pd.Timedelta(days=4), "") == ""
    later = pd.concat([days, pd.Series([pd.Timestamp("2021-01-26")])])
    assert first_day_of(later, "") == "week"


def test_a_series_that_is_published_later(load, write):
    series = pd.DataFrame({"month": pd.period_range("2018-12", "2020-12", freq="M")})
    series["CPI"] = np.arange(100.0, 100 + len(series))
    series["month"] = series["month"].astype("str") + "-01"
    path = str(write(series, "market.csv"))
    now = load(write(stocks_of()), (Table((path,), {}),))
    late = load(write(stocks_of()), (Table((path,), {}, lag_months=1),))
    # Of December 2018, 100, is known at the end of January where it is published late.
    assert (now.market["CPI"].iloc[0], late.market["CPI"].iloc[0]) == (101.0, 100.0)
    assert "dates each month" in note_of(now, "market.csv dates")
    with pytest.raises(ValueError, match="keys of market, not of sectors"):
        load(write(stocks_of()), beside={"sectors": (Table((path,), {}, lag_months=1),)})


def test_levels_show_a_rate_the_other_way_round(load, write):
    months = pd.period_range("2018-12", "2020-12", freq="M").astype("str")
    series = pd.DataFrame({"month": months, "USDJPY": 0.0091, "VIX": 18.0})
    records = load(write(stocks_of()), (Table((str(write(series, "m.csv")),), {}),))
    assert "median levels: USDJPY 0.0091, VIX 18" in note_of(records, "market series are in")


# Values that mean something else.


def test_a_code_of_missing_that_no_list_has(load, write):
    frame = stocks_of().assign(turnover=lambda rows: rows["close"] / 100)
    frame.loc[[3, 40, 80], "turnover"] = -88.88
    zeros = frame.copy()
    zeros.loc[[3, 40, 80], "turnover"] = 0.0
    for bad, value in ((frame, "-88.88"), (zeros, "0")):
        (note,) = odd(load(write(bad)))
        assert f"column 'turnover' holds {value} in 3 rows (S01 2019-04, S02 2020-05" in note
    # 0 and 1 are answers, and 9,999 among thousands a size.
    fine = stocks_of().assign(flag=lambda rows: (rows["close"] > 20) * 1.0)
    fine.loc[5, "size"] = 9999.0
    assert not odd(load(write(fine)))


def test_codes_of_missing_in_reports(load, write):
    reports = pd.DataFrame(
        {"stock": [f"S{n:02}" for n in range(1, 13)], "period_end": "2018-12-31"}
    )
    reports["sales"] = [-999.0, *range(1000, 1011)]
    beside = {"reports": (Reports((str(write(reports, "r.csv")),), {}, 90, 15, 1000),)}
    records = load(write(stocks_of()), beside=beside)
    assert "column 'sales' holds -999 in 1 row (S01)" in note_of(records, "r.csv")


def test_a_series_that_jumps_a_thousandfold(load, write):
    months = pd.period_range("2018-12", "2020-12", freq="M").astype("str")
    level = 110.0 + np.arange(25) % 3
    series = pd.DataFrame({"month": months, "INDEX": level, "RATE": level, "HML": level % 2 - 0.5})
    series.loc[20:, "INDEX"] *= 1000
    series.loc[20:, "RATE"] = 1 / series.loc[20:, "RATE"]
    series.loc[7, "HML"] = 1500.0
    records = load(write(stocks_of()), (Table((str(write(series, "m.csv")),), {}),))
    jumps = [note for note in odd(records) if "jumps" in note]
    assert [note.split("'")[1] for note in jumps] == ["INDEX", "RATE", "HML"]
    assert "(2020-08: 111 to 112000)" in jumps[0]


def test_two_stocks_with_one_series(load, write):
    frame = stocks_of()
    twin = frame[frame["stock"] == "S03"].assign(stock="ZZ").head(20)
    (note,) = odd(load(write(pd.concat([frame, twin]))))
    assert note.startswith("1 pair of stocks with the same prices or returns (S03 and ZZ in 2019")
    # Prices that never move, as of funds of one yen, are no series.
    still = frame.assign(close=frame["close"].where(frame["stock"] > "S02", 1.0))
    assert not odd(load(write(still)))


def test_returns_of_a_tenth_of_a_per_cent(load, write):
    frame = stocks_of().drop(columns="close").reset_index(drop=True)
    frame["return"] = np.random.default_rng(1).normal(0, 0.15, len(frame)).round(3)
    records = load(write(frame), return_unit="percent")
    assert "with a median size of 0.09 a month" in note_of(records, "returns are in per cent")
    assert records.stocks["return"].abs().median() == pytest.approx(0.001, rel=0.2)


def test_nines_that_stand_for_a_missing_size(load, write):
    frame = stocks_of()
    frame.loc[[5, 70, 100, 200], "size"] = 99_999_999
    (note,) = odd(load(write(frame)))
    assert "column 'size' holds 99999999 in 4 rows (S01 2019-06" in note


def test_a_0_and_a_huge_value_in_a_rate(load, write):
    months = pd.period_range("2018-12", "2020-12", freq="M").astype("str")
    series = pd.DataFrame({"month": months, "FX": 110 + np.arange(25) % 11 / 10})
    series.loc[10, "FX"], series.loc[11, "FX"] = 0.0, 1e20
    notes = odd(load(write(stocks_of()), (Table((str(write(series, "m.csv")),), {}),)))
    assert "column 'FX' holds 0 in 1 row (2019-10)" in notes[0]
    assert "2019-11: 0 to 1e+20, 2019-12: 1e+20 to 110.1)" in notes[1]


def test_removals_of_days_are_listed(load, write):
    days = pd.bdate_range("2019-01-01", "2020-12-31").astype("str")
    frame = pd.DataFrame({"date": days, "close": 10.0, "size": 1.0})
    frame = pd.concat([frame.assign(stock="A"), frame.assign(stock="B")], ignore_index=True)
    at = (frame["stock"] == "B") & (frame["date"] == "2019-05-06")
    frame.loc[at, "close"] = 500.0
    records = load(write(frame), rows="dated")
    assert "1 return set missing (B 2019-05-06 4900.00%)" in records.lines("set missing")
    assert records.stocks["maximum_daily_return"].max() == 0


# Right input is not refused.


def rescaled(name: str) -> pd.DataFrame:
    frame = pd.read_csv(CASES / name, dtype={"stock": str})
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M").to_timestamp("M").normalize()
    frame = frame.sort_values(["month", "stock"], ignore_index=True)
    return frame.assign(**{"return": returns_of(frame, frame["close"].to_numpy())})


def test_rescaled_prices_are_no_restatement():
    before, now = rescaled("rescaled_before.csv"), rescaled("rescaled_after.csv")
    assert differences("stocks", before, now, KEYS) == []
    both = append_new_months(before, now)
    assert both["close"].head(420).equals(before["close"]) and len(both) == 432
    # The next month's history is rescaled once more, and another stock's too.
    again = now.copy()
    again.loc[again["stock"].isin(["S01", "S07"]), "close"] *= 0.5
    assert differences("stocks", both, again, KEYS) == []
    # One price that is another is a restatement, and so is a return.
    wrong = now.copy()
    wrong.loc[(wrong["stock"] == "S01") & (wrong["month"] == "2020-06-30"), "close"] *= 1.01
    months = [one.month for one in differences("stocks", before, wrong, KEYS)]
    assert months == ["2020-06", "2020-07"]
    wrong["return"] = returns_of(wrong, wrong["close"].to_numpy())
    months = [one.month for one in differences("stocks", before, wrong, KEYS)]
    assert months == ["2020-06", "2020-07"]


def test_columns_that_come_with_a_first_case():
    before = rescaled("rescaled_before.csv")
    now = rescaled("rescaled_after.csv").assign(eligible=1.0, spell=0.0)
    now.loc[now.index[-1], ["eligible", "spell"]] = [0.0, 1.0]
    assert differences("stocks", before, now, KEYS) == []
    both = append_new_months(before, now)
    assert both["eligible"].tolist() == [1.0] * 431 + [0.0]


# Numbers and codes.


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("layout", ["long", "wide", "dated"])
def test_numbers_of_other_countries_in_every_table(load, tmp_path, kind, layout):
    frame = stocks_of(months=6)
    german = {"decimal": ","}
    marks = str.maketrans(",.", ".,")
    written = frame["close"].map("{:,.4f}".format).map(lambda text: text.translate(marks))
    series = pd.DataFrame({"month": pd.period_range("2018-12", periods=7, freq="M").astype("str")})
    series["MKT"] = ["(1.234,5)", "△5", "７", "1.000", "-2", "３,５", "0"]
    reports = pd.DataFrame({"stock": ["S01"], "published": ["2019-02-10"], "net_profit": ["(5,5)"]})

    def save(table, name, form):
        path = tmp_path / f"{name}.{form}"
        if form == "parquet":
            table.astype("str").to_parquet(path, index=False)
        else:
            table.to_csv(path, index=False, sep=";")
        return str(path)

    rows = frame.assign(close=written, size="12.000")
    changes: dict = {"columns": {}, "rows": "monthly"}
    if layout == "wide":
        rows = rows.set_index(["month", "stock"])["close"].unstack().reset_index()  # noqa: PD010
        reports["size"] = "1.000.000"
        changes = {"layout": "wide", "rows": "monthly"}
    if layout == "dated":
        rows = rows.rename(columns={"month": "date"})
        rows["date"] += "-27"
        changes = {"rows": "dated"}
    records = load(
        save(rows, "stocks", kind),
        (Table((save(series, "market", kind),), {}, **german),),
        beside={
            "reports": (Reports((save(reports, "reports", kind),), {}, 90, 15, 1000, **german),)
        },
        **changes,
        **german,
    )
    assert records.market["MKT"].tolist() == [-5, 7, 1000, -2, 3.5, 0]
    own = records.stocks[records.stocks["stock"] == "S01"]
    assert own["close"].tolist() == frame[frame["stock"] == "S01"]["close"].tolist()
    assert (own["size"].iloc[2] * own["earnings_yield"].iloc[2]) == pytest.approx(-5.5)


def test_codes_as_spreadsheets_write_them(load, write):
    frame = stocks_of(months=6)
    frame["stock"] = frame["stock"].str.replace("S", "13")
    codes = {"1301": "1301.0", "1302": '="1302"', "1303": "1.3E+03", "1304": "'1304", "1305": "13"}
    frame["stock"] = frame["stock"].replace(codes)
    notes = odd(load(write(frame)))
    assert ["codes that a spreadsheet" in note for note in notes] == [True, False]
    for code in ("1301.0", '="1302"', "1.3E+03", "'1304"):
        assert code in notes[0]
    assert "with fewer digits than the others' 4" in notes[1] and "'13'" in notes[1]


@pytest.mark.parametrize("kind", ["sectors", "members", "reports"])
def test_zeros_lost_in_the_stocks_own_file(load, write, kind):
    frame = stocks_of(months=6)
    frame["stock"] = frame["stock"].str.replace("S", "1")
    other = pd.DataFrame({"stock": "0" + frame["stock"].unique()})
    columns = {"sectors": "sector", "members": "start", "reports": "published"}
    other[columns[kind]] = "2018-01-31"
    if kind == "reports":
        spec = Reports((str(write(other.assign(sales=1), "o.csv")),), {}, 90, 15, 1000)
    else:
        other.loc[len(other)] = ["101", "2018-01-31"]
        spec = Table((str(write(other, "o.csv")),), {})
    records = load(write(frame), beside={kind: (spec,)})
    assert "(as a spreadsheet damages codes" in note_of(records, f"{kind}: ")


def test_members_that_a_spreadsheet_damaged_are_said(load, write):
    frame = stocks_of(months=6)
    frame["stock"] = frame["stock"].str.replace("S", "")
    members = pd.DataFrame({"stock": "00" + frame["stock"].unique(), "start": "2010-01-01"})
    beside = {"members": (Table((str(write(members, "m.csv")),), {}),)}
    with pytest.raises(RecordsError, match=r"members: 0 of 12 .* \(as a spreadsheet damages"):
        load(write(frame), beside=beside)


def test_signs_of_per_cent_are_refused_in_words(load, write):
    frame = stocks_of(months=6).drop(columns="close")
    frame["return"] = "\u22121.5%"
    with pytest.raises(RecordsError, match="none of per cent"):
        load(write(frame), return_unit="percent")


# Headers.


def test_a_nameless_index_is_left_out(load, write, tmp_path):
    frame = stocks_of(months=6)
    expected = load(write(frame)).stocks
    for name in ("", "Unnamed: 0"):
        frame.rename_axis(name).reset_index(names=name).to_csv(tmp_path / "a.csv", index=False)
        records = load(tmp_path / "a.csv")
        pd.testing.assert_frame_equal(records.stocks, expected)
        assert "column 'Unnamed: 0' is left out" in odd(records)[0]


def test_a_nameless_index_of_dates_is_read(load, tmp_path, write):
    frame = stocks_of(months=24)
    wide = frame.pivot_table("close", "month", "stock").rename_axis(index=None)
    wide.to_csv(tmp_path / "wide.csv")
    months = pd.period_range("2018-12", "2020-12", freq="M").astype("str")
    pd.DataFrame({"MKT": range(25)}, months).to_csv(tmp_path / "m.csv")
    reports = pd.DataFrame({"stock": wide.columns, "published": "2019-01-02", "size": 5})
    records = load(
        tmp_path / "wide.csv",
        (Table((str(tmp_path / "m.csv"),), {}),),
        layout="wide",
        beside={"reports": (Reports((str(write(reports, "r.csv")),), {}, 90, 36, 1000),)},
    )
    assert records.market["MKT"].tolist() == list(range(1, 25))
    assert records.stocks["close"].tolist() == (
        frame.sort_values(["month", "stock"])["close"].tolist()
    )
    assert sum("has the dates" in note for note in lines(records)) == 2


def test_three_rows_of_names_are_refused_in_words(load, tmp_path):
    columns = pd.MultiIndex.from_product([["Close", "Volume"], ["AAA", "BBB"]])
    columns.names = ["Price", "Ticker"]
    days = pd.date_range("2020-01-01", periods=5).rename("Date")
    for frame in (
        pd.DataFrame(1.0, days, columns),
        pd.DataFrame(1.0, days, columns).loc[:, [("Close", "AAA"), ("Volume", "AAA")]],
    ):
        frame.to_csv(tmp_path / "a.csv")
        with pytest.raises(RecordsError, match=r"three rows of names .*stack\(level=1"):
            load(tmp_path / "a.csv", rows="dated")
