"""A condition of params.yaml reads its own row, no file, no variable, and changes nothing."""

import pandas as pd
import pytest

from konkyo.data.conditions import holds
from konkyo.errors import ParamsError

STOCKS = pd.DataFrame(
    {"month": pd.to_datetime(["2001-01-31"] * 2), "stock": ["a", "b"], "size": [1, 2]}
)
MORE = [
    "(SELECT count(*) FROM read_text('{path}')) > 0",
    "size > 0) UNION (SELECT 0 FROM read_csv('{path}')",
    "size > 0) UNION (SELECT 1",
    "size > 0) GROUP BY (size",
    "size > 0) ORDER BY (size",
    "size > 0) QUALIFY (lead(size) OVER (ORDER BY month) > 1",
    "size > 0); SELECT (1",
    "size > 0); COPY (SELECT 1) TO '{made}'; SELECT (1",
    "size > 0); ATTACH '{made}' AS other; SELECT (1",
    "size > 0); SET enable_external_access = true; SELECT (1",
    "size > 0); INSTALL httpfs; SELECT (1",
    "getenv('HOME') = 'x'",
    "size > 0) --",
    "size > (1",
    "",
]


def test_a_condition_of_one_row():
    assert (
        holds(STOCKS, "size > 1 OR (stock = 'a' AND size IN (1, 5)) -- both").tolist() == [True] * 2
    )
    assert holds(STOCKS, "size > 1").tolist() == [False, True]


@pytest.mark.parametrize("condition", MORE)
def test_a_condition_that_would_do_more_is_refused(condition, tmp_path):
    path, made = tmp_path / "own.csv", tmp_path / "made"
    path.write_text("a\n1\n")
    with pytest.raises(ParamsError, match="eligible"):
        holds(STOCKS, condition.format(path=path, made=made))
    assert not made.exists()
