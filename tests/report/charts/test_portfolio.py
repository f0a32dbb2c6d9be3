"""The charts of the portfolios, drawn in both languages from the tables of a small market."""

import altair as alt
import pytest

import small_portfolio as small
from konkyo.config import Impact
from konkyo.report.charts.portfolio import portfolio_charts
from konkyo.report.charts.theme import to_spec


@pytest.fixture(scope="module")
def drawn() -> dict[str, dict[str, alt.TopLevelMixin]]:
    tables, _ = small.tables(impact=Impact(coefficient=1.0, aum=1e6, currency="JPY"))
    return {language: portfolio_charts(tables, small.LABELS, language) for language in ("en", "ja")}


def _rows(chart: alt.TopLevelMixin, column: str) -> list[dict]:
    sets = to_spec(chart)["datasets"].values()
    return next(rows for rows in sets if rows and column in rows[0])


def test_every_chart_is_drawn_in_both_languages(drawn) -> None:
    assert set(drawn["en"]) == {
        *("return_attribution_bars", "return_attribution_lines"),
        *("horizon_bars", "buffer_bars", "characteristic_lines", "rolling_alpha"),
        "capacity_line",
    }
    for name, chart in drawn["en"].items():
        titles = [to_spec(one)["usermeta"]["title"] for one in (chart, drawn["ja"][name])]
        assert titles[0] != titles[1]


def test_the_lines_end_at_the_sums(drawn) -> None:
    groups = small.tables()[0]["return_attribution_groups"]
    groups = groups[groups["portfolio"] == "equal_weighted"]
    rows = _rows(drawn["en"]["return_attribution_lines"], "value")
    ends = {row["name"]: row["value"] for row in rows}
    total = groups["contribution"].sum()
    assert ends["long - short"] == pytest.approx(total, rel=1e-4)
    sector = groups.loc[groups["feature"] == "sector", "contribution"].sum()
    assert ends["the sector"] == pytest.approx(sector, rel=1e-4)


def test_bars_are_the_annual_contributions(drawn) -> None:
    rows = _rows(drawn["en"]["return_attribution_bars"], "side")
    summary = small.tables()[0]["return_attribution_summary"]
    groups = summary[summary["kind"] == "group"]
    assert len(rows) == len(groups)
    assert {round(row["value"], 4) for row in rows} == set(groups["annual"].round(4))


def test_short_records_have_fewer_charts() -> None:
    tables = dict(small.tables()[0])
    tables["rolling_regression"] = tables["rolling_regression"].iloc[:0]
    tables["portfolio_exposures"] = tables["portfolio_exposures"][["month", "portfolio"]]
    names = set(portfolio_charts(tables, small.LABELS))
    assert not names & {"rolling_alpha", "characteristic_lines", "capacity_line"}
