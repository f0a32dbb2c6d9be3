"""Charts of the study: their data and encodings, in both languages."""

import numpy as np
import pandas as pd
import pytest

from konkyo.i18n import LANGUAGES
from konkyo.report.charts import intervention as series
from konkyo.report.charts import intervention_surface as surface
from konkyo.report.charts.theme import to_spec

MONTHS = pd.to_datetime(["1985-06-30", "1985-07-31", "1986-01-31"])
INPUTS = ("change", "deviation")


def rows(chart, *, without: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the largest table of a chart."""
    datasets = to_spec(chart)["datasets"].values()
    return pd.DataFrame(max(datasets, key=len)).drop(columns=list(without))


@pytest.fixture
def predictions() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "period": ["A", "A", "B"] * 2,
            "month": [*MONTHS] * 2,
            "model": ["network"] * 3 + ["linear"] * 3,
            "actual": [100.0, 0.0, -50.0] * 2,
            "forecast": [90.0, 5.0, -40.0, 60.0, 70.0, 80.0],
            "forecast_std": [3.0, 0.0, 4.0, np.nan, np.nan, np.nan],
        }
    )
    return pd.concat([table.assign(data="I"), table.assign(data="II", forecast=1.0)])


@pytest.fixture
def grid() -> pd.DataFrame:
    """Return a ridge along the second input: 0 at both ends of the first one, 2 in its middle."""
    change, deviation = (side.ravel() for side in np.meshgrid(np.arange(-2, 3), np.arange(5)))
    share = 2.0 - np.abs(change)
    return pd.DataFrame({"change": change, "deviation": deviation, "share": share, "std": 0.1})


@pytest.fixture
def months() -> pd.DataFrame:
    return pd.DataFrame(
        {"month": MONTHS, "change": [0.0, 1.0, -2.0], "deviation": [0.0, 2.0, 4.0],
         "actual_share": [2.0, 1.0, 0.0]}
    )  # fmt: skip


def test_fits_have_one_bar_a_month_and_a_line_a_model(predictions):
    selected = predictions[(predictions["data"] == "I") & (predictions["period"] == "A")]
    table = rows(series.fitted_intervention(selected, "A", "2"))
    amounts = table.groupby("series")["amount"].apply(list).to_dict()
    assert amounts == {"actual": [100, 0], "network": [90, 5], "linear": [60, 70]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_forecasts_separate_data_sets_and_periods(predictions, language):
    chart = series.forecast_intervention(predictions, language)
    table = rows(chart)
    assert len(table) == 2 * 3 * 3
    assert list(table["panel"].unique()) == to_spec(chart)["facet"]["sort"]
    assert table[table["starts"]]["label"].unique().tolist() == ["1986-01"]
    # Error bars of the network alone: least squares has no seeds.
    assert set(table[table["std"] > 0]["series"]) == {"network"}


def test_rate_and_intervention_stand_above_each_other():
    records = pd.DataFrame(
        {"month": MONTHS, "rate": [240.0, 238, 200], "intervention": [0.0, np.nan, -5]}
    )
    chart = series.rate_and_intervention(records, [MONTHS[0], MONTHS[2]], "1", "ja")
    assert chart.usermeta["title"] == "図1 為替レートと介入額"
    upper, lower = to_spec(chart)["vconcat"]
    data = to_spec(chart)["datasets"]
    assert [r["rate"] for r in data[upper["layer"][0]["data"]["name"]]] == [240, 238, 200]
    # A month without a record of intervention has no bar.
    assert [r["intervention"] for r in data[lower["layer"][0]["data"]["name"]]] == [0, -5]
    assert lower["layer"][0]["mark"]["type"] == "bar"


@pytest.fixture
def curves() -> pd.DataFrame:
    return pd.DataFrame(
        {"period": ["A"] * 8 + ["B"] * 8, "input": "change", "value": [*np.arange(8)] * 2,
         "share": 1.0, "std": 0.1}
    )  # fmt: skip


def test_responses_show_ground_truth_where_it_exists(curves):
    responses = pd.DataFrame({"period": ["A", "B"], "threshold": [1.5, np.nan]})
    responses[["peak", "half_from", "half_to"]] = np.nan
    names = {"A": "first", "B": "second"}
    table = rows(series.response_curves(curves, responses, names))
    assert table["panel"].unique().tolist() == ["first: threshold +1.50", "second: no threshold"]
    assert table["name"].unique().tolist() == ["network"]
    assert table.groupby("panel")["threshold"].count().tolist() == [2, 0]
    curves["true_share"] = np.where(curves["period"] == "A", 2.0, np.nan)
    table = rows(series.response_curves(curves, responses, names))
    truth = table[table["name"] == "true response (simulated)"]
    assert (truth["response"] == 2).all()
    assert truth["panel"].unique().tolist() == ["first: threshold +1.50"]


def test_humps_show_their_peak_and_interval(curves):
    responses = pd.DataFrame(
        {"period": ["A", "B"], "threshold": [np.nan, 2.0], "peak": [-1.25, np.nan],
         "half_from": [-3.5, np.nan], "half_to": np.nan}
    )  # fmt: skip
    names = {"A": "first", "B": "second"}
    table = rows(series.response_curves(curves.assign(input="balance"), responses, names))
    assert table["panel"].unique().tolist() == [
        "first: peak \u22121.25, above half from \u22123.5 to \u2026", "second: threshold +2.00",
    ]  # fmt: skip
    drawn = table.groupby("panel")[["peak", "half_from", "half_to", "threshold"]].count()
    assert drawn.to_numpy().tolist() == [[2, 2, 0, 0], [0, 0, 0, 2]]


def test_relevances_stack_to_the_score():
    attributions = pd.DataFrame(
        {"month": MONTHS[:2], "score": [1.0, -2.0], "change": [2.0, -1.0], "change_before": 0.5,
         "deviation": -0.5, "balance": 0.0, "absorbed": [-1.0, -1.0]}
    )  # fmt: skip
    table = rows(series.attributions_of_forecasts(attributions, "amount"))
    sums = table.groupby("label")["relevance"].sum()
    scores = table.groupby("label")["score"].first()
    pd.testing.assert_series_equal(sums, scores, check_names=False)


def test_a_slow_loop_hides_the_same_meshes(grid, months):
    """A mesh is hidden where the ray from it to the viewer passes through the surface."""
    chart = surface.reaction_wireframe(grid, months, inputs=INPUTS, period="A", number="6-1")
    meshes = [mesh[["x", "y"]].to_numpy() for _, mesh in rows(chart).groupby("line", sort=False)]
    assert len(meshes) == 16
    turn = 1 if grid["share"].iloc[0] > grid["share"].iloc[-1] else -1
    azimuth, tilt = turn * np.radians(38), np.radians(25)
    project = surface.Projection(np.array([-2, 0, 0]), np.array([2, 4, 2]), azimuth)
    # The ray towards the viewer in the units of the unit box: first, second, reaction.
    ray = np.array([np.sin(azimuth), -np.cos(azimuth), np.tan(tilt) / 0.65])
    hidden = []
    for x in np.arange(-1.9, 2, 0.2):
        for y in np.arange(0.1, 4, 0.4):
            start = np.array([(x + 2) / 4, y / 4, (2 - abs(x)) / 2])
            path = start + np.linspace(0.02, 1.5, 300)[:, None] * ray
            inside = path[((path[:, :2] >= 0) & (path[:, :2] <= 1)).all(1)]
            above = (2 - np.abs(inside[:, 0] * 4 - 2)) / 2 > inside[:, 2]
            # Where a slope faces away its underside is seen, until the ray is out of the surface.
            covered = bool((above != above[0]).any()) if len(above) else False
            across, up, _ = project(np.array([x, y, 2 - abs(x)]))
            last = max(at for at, mesh in enumerate(meshes) if contains(mesh, across, up))
            corners = project(np.array([[i, j, 2 - abs(i)] for i, j in square(x, y)]))[:2]
            on_top = np.allclose(meshes[last][:4].sum(0), np.sum(corners, axis=1), atol=1e-4)
            assert on_top == (not covered)
            hidden.append(covered)
    assert 0.2 < np.mean(hidden) < 0.8


def contains(mesh: np.ndarray, x: float, y: float) -> bool:
    """Whether a point is in a convex mesh: on the same side of all its edges."""
    (ax, ay), (bx, by) = mesh[:-1].T, mesh[1:].T
    turns = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    return bool((turns >= 0).all() or (turns <= 0).all())


def square(x: float, y: float) -> list[tuple[float, float]]:
    i, j = np.floor(x), np.floor(y)
    return [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]


def test_the_map_has_every_cell_and_month(grid, months):
    chart = surface.reaction_map(grid, months, inputs=INPUTS, threshold=-1.0, period="A")
    assert rows(chart).set_index(["change", "deviation"])["share"].to_dict() == {
        (row.change, row.deviation): row.share for row in grid.itertuples()
    }
    assert chart.usermeta["note"] == "threshold -1.00"
    tables = [pd.DataFrame(table) for table in to_spec(chart)["datasets"].values()]
    (points,) = (table for table in tables if "occurred" in table)
    assert points["occurred"].tolist() == ["intervention", "intervention", "no intervention"]
    plain = surface.reaction_map(grid, months, inputs=INPUTS, threshold=np.nan, period="A")
    assert plain.usermeta["note"] == ""
    assert len(to_spec(plain)["layer"]) == 2
