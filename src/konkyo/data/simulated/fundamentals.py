"""Financial statements and forecasts of the firms, and the 26 characteristics made of them."""

import numpy as np

from konkyo.data.simulated.firms import (
    REPORT_ITEMS,
    Firms,
    after_tax,
    net_interest,
    report_of,
    total_assets,
)
from konkyo.data.simulated.scenario import centred_ranks, student_t

REPORT_LAG = 2
"""Months from a quarter's end to the publication of its report."""

DEPRECIATION_RATE = 0.04
"""Depreciation of a year as a share of assets."""

FORECASTS = (
    "sales_growth_forecast", "roe_forecast", "cash_flow_to_price_forecast",
    "earnings_yield_forecast", "dividend_yield_forecast", "sales_to_price_forecast",
    "ordinary_profit_growth_forecast", "ebitda_to_ev_forecast", "ordinary_profit_revision",
    "net_profit_growth_forecast", "earnings_yield_forecast_change", "earnings_yield_standardised",
)  # fmt: skip
"""Characteristics that are missing while nobody publishes forecasts of the firm."""

_AMOUNTS = ("equity", "sales")
_MISSING_SHARE = 0.004
_MIN_MONTHS = 24


def update_statements(
    firms: Firms,
    own_shocks: np.ndarray,
    *,
    business_cycle: float,
    generator: np.random.Generator,
) -> None:
    """Advance sales, profit, equity, debt and dividends by one month, in place.

    Sales, profit and equity revert to their long-run ratios to the market value, so that prices
    lead fundamentals. The margin also responds to the stock's own return of the month: part of
    what moved the price alone was news of profit.

    Parameters
    ----------
    firms : Firms
        `market_value` is that at the end of the month.
    own_shocks : ndarray, shape [firms]
        The stock's own return of the month, a fraction.
    business_cycle : float
        Of the market state, a fraction a month.
    generator : Generator
        Of the month's statements.
    """
    count = len(firms)
    sales_gap = firms.market_value * firms.long_run_sales_to_price / firms.sales - 1
    drift = 0.001 + 0.02 * sales_gap.clip(-0.6, 1.0) + 0.06 * business_cycle
    surprise = firms.earnings_volatility * student_t(generator, count)
    growth = 0.9 * firms.sales_growth + 0.1 * drift + 0.0018 * surprise
    firms.sales_growth = growth.clip(-0.05, 0.06)
    firms.sales = firms.sales * (1 + firms.sales_growth)

    # The margin at which net profit after tax is the long-run share of the market value.
    profit = firms.long_run_earnings_yield * firms.market_value / 0.6
    target = (profit / firms.sales).clip(-0.05, 0.35)
    surprise = firms.earnings_volatility * student_t(generator, count)
    news = 0.19 * surprise + 0.5 * own_shocks + 2.5 * business_cycle
    reversion = 0.03 * (target - firms.operating_margin)
    margin = firms.operating_margin + reversion + (0.3 * target + 0.03) * news
    firms.operating_margin = margin.clip(-0.4, 0.5)

    assets = total_assets(firms)
    firms.special_items = 0.85 * firms.special_items + 0.003 * student_t(generator, count)
    net_profit = report_of(firms)[:, REPORT_ITEMS.index("net_profit")]
    payout = firms.payout_ratio * np.maximum(net_profit, 0)
    dividends = 0.94 * firms.dividends + 0.06 * payout
    firms.dividends = dividends.clip(0, 0.08 * firms.market_value)
    # Buybacks, private placements and write-downs keep book and market value cointegrated.
    reversion = 0.012 * (firms.long_run_book_to_price * firms.market_value - firms.equity)
    equity = firms.equity + (net_profit - firms.dividends) / 12 + reversion
    firms.equity = np.maximum(equity, 0.02 * assets)
    reversion = 0.02 * (firms.long_run_debt_to_equity * firms.equity - firms.debt)
    shift = firms.debt * generator.normal(0, 0.02, count)
    firms.debt = np.maximum(firms.debt + reversion + shift, 0)

    # Forecast errors are AR(1) with a half-life of ten months and unit variance.
    for name in ("sales_forecast_error", "margin_forecast_error"):
        setattr(firms, name, 0.93 * getattr(firms, name) + generator.normal(0, 0.37, count))
    noise = generator.normal(0, 0.18, count)
    firms.log_turnover = 0.9 * firms.log_turnover + noise + 0.8 * np.abs(own_shocks) - 0.05
    size_percentile = (centred_ranks(firms.market_value) + 1) / 2
    coverage = np.minimum(0.5 + 0.7 * size_percentile, 0.995)
    switch = generator.random(count)
    firms.has_forecasts = np.where(
        firms.has_forecasts, switch >= 0.03 * (1 - coverage), switch < 0.03 * coverage
    )


