"""Charts show the numbers of their tables, in both languages, and become pictures."""

import json
import re
from collections.abc import Callable
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

import small_tables as small
from konkyo.i18n import Language
from konkyo.report.charts import report as charts
from konkyo.report.charts.theme import save_pngs, to_spec
from konkyo.report.pages.report import charts_to_fill

MONTHS = pd.date_range("2015-01-31", periods=30, freq="ME")
PORTFOLIOS = ["long", "short", "spread", "spread_net", "market"]
RNG = np.random.default_rng(0)
CUMULATIVE = pd.concat(
    [
        pd.DataFrame(
            {
                "month": MONTHS[::step] + pd.offsets.MonthEnd(1),
                "model": model,
                "portfolio": portfolio,
                "cumulative": np.cumprod(1 + RNG.normal(0.01, 0.04, len(MONTHS[::step]))) - 1,
            }
        )
        for model, step in (("network", 1), ("ridge", 1), ("placebo", 4))
        for portfolio in PORTFOLIOS
    ],
    ignore_index=True,
)
RETURNS = pd.DataFrame(
    {
        "month": MONTHS,
        "earned": MONTHS + pd.offsets.MonthEnd(1),
        "model": "network",
        "spread": RNG.normal(0.005, 0.04, 30),
        "rank_ic": RNG.normal(0.02, 0.1, 30),
    }
)
QUANTILES = pd.DataFrame(
    {
        "model": ["network"] * 3 + ["ridge"] * 3 + ["placebo"] * 3,
        "quantile": [1, 2, 3] * 3,
        "annual_return_arithmetic": [0.02, 0.05, 0.11, 0.03, 0.04, 0.09, 0.5, 0.5, 0.5],
        "months": [30] * 6 + [8] * 3,
    }
)
DELETION = pd.DataFrame(
    {
        "method": ["lrp_epsilon"] * 2 + ["deep_lift"] * 2 + ["lrp_gamma"] * 2 + ["z"] * 2,
        "deleted": [0.0, 1.0] * 4,
        "ordered": [0.0, 1.0] * 4,
        "random": [0.0, 0.5] * 4,
        "auc": [0.3] * 2 + [0.5] * 2 + [0.2] * 2 + [0.25] * 2,
    }
)
AGREEMENT = pd.DataFrame(
    {
        "method": ["lrp_epsilon"] * 2 + ["ridge"] * 2 + ["deep_lift"] * 2,
        "measure": ["rank_per_input", "rank_per_stock"] * 3,
        "mean": [0.5, 0.6, 0.3, 0.2, 0.4, 0.7],
        "standard_error": [0.05] * 6,
        "months": [15] * 6,
    }
)
SHARES = pd.DataFrame(
    {"month": [*MONTHS[:2]] * 2, "group": ["characteristic"] * 2 + ["market"] * 2, "share": 0.1}
)
LATER = pd.DataFrame({"later": [1, 2], "share": [0.6, np.nan], "all": [0.05, 0.04]})
DRAW: dict[str, Callable[[Language], alt.TopLevelMixin]] = {
    "portfolio_growth": lambda lang: charts.portfolio_growth(CUMULATIVE, language=lang),
    "model_growth": lambda lang: charts.model_growth(CUMULATIVE, language=lang),
    "monthly_rank_ic": lambda lang: charts.monthly_rank_ic(RETURNS, language=lang),
    "monthly_spread": lambda lang: charts.monthly_spread(RETURNS, language=lang),
    "quantile_returns": lambda lang: charts.quantile_returns(QUANTILES, language=lang),
    "deletion_curves": lambda lang: charts.deletion_curves(DELETION, language=lang),
    "truth_agreement": lambda lang: charts.truth_agreement(AGREEMENT, language=lang),
    "reliable_lines": lambda lang: charts.reliable_lines(SHARES, lang),
    "reliable_later_bars": lambda lang: charts.reliable_later_bars(LATER, lang),
    "factor_bars": lambda lang: charts.factor_bars(
        small.means().assign(month=MONTHS[0]), small.LABELS, lang
    ),
    "factor_bars_over_time": lambda lang: charts.factor_bars_over_time(
        small.means(), small.LABELS, lang
    ),
    "factor_scatter": lambda lang: charts.factor_scatter(
        small.points(), small.shape(), small.LABELS, "return_1", lang
    ),
    "market_lines": lambda lang: charts.market_lines(small.over_time(), small.LABELS, lang),
    "market_quantile_bars": lambda lang: charts.market_quantile_bars(
        small.quantiles(), small.LABELS, lang
    ),
    "group_lines": lambda lang: charts.group_lines(small.groups(), small.LABELS, lang),
    "effect_map": lambda lang: charts.effect_map(small.effects(), small.LABELS, lang),
    "exposure_lines": lambda lang: charts.exposure_lines(small.exposure(), small.LABELS, lang),
}


