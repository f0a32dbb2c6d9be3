"""Portfolios as they are held: weights of every stock, neutral to sectors, size or beta."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from konkyo.backtesting.portfolios import NoPortfoliosError, assign_quantiles
from konkyo.dates import label, ordinal
from konkyo.errors import ParamsError

Weights = Literal["equal", "value", "score", "rank"]
Neutral = Literal["sector", "size", "beta"]
COLUMNS = ["model", "month", "leg", "stock", "weight", "ret"]
_KEY = ["model", "month"]
_LEG = [*_KEY, "leg"]


@dataclass(frozen=True)
class Scheme:
    """How scores become weights.

    Attributes
    ----------
    weights : str
        equal or value: of the stocks in the highest and the lowest quantile; score or rank: of
        all stocks, in proportion to score or rank less its mean.
    neutral : tuple of str
        sector, size, beta: what both sides have in equal parts.
    cap : float
        The largest weight of a stock, a share of its side.
    buffer : int
        A stock of the highest (lowest) quantile stays until it leaves so many of the highest
        (lowest) quantiles; 1: no buffer. Of quantile portfolios only.
    """

    weights: Weights = "equal"
    neutral: tuple[Neutral, ...] = ()
    cap: float = 1.0
    buffer: int = 1


STANDARD = {
    "equal_weighted": Scheme(),
    "value_weighted": Scheme("value"),
    "sector_neutral": Scheme(neutral=("sector",)),
    "score_weighted": Scheme("score"),
}
"""The portfolios that every run reports."""


def holdings(rows: pd.DataFrame, scheme: Scheme, n_quantiles: int) -> pd.DataFrame:
    """Return the weights that a scheme gives at t.

    Neutral to sectors, quantiles are formed within each sector, and a sector has its share of the
    month's stocks (with value weights: of their market value) on either side. Neutral to size or
    beta, quantiles are those of the residuals of a regression of the scores on them; weights by
    score or rank are the residuals, and have exposure 0.

    Parameters
    ----------
    rows : DataFrame
        month, stock, model, score, sector, market_value, size, beta (all known at t) and ret
        (earned later, NaN where not realised); sorted by (model, month, stock), unique. size and
        beta are standardised; what the scheme does not need may be absent. Portfolios
        of quantiles that are not neutral are those of the column quantile, of
        `portfolios.assign_quantiles`.
    scheme : Scheme
        The weights.
    n_quantiles : int
        The number of quantile portfolios.

    Returns
    -------
    DataFrame
        model, month, leg (long | short), stock, weight (above 0; 1 in sum over a leg), ret; sorted.
        A stock without sector (neutral to sectors), or without size (value weights) is left out,
        and so is a sector with fewer stocks than quantiles, and a month without two sides.

    Raises
    ------
    ParamsError
        The stocks of a leg cannot meet the cap, or a characteristic is absent.
    NoPortfoliosError
        No month has both sides.
    """
    absent = [name for name in scheme.neutral if name not in rows]
    if absent:
        raise ParamsError(
            f"backtest.neutral: {', '.join(absent)} is no characteristic of the panel: add it to "
            "prepare.characteristics (beta: beta_36), or take it out of backtest.neutral"
        )
    held = _usable(rows, scheme, n_quantiles)
    if held.empty:
        raise NoPortfoliosError(
            f"no stock is left for the portfolio of weights {scheme.weights}, neutral "
            f"{list(scheme.neutral)}: it takes sizes, or sectors of at least "
            f"backtest.n_quantiles = {n_quantiles} stocks; lower it, or set backtest.neutral to []"
        )
    by_quantile = scheme.weights in ("equal", "value")
    signed = _of_quantiles(held, scheme, n_quantiles) if by_quantile else _linear(held, scheme)
    held = held.assign(weight=np.abs(signed), leg=np.where(signed > 0, "long", "short"))
    if by_quantile and "sector" in scheme.neutral:
        held["weight"] *= _sector_shares(held, scheme)
    held = held[held["weight"] > 0]
    # Codes of sorted groups: to sort two columns of text takes ten times as long.
    number = held.groupby(_KEY).ngroup().to_numpy()
    long = (held["leg"] == "long").to_numpy()
    both = np.isin(number, np.intersect1d(number[long], number[~long]))
    held = held.loc[both, COLUMNS]
    held = held.iloc[np.lexsort((~long[both], number[both]))].reset_index(drop=True)
    held["weight"] /= held.groupby(_LEG)["weight"].transform("sum")
    if held.empty:
        raise NoPortfoliosError(
            f"no month has both sides of the portfolio of weights {scheme.weights}, neutral "
            f"{list(scheme.neutral)}: its scores are equal; look for faulty inputs "
            "(`konkyo monitor`)"
        )
    if scheme.cap < 1:
        held["weight"] = _capped(held, scheme.cap)
    return held


def omitted(rows: pd.DataFrame, scheme: Scheme, n_quantiles: int) -> int:
    """Return how many rows `holdings` leaves out: without sector or size, or of small sectors."""
    return len(rows) - len(_usable(rows, scheme, n_quantiles))


def residual(values: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return what a least-squares regression on the basis leaves of values.

    Parameters
    ----------
    values : ndarray
        [stocks] or [stocks, columns].
    basis : ndarray
        [stocks, regressors].
    """
    # Twice, since the first residual has what rounding left of large values.
    for _ in range(2):
        values = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return values


def basis(month: pd.DataFrame, neutral: tuple[Neutral, ...]) -> np.ndarray:
    """Return a month's regressors, [stocks, regressors]: a constant or sectors; size, beta."""
    if "sector" in neutral:
        columns = pd.get_dummies(month["sector"]).to_numpy(dtype="float64")
    else:
        columns = np.ones((len(month), 1))
    exposures = [month[name].to_numpy("float64") for name in neutral if name != "sector"]
    return np.column_stack([columns, *exposures])


