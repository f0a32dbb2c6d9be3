"""The look-ahead audit of a user's own function: it finds what looks ahead, and nothing else."""

import polars
import pytest

import konkyo
from konkyo.errors import KonkyoError

KEYS = ["month", "stock"]


@pytest.fixture(scope="module")
def frame(market):
    return market.frame[[*KEYS, "sector", "forward_return", "sales_growth", "return_1", "topix"]]


def moved(frame, build, **options):
    table = konkyo.check_lookahead(frame, build, decisions=2, **options)
    assert (table["compared"] > 0).all()
    return set(table.loc[table["moved"] > 0, "feature"])


def by_stock(frame, column):
    return frame.sort_values(KEYS).groupby("stock")[column]


def test_what_is_known_does_not_move(frame):
    def momentum(part):
        mean = by_stock(part, "return_1").rolling(3, min_periods=1).mean().droplevel(0)
        rank = part.groupby("month")["sales_growth"].rank()
        return part[KEYS].assign(mean=mean, rank=rank)

    assert moved(frame, momentum) == set()


def test_what_looks_ahead_is_found(frame):
    def leaky(part):
        return part[KEYS].assign(
            next_return=by_stock(part, "return_1").shift(-1),
            z=part["sales_growth"] - part["sales_growth"].mean(),
            label=part["forward_return"],
            own=part["sales_growth"],
        )

    # Under its own name the label may be there, up to the month before t.
    assert moved(frame, leaky) == {"next_return", "z", "label"}
    assert moved(frame, lambda part: part[[*KEYS, "forward_return"]]) == set()


def test_a_universe_of_survivors_is_found(frame):
    def survivors(part):
        last = part.loc[part["month"] == part["month"].max(), "stock"]
        return part.loc[part["stock"].isin(last), [*KEYS, "sales_growth"]]

    assert moved(frame, survivors) == {"rows"}


def test_a_function_that_needs_the_future_is_found(frame):
    def needs(part):
        if part["month"].max() < frame["month"].max():
            raise ValueError("too short")
        return part[KEYS].assign(x=1)

    assert moved(frame, needs) == {"the call"}


def test_a_panel_does_not_move(frame):
    def build(part):
        return konkyo.Panel.from_frame(part, market=["topix"], sectors="sector", calendar=True)

    assert moved(frame, build, market="topix") == set()


def test_frames_of_polars(frame):
    given = polars.from_pandas(frame)
    mean = polars.col("sales_growth").mean()
    table = konkyo.check_lookahead(given, lambda part: part.select(*KEYS, leak=mean), decisions=1)
    assert isinstance(table, polars.DataFrame)
    assert table.filter(polars.col("moved") > 0)["feature"].to_list() == ["leak"]


def test_a_function_without_keys_is_refused(frame):
    with pytest.raises(KonkyoError, match="build returns no column 'stock': let it keep month and"):
        konkyo.check_lookahead(frame, lambda part: part[["month"]])
