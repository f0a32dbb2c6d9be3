"""The first sentences of the page and the tables of its section on portfolios."""

import small_portfolio as small
from konkyo.report.pages.portfolio import group_names, headline, section_tables

NAMES = group_names(small.LABELS)


def test_the_first_sentences_say_the_figures() -> None:
    tables, figures = small.tables()
    net = figures["equal_weighted"]["net"]
    first, second, third, *_ = headline(tables, NAMES)
    assert f"Sharpe ratio of {net['sharpe_ratio']:.2f}" in first.en
    assert f"interval {net['sharpe_low']:.2f} to {net['sharpe_high']:.2f}" in first.en
    assert f"alpha of {100 * net['alpha']:.1f} per cent a year (t {net['alpha_t']:.1f})" in first.en
    assert first.en.endswith("against MKT.")
    earned = figures["return_attribution"]["equal_weighted"]
    assert f"the sector {100 * earned['sector']['annual']:+.1f}" in second.en
    gross = figures["equal_weighted"]["gross"]["annual_return_arithmetic"]
    assert f"before costs {100 * gross:.1f} per cent" in second.en
    assert "over 12 months" in third.en


def test_without_a_placebo_it_says_so() -> None:
    tables = dict(small.tables()[0])
    performance = tables["portfolio_performance"]
    tables["portfolio_performance"] = performance[performance["model"] == "network"]
    assert "No placebo was trained" in headline(tables, NAMES)[2].en


def test_broken_promises_are_named() -> None:
    tables = dict(small.tables()[0])
    promise = tables["promise"].assign(delivers=[False, *[True] * 4])
    tables["promise"] = promise
    said = headline(tables, NAMES)[-1]
    assert "do not deliver: 1." in said.en
    assert NAMES[promise["feature"][0]].ja in said.ja


def test_tables_have_every_row() -> None:
    tables, _ = small.tables()
    shown = section_tables(tables, NAMES)
    assert len(shown["portfolios"].rows) == 8
    assert len(shown["inputs"].rows) == 5
    assert len(shown["regression"].rows) == 2 * 4
    years = [row[0][0].en for row in shown["periods"].rows]
    assert years == ["2015", "2016", "2017", "2018"]
