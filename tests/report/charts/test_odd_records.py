"""Odd but possible records: what is not in them is not drawn, names stay in the picture."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from konkyo.config import Report
from konkyo.report import tables as report_tables
from konkyo.report.charts.report import month_charts, page_charts
from konkyo.report.charts.theme import to_spec
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.labels import labels as input_labels

LONG = "a characteristic of sixty letters that a user's table really has"[:60].replace(" ", "_")
CONFIG = Report(
    month="newest", n_extremes=3, watchlist=(), columns=(), values="standardised",
    factors=(), market=(), market_month="largest", stars="paper", language="en", dpi=72,
)  # fmt: skip


def make(
    months: int = 10, stocks: int = 12, sectors: bool = False, series: int = 1
) -> ExplainedPanel:
    """Return predictions of random inputs; one characteristic has no relevance at all."""
    rng = np.random.default_rng(3)
    names = ["roe", LONG, "idle", *(f"series_{i}" for i in range(series))]
    groups = ["characteristic"] * 3 + ["market"] * series
    ends = pd.date_range("2020-01-31", periods=months, freq="ME")
    codes = [f"{'The Extraordinarily Long Name of a Holding Company'} {i}" for i in range(stocks)]
    index = pd.DataFrame({"month": np.repeat(ends, stocks), "stock": codes * months})
    if sectors:
        names += ["sector_banks"]
        groups += ["sector"]
    values = rng.uniform(-1, 1, (len(index), len(names))).astype(np.float32)
    values[:, 3 : 3 + series] = np.repeat(rng.normal(0, 1, (months, series)), stocks, axis=0)
    relevance = rng.normal(0, 0.1, values.shape).astype(np.float32)
    relevance[:, 2] = 0
    if sectors:
        values[:, -1] = np.tile(np.arange(stocks) % 2, months)
        relevance[:, -1] *= values[:, -1]
    score = relevance.sum(1, dtype=float)
    rank = pd.Series(score).groupby(index["month"]).rank(ascending=False).astype("int64")
    index = index.assign(
        sector=np.where(np.tile(np.arange(stocks) % 2, months), "banks", "foods")
        if sectors
        else None,
        size=rng.uniform(1, 2, len(index)),
        score=score,
        rank=rank,
        stocks=stocks,
        quantile=4 - 4 * (rank - 1) // stocks,
        ret=0.0,
    )
    catalogue = pd.DataFrame({"name": names, "group": groups})
    return ExplainedPanel(index, values, relevance, np.zeros(len(index), np.float32), catalogue)


def backtest(months: pd.DatetimeIndex, models: list[str]) -> dict[str, pd.DataFrame]:
    """Return the tables of the backtest, one number in all of them."""
    keys = [(month, model) for model in models for month in months]
    earned = [month + pd.offsets.MonthEnd(1) for month, _ in keys]
    frame = pd.DataFrame(keys, columns=["month", "model"])
    returns = frame.assign(earned=earned, spread=0.01, rank_ic=0.02)
    portfolios = [
        frame.assign(month=earned, portfolio=name, cumulative=0.1)
        for name in ("long", "short", "spread", "market")
    ]
    quantiles = [
        {"model": model, "quantile": n, "annual_return_arithmetic": 0.01 * n, "months": len(months)}
        for model in models
        for n in (1, 2, 3, 4)
    ]
    return {
        "returns": returns, "cumulative": pd.concat(portfolios, ignore_index=True),
        "quantiles": pd.DataFrame(quantiles),
    }  # fmt: skip


def draw(panel: ExplainedPanel, models: tuple[str, ...] = ("network",)) -> dict[str, Any]:
    """Return the JSON of every chart of a report by name."""
    labels = input_labels([*panel.names, "absorbed", "market"], panel.catalogue)
    tables = report_tables.tables(panel, labels, CONFIG)
    tables |= backtest(pd.DatetimeIndex(panel.months()), list(models))
    charts = page_charts(tables, labels, "en") | month_charts(tables, labels, "en")
    return {name: to_spec(chart) for name, chart in charts.items()}


def views(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield spec
    inner = [
        part for key in ("layer", "vconcat", "hconcat", "concat") for part in spec.get(key, [])
    ]
    for part in [*inner, *([spec["spec"]] if "spec" in spec else [])]:
        yield from views(part)


@pytest.fixture(scope="module")
def odd() -> dict[str, Any]:
    """Ten months, one market series, no sectors, no baseline, long names."""
    return draw(make())


def test_no_chart_has_empty_data(odd: dict[str, Any]) -> None:
    for name, spec in odd.items():
        assert spec["datasets"], name
        assert all(len(rows) for rows in spec["datasets"].values()), name


def test_nothing_is_drawn_of_what_is_absent(odd: dict[str, Any]) -> None:
    assert not {"model_growth", "deletion_curves", "truth_agreement"} & set(odd)
    (lines,) = odd["market_lines"]["datasets"].values()
    assert len({row["name"] for row in lines}) == 1
    assert len(odd["exposure_lines"]["vconcat"]) == 1
    assert "ector" not in json.dumps(odd["exposure_lines"]["usermeta"])
    panel = make()
    newest = panel.index["month"] == panel.months()[-1]
    index = panel.index.assign(quantile=panel.index["quantile"].where(~newest))
    without_portfolios = draw(replace(panel, index=index))
    gone = {name for name in odd if name == "factor_bars" or name.startswith("factor_scatter/")}
    assert len(gone) > 1 and set(odd) - set(without_portfolios) == gone
    without_market = draw(make(series=0))
    assert not [name for name in without_market if name.startswith("market")]


def test_legends_name_what_is_drawn_alone(odd: dict[str, Any]) -> None:
    for name, spec in odd.items():
        rows = [row for table in spec["datasets"].values() for row in table]
        texts = {text for row in rows for text in row.values()}
        for view in views(spec):
            for channel in ("color", "fill", "shape"):
                code = view.get("encoding", {}).get(channel, {})
                # Some colours have a name of their own in the chart, a datum.
                if code.get("legend", True) and code.get("type") == "nominal":
                    domain = set((code.get("scale") or {}).get("domain") or [])
                    named = {
                        part["encoding"]["color"]["datum"]
                        for part in views(spec)
                        if "datum" in part.get("encoding", {}).get("color", {})
                    }
                    assert domain <= texts | named, name


def test_inputs_without_relevance_have_no_row(odd: dict[str, Any]) -> None:
    for name in ("factor_bars", "effect_map"):
        rows = [row for table in odd[name]["datasets"].values() for row in table]
        named = {row.get("row") or row.get("column") for row in rows}
        assert "ROE, actual" in named and "idle" not in named, name


def test_long_names_are_cut_inside_the_picture(odd: dict[str, Any]) -> None:
    shown = LONG.replace("_", " ")
    named = [name for name, spec in odd.items() if shown in json.dumps(spec["datasets"])]
    assert {"factor_bars", "effect_map"} <= set(named)
    for spec in odd.values():
        assert spec["config"]["axis"]["labelLimit"] <= 260
        assert spec["config"]["legend"]["labelLimit"] <= 420


@pytest.mark.parametrize("months", [1, 10, 12])
def test_an_axis_of_a_year_is_marked_by_months(months: int) -> None:
    for name in ("group_lines", "effect_map", "market_lines", "monthly_rank_ic"):
        spec = draw(make(months=months))[name]
        axes = [part["encoding"]["x"] for part in views(spec) if "x" in part.get("encoding", {})]
        formats = {axis["axis"]["format"] for axis in axes if axis.get("axis", {}).get("format")}
        assert formats == {"%Y-%m"}, name


def test_sectors_and_baselines_are_drawn_if_present() -> None:
    charts = draw(make(sectors=True), ("network", "ridge"))
    assert "model_growth" in charts
    assert len(charts["exposure_lines"]["vconcat"]) == 2
