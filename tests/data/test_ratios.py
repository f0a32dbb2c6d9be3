"""Ratios against answers worked out by hand, and the table that declares them."""

from pathlib import Path

import numpy as np
import pytest

from data_card import ratios_markdown
from konkyo.data import ratios
from konkyo.data.ratios import BALANCES, FLOWS, FORECASTS, dependent_items
from konkyo.data.simulated import CHARACTERISTICS

nan = np.nan

# One firm, thousands of a currency.
FIRM = {
    "size": 1000.0, "volume": 30.0, "shares": 600.0, "sales": 800.0, "sales_before": 640.0,
    "sales_base": 800.0, "sales_forecast": 900.0, "operating_profit": 80.0,
    "operating_profit_forecast": 100.0, "ordinary_profit": 75.0, "ordinary_profit_before": -5.0,
    "ordinary_profit_base": 75.0, "ordinary_profit_forecast": 90.0,
    "ordinary_profit_forecast_before": 100.0, "net_profit": 50.0, "net_profit_before": 40.0,
    "net_profit_base": 50.0, "net_profit_forecast": 60.0, "depreciation": 20.0, "equity": 400.0,
    "assets": 1000.0, "cash": 100.0, "short_term_debt": 50.0, "long_term_debt": 150.0,
    "current_assets": 300.0, "current_liabilities": 200.0, "operating_cash_flow": 70.0,
    "capital_expenditure": 30.0, "dividends": nan, "dividends_per_share": 0.025,
    "dividends_forecast": 20.0,
}  # fmt: skip

BY_HAND = {
    "share_turnover": 0.05,
    "sales": 800.0,
    "equity": 400.0,
    "sales_growth": 0.25,
    "sales_growth_forecast": 0.125,
    "ordinary_profit_growth_forecast": 0.2,
    "net_profit_growth": 0.25,
    "net_profit_growth_forecast": 0.2,
    "earnings_yield": 0.05,
    "earnings_yield_forecast": 0.06,
    "book_to_price": 0.4,
    "dividend_yield": 0.015,
    "dividend_yield_forecast": 0.02,
    "sales_to_price": 0.8,
    "sales_to_price_forecast": 0.9,
    "cash_flow_to_price": 0.07,
    "cash_flow_to_price_forecast": 0.08,
    "free_cash_flow_to_price": 0.04,
    "ebitda_to_ev": 100 / 1100,
    "ebitda_to_ev_forecast": 120 / 1100,
    "operating_margin": 0.1,
    "roe": 0.125,
    "roe_forecast": 0.15,
    "roa": 0.05,
    "equity_ratio": 0.4,
    "debt_ratio": 1.5,
    "net_debt_ratio": 0.25,
    "ordinary_profit_revision": -0.025,
    # -1.32 - 0.407 ln 10000 + 6.03 x 0.6 - 1.43 x 0.1 + 0.0757 x 2/3 - 2.37 x 0.05
    # - 1.83 x 70/600 - 0.521 x 10/90 = -1.932...
    "bankruptcy_probability": 1 / (1 + np.exp(1.9329)),
}


def made(firm: dict[str, float], given: dict | None = None, valued: bool = True) -> dict:
    values = {name: np.array([value]) for name, value in firm.items()}
    return ratios.ratios(np.array([0]), np.array([500]), values, given or {}, valued)


def test_one_firm_by_hand():
    found = made(FIRM)
    assert sorted(found) == sorted(BY_HAND)
    for name, expected in BY_HAND.items():
        assert found[name][0] == pytest.approx(expected, rel=1e-3), name
    # Growth from a loss means nothing, and so the only firm has none.
    assert "ordinary_profit_growth" not in found


@pytest.mark.parametrize("below", [0.0, -400.0])
def test_a_denominator_not_above_zero_gives_nothing(below):
    found = made(FIRM | {"equity": below})
    gone = {"roe", "roe_forecast", "debt_ratio", "net_debt_ratio", "ordinary_profit_revision"}
    assert set(BY_HAND) - set(found) == gone
    assert found["equity_ratio"][0] == below / 1000


def test_a_missing_ingredient_gives_nothing():
    without = {name: value for name, value in FIRM.items() if name != "cash"}
    assert set(BY_HAND) - set(made(without)) == {
        "net_debt_ratio",
        "ebitda_to_ev",
        "ebitda_to_ev_forecast",
    }
    assert set(made(FIRM | {"cash": nan})) == set(made(without))


