"""Violations: as text, as a table, and of several chunks of one file."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.data import violations
from konkyo.data.parsing import ParsedTable
from konkyo.data.violations import Violation, merge, raise_if_any, violation
from konkyo.errors import RecordsError

BELOW = Violation("a.csv", "RET", "at least", "below -1", (3,), 1, "correct it", ("-2.0",))
WHOLE = Violation("b.csv", "", "columns", "'size' missing", (), 0, "add it")
MONTHS = Violation(
    "a.csv", "date", "gap", "no row", (), 7, "add them", ("2001-02", "2001-03"), "month", "month"
)


def test_as_text():
    assert str(BELOW) == "column 'RET': below -1 in 1 row (row 3: -2.0); correct it"
    assert str(WHOLE) == "columns: 'size' missing; add it"
    assert str(MONTHS) == (
        "column 'date' (here 'month'): no row in 7 months (2001-02, 2001-03 and 5 more); add them"
    )


def test_rows_are_numbered_from_the_first_of_the_chunk():
    bad = np.array([False, True, True, False])
    values = pd.Series([1.0, np.inf, "abc", None], dtype=object)
    table = ParsedTable("a.csv", pd.DataFrame(), {"return": "RET"})
    one = violation(table, ["return"], "finite", "infinite", "correct it", bad, values)
    assert (one.rows, one.shown, one.count) == ((2, 3), ("inf", "'abc'"), 2)
    assert (one.column, one.here, one.of) == ("RET", "return", "row")
    chunk = replace(table, first_row=1002)
    later = violation(chunk, [], "finite", "infinite", "", np.ones(9, dtype=bool))
    assert (later.rows, later.count) == ((1002, 1003, 1004, 1005, 1006), 9)


def test_chunks_of_a_file_become_one():
    later = Violation(
        "a.csv", "RET", "at least", "below -1", (11, 12), 2, "correct it", ("-3", "4")
    )
    other = Violation("a.csv", "RET", "finite", "infinite", (4,), 1, "correct it", ("inf",))
    merged = merge([BELOW, other, later])
    assert merged == [
        Violation(
            "a.csv",
            "RET",
            "at least",
            "below -1",
            (3, 11, 12),
            3,
            "correct it",
            ("-2.0", "-3", "4"),
        ),
        other,
    ]
    many = merge([BELOW] * 8)[0]
    assert many.count == 8 and len(many.rows) == len(many.shown) == 5


def test_as_a_table():
    table = violations.table([BELOW, MONTHS])
    assert list(table.columns) == list(violations.COLUMNS)
    assert table.iloc[0].to_dict() == {
        "file": "a.csv",
        "column": "RET",
        "here": "",
        "rule": "at least",
        "found": "below -1",
        "count": 1,
        "of": "row",
        "rows": "3",
        "shown": "-2.0",
        "remedy": "correct it",
    }
    assert table["shown"][1] == "2001-02, 2001-03" and table["of"][1] == "month"
    assert list(violations.table([]).columns) == list(violations.COLUMNS)


def test_one_error_for_every_file():
    raise_if_any([])
    with pytest.raises(RecordsError) as caught:
        raise_if_any([BELOW, WHOLE, MONTHS])
    lines = str(caught.value).splitlines()
    assert lines[0] == "a.csv cannot be used, 2 violations:"
    assert lines[3] == "b.csv cannot be used, 1 violation:"
    assert caught.value.violations == (BELOW, WHOLE, MONTHS)
    # A worker process hands its error to the one that started it.
    assert pickle.loads(pickle.dumps(caught.value)).violations == (BELOW, WHOLE, MONTHS)
