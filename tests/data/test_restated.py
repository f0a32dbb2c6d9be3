import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.data.revisions import append_new_months, differences, raise_if_revised
from konkyo.errors import RecordsError

JANUARY, FEBRUARY, MARCH = pd.to_datetime(["2001-01-31", "2001-02-28", "2001-03-31"])
KEYS = ("month", "stock")


def table(rows: list[tuple], columns: tuple[str, ...] = ("return", "sector")) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["month", "stock", *columns])
    return frame.astype({"stock": "string"} | ({"sector": "string"} if "sector" in frame else {}))


BEFORE = table(
    [
        (JANUARY, "A", 0.1, "Tech"),
        (JANUARY, "B", np.nan, None),
        (FEBRUARY, "A", 0.2, "Tech"),
        (FEBRUARY, "B", 0.3, "Autos"),
    ]
)


def now(*changes: tuple[int, str, object]) -> pd.DataFrame:
    new = table([(MARCH, "A", 0.5, "Tech")])
    frame = pd.concat([BEFORE, new], ignore_index=True)
    for row, column, value in changes:
        frame.loc[row, column] = value
    return frame


def test_a_new_month_is_no_difference():
    assert differences("stocks", BEFORE, now(), KEYS) == []
    raise_if_revised([])


def test_rounding_is_no_restatement():
    nearly = now((0, "return", 0.1 * (1 + 1e-12)))
    assert differences("stocks", BEFORE, nearly, KEYS) == []
    whole = append_new_months(BEFORE, nearly)
    pd.testing.assert_frame_equal(whole, now(), check_exact=True)


def test_changes_by_month_and_column():
    found = differences(
        "stocks",
        BEFORE,
        now((0, "return", 0.15), (1, "return", 0.0), (3, "sector", "Banks"), (2, "return", None)),
        KEYS,
    )
    assert [str(one) for one in found] == [
        "stocks, 2001-01: 2 rows changed in return (first A, return: 0.1, now 0.15)",
        "stocks, 2001-02: 2 rows changed in return, sector (first A, return: 0.2, now missing)",
    ]


def test_rows_that_vanished_and_appeared():
    without = now().drop(index=1)
    extra = pd.concat([without, table([(FEBRUARY, "C", 0.1, "Tech")])])
    extra = extra.sort_values(list(KEYS), ignore_index=True)
    assert [str(one) for one in differences("stocks", BEFORE, extra, KEYS)] == [
        "stocks, 2001-01: 1 row vanished (first B)",
        "stocks, 2001-02: 1 row appeared (first C)",
    ]


def test_a_column_more_or_less():
    more = differences("stocks", BEFORE, now().assign(size=1.0), KEYS)
    assert [(one.month, one.rows, one.columns) for one in more] == [
        ("2001-01", 2, ("size",)),
        ("2001-02", 2, ("size",)),
    ]
    assert more[0].first == "first A, size: no such column, now 1.0"
    assert len(differences("stocks", BEFORE, now().drop(columns="return"), KEYS)) == 2


def test_the_market_is_named_by_its_month():
    before = pd.DataFrame({"month": [JANUARY, FEBRUARY], "VIX": [10.0, 20.0]})
    after = before.assign(VIX=[10.0, 21.0])
    (found,) = differences("market", before, after, ("month",))
    said = "market, 2001-02: 1 row changed in VIX (first 2001-02, VIX: 20.0, now 21.0)"
    assert str(found) == said
    with pytest.raises(
        RecordsError, match=r"1 earlier month \(2001-02 to 2001-02, 1 row\)"
    ) as error:
        raise_if_revised([found])
    assert said in str(error.value) and "--restated" in str(error.value)


def test_only_the_first_few_are_shown():
    many = differences("stocks", BEFORE, now((0, "return", 9.0)), KEYS) * 8
    with pytest.raises(RecordsError) as error:
        raise_if_revised(many)
    assert "and 3 more" in str(error.value)


cells = st.dictionaries(
    st.tuples(st.sampled_from([JANUARY, FEBRUARY]), st.sampled_from("ABC")),
    st.sampled_from([0.0, 1.0, None]),
    min_size=1,
)


@settings(max_examples=40)
@given(cells, cells)
def test_against_a_slow_comparison(old, new):
    before, after = (
        table([(*key, value) for key, value in sorted(side.items())], ("return",)).astype(
            {"return": float}
        )
        for side in (old, new)
    )
    last = max(month for month, _ in old)
    expected: dict[tuple[str, str], int] = {}
    for key in old.keys() | {key for key in new if key[0] <= last}:
        what = (
            "appeared" if key not in old
            else "vanished" if key not in new
            else "changed" if old[key] != new[key]
            else ""
        )  # fmt: skip
        if what:
            place = (f"{key[0]:%Y-%m}", what)
            expected[place] = expected.get(place, 0) + 1
    found = differences("stocks", before, after, KEYS)
    assert {(one.month, one.what): one.rows for one in found} == expected
