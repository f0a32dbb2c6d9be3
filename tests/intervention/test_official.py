import pytest

from konkyo.dates import label
from konkyo.errors import RecordsError, SourceError
from konkyo.intervention import official
from real_records import FOLDER, operations_text

TEXT = """財務省,,,,,,,,
年,月,日,Year,Month,Day,金額(amount),売買通貨,Currency pairs
平成3年,5月,13日,1991,May,13,139,米ドル売り・日本円買い,the US dollar (sold) the Japanese yen (bought)
,6月,10日,,Jun,10,211,米ドル売り・日本円買い,the US dollar (sold) the Japanese yen (bought)
平成3年4〜6月期計,,,April - June 1991,,,350,,
,8月,19日,,Aug,19,139,米ドル売り・独マルク買い,the US dollar (sold) the Deutsche mark (bought)
,9月,2日,,Sep,2,"1,000",米ドル買い・日本円売り,the Japanese yen (sold) the US dollar (bought)
平成3年7〜9月期計,,,July - September 1991,,,"1,139",,
平成3年10〜12月期計,,,October - December 1991,,,0,,
(注) 注記,,,,,,,,
"""  # noqa: E501


def test_days_sum_to_months_by_currency_pair():
    operations = official.parse(TEXT)
    net = official.monthly(operations, "USD/JPY")
    amounts = dict(zip(map(label, net["month"]), net["amount"], strict=True))
    assert amounts == pytest.approx(
        {
            "1991-04": 0, "1991-05": -13.9, "1991-06": -21.1, "1991-07": 0, "1991-08": 0,
            "1991-09": 100, "1991-10": 0, "1991-11": 0, "1991-12": 0,
        }
    )  # fmt: skip
    mark = official.monthly(operations, "USD/DEM")
    assert mark["amount"].sum() == pytest.approx(-13.9)


def test_the_ministrys_own_encoding_is_read(tmp_path):
    path = tmp_path / "operations.csv"
    path.write_bytes(TEXT.encode("cp932"))
    assert len(official.read_operations(path).daily) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",6月,10日,,Jun,10,211", ",6月,10日,,Jun,10,2x1", "line 4"),
        (",6月,10日,,Jun,10,211", ",6月,10日,,Jux,10,211", "line 4"),
        ("Jun,10,211", "Jun,10,2211", "total is 350"),
        ("(sold) the Japanese yen (bought)", "sold for yen", "2 rows of operations"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_an_error(old, new, said):
    with pytest.raises(RecordsError, match=said):
        official.parse(TEXT.replace(old, new))


def test_unknown_files_and_pairs_are_errors(tmp_path):
    with pytest.raises(RecordsError, match="no row of an operation"):
        official.parse("date,amount\n1991-05-13,139\n")
    with pytest.raises(RecordsError, match="USD/DEM"):
        official.monthly(official.parse(TEXT), "EUR/JPY")
    with pytest.raises(SourceError, match=r"absent\.csv not found"):
        official.read_operations(tmp_path / "absent.csv")


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real records are not at {FOLDER}")
def test_real_operations_add_up_to_the_published_years():
    operations = official.parse(operations_text())
    year = operations.daily["amount"].groupby(operations.daily["date"].dt.year).sum()
    assert year[1995] == pytest.approx(4958.9, abs=0.1)
    assert year[2003] == pytest.approx(20425.0, abs=0.1)
    net = official.monthly(operations, "USD/JPY").set_index("month")["amount"]
    assert (net.index[0].year, net.index[0].month, len(net)) == (1991, 4, 156)
    assert net["1992-04"].item() == pytest.approx(-203.6, abs=0.2)
