"""Items of statements, and the ratios of figure 13 made of them, as ratios.csv declares them.

A ratio is numerator / denominator, each a sum of items, NaN where an item is missing or the
denominator is not positive. Ratios are not winsorised here: later stages rank or clip.
"""

from collections.abc import Mapping
from importlib.resources import files

import numpy as np
import pandas as pd

from konkyo.io import read_csv

FLOWS = (
    "sales", "operating_profit", "ordinary_profit", "net_profit", "ebitda", "depreciation",
    "operating_cash_flow", "capital_expenditure", "dividends", "dividends_per_share",
)  # fmt: skip
"""What a period brought: made into figures of twelve months."""

BALANCES = (
    "equity", "assets", "cash", "debt", "short_term_debt", "long_term_debt", "current_assets",
    "current_liabilities", "shares", "size",
)  # fmt: skip
"""What was there when a period ended; `size` is the market value when the report became known."""

FORECASTS = tuple(
    f"{name}_forecast"
    for name in (
        "sales", "operating_profit", "ordinary_profit", "net_profit", "dividends",
        "dividends_per_share",
    )
)  # fmt: skip
"""What somebody expects a year to bring."""

PAID = ("dividends", "capital_expenditure")
"""Payments, which some write as in a cash flow statement, below 0: the amount alone counts."""

UNSCALED = ("dividends_per_share", "dividends_per_share_forecast")
"""Ingredients that are no amounts of a firm: in units of the currency, whatever `unit` says."""

COMPARED = ("sales", "ordinary_profit", "net_profit")
"""Flows whose growth is asked for: `_before` is the year before, `_base` that of a forecast."""


_MIN_MONTHS = 24
"""Of the 36 months, to standardise over time."""


def table() -> pd.DataFrame:
    """Return every ratio: name, kind, numerator, denominator, unit, figure_13 and meaning.

    Returns
    -------
    DataFrame
        Kinds are `ingredient` (an item derived from others where it is missing), `level`, `ratio`,
        `change_3` (against three months before), `standardised_36` and `ohlson`. Those of
        figure 13 have its names as in the simulated market's catalogue.
    """
    return read_csv(files(__package__) / "ratios.csv", na_values=[])


def dependent_items(name: str) -> tuple[str, ...]:
    """Return the ingredients that belong to one and are of no use beside another table's."""
    bare = name.removesuffix("_forecast")
    if bare == name:
        return (f"{name}_before",)
    return (f"{bare}_base", f"{name}_before")


def items_of(formula: str) -> tuple[str, ...]:
    """Return the items of a formula such as `size + debt - cash`."""
    return tuple(word for word in formula.split() if word not in ("+", "-", "*"))


