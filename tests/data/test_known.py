"""What was known when, against a search through all statements."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.data.point_in_time import NONE, Vintages, last, pack, to_vintages, unpack

nan = np.nan


def of(rows: list[tuple]) -> Vintages:
    """Return statements of (stock, period, length, known, order, value)."""
    parts = [np.array([row[place] for row in rows], dtype="int64") for place in range(5)]
    return to_vintages(*parts, {"x": np.array([row[5] for row in rows], dtype="float64")})


def ask(said: Vintages, stock: int, period: int, length: int, month: int) -> float:
    place = said.find(*(np.array([part]) for part in (stock, period, length, month)))
    return float(said.take("x", place)[0])


def test_an_empty_restatement_keeps_what_was_known():
    said = of([(0, 10, 12, 12, 1, 5.0), (0, 10, 12, 14, 1, nan), (0, 10, 12, 15, 1, 7.0)])
    assert np.isnan(ask(said, 0, 10, 12, 11))
    assert [ask(said, 0, 10, 12, month) for month in (12, 13, 14, 15, 90)] == [5, 5, 5, 7, 7]
    assert np.isnan(ask(said, 1, 10, 12, 20)) and np.isnan(ask(said, 0, 10, 3, 20))


def test_the_last_of_a_month_fills_from_earlier_rows():
    said = of([(0, 10, 12, 12, 9, nan), (0, 10, 12, 12, 3, 5.0), (0, 10, 12, 12, 4, 6.0)])
    assert ask(said, 0, 10, 12, 12) == 6.0 and len(said.stock) == 1


def test_no_statements():
    said = of([])
    one = np.array([0])
    assert said.find(one, one, 12, one) == [NONE] and said.newest(one, one) == [NONE]
    assert np.isnan(said.take("x", np.array([NONE]))).all()


def test_months_before_1970_and_far_periods():
    said = of([(1, -96, 12, -95, 0, 1.0), (2, -30, 12, -28, 0, 2.0)])
    assert ask(said, 1, -96, 12, -95) == 1.0 and ask(said, 2, -30, 12, 0) == 2.0
    assert np.isnan(ask(said, 1, -(10**5), 12, 0)) and np.isnan(ask(said, 1, 10**5, 12, 0))
    # 4,096 months later of the stock before: beyond what a code has room for, not the next stock's.
    assert np.isnan(ask(said, 1, 4096 - 30, 12, 0)) and np.isnan(ask(said, 0, 4096 - 96, 12, 0))
    of_no_length = of([(0, 5, 0, 6, 0, 3.0)])
    assert ask(of_no_length, 0, 5, 0, 6) == 3.0 and np.isnan(ask(of_no_length, 0, 5, -1, 6))


@given(st.integers(0, 10**5), st.integers(-1000, 3000))
def test_pack_and_unpack(code, month):
    stock, when = unpack(pack(np.array([code]), np.array([month])))
    assert (stock[0], when[0]) == (code, month)


def test_last():
    assert list(last(np.array([2, 2, 5]), np.array([1, 2, 4, 9]))) == [-1, 1, 1, 2]


row = st.tuples(
    st.integers(0, 2),
    st.integers(-2, 3),
    st.sampled_from([3, 12]),
    st.integers(-2, 6),
    st.integers(0, 2),
    st.sampled_from([nan, 1.0, 2.0, 3.0]),
)


@settings(max_examples=20)
@given(st.lists(row, max_size=12))
def test_find_and_newest_against_a_search(rows):
    said = of(rows)
    for stock in range(3):
        for month in range(-3, 8):
            there = [row for row in rows if row[0] == stock and row[3] <= month]
            newest = max(((row[1], row[2]) for row in there), default=None)
            place = int(said.newest(np.array([stock]), np.array([month]))[0])
            assert (place == NONE) == (newest is None)
            if newest is not None:
                assert (said.stock[place], said.period[place], said.length[place]) == (
                    stock,
                    *newest,
                )
            for period in range(-3, 5):
                own = [row for row in there if row[1:3] == (period, 12)]
                own.sort(key=lambda row: (row[3], row[4]))
                values = [row[5] for row in own if not np.isnan(row[5])]
                expected = values[-1] if values else nan
                np.testing.assert_equal(ask(said, stock, period, 12, month), expected)
