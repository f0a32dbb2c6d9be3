"""Every kind of table: its rules of values and rows, and the documentation made from them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_card import markdown
from konkyo.data.columns import table_of
from konkyo.data.parsing import ParsedTable
from konkyo.data.rules import broken as broken_rules
from small_files import parsed

REPOSITORY = Path(__file__).parents[2]
DAYS = pd.to_datetime(["2001-01-30", "2001-01-31", "2001-02-01"])


def check_values(kind, frame, file, names, first_row=1):
    table = ParsedTable(file, frame, names, first_row=first_row)
    return broken_rules(table_of(kind), table)


def broken(kind, frame, **options) -> list[tuple[str, str, tuple[int, ...]]]:
    found = check_values(kind, pd.DataFrame(frame), "own.csv", {}, **options)
    assert all(one.file == "own.csv" and one.found and one.remedy for one in found)
    return [(one.column, one.rule, one.rows) for one in found]


def prices(**changes) -> dict:
    return {
        "date": DAYS,
        "stock": ["A", "A", "B"],
        "close": [1.0, np.nan, 2.0],
        "volume": [0, 10, 20],
        "beta": [-1.0, 0.0, np.nan],
    } | changes


@pytest.mark.parametrize(
    "kind, frame, expected",
    [
        ("prices", prices(), []),
        ("prices", prices(close=[1.0, -2.0, 0.0]), [("close", "at least", (2,))]),
        ("prices", prices(volume=[-1, 0, 1]), [("volume", "at least", (1,))]),
        ("prices", prices(beta=[0.0, np.inf, -np.inf]), [("beta", "finite", (2, 3))]),
        ("prices", prices(shares=[np.inf, 1.0, -np.inf]), [("shares", "finite", (1, 3))]),
        ("prices", prices(stock=["A", None, "B"]), [("stock", "present", (2,))]),
        ("prices", prices(date=[DAYS[0], pd.NaT, DAYS[2]]), [("date", "present", (2,))]),
        ("prices", prices(label=[0.0, 1.0, 2.0]), [("label", "reserved", ())]),
        ("prices", {"date": DAYS}, [("", "columns", ())]),
        ("prices", prices(**{"return": [-1.0, -1.5, 3.0]}), [("return", "at least", (2,))]),
        ("stocks", {"month": DAYS, "stock": ["A"] * 3, "return": [0.1] * 3, "size": [1, 0, 2],
                    "eligible": [0.0, 1.0, 0.5]},
         [("size", "above", (2,)), ("eligible", "one of", (3,))]),
        ("market", {"date": DAYS, "VIX": [1.0, np.nan, 2.0]}, []),
        ("market", {"VIX": [1.0, np.nan, 2.0]}, [("", "columns", ())]),
        ("reports", {"stock": ["A"] * 3, "published": DAYS, "sales": [1.0, -1.0, np.nan]}, []),
        ("reports", {"stock": ["A"] * 3, "sales": [1.0, 2.0, 3.0]}, [("", "columns", ())]),
        ("reports", {"stock": ["A"] * 3, "published": [pd.NaT, *DAYS[1:]],
                     "period_end": [pd.NaT, DAYS[1], DAYS[2] + pd.Timedelta(days=1)]},
         [("published, period_end", "either", (1,)), ("published, period_end", "order", (3,))]),
        ("sectors", {"stock": ["A", "B", "A"], "sector": ["x", None, "y"], "name": [1, "b", None],
                     "start": [DAYS[0]] * 3},
         [("sector", "present", (2,)), ("stock, start", "unique", (3,))]),
        ("members", {"stock": ["A", "A", "B"], "start": DAYS, "end": [pd.NaT, DAYS[0], DAYS[2]]},
         [("end, start", "order", (2,))]),
        ("members", {"stock": ["A", "A"], "start": [DAYS[0]] * 2},
         [("stock, start", "unique", (2,))]),
    ],
)  # fmt: skip
def test_rules(kind, frame, expected):
    assert broken(kind, frame) == expected


def test_number_and_text_types_of_any_width():
    frame = prices(
        stock=pd.Categorical(["A", "B", "C"]),
        volume=np.array([1, 2, 3], dtype="int32"),
        beta=np.array([1, 2, 3], dtype="float32"),
        listed=[True, False, True],
        date=DAYS.astype("datetime64[s]"),
    )
    assert broken("prices", frame) == []
    assert broken("prices", frame | {"stock": pd.Series(["A", "B", None], dtype=object)}) == [
        ("stock", "present", (3,))
    ]


def test_rows_of_a_chunk_have_the_numbers_of_the_file():
    frame = pd.DataFrame(prices(close=[1.0, -1.0, 2.0]), index=[7, 7, 7])
    found = check_values("prices", frame, "own.csv", {"close": "PRC"}, first_row=1_000_001)
    assert [str(one) for one in found] == [
        "column 'PRC' (here 'close'): below 0 in 1 row (row 1,000,002: -1.0); correct them, or "
        "leave them empty to say that they are missing"
    ]


def test_reads_text_and_reports_a_value_once():
    found = parsed(
        "reports",
        "own.csv",
        pd.DataFrame(
            {
                "stock": ["001", "002", "NA", "4"],
                "published": ["2001-02-30", "20010228", "", "2001-02-28T09:00"],
                "period_end": ["", "2000-12-31", "31.12.2000", "2001-03-31"],
                "sales": ["1.5", "n/a", "1,5", "-inf"],
            }
        ),
    )
    frame, violations = found.frame, broken_rules(table_of("reports"), found)
    assert frame["stock"].to_list() == ["001", "002", "NA", "4"]
    assert frame["published"].dt.strftime("%Y-%m-%d").to_list()[1] == "2001-02-28"
    assert frame["published"].notna().to_list() == [False, True, False, True]
    assert frame["sales"].to_list()[0] == 1.5 and np.isnan(frame["sales"][1])
    assert [(one.column, one.rule, one.rows, one.shown) for one in violations] == [
        ("published", "readable", (1,), ("'2001-02-30'",)),
        ("period_end", "readable", (3,), ("'31.12.2000'",)),
        ("sales", "readable", (3,), ("'1,5'",)),
        ("sales", "finite", (4,), ("-inf",)),
        ("published, period_end", "order", (4,), ("'2001-02-28 2001-03-31'",)),
    ]


NUMBERS = st.sampled_from([-np.inf, -2.0, -1.0, 0.0, 1.0, np.inf, np.nan])


@settings(max_examples=20)
@given(
    rows=st.lists(
        st.tuples(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["A", "B", None])),
        min_size=1,
        max_size=8,
    ),
    first_row=st.integers(1, 10**9),
)
def test_against_a_slow_oracle(rows, first_row):
    names = ["return", "size", "beta", "stock"]
    frame = pd.DataFrame(rows, columns=names).astype({"stock": "str"})
    frame["month"] = pd.Timestamp("2001-01-31")
    rules = {
        ("return", "finite"): lambda row: np.isinf(row[0]),
        ("return", "at least"): lambda row: -np.inf < row[0] < -1,
        ("size", "finite"): lambda row: np.isinf(row[1]),
        ("size", "above"): lambda row: -np.inf < row[1] <= 0,
        ("beta", "finite"): lambda row: np.isinf(row[2]),
        ("stock", "present"): lambda row: row[3] is None,
    }
    expected = {}
    for rule, is_bad in rules.items():
        places = [first_row + place for place, row in enumerate(rows) if is_bad(row)]
        if places:
            expected[rule] = (tuple(places[:5]), len(places))
    found = check_values("stocks", frame, "own.csv", {}, first_row)
    assert {(one.column, one.rule): (one.rows, one.count) for one in found} == expected


@pytest.mark.parametrize("page", ["data/README.md", "docs/data.md"])
def test_the_pages_show_the_schemas(page):
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    shown = re.findall(r"<!-- columns: (\w+) -->\n(.*?)<!-- end -->", text, flags=re.DOTALL)
    assert shown == [(kind, markdown(kind)) for kind, _ in shown]
    kinds = {"stocks", "market", "prices", "reports", "sectors", "members"}
    assert {kind for kind, _ in shown} == (kinds if page == "docs/data.md" else {"stocks"})
