"""Row filters and value maps of tables, and what is said of those that cannot be used."""

import pandas as pd
import pytest

from konkyo.config import Reports, Table
from konkyo.data import fundamentals
from konkyo.data.columns import cells_of
from konkyo.data.reader import read
from konkyo.dates import month_end
from konkyo.errors import ParamsError, RecordsError
from small_files import read_reports

STATEMENTS = """\
stock,period_end,published,quarter,連結,Doc Type,sales
A,2020-03-31,2020-05-10,FY,1,annual,1000
A,2020-03-31,2020-05-10,FY,0,annual,700
A,2020-06-30,2020-08-10,Q1,1,quarterly,240
A,2019-06-30,2019-08-10,Q1,1,quarterly,235
B,2020-03-31,2020-05-10,FY,0,annual,50
"""
QUARTERS = {"quarter": {"Q1": 3, "Q2": 6, "Q3": 9, "FY": 12}}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "statements.csv"
    path.write_text(STATEMENTS, encoding="utf-8")
    return path


def rows(file, where: str, **changes) -> pd.DataFrame:
    columns = {"quarter": "", "連結": "", "Doc Type": ""}
    table = Table((str(file),), columns, where=where, **changes)
    return read(table, cells_of("reports")).frame


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("連結 == 1", [0, 2, 3]),
        ("連結 = 1 and quarter = 'FY'", [0]),
        ("\"Doc Type\" = 'quarterly'", [2, 3]),
        ("quarter in ('Q1', 'Q2') or stock = 'B'", [2, 3, 4]),
        ("sales between 200 and 800", [1, 2, 3]),
        ("period_end < '2020-01-01'", [3]),
        ("quarter is not null", [0, 1, 2, 3, 4]),
    ],
)
def test_rows_that_count(file, where, kept):
    whole = rows(file, "true")
    pd.testing.assert_frame_equal(rows(file, where), whole.iloc[kept].reset_index(drop=True))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_two_kinds_of_statements_in_one_file(file, tmp_path, kind):
    """Consolidated figures, and those of the parent alone where a firm has no others."""
    if kind == "parquet":
        frame = pd.read_csv(file)
        file = tmp_path / "statements.parquet"
        frame.to_parquet(file, index=False)
    columns = {"quarter": "months", "Doc Type": ""}
    specs = [
        Reports((str(file),), columns, 90, 12, 1000, where=f"連結 == {own}", values=QUARTERS)
        for own in (1, 0)
    ]
    tables = []
    for spec in specs:
        frame, violations = read_reports(spec)
        # The column of the condition is no number of the reports.
        assert violations == [] and "連結" not in frame
        tables.append(frame)
    months = month_end(range(600, 612))
    stocks = pd.DataFrame([(m, s) for m in months for s in "AB"], columns=["month", "stock"])
    sales = fundamentals.join(stocks, tables, specs).pivot_table(
        index="month", columns="stock", values="sales"
    )
    assert sales.loc["2020-05-31"].to_list() == [1000.0, 50.0]
    assert sales.loc["2020-08-31"].to_list() == [240.0 + 1000.0 - 235.0, 50.0]


def test_a_value_without_a_meaning_is_reported(file):
    spec = Reports(
        (str(file),), {"quarter": "months"}, 90, 12, 1, values={"quarter": {"Q1": 3}},
        where="連結 == 1",
    )  # fmt: skip
    columns = {"quarter": "months", "Doc Type": ""}
    (violation,) = read_reports(
        Reports(spec.files, columns, 90, 12, 1, values=spec.values, where=spec.where)
    )[1]
    assert violation.file.endswith("statements.csv where 連結 == 1")
    assert (violation.rule, violation.column, violation.rows) == ("readable", "quarter", (1,))
    assert violation.shown == ("'FY'",)


def test_how_many_rows_count_is_noted(file):
    table = read(Table((str(file),), {}, where="連結 == 1"), cells_of("reports"))
    assert [note.text.partition("statements.csv ")[2] for note in table.notes] == [
        "where 連結 == 1: `where` leaves 3 of 5 rows"
    ]
    with pytest.raises(RecordsError, match="has 5 rows, of which `where` leaves none"):
        rows(file, "連結 == 7")


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("consolidated == 1", "names 'consolidated', which is no column: .* are 'stock', 'period"),
        ('quarter == "FY"', "names 'FY', which is no column; text stands in single quotes"),
        ("quarter == ", "is not whole"),
        ("quarter == 'FY", "is not whole"),
        ("quarter == 12", "compares numbers with the text '(FY|Q1)'"),
        ("sales > (select 1)", "looks at other rows than its own"),
        ("sales > avg(sales)", "looks at other rows than its own"),
        ("nothing(sales)", "calls a function that there is not"),
    ],
)
def test_conditions_that_cannot_be_used(file, where, words):
    with pytest.raises(ParamsError, match=words) as error:
        rows(file, where)
    assert not any(word in str(error.value) for word in ("Error", "duckdb", "FROM", "LINE"))


def test_values_of_a_column_that_there_is_not(file):
    with pytest.raises(RecordsError, match=r"`values` of .* is about 'kind', which it has not"):
        rows(file, "", values={"kind": {"a": 1}})
