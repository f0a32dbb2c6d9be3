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
    own = predictions[(predictions["data"] == "I") & (predictions["period"] == "A")]
    table = rows(series.fitted_intervention(own, "A", "2"))
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


def test_calibration_has_benchmark_and_network():
    calibration = pd.DataFrame(
        {"data": ["I", "I", "II"], "model": ["network", "logit", "network"],
         "months": [5, 4, 9], "forecast": [0.1, 0.9, 0.5], "frequency": [0.0, 1.0, 0.4]}
    )  # fmt: skip
    table = rows(series.calibration_curve(calibration, "ja"))
    assert sorted(table["name"].unique()) == ["ニューラルネット", "ロジット"]
    assert table["frequency"].tolist() == [1.0, 0.0, 0.4]


def test_a_slow_loop_hides_the_same_points(grid, months):
    """A point is hidden where the surface between it and the viewer is higher than the ray."""
    chart = surface.reaction_wireframe(grid, months, inputs=INPUTS, period="A", number="6-1")
    lines = rows(chart)
    mesh = lines[~lines["line"].str.startswith("box")]
    assert mesh["line"].nunique() == 2 * 21
    first = np.linspace(-2, 2, 85)
    turn = 1 if grid["share"].iloc[0] > grid["share"].iloc[-1] else -1
    azimuth, tilt = turn * np.radians(38), np.radians(25)
    # The ray towards the viewer in the units of the unit box: first, second, reaction.
    ray = np.array([np.sin(azimuth), -np.cos(azimuth), np.tan(tilt) / 0.65])
    differ, behind = [], []
    for i, level in enumerate(np.linspace(0, 4, 21)):
        own = mesh[mesh["line"] == f"0/{i}"].sort_values("order")
        for x, drawn in zip(first, own["y"].notna(), strict=True):
            start = np.array([(x + 2) / 4, level / 4, (2 - abs(x)) / 2])
            path = start + np.linspace(0.02, 1.5, 300)[:, None] * ray
            inside = path[((path[:, :2] >= 0) & (path[:, :2] <= 1)).all(1)]
            height = (2 - np.abs(inside[:, 0] * 4 - 2)) / 2
            covered = bool((height > inside[:, 2] + 1e-9).any())
            differ.append(drawn == covered)
            behind.append(covered)
    # Points closely behind the ridge count as visible, within the tolerance of the depth buffer.
    assert np.mean(differ) < 0.08 and np.mean(behind) > 0.2


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


def test_sections_cut_the_surface_from_end_to_end(grid):
    chart = surface.reaction_sections(grid, inputs=INPUTS, period="A", language="ja")
    table = rows(chart)
    # Every line has a colour.
    domain = to_spec(chart)["encoding"]["color"]["scale"]["domain"]
    assert table["level"].unique().tolist() == domain
    assert table["deviation"].unique().tolist() == [0, 1, 2, 3, 4]
    assert table[table["change"] == 0]["share"].tolist() == [2.0] * 5
