from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from konkyo.backtesting import newey_west_t
from konkyo.errors import KonkyoError
from konkyo.report.tables import (
    ExplainedPanel,
    factor_means,
    factor_means_over_time,
    factor_points,
    factor_shape,
    top_factors,
)
from konkyo.report.tables.factors import mean_differences

MARCH = pd.Timestamp("2020-03-31")


def test_means_of_a_month_by_hand(tiny: ExplainedPanel):
    means = factor_means(tiny, MARCH).set_index("feature")
    assert set(means["month"]) == {MARCH}
    # Long: A, E; short: B, C.
    assert means.loc["return_1", ["long", "short"]].tolist() == pytest.approx([0.2, -0.1])
    assert means.loc["size", "difference"] == pytest.approx(0.125)


def test_means_over_time_by_hand(tiny: ExplainedPanel):
    means = factor_means_over_time(tiny).set_index("feature")
    assert means["group"].tolist() == [
        "characteristic", "characteristic", "sector", "calendar", "market",
    ]  # fmt: skip
    # Long: A, B, A, C, A, E; short: C, D, B, D, B, C.
    assert means.loc["return_1", "long"] == pytest.approx(1.3 / 6)
    assert means.loc["return_1", "short"] == pytest.approx(-1.3 / 6)
    assert means.loc["return_1", "difference"] == pytest.approx(2.6 / 6)
    assert means.loc["month_01", ["difference", "p", "stars"]].tolist() == [0, 1, ""]
    monthly = pd.Series([0.25 + 0.2, 0.2 + 0.35, 0.2 + 0.1])
    t = newey_west_t(pd.Series(tiny.months()), monthly)
    assert means.loc["return_1", "t"] == pytest.approx(t, rel=1e-6)
    assert means.loc["return_1", "p"] == pytest.approx(2 * stats.norm.sf(t), rel=1e-5)


def test_no_other_month_changes_the_means_of_one(made: Callable[..., ExplainedPanel]):
    e = made(5, stocks=60)
    month = e.months()[2]
    other = e.index["month"].to_numpy() != month.to_datetime64()
    changed = replace(e, relevance=np.where(other[:, None], 9.0, e.relevance).astype("float32"))
    pd.testing.assert_frame_equal(factor_means(changed, month), factor_means(e, month))
    points = [factor_points(p, ["size"], month) for p in (e, changed)]
    pd.testing.assert_frame_equal(*points)
    assert set(points[0]["month"]) == {month}
    shapes = [factor_shape(p, ["size"], month) for p in (e, changed)]
    pd.testing.assert_frame_equal(*shapes)


def test_a_month_without_portfolios_has_no_means(made: Callable[..., ExplainedPanel]):
    e = made(5, stocks=60)
    rows = e.rows(e.months()[1])
    index = e.index.copy()
    index.loc[index.index[rows], "quantile"] = pd.NA
    means = factor_means(replace(e, index=index), e.months()[1])
    assert means["difference"].isna().all() and (means["stars"] == "").all()


def test_stars_before_and_after_the_correction(made: Callable[..., ExplainedPanel]):
    e = made(5, stocks=60)
    month = e.months()[0]
    means = factor_means(e, month)
    rows = e.rows(month)
    legs = [
        pd.DataFrame(
            e.relevance[[row for row in e.side(side) if rows.start <= row < rows.stop]],
            columns=e.names,
        )
        for side in ("long", "short")
    ]
    expected = mean_differences(*legs, e.names)
    pd.testing.assert_frame_equal(means[expected.columns], expected)
    starred = {
        "": means["p_adjusted"] >= 0.05,
        "*": (means["p_adjusted"] < 0.05) & (means["p_adjusted"] >= 0.01),
        "**": means["p_adjusted"] < 0.01,
    }
    for stars, rows in starred.items():
        assert (means.loc[rows, "stars_adjusted"] == stars).all()


def test_top_factors():
    means = pd.DataFrame(
        {
            "feature": ["a", "b", "c", "d"],
            "group": ["characteristic", "market", "characteristic", "characteristic"],
            "difference": [0.1, 9.0, -0.3, 0.2],
        }
    )
    assert top_factors(means, 2) == ["c", "d"]
    assert top_factors(means, 9) == ["c", "d", "a"]
    assert top_factors(means, 1, ("market", "characteristic")) == ["b"]


