"""The listed firms: long-run levels, the state of the month, and what has been published."""

from types import SimpleNamespace

import numpy as np

from konkyo.data.simulated.scenario import SECTOR_SIZES
from konkyo.random import numpy_generator

REPORT_ITEMS = (
    "sales", "operating_profit", "ordinary_profit", "net_profit",
    "equity", "debt", "cash", "assets", "dividends",
)  # fmt: skip
"""Items of a quarterly report: flows over the last twelve months, balances at the quarter's end."""

_MEDIAN_MARKET_VALUE = 3.0e7
_INDUSTRY_STD = (0.15, 0.35, 0.35, 0.15)
"""Of the logarithm of the industries' betas, sales, debts and book values."""


class Firms(SimpleNamespace):
    """All firms listed at the end of a month: arrays with one entry or row a firm.

    Amounts are in thousand yen, flows are per year, returns and volatilities per month.

    Attributes
    ----------
    number, sector, fiscal_month : ndarray of int
        Who the firm is.
    long_run_*, volatility, payout_ratio, earnings_volatility : ndarray
        Drawn once: ratios of the state revert to the long-run beta, turnover, sales_to_price,
        book_to_price, earnings_yield, debt_to_equity and cash_to_assets.
    market_value, beta, variance_ratio, log_turnover, has_forecasts : ndarray
        The state at the end of the month, as what follows.
    sales, sales_growth, operating_margin, special_items, equity, debt, dividends : ndarray
        Of the accounts.
    sales_forecast_error, margin_forecast_error : ndarray
        Of the analysts.
    unpublished_report, published_reports : ndarray, shape [firms, items], [firms, quarters, items]
        `REPORT_ITEMS`, newest first.
    returns, earnings_yield_forecasts, ordinary_profit_forecasts : ndarray, shape [firms, months]
        Newest first.
    """

    def __len__(self) -> int:
        """Return the number of firms."""
        return len(self.number)

    def select(self, mask: np.ndarray) -> "Firms":
        """Return the firms where `mask` is true."""
        return Firms(**{name: values[mask] for name, values in vars(self).items()})

    def append(self, others: "Firms") -> "Firms":
        """Return these firms followed by others."""
        both = {name: [values, getattr(others, name)] for name, values in vars(self).items()}
        return Firms(**{name: np.concatenate(parts) for name, parts in both.items()})


