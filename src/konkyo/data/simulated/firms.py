"""The listed firms: what each one is like, what state it is in, and what was last reported."""

from dataclasses import dataclass, fields

import numpy as np

from konkyo.data.simulated.portable_random import Draws, exponential
from konkyo.data.simulated.scenario import FIRMS

REPORT = ("sales", "operating", "ordinary", "net", "equity", "debt", "cash", "assets", "dividend")
"""Items of a quarterly report: flows over the last twelve months, stocks at the quarter's end."""

_MEDIAN_VALUE = 3.0e7
_INITIAL_SPREAD, _LISTING_SPREAD = 1.4, 1.0


@dataclass(eq=False)
class Firms:
    """All firms listed at one time; every field has one entry or row a firm.

    Amounts are in thousand yen, flows are per year, returns and volatilities per month.
    """

    number: np.ndarray
    sector: np.ndarray
    fiscal: np.ndarray
    age: np.ndarray
    # What a firm is like: drawn once.
    usual_beta: np.ndarray
    volatility: np.ndarray
    usual_turnover: np.ndarray
    usual_sales_to_value: np.ndarray
    usual_book_to_value: np.ndarray
    usual_earnings_yield: np.ndarray
    usual_debt_to_equity: np.ndarray
    usual_cash_to_assets: np.ndarray
    payout: np.ndarray
    unsteadiness: np.ndarray
    # What state it is in at the end of the month.
    value: np.ndarray
    beta: np.ndarray
    heat: np.ndarray
    activity: np.ndarray
    covered: np.ndarray
    sales: np.ndarray
    growth: np.ndarray
    margin: np.ndarray
    special: np.ndarray
    equity: np.ndarray
    debt: np.ndarray
    dividend: np.ndarray
    sales_error: np.ndarray
    margin_error: np.ndarray
    # What is remembered, newest first: [firms, items], [firms, quarters, items], [firms, months].
    pending: np.ndarray
    reported: np.ndarray
    returns: np.ndarray
    yields: np.ndarray
    outlook: np.ndarray

    def __len__(self) -> int:
        """Return the number of firms."""
        return len(self.number)

    def only(self, kept: np.ndarray) -> "Firms":
        """Return the firms where `kept` is true."""
        return Firms(**{f.name: getattr(self, f.name)[kept] for f in fields(self)})

    def and_(self, others: "Firms") -> "Firms":
        """Return these firms followed by others."""
        return Firms(
            **{
                f.name: np.concatenate([getattr(self, f.name), getattr(others, f.name)])
                for f in fields(self)
            }
        )


def listed(draws: Draws, first: int, count: int, at_start: bool) -> Firms:
    """Return newly listed firms.

    Parameters
    ----------
    draws : Draws
        Of the month's listings.
    first : int
        Number of the first of them; the others follow.
    count : int
        How many.
    at_start : bool
        The firms with which the market begins: larger, of every age, and the first 33 of them
        one of each industry.
    """
    number = first + np.arange(count)
    share = np.cumsum(np.array(FIRMS)) / sum(FIRMS)
    sector = np.searchsorted(share, draws.uniform(count), side="right")
    if at_start:
        sector = np.where(number < len(FIRMS), number, sector)
    # Industries differ by numbers of their own, the same in every market.
    kinds = Draws(33)
    beta_of, sales_of, debt_of, book_of = (kinds.positive(len(FIRMS), s)[sector] for s in
                                           (0.15, 0.35, 0.35, 0.15))  # fmt: skip
    spread = _INITIAL_SPREAD if at_start else _LISTING_SPREAD
    deviation = draws.normal(count)
    value = np.round(_MEDIAN_VALUE * exponential(spread * deviation)).clip(5e6)
    unsteadiness = draws.positive(count, 0.4)
    volatility = (0.085 * draws.positive(count, 0.22) * exponential(-0.08 * deviation)).clip(
        0.035, 0.16
    )
    usual_beta = (0.95 * beta_of + 0.2 * draws.normal(count)).clip(0.2, 2.0)
    usual_sales = (1.3 * sales_of * draws.positive(count, 0.5)).clip(0.1, 8)
    usual_book = (0.9 * book_of * draws.positive(count, 0.35)).clip(0.15, 3)
    usual_yield = (0.05 + 0.015 * draws.normal(count)).clip(0.0, 0.12)
    usual_debt = (0.6 * debt_of * draws.positive(count, 0.7) - 0.1).clip(0, 6)
    sales = value * usual_sales * draws.positive(count, 0.2)
    equity = value * usual_book * draws.positive(count, 0.25)
    pays = draws.uniform(count) < 0.93
    payout = np.where(pays, 0.15 + 0.35 * draws.uniform(count), 0.0)
    fiscal = np.where(
        draws.uniform(count) < 0.7, 2, np.floor(12 * draws.uniform(count))
    ).astype(np.int64)  # fmt: skip
    firms = Firms(
        number=number,
        sector=sector,
        fiscal=fiscal,
        age=np.zeros(count, dtype=np.int64),
        usual_beta=usual_beta,
        volatility=volatility,
        usual_turnover=0.05 * draws.positive(count, 0.6),
        usual_sales_to_value=usual_sales,
        usual_book_to_value=usual_book,
        usual_earnings_yield=usual_yield,
        usual_debt_to_equity=usual_debt,
        usual_cash_to_assets=0.05 + 0.25 * draws.uniform(count),
        payout=payout,
        unsteadiness=unsteadiness,
        value=value,
        beta=usual_beta.copy(),
        heat=np.ones(count),
        activity=np.zeros(count),
        covered=draws.uniform(count) < 0.8,
        sales=sales,
        growth=np.full(count, 0.002),
        margin=usual_yield * value / (0.6 * sales),
        special=np.zeros(count),
        equity=equity,
        debt=usual_debt * equity,
        dividend=payout * usual_yield * value,
        sales_error=draws.normal(count),
        margin_error=draws.normal(count),
        pending=np.full((count, len(REPORT)), np.nan),
        reported=np.full((count, 5, len(REPORT)), np.nan),
        returns=np.full((count, 12), np.nan),
        yields=np.full((count, 36), np.nan),
        outlook=np.full((count, 4), np.nan),
    )
    firms.pending[:] = report(firms)
    firms.reported[:, 0] = firms.pending
    return firms


def report(firms: Firms) -> np.ndarray:
    """Return what the firms would report of their present state, [firms, items] as `REPORT`."""
    assets = assets_of(firms)
    cash = firms.usual_cash_to_assets * assets
    operating = firms.margin * firms.sales
    ordinary = operating + interest(firms.debt, cash)
    return np.column_stack(
        [
            firms.sales,
            operating,
            ordinary,
            after_tax(ordinary + firms.special * assets),
            firms.equity,
            firms.debt,
            cash,
            assets,
            firms.dividend,
        ]
    )


def assets_of(firms: Firms) -> np.ndarray:
    """Return total assets: equity, debt, and payables of a fifth of the year's sales."""
    return firms.equity + firms.debt + 0.2 * firms.sales


def interest(debt: np.ndarray, cash: np.ndarray) -> np.ndarray:
    """Return a year's interest: half a per cent earned on cash, 1.5 per cent paid on debt."""
    return 0.005 * cash - 0.015 * debt


def after_tax(profit: np.ndarray) -> np.ndarray:
    """Return profit after a tax of 40 per cent; a loss is not taxed."""
    return np.where(profit > 0, 0.6 * profit, profit)