def publish_reports(firms: Firms, month: int) -> None:
    """Publish the quarters that ended `REPORT_LAG` months ago, draw up those ending now, in place.

    Parameters
    ----------
    firms : Firms
        At the month's end.
    month : int
        Counted from 1970-01.
    """
    since_quarter_end = (month - firms.fiscal_month) % 3
    due = since_quarter_end == REPORT_LAG
    firms.published_reports[due, 1:] = firms.published_reports[due, :-1]
    firms.published_reports[due, 0] = firms.unpublished_report[due]
    closing = since_quarter_end == 0
    firms.unpublished_report[closing] = report_of(firms)[closing]


def compute_characteristics(firms: Firms, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the characteristics known at the month's end, and keep the forecasts, in place.

    P is the market value, B equity, S sales, A assets, D debt, C cash, all of the newest published
    report but P; E* is forecast net profit, OP* ordinary profit, S* sales, DIV* dividends, O*
    operating profit of the fiscal year under way; -12 marks the report of four quarters before:

    | characteristic | formula |
    |---|---|
    | sales_growth, ordinary_profit_growth, net_profit_growth | X / X-12 - 1 |
    | sales_, ordinary_profit_, net_profit_growth_forecast | X* / X - 1 |
    | roe_forecast | E* / B |
    | cash_flow_to_price_forecast | (E* + 0.04 A) / P |
    | earnings_yield, earnings_yield_forecast | E / P, E* / P |
    | dividend_yield, dividend_yield_forecast | DIV / P, DIV* / P |
    | sales_to_price_forecast, book_to_price | S* / P, B / P |
    | ebitda_to_ev_forecast | (O* + 0.04 A) / max(P + D - C, 0.1 P) |
    | operating_margin | operating profit / S |
    | equity_ratio, debt_ratio, net_debt_ratio | B / A, (A - B) / B, (D - C) / B |
    | ordinary_profit_revision | (OP* - OP* of three months before) / B, within [-1, 1] |
    | earnings_yield_forecast_change | E* / P less that of three months before |
    | earnings_yield_standardised | z-score of E* / P over 36 months |
    | share_turnover | long-run turnover x exp(log turnover) |
    | bankruptcy_probability | as `bankruptcy_probability` |
    | equity, sales | B, S, in thousand yen |

    Parameters
    ----------
    firms : Firms
        At the end of the month, with its reports and returns.
    generator : Generator
        Of the month's missing values.

    Returns
    -------
    dict of str to ndarray, shape [firms]
        The names of figure 13 but those that the panel computes. Ratios are fractions rounded to
        6 decimals. NaN: no forecasts, too short a history, growth from a base that is not
        positive, or one of the 0.4 per cent of values that are missing at random.
    """
    count, price = len(firms), firms.market_value
    report = dict(zip(REPORT_ITEMS, firms.published_reports[:, 0].T, strict=True))
    year_ago = dict(zip(REPORT_ITEMS, firms.published_reports[:, 4].T, strict=True))
    equity = report["equity"]

    sales = firms.sales * (1 + 8 * firms.sales_growth) * (1 + 0.02 * firms.sales_forecast_error)
    margin_std = 0.06 * np.abs(firms.operating_margin) + 0.003
    operating_profit = (firms.operating_margin + margin_std * firms.margin_forecast_error) * sales
    assets = total_assets(firms)
    cash = firms.long_run_cash_to_assets * assets
    ordinary_profit = operating_profit + net_interest(firms.debt, cash)
    # Forecasters expect half of the special items, and half of the payout ratio's dividends.
    net_profit = after_tax(ordinary_profit + firms.special_items * assets / 2)
    dividends = (firms.dividends + firms.payout_ratio * np.maximum(net_profit, 0)) / 2

    depreciation = DEPRECIATION_RATE * report["assets"]
    earnings_yield = net_profit / price
    enterprise_value = np.maximum(price + report["debt"] - report["cash"], 0.1 * price)
    firms.ordinary_profit_forecasts = np.column_stack(
        [ordinary_profit, firms.ordinary_profit_forecasts[:, :-1]]
    )
    firms.earnings_yield_forecasts = np.column_stack(
        [earnings_yield, firms.earnings_yield_forecasts[:, :-1]]
    )
    revision = ordinary_profit - firms.ordinary_profit_forecasts[:, 3]
    characteristics = {
        "sales_growth": growth_rate(report["sales"], year_ago["sales"]),
        "sales_growth_forecast": growth_rate(sales, report["sales"]),
        "roe_forecast": net_profit / equity,
        "cash_flow_to_price_forecast": (net_profit + depreciation) / price,
        "share_turnover": firms.long_run_turnover * np.exp(firms.log_turnover.clip(-3, 3)),
        "earnings_yield_forecast": earnings_yield,
        "earnings_yield": report["net_profit"] / price,
        "dividend_yield": report["dividends"] / price,
        "dividend_yield_forecast": dividends / price,
        "sales_to_price_forecast": sales / price,
        "operating_margin": report["operating_profit"] / report["sales"],
        "ordinary_profit_growth": growth_rate(
            report["ordinary_profit"], year_ago["ordinary_profit"]
        ),
        "ordinary_profit_growth_forecast": growth_rate(ordinary_profit, report["ordinary_profit"]),
        "ebitda_to_ev_forecast": (operating_profit + depreciation) / enterprise_value,
        "bankruptcy_probability": bankruptcy_probability(firms, equity / report["assets"]),
        "equity_ratio": equity / report["assets"],
        "book_to_price": equity / price,
        "ordinary_profit_revision": (revision / equity).clip(-1, 1),
        "debt_ratio": (report["assets"] - equity) / equity,
        "net_profit_growth": growth_rate(report["net_profit"], year_ago["net_profit"]),
        "net_profit_growth_forecast": growth_rate(net_profit, report["net_profit"]),
        "earnings_yield_forecast_change": earnings_yield - firms.earnings_yield_forecasts[:, 3],
        "equity": equity,
        "net_debt_ratio": (report["debt"] - report["cash"]) / equity,
        "earnings_yield_standardised": standardise_newest(firms.earnings_yield_forecasts),
        "sales": report["sales"],
    }
    for name, values in characteristics.items():
        missing = generator.random(count) < _MISSING_SHARE
        if name in FORECASTS:
            missing |= ~firms.has_forecasts
        decimals = 0 if name in _AMOUNTS else 6
        characteristics[name] = np.where(missing, np.nan, np.round(values, decimals))
    return characteristics


def growth_rate(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return now / before - 1 within [-10, 10]; NaN where the base is not positive."""
    base = np.where(before > 0, before, np.nan)
    return (now / base - 1).clip(-10, 10)


def standardise_newest(values: np.ndarray) -> np.ndarray:
    """Return the newest value's z-score over time: (x - mean) / std, of the last 36 months.

    Parameters
    ----------
    values : ndarray, shape [firms, 36]
        Newest first, NaN before the listing.

    Returns
    -------
    ndarray, shape [firms]
        NaN with fewer than 24 values, or where they are constant.
    """
    finite = np.isfinite(values)
    count = finite.sum(axis=1)
    # Not nanmean and nanstd, which warn of each firm without any value.
    mean = np.where(finite, values, 0).sum(axis=1) / np.maximum(count, 1)
    squares = np.where(finite, values - mean[:, None], 0) ** 2
    std = np.sqrt(squares.sum(axis=1) / np.maximum(count - 1, 1))
    defined = (count >= _MIN_MONTHS) & (std > 1e-9)
    return np.where(defined, values[:, 0] - mean, np.nan) / np.where(defined, std, 1)


def bankruptcy_probability(firms: Firms, equity_ratio: np.ndarray) -> np.ndarray:
    """Return a vendor's score in (0, 1): logistic in leverage, size rank and volatility."""
    volatility = firms.volatility * np.sqrt(firms.variance_ratio)
    log_odds = -7 + 4 * (1 - equity_ratio) - centred_ranks(firms.market_value) + 20 * volatility
    return 1 / (1 + np.exp(-log_odds.clip(-9, 2)))