def test_without_market_values_no_ratio_uses_size():
    found = made(FIRM, valued=False)
    wanted = {name for name in BY_HAND if not name.endswith(("price", "yield", "ev"))}
    wanted = {
        n for n in wanted if not n.endswith(("price_forecast", "yield_forecast", "ev_forecast"))
    }
    assert set(found) == wanted


def test_a_given_column_stays():
    assert "roe" not in made(FIRM, given={"roe": np.array([0.5])})


def test_change_and_standardising_use_the_column_given():
    months = np.arange(100, 130)
    yields = np.where(months == 129, 3.0, months % 2)
    found = ratios.ratios(np.zeros(30, dtype="int64"), months, {}, {"earnings_yield": yields}, True)
    past = yields
    expected = (3.0 - past.mean()) / past.std(ddof=1)
    assert found["earnings_yield_standardised"][-1] == pytest.approx(expected)
    assert np.isnan(found["earnings_yield_standardised"][:23]).all()
    assert np.isfinite(found["earnings_yield_standardised"][23:]).all()


def test_change_over_three_months_passes_over_no_month():
    stock = np.array([0, 0, 0, 1, 1])
    month = np.array([5, 8, 9, 5, 8])
    yields = np.array([0.1, 0.4, 0.9, 1.0, 3.0])
    found = ratios.ratios(stock, month, {}, {"earnings_yield_forecast": yields}, True)
    np.testing.assert_allclose(found["earnings_yield_forecast_change"], [nan, 0.3, nan, nan, 2.0])


def test_standardising_against_a_loop():
    rng = np.random.default_rng(1)
    grid = rng.normal(size=(60, 5))
    grid[rng.random(grid.shape) < 0.2] = nan
    grid[:, 4] = 1.0
    found = ratios.standardise_over_time(grid, 36)
    for t in range(60):
        for stock in range(5):
            past = grid[max(t - 35, 0) : t + 1, stock]
            past = past[np.isfinite(past)]
            ok = np.isfinite(grid[t, stock]) and len(past) >= 24 and past.std() > 0
            expected = (grid[t, stock] - past.mean()) / past.std(ddof=1) if ok else nan
            np.testing.assert_allclose(found[t, stock], expected)
    assert np.isfinite(found).any() and np.isnan(found[:, 4]).all()


def test_ohlson_rises_with_losses_and_debt():
    base = {name: np.array([value]) for name, value in FIRM.items()}
    sound = ratios.ohlson(base)[0]
    worse = base | {"net_profit": np.array([-300.0]), "equity": np.array([-100.0])}
    assert sound < 0.2 < 0.6 < ratios.ohlson(worse)[0] < 1
    assert np.isnan(ratios.ohlson(base | {"assets": np.array([0.0])})[0])


def test_the_table_has_all_of_figure_13():
    table = ratios.table()
    assert table["name"].is_unique
    known = {*FLOWS, *BALANCES, *FORECASTS, "volume", "size"}
    known |= {other for name in known for other in dependent_items(name)} | set(table["name"])
    for row in table.itertuples():
        assert set(ratios.items_of(row.numerator)) | set(ratios.items_of(row.denominator)) <= known
    own = set(table.loc[table["figure_13"] == "yes", "name"])
    from_prices = {"size", "beta_36"} | {f"return_{k}" for k in (1, 3, 6, 12, 36)}
    assert own == set(CHARACTERISTICS) - from_prices
    assert set(table["kind"]) == {
        "ingredient", "level", "ratio", "change_3", "standardised_36", "ohlson",
    }  # fmt: skip


def test_the_page_on_own_records_shows_the_table():
    page = (Path(__file__).parents[2] / "docs/data.md").read_text(encoding="utf-8")
    assert f"<!-- ratios -->\n{ratios_markdown()}<!-- end -->" in page
    assert "| `ebitda_to_ev` | `ebitda / (size + debt - cash)` | fraction | no |" in page


def test_evaluate():
    values = {"a": np.array([1.0, 2.0]), "b": np.array([10.0, nan]), "c": np.array([3.0, 3.0])}
    np.testing.assert_equal(ratios.evaluate("c - a * b + c", values), [-4.0, nan])
