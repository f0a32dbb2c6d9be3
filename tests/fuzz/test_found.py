"""What fuzzing has found, one by one, with literal answers."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from fuzz_checks import records_are_right_or_refused
from fuzz_drawn import Column, Drawn
from fuzz_tables import Case
from konkyo import config
from konkyo.data import files, tables
from konkyo.errors import ArtifactError, KonkyoError, ParamsError, RecordsError
from konkyo.io import read_array, read_csv, read_json, read_parquet
from small import PARAMS

DAYS = [dt.date(2020, 1, 31), dt.date(2020, 2, 29)]
ROWS = [(day, stock) for day in DAYS for stock in ("A", "B")]
TOKYO = dt.timezone(dt.timedelta(hours=9))


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=TOKYO)


@pytest.fixture
def bring(tmp_path):
    """Return what brings stocks of these columns beside a market of January and February 2020."""
    market = tmp_path / "market.csv"
    market.write_text("month,MKT\n2020-01,1\n2020-02,2\n")

    def brought(rows, **columns):
        key = "month" if rows == "monthly" else "date"
        plain = {
            key: pa.array([day for day, _ in ROWS]),
            "stock": pa.array([stock for _, stock in ROWS]),
            "size": pa.array([5.0, 6.0, 7.0, 8.0]),
            **({"return": pa.array([0.1, 0.2, 0.3, 0.4])} if rows == "monthly" else {}),
            **({"close": pa.array([10.0, 10.0, 11.0, 12.0])} if rows == "dated" else {}),
        }
        path = tmp_path / "stocks.parquet"
        pa.parquet.write_table(pa.table(plain | columns), path)
        section = config.Tables(
            stocks=config.StockRows(
                files=(str(path),), columns={}, layout="long", rows=rows, return_unit="fraction",
                largest_return=10.0, eligible="",
            ),
            market=(config.Table(files=(str(market),), columns={}),),
            reports=(), sectors=(), members=(), point_in_time=True, survivorship_free=True,
        )  # fmt: skip
        return tables.load(section, tmp_path / "raw", 2).stocks

    return brought


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "+09:00"])
@pytest.mark.parametrize("rows", ["monthly", "dated"])
def test_a_day_is_that_of_its_own_time_zone(bring, rows, zone):
    # The first of a month in Tokyo is the last of the month before in Greenwich.
    first = pa.array([midnight(day.replace(day=1)) for day, _ in ROWS], pa.timestamp("us", tz=zone))
    key = "month" if rows == "monthly" else "date"
    if rows == "dated":
        with pytest.raises(RecordsError, match="newest row is of 2020-02-01"):
            bring(rows, **{key: first})
        return
    assert bring(rows, **{key: first})["month"].unique().tolist() == list(map(pd.Timestamp, DAYS))


NESTED = {
    "list": pa.array([[1]] * 4),
    "struct": pa.array([{"a": 1}] * 4),
    "map": pa.array([[("a", 1)]] * 4, pa.map_(pa.string(), pa.int64())),
    "duration": pa.array([5] * 4, pa.duration("s")),
    "time": pa.array([5] * 4, pa.time32("s")),
}


@pytest.mark.parametrize("rows", ["monthly", "dated"])
@pytest.mark.parametrize("kind", [*NESTED])
def test_columns_without_numbers_are_listed(bring, rows, kind):
    with pytest.raises(RecordsError) as error:
        bring(rows, extra=NESTED[kind])
    assert [(v.column, v.rule, v.count) for v in error.value.violations] == [
        ("extra", "readable", 4)
    ]


@pytest.mark.parametrize("rows", ["monthly", "dated"])
@pytest.mark.parametrize(
    "days",
    [
        NESTED["list"],
        NESTED["struct"],
        pa.array([3_000_000] * 4, pa.date32()),
        pa.array([10**15] * 4, pa.timestamp("ms")),
        pa.array(["0001-01-31"] * 4),
    ],
    ids=["list", "struct", "year 10183", "year 33658", "year 1"],
)
def test_days_that_are_none_are_listed(bring, rows, days):
    key = "month" if rows == "monthly" else "date"
    with pytest.raises(RecordsError) as error:
        bring(rows, **{key: days})
    assert (key, "readable", 4) in [(v.column, v.rule, v.count) for v in error.value.violations]


def test_codes_of_dated_rows_that_are_floats(bring):
    codes = pa.array([0.0, 0.5, 0.0, 0.5])
    assert sorted(set(bring("dated", stock=codes)["stock"])) == ["0", "0.5"]
    with pytest.raises(RecordsError) as error:
        bring("dated", stock=pa.array([1.0, float("nan"), 1.0, 2.0]))
    assert [(v.column, v.rule, v.rows) for v in error.value.violations] == [
        ("stock", "present", (2,))
    ]


@pytest.mark.parametrize("name", ['q"x', "id", "day", "m", "r", "row", "months", "raw_close", "Q"])
def test_other_columns_of_dated_rows_have_any_name(bring, name):
    found = bring("dated", **{name: pa.array([1.5, 2.5, 3.5, 4.5])})
    assert found[name].tolist() == [1.5, 2.5, 3.5, 4.5]


def test_names_of_dated_rows_that_cannot_be_told_apart(bring):
    found = bring("dated", Size=pa.array([1.5] * 4))
    assert found["Size"].tolist() == [1.5] * 4 and found["size"].tolist() == [5.0, 6.0, 7.0, 8.0]
    with pytest.raises(RecordsError, match="capital letters alone, 'beta', 'Beta'"):
        bring("dated", beta=pa.array([1.0] * 4), Beta=pa.array([1.0] * 4))
    with pytest.raises(RecordsError, match="'month' is the name"):
        bring("dated", month=pa.array([1.0] * 4))


@pytest.mark.parametrize("name", ["close", "volume", "dollar_volume"])
def test_numbers_that_sums_have_no_room_for_are_listed(bring, name):
    with pytest.raises(RecordsError) as error:
        bring("dated", **{name: pa.array([1e300, 1.0, 1.0, 1.0])})
    assert [(v.column, v.rule, v.rows) for v in error.value.violations] == [(name, "at most", (1,))]


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 500, "{? {a: b} : c}", "&a [*a]", '"\\ud800"'])
def test_yaml_that_its_reader_has_no_words_for(tmp_path, value):
    path = tmp_path / "params.yaml"
    path.write_text(
        PARAMS.read_text(encoding="utf-8").replace("epsilon: 0.001", f"epsilon: {value}")
    )
    with pytest.raises(ParamsError):
        config.load(path)


def test_a_folder_in_the_place_of_params(tmp_path):
    with pytest.raises(ParamsError, match="cannot be read: Is a directory"):
        config.load(tmp_path)


@pytest.mark.parametrize(
    "read", [read_parquet, read_csv, read_json, lambda path: read_array(path, "r")]
)
def test_files_that_are_missing_or_damaged_are_named(tmp_path, read):
    path = tmp_path / "file"
    with pytest.raises(ArtifactError, match=r"file is missing: run `dvc repro`$"):
        read(path)
    path.write_bytes(b"" if read is read_csv else b"PAR1\xff")
    with pytest.raises(
        ArtifactError, match=r"is damaged or cannot be read \(.*\): remove it.*, or "
    ):
        read(path)


def test_a_drawn_table_that_is_wrong_is_caught():
    """The checks themselves see a value that is not the file's."""
    column = Column("month", "month", "month", ("2020-01", "2020-01"), pa.string())
    stock = Column("stock", "stock", "stock", ("A", "B"), pa.string())
    earned = Column("return", "return", "number", (0.1, 0.2), pa.float64())
    size = Column("size", "size", "number", (1.0, 2.0), pa.float64())
    day = Column("date", "date", "date", (dt.date(2020, 1, 31),), pa.date32())
    series = Column("MKT", "MKT", "number", (1.0,), pa.float64())
    market = Drawn((day, series), False)
    case = Case(
        "monthly", Drawn((column, stock, earned, size), False), market, {}, "fraction", "", None
    )
    assert records_are_right_or_refused(case) in ("records", "records and panel")
    with pytest.MonkeyPatch.context() as patch:
        real = tables.load

        def wrong(*given):
            found = real(*given)
            found.stocks.loc[0, "size"] = 3.0
            return found

        patch.setattr(tables, "load", wrong)
        with pytest.raises(AssertionError, match="size"):
            records_are_right_or_refused(case)
        patch.setattr(tables, "load", lambda *given: (_ for _ in ()).throw(KonkyoError("no")))
        with pytest.raises(AssertionError):
            records_are_right_or_refused(case)


def test_a_header_that_is_no_utf_8_is_refused(tmp_path):
    path = tmp_path / "stocks.csv"
    path.write_bytes("month,stock,société\n2020-01,A,1\n".encode("latin-1"))
    with pytest.raises(RecordsError, match="cannot be read"):
        files.header(path)
    assert files.header(path, "latin-1") == (["month", "stock", "société"], ",")
