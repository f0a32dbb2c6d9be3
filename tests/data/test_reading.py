"""Files as they are found: text as text, Parquet with its types, names of files as they are."""

import gzip

import pandas as pd
import pytest

from konkyo.config import Table
from konkyo.data.columns import cells_of
from konkyo.data.files import header, renamed
from konkyo.data.parsing import ParsedTable
from konkyo.data.reader import read
from konkyo.errors import RecordsError, SourceError


def stocks_of(path, columns=None, **form) -> ParsedTable:
    return read(Table((str(path),), columns or {}, **form), cells_of("stocks"))


def test_csv_is_read_as_text(tmp_path):
    path = tmp_path / "stocks.csv"
    path.write_bytes(b"\xef\xbb\xbfstock,return\n000001,0.10\nNA,\n\nTRUE,abc\n")
    table = stocks_of(path)
    assert table.frame["stock"].to_list() == ["000001", "NA", "TRUE"]
    assert table.frame["return"].isna().to_list() == [False, True, True]
    assert table.unread["return"].fillna("-").to_list() == ["-", "-", "abc"]


def test_text_late_in_a_long_csv_is_kept(tmp_path):
    path = tmp_path / "stocks.csv"
    path.write_text("stock,return\n" + "10001,0.01234567\n" * 150_000 + "10001,abc\n")
    assert stocks_of(path).unread["return"].iloc[-1] == "abc"


def test_parquet_keeps_types_and_index_names(tmp_path):
    path = tmp_path / "stocks.parquet"
    frame = pd.DataFrame({"stock": ["a", "b"], "size": [1.0, 2.0]}, index=[5, 7])
    frame.to_parquet(path)
    assert list(stocks_of(path).frame.columns) == ["stock", "size"]
    frame.set_index("stock").to_parquet(path)
    table = stocks_of(path).frame
    assert table["stock"].to_list() == ["a", "b"]
    assert table["size"].to_list() == [1.0, 2.0]


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("a.csv", b"", "is empty \\(0 bytes\\)"),
        ("a.parquet", b"", "is empty \\(0 bytes\\)"),
        ("a.csv", b"month,stock\n", "holds no row, only the columns \\['month', 'stock'\\]"),
        ("a.csv", b"\n\n", "cannot be read"),
        ("a.csv", b"month,stock\n2000-01,a,b\n", "Expected Number of Columns: 2 Found: 3"),
        ("a.csv", b"month,stock\n\xff\xfe,a\n", "invalid start byte"),
        ("a.csv", b"month,month\n1,2\n", "more than one column named 'month'"),
        ("a.csv", b"month,\n0,1\n", "no name for column number 2"),
        ("a.parquet", b"PAR1 but torn", "cannot be read"),
    ],
)
def test_unusable_file(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordsError, match=words) as caught:
        stocks_of(path)
    assert str(path) in str(caught.value)


def test_parquet_without_rows(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"month": pd.Series([], dtype="str")}).to_parquet(path)
    with pytest.raises(RecordsError, match="holds no row"):
        stocks_of(path)


def test_missing_file_and_unknown_kind(tmp_path):
    with pytest.raises(SourceError, match="is not here: put the file there"):
        stocks_of(tmp_path / "a.csv")
    with pytest.raises(SourceError, match=r"ends in '.xlsx': save it as one of"):
        stocks_of(tmp_path / "a.xlsx")


def test_columns_are_renamed_at_once():
    assert renamed("a.csv", ["a", "b", "c"], {"a": "b", "b": "a", "c": ""}) == {"a": "b", "b": "a"}
    with pytest.raises(RecordsError, match=r"more than one column named 'b' after ingest\.tables"):
        renamed("a.csv", ["a", "b"], {"a": "b"})
    with pytest.raises(RecordsError, match="names 'd', which it has not: it has"):
        renamed("a.csv", ["a", "b"], {"d": "b"})


ROWS = "month,stock,return,Return\n2020-01,{},0.5,7\n"


@pytest.mark.parametrize(
    ("name", "beside"),
    [("p[1].csv", "p1.csv"), ("p*.csv", "pa.csv"), ("p?.csv", "pb.csv"), ("~p.csv", "p.csv"),
     ("p{1,2}.csv", "p1.csv"), ("p%20q.csv", "p q.csv"), ("it's #1.csv", "it.csv")],
)  # fmt: skip
def test_a_name_of_a_file_is_no_pattern(tmp_path, monkeypatch, name, beside):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(ROWS.format("here"))
    (tmp_path / beside).write_text(ROWS.format("there"))
    assert stocks_of(name).frame["stock"].to_list() == ["here"]
    # The same of a folder's name, and of a file that is written as it is.
    folder = tmp_path / f"{name} of files"
    folder.mkdir()
    pd.DataFrame({"stock": ["within"]}).to_parquet(folder / f"{name}.parquet")
    assert stocks_of(folder).frame["stock"].to_list() == ["within"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_folder_called_key_and_value_is_no_column(tmp_path, kind):
    folder = tmp_path / "stock=S99" / "return=7"
    folder.mkdir(parents=True)
    frame = pd.DataFrame({"month": ["2020-01"], "stock": ["A"], "return": [0.5]})
    path = folder / f"all.{kind}"
    frame.to_parquet(path) if kind == "parquet" else frame.to_csv(path, index=False)
    table = stocks_of(tmp_path).frame
    assert (table["stock"][0], table["return"][0]) == ("A", 0.5)


def test_names_that_differ_in_case_are_two(tmp_path):
    frame = pd.DataFrame({"month": ["2020-01"], "size": [1.0], "Size": [2.0], "SIZE": [3.0]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for kind in ("csv", "parquet"):
        table = stocks_of(tmp_path / f"a.{kind}").frame
        assert table[["size", "Size", "SIZE"]].iloc[0].to_list() == [1.0, 2.0, 3.0]


def test_endings_in_capitals_and_other_separators(tmp_path):
    with gzip.open(tmp_path / "A.CSV.GZ", "wt") as file:
        file.write("month;stock;return\n2020-01;0013;0.5\n")
    assert header(tmp_path / "A.CSV.GZ") == (["month", "stock", "return"], ";")
    assert stocks_of(tmp_path / "A.CSV.GZ").frame["stock"].to_list() == ["0013"]


def test_words_for_missing_are_names_and_no_numbers(tmp_path):
    names = ["NA", "null", "nan", "None", "N/A", ""]
    frame = pd.DataFrame({"stock": names, "sector": names, "return": names})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for kind in ("csv", "parquet"):
        table = stocks_of(tmp_path / f"a.{kind}")
        for column in ("stock", "sector"):
            assert table.frame[column].fillna("-").to_list() == [*names[:-1], "-"]
        assert table.frame["return"].isna().all() and not table.unread
    table = stocks_of(tmp_path / "a.csv", missing_values=("NA",))
    assert table.frame["sector"].isna().to_list() == [True, *[False] * 4, True]
    assert table.frame["stock"][0] == "NA"