def _usable(rows: pd.DataFrame, scheme: Scheme, n_quantiles: int) -> pd.DataFrame:
    usable = rows["score"].notna()
    if scheme.weights == "value":
        usable &= rows["market_value"] > 0
    if "sector" in scheme.neutral:
        usable &= rows["sector"].notna()
        least = n_quantiles if scheme.weights in ("equal", "value") else 2
        sectors = rows[usable].groupby([*_KEY, "sector"])["score"]
        usable &= sectors.transform("size").reindex(rows.index, fill_value=0) >= least
    return rows[usable].reset_index(drop=True)


def _linear(held: pd.DataFrame, scheme: Scheme) -> np.ndarray:
    """Return signed weights, not yet scaled, in proportion to residuals of score or rank."""
    values = held["score"].to_numpy("float64")
    if scheme.weights == "rank":
        values = held.groupby(_KEY)["score"].rank().to_numpy()
    return _by_month(held, values, scheme.neutral)


def _by_month(held: pd.DataFrame, values: np.ndarray, neutral: tuple[Neutral, ...]) -> np.ndarray:
    result = np.zeros(len(held))
    for at in held.groupby(_KEY).indices.values():
        left = residual(values[at], basis(held.iloc[at], neutral))
        # Of equal values nothing is left but rounding.
        is_rounding = np.abs(left) <= 1e-12 * np.abs(values[at]).max(initial=0.0)
        result[at] = np.where(is_rounding, 0.0, left)
    return result


def _of_quantiles(held: pd.DataFrame, scheme: Scheme, n_quantiles: int) -> np.ndarray:
    """Return signed weights, not yet scaled, of the stocks in the extreme quantiles."""
    if scheme.neutral:
        quantile = _requantiled(held, scheme, n_quantiles)
    else:
        quantile = held["quantile"].to_numpy("int64", na_value=0)
    side = np.where(quantile == n_quantiles, 1, np.where(quantile == 1, -1, 0))
    if scheme.buffer > 1:
        side = _buffered(held, quantile, n_quantiles, scheme.buffer)
    return side * (held["market_value"].to_numpy("float64") if scheme.weights == "value" else 1.0)


def _requantiled(held: pd.DataFrame, scheme: Scheme, n_quantiles: int) -> np.ndarray:
    """Return the quantile of each row by residuals, or by ranks within sectors; 0 for none."""
    linear = tuple(name for name in scheme.neutral if name != "sector")
    score = held["score"].to_numpy("float64")
    if linear:
        score = _by_month(held, score, linear)
    keys = ["model", "sector"] if "sector" in scheme.neutral else ["model"]
    group = held.groupby(keys).ngroup().to_numpy()
    ranked = assign_quantiles(
        held[["month", "stock", "ret"]].assign(model=group, score=score), n_quantiles
    )
    quantile = np.empty(len(held), dtype="int64")
    # The rows of `held` in the order of `ranked`: both have a month's stocks in the same order.
    quantile[np.lexsort((ordinal(held["month"]), group))] = ranked["quantile"].to_numpy(
        "int64", na_value=0
    )
    return quantile


def _buffered(
    ranked: pd.DataFrame, quantile: np.ndarray, n_quantiles: int, buffer: int
) -> np.ndarray:
    """Return the side (1, 0, -1) of each row where stocks stay until they leave the buffer."""
    month, stock = ordinal(ranked["month"]), pd.factorize(ranked["stock"])[0]
    near = {1: quantile > n_quantiles - buffer, -1: (quantile > 0) & (quantile <= buffer)}
    side = np.where(quantile == n_quantiles, 1, np.where(quantile == 1, -1, 0))
    previous: tuple[str, int] = ("", 0)
    before = np.zeros(stock.max() + 1, dtype="int64")
    for (model, _), at in ranked.groupby(_KEY).indices.items():
        if previous != (model, month[at[0]] - 1):
            before[:] = 0
        for sign in (1, -1):
            stays = near[sign][at] & (before[stock[at]] == sign) & (side[at] == 0)
            side[at[stays]] = sign
        before[:] = 0
        before[stock[at]] = side[at]
        previous = (model, month[at[0]])
    return side


def _sector_shares(held: pd.DataFrame, scheme: Scheme) -> pd.Series:
    """Return the factors that give a sector its share of the month's stocks, or of their value."""
    measure = held["market_value"] if scheme.weights == "value" else pd.Series(1.0, held.index)
    share = measure.groupby([held[key] for key in (*_KEY, "sector")]).transform("sum")
    return share / held.groupby([*_LEG, "sector"])["weight"].transform("sum").replace(0.0, np.nan)


def _capped(held: pd.DataFrame, cap: float) -> np.ndarray:
    """Return weights of at most `cap`; what is above it goes to the others in proportion."""
    result = held["weight"].to_numpy("float64").copy()
    for (model, month, leg), at in held.groupby(_LEG).indices.items():
        if len(at) * cap < 1:
            raise ParamsError(
                f"backtest.cap = {cap:g}: the {len(at)} stocks of the {leg} side of {model} in "
                f"{label(month)} cannot have a weight of 1 together; set it to {1 / len(at):.4g} "
                "or more"
            )
        weight = result[at]
        while (weight > cap * (1 + 1e-12)).any():
            free = weight < cap
            weight = np.where(free, weight, cap)
            weight[free] *= (1 - cap * (~free).sum()) / weight[free].sum()
        result[at] = weight
    return result