def new_firms(
    generator: np.random.Generator, first_number: int, *, count: int, initial: bool
) -> Firms:
    """Draw newly listed firms.

    Parameters
    ----------
    generator : Generator
        Of the month's listings.
    first_number : int
        Number of the first of them; the others follow.
    count : int
        How many.
    initial : bool
        The firms with which the market begins: their market values are more dispersed than those
        of later listings, and the first 33 of them are one of each industry.
    """
    number = first_number + np.arange(count)
    shares = np.array(SECTOR_SIZES) / sum(SECTOR_SIZES)
    sector = generator.choice(len(shares), count, p=shares)
    if initial:
        sector = np.where(number < len(shares), number, sector)
    # The industries' levels are the same in every market, whatever its seed, and have a mean of 1,
    # so that the luck of 33 draws does not move the level of the whole market.
    industries = numpy_generator("industries")
    beta_of, sales_of, debt_of, book_of = (
        (levels / np.average(levels, weights=SECTOR_SIZES))[sector]
        for levels in (industries.lognormal(0, s, len(SECTOR_SIZES)) for s in _INDUSTRY_STD)
    )
    log_size = generator.standard_normal(count)
    dispersion = 1.4 if initial else 1.0
    market_value = np.round(_MEDIAN_MARKET_VALUE * np.exp(dispersion * log_size)).clip(5e6)
    # Small firms are the more volatile ones.
    volatility = 0.085 * generator.lognormal(0, 0.22, count) * np.exp(-0.08 * log_size)
    beta = (0.95 * beta_of + generator.normal(0, 0.2, count)).clip(0.2, 2.0)
    sales_to_price = (1.3 * sales_of * generator.lognormal(0, 0.5, count)).clip(0.1, 8)
    book_to_price = (0.9 * book_of * generator.lognormal(0, 0.35, count)).clip(0.15, 3)
    earnings_yield = generator.normal(0.05, 0.015, count).clip(0.0, 0.12)
    debt_to_equity = (0.6 * debt_of * generator.lognormal(0, 0.7, count) - 0.1).clip(0, 6)
    sales = market_value * sales_to_price * generator.lognormal(0, 0.2, count)
    equity = market_value * book_to_price * generator.lognormal(0, 0.25, count)
    pays_dividends = generator.random(count) < 0.93
    payout_ratio = np.where(pays_dividends, generator.uniform(0.15, 0.5, count), 0.0)
    # Seven in ten fiscal years end in March (2, counted from January), the others in any month.
    ends_in_march = generator.random(count) < 0.7
    firms = Firms(
        number=number,
        sector=sector,
        fiscal_month=np.where(ends_in_march, 2, generator.integers(12, size=count)),
        long_run_beta=beta,
        volatility=volatility.clip(0.035, 0.16),
        long_run_turnover=0.05 * generator.lognormal(0, 0.6, count),
        long_run_sales_to_price=sales_to_price,
        long_run_book_to_price=book_to_price,
        long_run_earnings_yield=earnings_yield,
        long_run_debt_to_equity=debt_to_equity,
        long_run_cash_to_assets=generator.uniform(0.05, 0.3, count),
        payout_ratio=payout_ratio,
        earnings_volatility=generator.lognormal(0, 0.4, count),
        market_value=market_value,
        beta=beta.copy(),
        variance_ratio=np.ones(count),
        log_turnover=np.zeros(count),
        has_forecasts=generator.random(count) < 0.8,
        sales=sales,
        sales_growth=np.full(count, 0.002),
        operating_margin=earnings_yield * market_value / (0.6 * sales),
        special_items=np.zeros(count),
        equity=equity,
        debt=debt_to_equity * equity,
        dividends=payout_ratio * earnings_yield * market_value,
        sales_forecast_error=generator.standard_normal(count),
        margin_forecast_error=generator.standard_normal(count),
        unpublished_report=np.full((count, len(REPORT_ITEMS)), np.nan),
        published_reports=np.full((count, 5, len(REPORT_ITEMS)), np.nan),
        returns=np.full((count, 12), np.nan),
        earnings_yield_forecasts=np.full((count, 36), np.nan),
        ordinary_profit_forecasts=np.full((count, 4), np.nan),
    )
    firms.unpublished_report[:] = report_of(firms)
    firms.published_reports[:, 0] = firms.unpublished_report
    return firms


def report_of(firms: Firms) -> np.ndarray:
    """Return a report of the firms' present state, shape [firms, items] as `REPORT_ITEMS`.

    - operating profit = operating margin x sales
    - ordinary profit = operating profit + net interest
    - net profit = (ordinary profit + special items) after tax
    """
    assets = total_assets(firms)
    cash = firms.long_run_cash_to_assets * assets
    operating_profit = firms.operating_margin * firms.sales
    ordinary_profit = operating_profit + net_interest(firms.debt, cash)
    return np.column_stack(
        [
            firms.sales,
            operating_profit,
            ordinary_profit,
            after_tax(ordinary_profit + firms.special_items * assets),
            firms.equity,
            firms.debt,
            cash,
            assets,
            firms.dividends,
        ]
    )


def total_assets(firms: Firms) -> np.ndarray:
    """Return assets = equity + debt + payables, which are a fifth of the year's sales."""
    return firms.equity + firms.debt + 0.2 * firms.sales


def net_interest(debt: np.ndarray, cash: np.ndarray) -> np.ndarray:
    """Return a year's interest: 0.5 per cent earned on cash less 1.5 per cent paid on debt."""
    return 0.005 * cash - 0.015 * debt


def after_tax(profit: np.ndarray) -> np.ndarray:
    """Return profit after a tax of 40 per cent; a loss is not taxed."""
    return np.where(profit > 0, 0.6 * profit, profit)
