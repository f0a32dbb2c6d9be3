"""The ratios of figure 13 from their ingredients, as the table ratios.csv beside this module says.

A ratio is its numerator over its denominator, each a sum of ingredients all of which must be known;
a denominator that is not above 0 leaves it missing. Nothing is limited: later stages rank or clip.
"""

import math
import re
from collections.abc import Mapping
from importlib.resources import files

import numpy as np
import pandas as pd

_TERM = re.compile(r"([+-]?) *([^+-]+)")
_SAID = {
    "ingredient": "`{}`, where it is missing",
    "change_3": "`{}` less that of three months before",
    "standardised_36": "(`{}` - mean) / deviation, of 36 months",
    "ohlson": "a score of `{}`, as a probability",
}
_ENOUGH = 24
"""So many of the 36 months must be there to standardise over time."""


def table() -> pd.DataFrame:
    """Return every ratio: name, kind, numerator, denominator, unit, figure_13 and meaning.

    Returns
    -------
    DataFrame
        Kinds are `ingredient` (made from others where it is missing), `level`, `ratio`,
        `change_3` (against three months before), `standardised_36` and `ohlson`. Those of
        figure 13 have its names as in the simulated market's catalogue.
    """
    with files(__package__).joinpath("ratios.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False)


def markdown() -> str:
    """Return the ratios as a table of Markdown, as data/ratios.md shows them.

    Returns
    -------
    str
        One line a ratio: name, formula, unit, whether figure 13 has it, meaning.
    """
    lines = ["| name | formula | unit | figure 13 | meaning |", "|---|---|---|---|---|"]
    for row in table().itertuples(index=False):
        parts = [part for part in (row.numerator, row.denominator) if part]
        formula = " / ".join(f"({part})" if " " in part else part for part in parts)
        if len(parts) == 1:
            formula = parts[0]
        formula = _SAID.get(row.kind, "`{}`").format(formula)
        cells = (f"`{row.name}`", formula, row.unit, row.figure_13, row.meaning)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def needs(formula: str) -> tuple[str, ...]:
    """Return the ingredients of a formula such as `size + debt - cash`."""
    return tuple(word for word in formula.split() if word not in ("+", "-", "*"))


def evaluate(formula: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return a sum of ingredients and products of them, NaN where one is missing, shape [rows]."""
    total = np.zeros(1)
    for sign, term in _TERM.findall(formula):
        product = math.prod(values[word] for word in needs(term))
        total = total - product if sign == "-" else total + product
    return total


def ratios(
    stock: np.ndarray,
    month: np.ndarray,
    values: Mapping[str, np.ndarray],
    given: Mapping[str, np.ndarray],
    valued: bool,
) -> dict[str, np.ndarray]:
    """Return every ratio whose ingredients exist.

    Parameters
    ----------
    stock, month : ndarray of int64, shape [rows]
        Code of the stock, months counted from 1970-01; each row once.
    values : mapping of str to ndarray, shape [rows]
        Ingredients as known at the end of the row's month, amounts in thousands of the currency.
    given : mapping of str to ndarray, shape [rows]
        Columns that are there already, by name: a vendor's own ratio stays as it is, and what
        looks back over time looks at it.
    valued : bool
        `size` is a market value; False leaves out all that divides by it or adds to it.

    Returns
    -------
    dict of str to ndarray, shape [rows]
        By the names and in the units of `table`; ratios without any value are left out.
    """
    known = dict(values)
    made: dict[str, np.ndarray] = {}
    for row in table().itertuples(index=False):
        parts = {*needs(row.numerator), *needs(row.denominator)}
        if row.kind == "ingredient":
            if all(part in known for part in parts):
                whole = evaluate(row.numerator, known)
                own = known.get(row.name)
                known[row.name] = whole if own is None else np.where(np.isnan(own), whole, own)
            continue
        if row.name in given or ("size" in parts and not valued):
            continue
        sources = {**given, **made} if row.kind.startswith(("change", "standard")) else known
        if not all(part in sources for part in parts):
            continue
        if row.kind == "level":
            found = known[row.numerator]
        elif row.kind == "ratio":
            below = evaluate(row.denominator, known)
            above = evaluate(row.numerator, known)
            found = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
        elif row.kind == "ohlson":
            found = ohlson(known)
        else:
            found = _over_time(row.kind, stock, month, sources[row.numerator])
        if np.isfinite(found).any():
            made[row.name] = found
    return made


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
    net, before = values["net_profit"], values["net_profit_before"]
    both = above_zero(np.abs(net) + np.abs(before))
    odds = (
        -1.32
        - 0.407 * np.log(assets * 1000 / 100)
        + 6.03 * liabilities / assets
        - 1.43 * (current - values["current_liabilities"]) / assets
        + 0.0757 * values["current_liabilities"] / current
        - 1.72 * (liabilities > assets)
        - 2.37 * net / assets
        - 1.83 * values["operating_cash_flow"] / liabilities
        + 0.285 * ((net < 0) & (before < 0))
        - 0.521 * (net - before) / both
    )
    return 1 / (1 + np.exp(-odds.clip(-700, 700)))


def _over_time(kind: str, stock: np.ndarray, month: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values against the same stock's earlier ones, shape [rows]."""
    first = month.min()
    grid = np.full((month.max() - first + 1, stock.max() + 1), np.nan)
    place = (month - first, stock)
    grid[place] = values
    length = int(kind.rpartition("_")[2])
    if kind.startswith("change"):
        earlier = np.full_like(grid, np.nan)
        earlier[length:] = grid[:-length]
        return (grid - earlier)[place]
    return standardise_over_time(grid, length)[place]


def standardise_over_time(grid: np.ndarray, length: int) -> np.ndarray:
    """Return the distance from the mean of the last months in their deviations.

    Parameters
    ----------
    grid : ndarray, shape [months, stocks]
    length : int
        Months, t included; two years of them must be there.

    Returns
    -------
    ndarray, shape [months, stocks]
        NaN where there is no value at t, too few before it, or none that differs.
    """
    out = np.full_like(grid, np.nan)
    for t in range(len(grid)):
        past = grid[max(t - length + 1, 0) : t + 1]
        known = np.isfinite(past)
        count = known.sum(0)
        enough = (count >= _ENOUGH) & known[-1]
        if not enough.any():
            continue
        past, known, count = past[:, enough], known[:, enough], count[enough]
        mean = np.where(known, past, 0).sum(0) / count
        away = np.where(known, past - mean, 0)
        deviation = np.sqrt((away**2).sum(0) / (count - 1))
        moved = deviation > 1e-9
        out[t, enough] = np.where(moved, (past[-1] - mean) / np.where(moved, deviation, 1), np.nan)
    return out
