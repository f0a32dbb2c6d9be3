"""Frames that a panel is made from: what is accepted, what is refused, in which words."""

import datetime

import numpy as np
import pandas as pd
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import konkyo
from konkyo.errors import KonkyoError, ParamsError, RecordsError

MONTHS = pd.date_range("2020-01-31", periods=4, freq="ME")
STOCKS = ["9", "10", "A", "B", "C"]


def small() -> pd.DataFrame:
    """Return five stocks in four months; the newest has no label."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"month": np.repeat(MONTHS, 5), "stock": STOCKS * 4})
    frame["sector"] = np.where(frame["stock"].isin(["A", "B"]), "x", "y")
    frame["value"] = [3.0, 1, 2, 5, 4] * 4 + rng.normal(0, 0.1, 20)
    frame["growth"] = rng.normal(size=20)
    frame["rate"] = frame["month"].dt.month / 100
    frame["forward_return"] = rng.normal(0, 0.1, 20)
    frame.loc[frame["month"] == MONTHS[-1], "forward_return"] = np.nan
    return frame


def panel_of(frame, **options):
    return konkyo.Panel.from_frame(frame, market=["rate"], sectors="sector", **options)


def test_ranks_dummies_and_labels_by_hand():
    panel = panel_of(small().iloc[:5].assign(value=[3.0, 1, 2, np.nan, 4]), features=["value"])
    assert panel.names == ["value", "sector_x", "sector_y", "rate"]
    assert panel.index["stock"].tolist() == ["10", "9", "A", "B", "C"]
    third = np.float32(1 / 3)
    assert panel.features[:, 0].tolist() == [-1.0, third, -third, 0.0, 1.0]
    assert panel.features[:, 1].tolist() == [0, 0, 1, 1, 0]
    order = small()["forward_return"].iloc[[1, 0, 2, 3, 4]].rank().to_numpy()
    assert panel.index["label"].tolist() == ((order - 3) / 2).tolist()


# Each example builds a panel, which takes a tenth of a second.
@settings(max_examples=15)
@given(st.permutations(range(20)), st.permutations(range(7)))
def test_the_order_of_rows_and_columns_is_nothing(rows, columns):
    frame = small()
    one, other = panel_of(frame), panel_of(frame.iloc[rows, columns])
    assert one.names == other.names and one.features.tobytes() == other.features.tobytes()
    pd.testing.assert_frame_equal(one.index, other.index)


def test_months_and_codes_in_any_form():
    frame = small()
    expected = panel_of(frame)
    codes = frame["stock"].map({"9": 9, "10": 10, "A": 11, "B": 12, "C": 13})
    days = [day.date() for day in frame["month"].dt.to_pydatetime()]
    for changed in (
        frame.assign(month=frame["month"].dt.to_period("M")),
        frame.assign(month=frame["month"] + pd.Timedelta(hours=15)),
        frame.assign(sector=frame["sector"].astype("category")),
        polars.DataFrame({**frame.drop(columns="month").to_dict("list"), "month": days}),
    ):
        assert panel_of(changed).features.tobytes() == expected.features.tobytes()
    assert panel_of(frame.assign(stock=codes)).index["stock"].iloc[0] == "10"


def test_a_sector_that_comes_later_has_no_dummy():
    frame = small()
    late = (frame["month"] > MONTHS[1]) & (frame["stock"] == "C")
    frame.loc[late, "sector"] = "z"
    assert not any(name.endswith("z") for name in panel_of(frame).names)
    categories = frame.assign(sector=pd.Categorical(frame["sector"], ["z", "x", "y"]))
    assert panel_of(categories).names[2:5] == ["sector_z", "sector_x", "sector_y"]


def test_missing_values_are_dropped_or_counted():
    frame = small()
    frame.loc[[0, 7], "value"] = np.nan
    assert len(panel_of(frame, missing="drop").index) == 18
    with pytest.warns(UserWarning, match="2 missing values are set to 0"):
        plain = panel_of(frame, features=["value"], standardise="none")
    assert sorted(plain.features[:5, 0]) == [0.0, *np.sort(frame["value"][1:5]).astype("float32")]
    assert panel_of(frame, calendar=True).names[4:16] == [f"month_{m:02d}" for m in range(1, 13)]


ZONE = "remove it: frame\\['month'\\].dt.tz_localize\\(None\\)"


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda f: f.iloc[[0, *range(20)]], {}, r"repeated in 1 row \(row 2: '2020-01 9'\); keep"),
        (lambda f: f[f["month"] != MONTHS[1]], {}, "no row between 2020-01 and 2020-04 in 1 m"),
        (lambda f: f.assign(growth=np.inf), {}, r"column 'growth': infinite in 20 rows"),
        (lambda f: f.assign(growth="x"), {"features": ["growth"]}, r"'growth': no numbers \(str\)"),
        (lambda f: f.assign(growth=["x", *range(19)]), {"features": ["growth"]}, r"\(object\)"),
        (lambda f: f.assign(month=f["month"].dt.tz_localize("Asia/Tokyo")), {}, ZONE),
        (lambda f: f.assign(month=f["month"].dt.strftime("%Y-%m")), {}, "no dates.*to_datetime"),
        (lambda f: f.assign(month=f["month"] - pd.offsets.Day(1)), {}, "not the last day of a m"),
        (lambda f: f.assign(month=f["month"].dt.to_period("D")), {}, r"no months \(period\[D\]\)"),
        (lambda f: f.assign(month=f["month"].where(f.index > 0)), {}, "'month': missing in 1 row"),
        (lambda f: f.assign(stock=1.5), {}, r"no codes \(float64\)"),
        (lambda f: f, {"features": ["value", "forward_return"]}, "the label, .*known in t.1"),
        (lambda f: f, {"label": "ret"}, "'ret' missing; the frame has .*name the frame's own"),
        (lambda f: f.set_index(["month", "stock"]), {}, r"after reset_index\(\)"),
        (lambda f: f.assign(rate=range(20)), {}, "another value than another stock of the month"),
        (lambda f: f.assign(forward_return=-1.5), {}, "below -1 in 20 rows"),
        (lambda f: f.assign(score=1.0), {}, "'score' is the name of a future return"),
        (lambda f: f.assign(cap=-1.0), {"size": "cap"}, "'cap': not above 0 in 20 rows"),
        (lambda f: pd.concat([f, f[["value"]]], axis=1), {}, "two are called 'value'"),
        (lambda f: f.head(0), {}, "no row; give at least one month and stock"),
        (lambda f: f.assign(growth=-1e38), {}, r"'growth': above 1e\+37 in size in 20 rows"),
    ],
)  # fmt: skip
def test_refused(change, options, message):
    frame = change(small())
    before = frame.copy()
    with pytest.raises(RecordsError, match=rf"(?s)the frame cannot be used.*{message}"):
        panel_of(frame, **options)
    pd.testing.assert_frame_equal(frame, before)


def test_every_violation_at_once():
    frame = small().assign(growth=np.inf)
    with pytest.raises(RecordsError, match="2 violations") as error:
        panel_of(pd.concat([frame, frame.iloc[:1]]))
    assert {one.rule for one in error.value.violations} == {"finite", "unique"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"standardise": "ranks"}, "standardise = 'ranks': set it to one of rank, zscore, none"),
        ({"clip": 0}, "clip = 0: set it above 0"),
        ({"features": ["value", "value"]}, "'value' is used twice"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ParamsError, match=message):
        panel_of(small(), **options)


@pytest.mark.parametrize("what", [polars.from_pandas(small()).lazy(), [1, 2], None])
def test_what_is_no_frame(what):
    with pytest.raises(KonkyoError, match=r"is no frame: give a pandas or polars DataFrame"):
        panel_of(what)


def test_days_of_python_are_dates_in_polars_alone():
    frame = small().assign(month=[datetime.date(2020, 1, 31)] * 20)
    with pytest.raises(RecordsError, match=r"no dates \(object\)"):
        panel_of(frame)