def evaluate(formula: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the value of a formula, sums and products of items, shape [rows]; NaN propagates."""
    return np.asarray(pd.eval(formula, engine="python", local_dict=dict(values), global_dict={}))


def ratios(
    stock: np.ndarray,
    month: np.ndarray,
    values: Mapping[str, np.ndarray],
    existing: Mapping[str, np.ndarray],
    has_market_value: bool,
) -> dict[str, np.ndarray]:
    """Return every ratio whose items exist.

    Parameters
    ----------
    stock, month : ndarray of int64, shape [rows]
        Code of the stock, months counted from 1970-01; each row once.
    values : mapping of str to ndarray, shape [rows]
        Items known at the end of the row's month, amounts in thousands of the currency.
    existing : mapping of str to ndarray, shape [rows]
        Columns of the records, by name: a vendor's own ratio takes precedence, also as the base
        of changes and standardisation over time.
    has_market_value : bool
        `size` is a market value; False leaves out every ratio that contains it.

    Returns
    -------
    dict of str to ndarray, shape [rows]
        Names and units of `table`; ratios that are NaN throughout are left out.
    """
    items = dict(values)
    computed: dict[str, np.ndarray] = {}
    for row in table().itertuples(index=False):
        required = {*items_of(row.numerator), *items_of(row.denominator)}
        if row.kind == "ingredient":
            if all(part in items for part in required):
                derived = evaluate(row.numerator, items)
                reported = items.get(row.name)
                items[row.name] = (
                    derived if reported is None else np.where(np.isnan(reported), derived, reported)
                )
            continue
        if row.name in existing or ("size" in required and not has_market_value):
            continue
        sources = {**existing, **computed} if row.kind.startswith(("change", "standard")) else items
        if not all(part in sources for part in required):
            continue
        if row.kind == "level":
            result = items[row.numerator]
        elif row.kind == "ratio":
            denominator = evaluate(row.denominator, items)
            numerator = evaluate(row.numerator, items)
            result = np.divide(
                numerator, denominator, out=np.full(len(denominator), np.nan), where=denominator > 0
            )
        elif row.kind == "ohlson":
            result = ohlson(items)
        else:
            result = _over_time(row.kind, stock, month, sources[row.numerator])
        if np.isfinite(result).any():
            computed[row.name] = result
    return computed


def ohlson(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the probability of bankruptcy by Ohlson's first model (1980, table 4), in (0, 1).

    Parameters
    ----------
    values : mapping of str to ndarray, shape [rows]
        assets, equity, current_assets, current_liabilities, net_profit, net_profit_before and
        operating_cash_flow, in thousands of the currency. Cash flow from operations stands for
        Ohlson's funds from operations.

    Returns
    -------
    ndarray, shape [rows]
        NaN where one is missing, or assets, current assets or liabilities are not above 0. The
        price level that Ohlson divides assets by is held at 100, its value of 1968: inflation and
        currency move all stocks of a month alike, so that the order within it is not touched.
    """

    def above_zero(amount: np.ndarray) -> np.ndarray:
        return np.where(amount > 0, amount, np.nan)

    assets = above_zero(values["assets"])
    current = above_zero(values["current_assets"])
    liabilities = above_zero(assets - values["equity"])
    net, net_before = values["net_profit"], values["net_profit_before"]
    total = above_zero(np.abs(net) + np.abs(net_before))
    log_odds = (
        -1.32
        - 0.407 * np.log(assets * 1000 / 100)
        + 6.03 * liabilities / assets
        - 1.43 * (current - values["current_liabilities"]) / assets
        + 0.0757 * values["current_liabilities"] / current
        - 1.72 * (liabilities > assets)
        - 2.37 * net / assets
        - 1.83 * values["operating_cash_flow"] / liabilities
        + 0.285 * ((net < 0) & (net_before < 0))
        - 0.521 * (net - net_before) / total
    )
    return 1 / (1 + np.exp(-log_odds.clip(-700, 700)))


def _over_time(kind: str, stock: np.ndarray, month: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the change or the z-score of values against the stock's own past, shape [rows]."""
    first = month.min()
    grid = np.full((month.max() - first + 1, stock.max() + 1), np.nan)
    cells = (month - first, stock)
    grid[cells] = values
    length = int(kind.rpartition("_")[2])
    if kind.startswith("change"):
        earlier = np.full_like(grid, np.nan)
        earlier[length:] = grid[:-length]
        return (grid - earlier)[cells]
    return standardise_over_time(grid, length)[cells]


def standardise_over_time(grid: np.ndarray, length: int) -> np.ndarray:
    """Return the z-score over time: (x - mean) / std of the last months.

    Parameters
    ----------
    grid : ndarray, shape [months, stocks]
    length : int
        Months, t included, of which `_MIN_MONTHS` must have a value.

    Returns
    -------
    ndarray, shape [months, stocks]
        NaN where there is no value at t, too few in the window, or they are constant.
    """
    result = np.full_like(grid, np.nan)
    for t in range(len(grid)):
        past = grid[max(t - length + 1, 0) : t + 1]
        finite = np.isfinite(past)
        count = finite.sum(0)
        defined = (count >= _MIN_MONTHS) & finite[-1]
        if not defined.any():
            continue
        past, finite, count = past[:, defined], finite[:, defined], count[defined]
        mean = np.where(finite, past, 0).sum(0) / count
        deviations = np.where(finite, past - mean, 0)
        std = np.sqrt((deviations**2).sum(0) / (count - 1))
        varies = std > 1e-9
        result[t, defined] = np.where(varies, (past[-1] - mean) / np.where(varies, std, 1), np.nan)
    return result
