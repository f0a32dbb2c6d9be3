"""A month in the books of the firms: activity, reports, forecasts, and the published attributes."""

import numpy as np

from konkyo.data.simulated.firms import REPORT, Firms, after_tax, assets_of, interest, report
from konkyo.data.simulated.portable_random import Draws, centred_ranks, exponential

REPORT_LAG = 2
"""Months from a quarter's end until its report is known."""

DEPRECIATION = 0.04
"""Share of assets a year: what EBITDA and cash flow have above profit."""

FORECASTS = (
    "sales_growth_forecast", "roe_forecast", "cash_flow_to_price_forecast",
    "earnings_yield_forecast", "dividend_yield_forecast", "sales_to_price_forecast",
    "ordinary_profit_growth_forecast", "ebitda_to_ev_forecast", "ordinary_profit_revision",
    "net_profit_growth_forecast", "earnings_yield_forecast_change", "earnings_yield_standardised",
)  # fmt: skip
"""Attributes that a firm has only while somebody publishes forecasts of it."""

_AMOUNTS = ("equity", "sales")
_GAPS = 0.004
_MEMORY = 24


def live(firms: Firms, news: np.ndarray, economy: float, draws: Draws) -> None:
    """Move the books by one month, in place.

    Sales, profit and equity follow the market value slowly: prices look ahead. Beside that, a
    firm's news of the month (what moved its price alone) is partly news of its margin.

    Parameters
    ----------
    firms : Firms
        `value` is the market value at the end of this month already.
    news : ndarray, shape [firms]
        The firm's own return of the month, a fraction.
    economy : float
        What the market earned beyond its mean, smoothed over the last months, a fraction.
    draws : Draws
        Of the month's business.
    """
    count = len(firms)
    gap = (firms.value * firms.usual_sales_to_value / firms.sales - 1).clip(-0.6, 1.0)
    pull = 0.001 + 0.02 * gap + 0.06 * economy
    noise = firms.unsteadiness * draws.student(count)
    firms.growth = (0.9 * firms.growth + 0.1 * pull + 0.0018 * noise).clip(-0.05, 0.06)
    firms.sales = firms.sales * (1 + firms.growth)

    wanted = (firms.usual_earnings_yield * firms.value / (0.6 * firms.sales)).clip(-0.05, 0.35)
    surprise = firms.unsteadiness * draws.student(count)
    scale = 0.3 * wanted + 0.03
    firms.margin = (
        firms.margin
        + 0.03 * (wanted - firms.margin)
        + scale * (0.19 * surprise + 0.5 * news + 2.5 * economy)
    ).clip(-0.4, 0.5)

    assets = assets_of(firms)
    cash = firms.usual_cash_to_assets * assets
    firms.special = 0.85 * firms.special + 0.003 * draws.student(count)
    ordinary = firms.margin * firms.sales + interest(firms.debt, cash)
    net = after_tax(ordinary + firms.special * assets)
    paid = firms.payout * np.maximum(net, 0)
    firms.dividend = (0.94 * firms.dividend + 0.06 * paid).clip(0, 0.08 * firms.value)
    # Buybacks, issues beside the market and write-downs keep book and market value in touch.
    back = 0.012 * (firms.usual_book_to_value * firms.value - firms.equity)
    firms.equity = np.maximum(firms.equity + (net - firms.dividend) / 12 + back, 0.02 * assets)
    change = 0.02 * (firms.usual_debt_to_equity * firms.equity - firms.debt)
    shift = firms.debt * 0.02 * draws.normal(count)
    firms.debt = np.maximum(firms.debt + change + shift, 0)

    firms.sales_error = 0.93 * firms.sales_error + 0.37 * draws.normal(count)
    firms.margin_error = 0.93 * firms.margin_error + 0.37 * draws.normal(count)
    firms.activity = 0.9 * firms.activity + 0.18 * draws.normal(count) + 0.8 * np.abs(news) - 0.05
    large = (centred_ranks(firms.value) + 1) / 2
    wish = np.minimum(0.5 + 0.7 * large, 0.995)
    chance = draws.uniform(count)
    firms.covered = np.where(firms.covered, chance >= 0.03 * (1 - wish), chance < 0.03 * wish)
    firms.age = firms.age + 1


def publish_reports(firms: Firms, month: int) -> None:
    """Close the quarters that end in a month, and make those of two months ago known, in place."""
    position = (month - firms.fiscal) % 3
    known = position == REPORT_LAG
    firms.reported[known, 1:] = firms.reported[known, :-1]
    firms.reported[known, 0] = firms.pending[known]
    closing = position == 0
    firms.pending[closing] = report(firms)[closing]


