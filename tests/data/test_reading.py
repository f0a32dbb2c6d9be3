"""Files as they are found."""

import pandas as pd
import pytest

from konkyo.data.readers import RawTable, read, rename
from konkyo.errors import RecordsError, SourceError


def test_csv_is_read_as_text(tmp_path):
    path = tmp_path / "stocks.csv"
    path.write_bytes(b"\xef\xbb\xbfstock,return\n000001,0.10\nNA,\n\nTRUE,abc\n")
    frame = read(path).frame
    assert frame["stock"].to_list() == ["000001", "NA", "TRUE"]
    assert frame["return"].to_list() == ["0.10", "", "abc"]


def test_text_late_in_a_long_csv_is_kept(tmp_path):
    path = tmp_path / "stocks.csv"
    path.write_text("stock,return\n" + "10001,0.01234567\n" * 150_000 + "10001,abc\n")
    assert read(path).frame["return"].iloc[-1] == "abc"


def test_parquet_keeps_types_and_names_of_a_saved_index(tmp_path):
    path = tmp_path / "stocks.parquet"
    frame = pd.DataFrame({"stock": ["a", "b"], "size": [1.0, 2.0]}, index=[5, 7])
    frame.to_parquet(path)
    assert list(read(path).frame.columns) == ["stock", "size"]
    frame.set_index("stock").to_parquet(path)
    found = read(path).frame
    assert found["stock"].to_list() == ["a", "b"]
    assert found["size"].to_list() == [1.0, 2.0]


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.csv", b"", "is empty \\(0 bytes\\)"),
        ("a.parquet", b"", "is empty \\(0 bytes\\)"),
        ("a.csv", b"month,stock\n", "holds no row, only the columns \\['month', 'stock'\\]"),
        ("a.csv", b"\n\n", "cannot be read"),
        ("a.csv", b"month,stock\n2000-01,a,b\n", "Expected 2 columns, got 3"),
        ("a.csv", b"month,stock\n\xff\xfe,a\n", "invalid UTF8"),
        ("a.csv", b"month,month\n1,2\n", "more than one column named 'month'"),
        ("a.csv", b",month\n0,1\n", "no name for column number 1"),
        ("a.parquet", b"PAR1 but torn", "cannot be read"),
    ],
)
def test_unusable_file(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordsError, match=said) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_parquet_without_rows(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"month": pd.Series([], dtype="str")}).to_parquet(path)
    with pytest.raises(RecordsError, match="holds no row"):
        read(path)


def test_missing_file_and_unknown_kind(tmp_path):
    with pytest.raises(SourceError, match="is not here: put the file there"):
        read(tmp_path / "a.csv")
    with pytest.raises(SourceError, match=r"ends in '.xlsx': save it as one of"):
        read(tmp_path / "a.xlsx")


def test_rename():
    found = RawTable("a.csv", pd.DataFrame({"a": [1], "b": [2], "c": [3]}))
    renamed = rename(found, {"a": "b", "b": "a", "elsewhere": "c"})
    assert renamed.frame.iloc[0].to_dict() == {"b": 1, "a": 2, "c": 3}
    assert renamed.name("b") == "column 'a' (here 'b')"
    assert renamed.name("c") == "column 'c'"
    with pytest.raises(RecordsError, match=r"more than one column named 'b' after ingest\.tables"):
        rename(found, {"a": "b"})
