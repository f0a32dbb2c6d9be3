"""No figure moves in silence: every number of three runs is the golden one.

A rename adds a line to names.csv; a change of numbers that is intended is written by write.py.
"""

import pytest

from golden import measure
from golden.measure import differences, read_golden, read_names, rename

PLANTED = {"small/metrics/network/spread/sharpe_ratio": 1.0, "small/panel/index/label/mean": 0.5}


@pytest.mark.slow
@pytest.mark.parametrize("run", measure.RUNS)
def test_no_number_moved(run: str):
    golden = {key: value for key, value in read_golden().items() if key.startswith(f"{run}/")}
    lines = differences(golden, measure.RUNS[run](), read_names())
    assert not lines, f"{len(lines)} differences:\n" + "\n".join(lines[:60])


@pytest.mark.parametrize(
    ("key", "kind"),
    [("small/panel/index/label/mean", "moved"), ("small/panel/index/label/std", "new")],
)
def test_a_moved_or_new_number_is_seen(key: str, kind: str):
    lines = differences(PLANTED, PLANTED | {key: 0.500001}, [])
    assert [line.split(":")[:2] for line in lines] == [[kind, f" {key}"]]


def test_a_number_that_is_gone_is_seen():
    lines = differences(PLANTED, {key: PLANTED[key] for key in list(PLANTED)[1:]}, [])
    assert lines == ["missing: small/metrics/network/spread/sharpe_ratio"]
    assert differences({"small/t": 0.0}, {"small/t": None}, []) == [
        "moved: small/t: None, golden 0.0"
    ]


def test_a_rename_keeps_the_number():
    names = [
        ("sharpe_ratio", "sharpe_ratio"),
        ("network/*/sharpe_ratio", "mlp/*/sharpe"),
        ("ind", "x"),
    ]
    key = "small/metrics/mlp/spread/sharpe"
    assert rename(next(iter(PLANTED)), names) == key
    numbers = {key: 1.0, "small/panel/index/label/mean": 0.5}
    assert differences(PLANTED, numbers, names) == []
    assert differences(PLANTED, numbers | {key: 1.1}, names) == [f"moved: {key}: 1.1, golden 1.0"]


def test_two_numbers_never_share_a_key():
    golden = {"small/a": 1.0, "small/b": 1.0}
    lines = differences(golden, {"small/b": 1.0}, [("a", "b")])
    assert lines == ["names.csv gives two golden numbers the same key"]