def attributes(firms: Firms, draws: Draws) -> dict[str, np.ndarray]:
    """Return the published attributes of the month's end, and remember the forecasts, in place.

    Parameters
    ----------
    firms : Firms
        At the end of the month, with its reports and returns.
    draws : Draws
        Of the month's gaps.

    Returns
    -------
    dict of str to ndarray, shape [firms]
        By the names of figure 13 without those that the panel computes. Ratios are rounded to 6
        decimals, amounts to thousand yen. NaN: no forecast, history too short, a growth rate
        whose base is not positive, or a gap by chance.
    """
    count, value = len(firms), firms.value
    now = {name: firms.reported[:, 0, k] for k, name in enumerate(REPORT)}
    year_ago = {name: firms.reported[:, 4, k] for k, name in enumerate(REPORT)}
    sales = firms.sales * (1 + 8 * firms.growth) * (1 + 0.02 * firms.sales_error)
    margin = firms.margin + (0.06 * np.abs(firms.margin) + 0.003) * firms.margin_error
    assets = assets_of(firms)
    cash = firms.usual_cash_to_assets * assets
    ordinary = margin * sales + interest(firms.debt, cash)
    # Half of the special items is foreseen.
    net = after_tax(ordinary + firms.special * assets / 2)
    # A forecast of the dividend looks at half of what the forecast profit would pay.
    dividend = (firms.dividend + firms.payout * np.maximum(net, 0)) / 2
    depreciation = DEPRECIATION * now["assets"]
    earnings = net / value
    firms.outlook = np.column_stack([ordinary, firms.outlook[:, :-1]])
    firms.yields = np.column_stack([earnings, firms.yields[:, :-1]])
    enterprise = np.maximum(value + now["debt"] - now["cash"], 0.1 * value)
    liabilities = now["assets"] - now["equity"]
    # Where there is no forecast of three months ago there is no revision either.
    before = firms.outlook[:, 3]
    found = {
        "sales_growth": growth(now["sales"], year_ago["sales"]),
        "sales_growth_forecast": growth(sales, now["sales"]),
        "roe_forecast": net / now["equity"],
        "cash_flow_to_price_forecast": (net + depreciation) / value,
        "share_turnover": firms.usual_turnover * exponential(firms.activity.clip(-3, 3)),
        "earnings_yield_forecast": earnings,
        "earnings_yield": now["net"] / value,
        "dividend_yield": now["dividend"] / value,
        "dividend_yield_forecast": dividend / value,
        "sales_to_price_forecast": sales / value,
        "operating_margin": now["operating"] / now["sales"],
        "ordinary_profit_growth": growth(now["ordinary"], year_ago["ordinary"]),
        "ordinary_profit_growth_forecast": growth(ordinary, now["ordinary"]),
        "ebitda_to_ev_forecast": (margin * sales + depreciation) / enterprise,
        "bankruptcy_probability": bankruptcy(firms, now["equity"] / now["assets"]),
        "equity_ratio": now["equity"] / now["assets"],
        "book_to_price": now["equity"] / value,
        "ordinary_profit_revision": ((ordinary - before) / now["equity"]).clip(-1, 1),
        "debt_ratio": liabilities / now["equity"],
        "net_profit_growth": growth(now["net"], year_ago["net"]),
        "net_profit_growth_forecast": growth(net, now["net"]),
        "earnings_yield_forecast_change": earnings - firms.yields[:, 3],
        "equity": now["equity"],
        "net_debt_ratio": (now["debt"] - now["cash"]) / now["equity"],
        "earnings_yield_standardised": over_time(firms.yields),
        "sales": now["sales"],
    }
    for name, values in found.items():
        gone = draws.uniform(count) < _GAPS
        if name in FORECASTS:
            gone |= ~firms.covered
        rounded = np.round(values, 0 if name in _AMOUNTS else 6)
        found[name] = np.where(gone, np.nan, rounded)
    return found


def growth(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the rate of growth, a fraction of at most 10; NaN from a base of zero or a loss."""
    base = np.where(before > 0, before, np.nan)
    return (now / base - 1).clip(-10, 10)


def over_time(yields: np.ndarray) -> np.ndarray:
    """Return the newest yield's distance from the mean of the last 36 months in deviations.

    Parameters
    ----------
    yields : ndarray, shape [firms, 36]
        Newest first, NaN before the listing; 24 of them must be there.
    """
    known = np.isfinite(yields)
    count, total, squares = np.zeros((3, len(yields)))
    filled = np.where(known, yields, 0)
    # Column by column, so that the order of the sums is fixed.
    for month in range(yields.shape[1]):
        count, total = count + known[:, month], total + filled[:, month]
    average = total / np.maximum(count, 1)
    for month in range(yields.shape[1]):
        away = np.where(known[:, month], yields[:, month] - average, 0)
        squares = squares + away * away
    deviation = np.sqrt(squares / np.maximum(count - 1, 1))
    enough = (count >= _MEMORY) & (deviation > 1e-9)
    return np.where(enough, (yields[:, 0] - average) / np.where(enough, deviation, 1), np.nan)


def bankruptcy(firms: Firms, equity_ratio: np.ndarray) -> np.ndarray:
    """Return a vendor's bankruptcy probability: of leverage, size and volatility, in (0, 1)."""
    size = centred_ranks(firms.value)
    swing = firms.volatility * np.sqrt(firms.heat)
    odds = exponential((-7 + 4 * (1 - equity_ratio) - size + 20 * swing).clip(-9, 2))
    return odds / (1 + odds)