def test_points_are_rows_of_the_two_portfolios(made: Callable[..., ExplainedPanel]):
    e = made(2)
    points = factor_points(e, ["size", "return_1"], per_side=10, seed=4)
    assert points.groupby(["feature", "side"]).size().tolist() == [10] * 4
    assert not points.duplicated(["feature", "month", "stock"]).any()
    keyed = e.index.reset_index().set_index(["month", "stock"])
    for point in points.itertuples():
        about = keyed.loc[point.month, point.stock]
        assert about["quantile"] == (5 if point.side == "long" else 1)
        column = e.names.index(point.feature)
        assert point.value == e.features[about["index"], column]
        assert point.relevance == e.relevance[about["index"], column]
    pd.testing.assert_frame_equal(
        points, factor_points(e, ["size", "return_1"], per_side=10, seed=4)
    )
    assert not points.equals(factor_points(e, ["size", "return_1"], per_side=10, seed=5))


def test_all_points_where_there_are_few(tiny: ExplainedPanel):
    points = factor_points(tiny, ["size"])
    assert points["stock"].tolist() == [*"ABACAE", *"CDBDBC"]


def test_unknown_features(tiny: ExplainedPanel):
    for table in (factor_points, factor_shape):
        with pytest.raises(KonkyoError, match=r"no feature weight, taste: choose from its 5"):
            table(tiny, ["size", "weight", "taste"])


def slow_shape(value: np.ndarray, relevance: np.ndarray, bins: int) -> list[list[float]]:
    """Put each row into the bin of its mean rank, one by one."""
    rows: dict[int, list[int]] = {}
    for at, own in enumerate(value):
        before, equal = int((value < own).sum()), int((value == own).sum())
        middle = before + equal / 2
        rows.setdefault(min(int(middle * bins / len(value)), bins - 1), []).append(at)
    table = [
        [
            value[rows[b]].mean(),
            relevance[rows[b]].mean(),
            *np.percentile(relevance[rows[b]], [10, 90]),
        ]
        for b in sorted(rows)
    ]
    smooth = [list(row) for row in table]
    for at in range(1, len(table) - 1):
        for k in range(4):
            smooth[at][k] = (table[at - 1][k] + 2 * table[at][k] + table[at + 1][k]) / 4
    return [[*row, len(rows[b])] for row, b in zip(smooth, sorted(rows), strict=True)]


@pytest.mark.parametrize("bins", [1, 2, 7, 25])
@pytest.mark.parametrize("seed", [0, 1])
def test_shape_agrees_with_the_loop(made: Callable[..., ExplainedPanel], seed: int, bins: int):
    e = made(seed)
    shape = factor_shape(e, e.names, bins=bins)
    for column, name in enumerate(e.names):
        own = shape[shape["feature"] == name].drop(columns="feature")
        slow = slow_shape(
            e.features[:, column].astype(float), e.relevance[:, column].astype(float), bins
        )
        np.testing.assert_allclose(own.to_numpy(float), slow, atol=1e-12)


def test_a_dummy_has_two_bins_and_a_line_stays_a_line():
    count = 1000
    value = np.linspace(-1, 1, count)
    e = ExplainedPanel(
        index=pd.DataFrame({"month": pd.Timestamp("2020-01-31")}, index=range(count)),
        features=np.column_stack([value, value > 0.5]).astype(np.float32),
        relevance=np.column_stack([-0.3 * value, 0.2 * (value > 0.5)]).astype(np.float32),
        absorbed=np.zeros(count, np.float32),
        catalogue=pd.DataFrame({"name": ["line", "dummy"], "group": "characteristic"}),
    )
    shape = factor_shape(e, ["line", "dummy"], bins=20).set_index("feature")
    line, dummy = shape.loc["line"], shape.loc["dummy"]
    assert line["count"].tolist() == [50] * 20
    np.testing.assert_allclose(line["relevance"], -0.3 * line["value"], atol=1e-7)
    assert dummy["count"].tolist() == [750, 250]
    np.testing.assert_allclose(dummy["relevance"], [0, 0.2], rtol=1e-6)