def table(chart: alt.TopLevelMixin, *columns: str) -> pd.DataFrame:
    """Return the one data set of a chart that has these columns."""
    sets = [pd.DataFrame(rows) for rows in to_spec(chart)["datasets"].values()]
    (selected,) = [one for one in sets if set(columns) <= set(one.columns)]
    return selected


def parts(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a spec and all views within it."""
    inner = [v for key in ("layer", "vconcat", "hconcat") for v in spec.get(key, [])]
    return [spec, *(part for view in inner for part in parts(view))]


def domain(chart: alt.TopLevelMixin, channel: str) -> list[str]:
    """Return the names of a channel's legend or rows, in order."""
    for part in parts(to_spec(chart)):
        code = part.get("encoding", {}).get(channel, {})
        names = code.get("sort") if channel == "y" else code.get("scale", {}).get("domain")
        if names:
            return list(names)
    return []


def test_every_chart_is_drawn_here() -> None:
    drawn = {
        name
        for name, value in vars(charts).items()
        if callable(value) and getattr(value, "__module__", "").startswith("konkyo.report.charts.")
    }
    others = {"page_charts", "month_charts", "portfolio_charts", "full_length_models"}
    assert set(DRAW) == drawn - others


@pytest.mark.parametrize("name", DRAW)
def test_charts_follow_the_schema_and_become_pictures(name, tmp_path):
    for language in ("en", "ja"):
        chart = DRAW[name](language)
        chart.to_dict()
        save_pngs({tmp_path / f"{language}.png": chart}, 36)
        assert (tmp_path / f"{language}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_titles_speak_the_language(name, language):
    title = to_spec(DRAW[name](language))["usermeta"]["title"]
    assert bool(re.search("[ぁ-ん一-龥ァ-ヴ]", title)) == (language == "ja")


def test_portfolios_start_at_one_and_end_at_value() -> None:
    chart = charts.portfolio_growth(CUMULATIVE.sample(frac=1.0, random_state=0))
    sets = [pd.DataFrame(rows) for rows in to_spec(chart)["datasets"].values()]
    lines = max(sets, key=len)
    assert sorted(lines["name"].unique()) == ["long", "long - short", "market", "short"]
    network = CUMULATIVE[CUMULATIVE["model"] == "network"]
    for portfolio, name in (("long", "long"), ("spread", "long - short")):
        rows = network[network["portfolio"] == portfolio]
        drawn = lines.loc[lines["name"] == name, "value"]
        np.testing.assert_allclose(drawn, [1, *(1 + rows["cumulative"])], rtol=1e-5)
    assert lines["month"].min() == "2015-01-31T00:00:00"
    assert lines["month"].max() == "2017-07-31T00:00:00"


def test_models_of_unequal_length_are_not_compared() -> None:
    assert domain(charts.model_growth(CUMULATIVE), "color") == ["network", "ridge"]
    named = charts.model_growth(CUMULATIVE, ["network", "placebo"])
    assert domain(named, "color") == ["network", "placebo (shuffled labels)"]


@pytest.mark.parametrize("column", ["rank_ic", "spread"])
def test_bars_are_months_and_the_line_their_mean(column):
    draw = {"rank_ic": charts.monthly_rank_ic, "spread": charts.monthly_spread}[column]
    sets = [pd.DataFrame(rows) for rows in to_spec(draw(RETURNS.iloc[::-1]))["datasets"].values()]
    bars, mean = sorted((one for one in sets if "value" in one), key=len)[::-1]
    np.testing.assert_allclose(bars["value"], RETURNS[column], rtol=1e-5)
    assert len(mean) == 19
    assert mean["value"].iloc[0] == pytest.approx(RETURNS[column][:12].mean(), rel=1e-4)
    assert mean["value"].iloc[-1] == pytest.approx(RETURNS[column][-12:].mean(), rel=1e-4)


def test_a_short_record_has_no_line_of_means() -> None:
    assert domain(charts.monthly_rank_ic(RETURNS[:11]), "color") == []


def test_quantile_bars_and_points_of_models_as_long() -> None:
    chart = charts.quantile_returns(QUANTILES)
    assert table(chart, "colour")["annual_return_arithmetic"].tolist() == [0.02, 0.05, 0.11]
    points = table(chart, "name")
    assert points["annual_return_arithmetic"].tolist() == [0.03, 0.04, 0.09]
    assert points["name"].unique().tolist() == ["ridge"]
    assert "shape" not in str(to_spec(charts.quantile_returns(QUANTILES[:3]))["layer"])


def test_a_record_of_one_month_is_drawn(tmp_path):
    first = CUMULATIVE[CUMULATIVE["month"] == CUMULATIVE["month"].min()]
    for chart in (
        charts.portfolio_growth(first),
        charts.model_growth(first),
        charts.monthly_rank_ic(RETURNS[:1]),
        charts.monthly_spread(RETURNS[:1]),
    ):
        save_pngs({tmp_path / "one.png": chart}, 36)


def test_factor_bars_have_the_largest_difference_first() -> None:
    chart = charts.factor_bars(small.means(), small.LABELS, most=3)
    bars = table(chart, "side", "value")
    assert bars["row"].unique().tolist() == ["TOPIX", "Return", "Size"] == domain(chart, "y")
    np.testing.assert_allclose(bars["value"], [-0.03, 0.02, 0.0, 0.04, -0.01, 0.01])
    stars = table(chart, "stars")
    assert stars["stars"].tolist() == ["**", "**", "*"]
    assert stars["stars_adjusted"].tolist() == ["**", "**", ""]
    assert "3 of 4 inputs" in to_spec(chart)["usermeta"]["note"]


def test_inputs_of_one_label_have_rows_of_their_own() -> None:
    labels = small.LABELS.assign(en="Same")
    chart = charts.factor_bars(small.means(), labels)
    assert domain(chart, "y")[:2] == ["Same (topix)", "Same (return_1)"]


def test_the_scatter_has_points_curve_and_histograms() -> None:
    chart = DRAW["factor_scatter"]("en")
    long = table(chart, "who").query("side == 'long'")
    np.testing.assert_allclose(long["value"], [-1.0, -0.5, 0.0])
    np.testing.assert_allclose(long["relevance"], [0.4, 0.2, 0.0])
    assert long["who"].iloc[2] == "<i>"
    assert "2020-01" in to_spec(chart)["usermeta"]["title"]
    curve = [one for one in to_spec(chart)["datasets"].values() if set(one[0]) >= {"low", "value"}]
    np.testing.assert_allclose([row["relevance"] for row in curve[0]], [0.3, 0.0, -0.3], atol=1e-7)
    bars = [part for part in parts(to_spec(chart)) if "aggregate" in str(part.get("transform"))]
    assert [part["transform"][0]["field"] for part in bars] == ["value", "relevance"]


def test_charts_of_a_page_wait_for_their_rows() -> None:
    for language in ("en", "ja"):
        for name, chart in charts_to_fill(small.LABELS, ["size"], language).items():
            spec = to_spec(chart)
            chart.to_dict()
            rows = [part["data"] for part in parts(spec) if "name" in part.get("data", {})]
            assert rows and not [one for one in rows if one["name"] in spec.get("datasets", {})]
            if name.startswith("factor"):
                assert "{month}" in spec["usermeta"]["title"]


def test_highlighted_months_are_named_on_one_scale() -> None:
    spec = to_spec(DRAW["market_lines"]("en"))
    lines = table(DRAW["market_lines"]("en"), "marked")
    marked = lines[lines["marked"]].groupby("name", sort=False)["label"].apply(sorted).tolist()
    assert marked == [["2020-02", "2020-03"], ["2020-02"]]
    assert [part["transform"] for part in spec["spec"]["layer"] if "transform" in part] == [
        [{"filter": "datum.marked"}]
    ] * 2
    assert "resolve" not in spec


def test_market_series_without_relevance_have_no_panel() -> None:
    over_time = small.over_time()
    first = over_time["feature"].iloc[0]
    over_time.loc[over_time["feature"] != first, ["difference", "marked"]] = [0.0, False]
    panels = table(charts.market_lines(over_time, small.LABELS), "marked")["name"]
    assert len(set(panels)) == 1


def test_the_bars_of_the_end_quantiles() -> None:
    chart = DRAW["market_quantile_bars"]("en")
    np.testing.assert_allclose(table(chart, "row")["value"], [0.1, -0.4, -0.1, 0.5])
    assert domain(chart, "color")[0] == "quantile 3: 12 stocks, mean relevance +0.300"


def test_group_lines_are_months_and_their_mean() -> None:
    sets = [pd.DataFrame(r) for r in to_spec(DRAW["group_lines"]("en"))["datasets"].values()]
    upper, lower = (one[one["name"] == "Attributes"] for one in sets if "mean" in one)
    np.testing.assert_allclose(upper["value"], [0.2, 0.4, 0.6])
    np.testing.assert_allclose(upper["mean"], [0.2, 0.3, 0.4])
    np.testing.assert_allclose(lower["value"], [0.7, 0.8, 0.9])


def test_without_sectors_the_lower_panel_is_left_out() -> None:
    size = small.exposure().query("kind == 'size'")
    assert len(to_spec(charts.exposure_lines(size, small.LABELS))["vconcat"]) == 1
    assert len(to_spec(DRAW["exposure_lines"]("en"))["vconcat"]) == 2


def test_sectors_that_differ_have_lines() -> None:
    rows = [*to_spec(DRAW["exposure_lines"]("en"))["datasets"].values()][-1]
    lines = pd.DataFrame(rows).pivot_table(index="month", columns="name", values="value")
    # banks -0.2 in both months, foods 0 and 0.2, the sector without a name in the first alone.
    assert {*lines} == {"Banks", "foods", "no sector"}
    np.testing.assert_allclose(lines[["Banks", "foods"]].to_numpy(), [[-0.2, 0.0], [-0.2, 0.1]])


def test_effect_map_has_the_strongest_on_top() -> None:
    chart = DRAW["effect_map"]("en")
    assert domain(chart, "y") == ["Return", "Size"]
    cells = table(chart, "start").pivot_table(index="row", columns="start", values="value")
    np.testing.assert_allclose(cells.to_numpy(), [[-0.3, -0.2, -0.4], [0.1, np.nan, 0.1]])


def test_agreement_has_the_best_method_on_top() -> None:
    chart = DRAW["truth_agreement"]("en")
    assert domain(chart, "y") == ["DeepLIFT", "LRP epsilon (paper)", "ridge coefficients x input"]
    weight = to_spec(chart)["layer"][0]["encoding"]["y"]["axis"]["labelFontWeight"]
    assert "LRP epsilon (paper)" in str(weight["condition"]["test"])
    marks = table(chart, "low")
    np.testing.assert_allclose(marks["high"] - marks["low"], 0.2, atol=1e-5)


def test_deletion_shows_the_papers_rule_and_random() -> None:
    assert domain(DRAW["deletion_curves"]("en"), "color") == [
        "LRP epsilon (paper), area +0.30",
        "DeepLIFT, area +0.50",
        "LRP gamma, area +0.20",
        "random order",
    ]


def test_a_lost_value_ends_its_line():
    months = pd.date_range("2020-01-31", periods=3, freq="ME")
    lost = {"long": [0.1, 0.2, 0.3], "short": [0.1, 1.6, 2.0], "market": [0.1, 0.1, 0.1]}
    rows = [
        {"month": month, "model": "network", "portfolio": name, "cumulative": value}
        for name, values in {**lost, "spread": [0.1, -1.0, -1.0]}.items()
        for month, value in zip(months, values, strict=True)
    ]
    for chart in (charts.portfolio_growth, charts.model_growth):
        data = json.dumps(chart(pd.DataFrame(rows)).to_dict(), default=str)
        assert '"value": 0.0' not in data and "Infinity" not in data and "NaN" not in data
