"""Names that are syntax elsewhere, and texts of days, as users have them, with the right values."""

import datetime as dt
import re

import pandas as pd
import pytest

from konkyo import config
from konkyo.config import Reports, StockRows, Table, Tables
from konkyo.data import tables
from konkyo.errors import ParamsError, RecordsError
from small import PARAMS

MONTHS = ("2020-01", "2020-02", "2020-03")


@pytest.fixture
def load(tmp_path):
    """Return what loads stocks of these files beside one market series."""
    series = tmp_path / "series.csv"
    series.write_text("month,MKT\n" + "".join(f"{month},{i}\n" for i, month in enumerate(MONTHS)))

    def load(stocks: object, market: object = series, reports=(), **changes) -> pd.DataFrame:
        rows = {
            "layout": "long",
            "rows": "monthly",
            "return_unit": "fraction",
            "largest_return": 10.0,
            "eligible": "",
        }
        section = Tables(
            stocks=StockRows((str(stocks),), changes.pop("columns", {}), **(rows | changes)),
            market=(Table((str(market),), {}),),
            reports=reports,
            sectors=(),
            members=(),
            point_in_time=True,
            survivorship_free=True,
        )
        return tables.load(section, tmp_path / "raw", 2).stocks

    return load


def rows(codes=("A", "B"), months=MONTHS) -> pd.DataFrame:
    """Return a row a month and stock, returns and sizes counted through."""
    keys = [(month, code) for month in months for code in codes]
    frame = pd.DataFrame(keys, columns=["month", "stock"])
    return frame.assign(**{"return": [0.01 * i for i in range(len(keys))], "size": 5.0})


def test_a_column_goes_before_its_folders_name(load, tmp_path):
    """Snapshots: each folder is named after its day, and its file has the days of its rows."""
    folder = tmp_path / "prices/date=2024-05-01/stock=S01"
    folder.mkdir(parents=True)
    frame = rows().rename(columns={"month": "date"})
    frame["date"] += "-28"
    frame.to_parquet(folder / "all.parquet")
    found = load(tmp_path / "prices", rows="dated")
    assert sorted(set(found["month"].dt.strftime("%Y-%m"))) == list(MONTHS)
    assert set(found["stock"]) == {"A", "B"}


def test_a_file_beside_one_of_a_similar_name(load, tmp_path):
    rows().to_csv(tmp_path / "prices[1].csv", index=False)
    rows(("C", "D")).to_csv(tmp_path / "prices1.csv", index=False)
    assert set(load(tmp_path / "prices[1].csv")["stock"]) == {"A", "B"}


@pytest.mark.parametrize("name", ["a%2Fb", "what?x=1", "a#b", " a  b", "日本", "k=v", "$HOME {x}"])
def test_records_in_a_folder_of_any_name(load, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    rows().to_parquet(folder / "stocks.parquet")
    assert len(load(folder)) == len(load(folder / "stocks.parquet")) == 6


def test_codes_that_differ_in_capitals_and_blanks(load, tmp_path):
    """Two firms, and a blank inside of a code is part of it; ones around it are none."""
    frame = rows(("brk b", "BRK B", " BRK  B "))
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert set(load(tmp_path / "a.csv")["stock"]) == {"brk b", "BRK B", "BRK  B"}


def test_names_may_look_like_values_of_yaml(tmp_path):
    """Unquoted keys of params.yaml are names too: YAML reads 007 as 7, and 1e3 as 1000.0."""
    names = ("null", "~", "TRUE", "yes", "007", "1e3", "0x1F", "2020-01-31", "1_000")
    text = PARAMS.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(text) if line.startswith("  market:  "))
    while text[start + 1].startswith("    "):
        del text[start + 1]
    text[start] = f"  market: {{{', '.join(f'{name}: [level]' for name in names)}}}"
    (tmp_path / "params.yaml").write_text("\n".join(text), encoding="utf-8")
    assert tuple(config.load(tmp_path / "params.yaml").prepare.market) == names


@pytest.mark.parametrize(
    ("written", "month"),
    [
        ("201012", "2010-12"),
        ("'20101231'", "2010-12"),
        ("2010-12-01T00:00:00+09:00", "2010-12"),
        ("2010/12/31", "2010-12"),
        ("05.04.2010", None),
        ("2010-1", None),
        ("40543", None),
        ("2010", None),
        ("Dec 2010", None),
    ],
)
def test_a_month_of_params_has_one_reading(tmp_path, written, month):
    text = PARAMS.read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(
        re.sub("^  first_month: .*", f"  first_month: {written}", text, flags=re.MULTILINE),
        encoding="utf-8",
    )
    if month is None:
        with pytest.raises(ParamsError) as error:
            config.load(path)
        first, second = str(error.value).splitlines()[1:]
        assert first.startswith("  ingest.first_month = ")
        assert "set it to oldest, or a month as YYYY-MM" in first
        assert second.startswith("  prepare.first_month = ")
        assert "set it to a month as YYYY-MM" in second
    else:
        params = config.load(path)
        assert (params.ingest.first_month, params.prepare.first_month) == (month, month)


@pytest.mark.parametrize("serial", [43861, "43861", "43861.0", 202013.0])
def test_a_spreadsheets_number_of_a_day_is_refused(load, tmp_path, serial):
    frame = rows().astype({"month": object})
    frame.loc[:1, "month"] = serial
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(RecordsError, match="column 'month': not a date or month in 2 rows"):
        load(tmp_path / "a.csv")


def test_a_day_of_a_zone_is_that_of_its_own_clock(load, tmp_path):
    """Month-ends at midnight of Tokyo are the afternoon of the day before in Greenwich."""
    frame = rows()
    days = pd.to_datetime(frame["month"] + "-01", format="%Y-%m-%d")
    frame["month"] = days.dt.tz_localize("Asia/Tokyo")
    frame.to_parquet(tmp_path / "a.parquet")
    assert list(load(tmp_path / "a.parquet")["month"].dt.strftime("%Y-%m").unique()) == [*MONTHS]
    frame["month"] = days.dt.strftime("%Y-%m-%dT00:00:00+09:00")
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert list(load(tmp_path / "a.csv")["month"].dt.strftime("%Y-%m").unique()) == [*MONTHS]


def test_a_report_published_late_in_the_evening(load, tmp_path):
    """Known on its own clock's day: the last of February, not the first of March."""
    rows().to_csv(tmp_path / "a.csv", index=False)
    report = "stock,published,period_end,estimate\nA,{},2019-12-31,7\nB,2020-03-01,2019-12-31,8\n"
    (tmp_path / "r.csv").write_text(report.format("2020-02-29T23:30:00-05:00"))
    reports = (Reports((str(tmp_path / "r.csv"),), {}, 90, 15, 1),)
    found = load(tmp_path / "a.csv", reports=reports).set_index(["month", "stock"])["estimate"]
    february, march = dt.datetime(2020, 2, 29), dt.datetime(2020, 3, 31)
    assert found[february, "A"] == 7 and pd.isna(found[february, "B"])
    assert found[march].tolist() == [7, 8]
