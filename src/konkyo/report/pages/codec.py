"""Scores and relevances of every stock-month, small enough to travel inside a page.

What is packed of a stock: score, quantile and sector, the total of each group's relevances, and its
largest relevances with their inputs' values. A group's remainder is its total less what stands
singly, and what biases and epsilon absorb is the score less all totals, so that whatever a page
shows adds up to the score and no error of rounding piles up. The rows that a reader looks at first
(the top and bottom stocks of every month, the watchlist, the whole newest month) carry every input.

A month is a sequence of columns of int32, rows from the best rank to the worst: zigzag as in
Protocol Buffers, then the lowest bytes of all numbers, the second lowest and so on as in Parquet's
BYTE_STREAM_SPLIT, so that gzip codes each kind of byte by itself. JSON columns would be 1.5 times
as large, more than a page can carry; a reader of Arrow or Parquet in JavaScript is larger than the
twenty lines of assets/unpack.js. With eight inputs a stock a stock-month takes about 25 bytes (81
inputs) to 30 (126): 9 to 12 MB of a page at 193 months of 1,700 stocks, to which Vega adds 0.4, the
charts of both languages 0.5 and the font 0.1.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.errors import ArtifactError
from konkyo.report.pages.html import compress, pack_json
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import Stars, factor_means, factor_shape, positions
from konkyo.report.tables.sentences import RULES, SENTENCE_INPUTS

DECIMALS: int = RULES["relevance_decimals"]
"""To so many decimals a relevance or a score rounds with the same result as before packing."""
GROUPS = ("characteristic", "sector", "calendar", "market")
VALUE_STEP = 2 / 303
"""Step of a characteristic's value. A third, the limit of "high" and "low", lies between two."""
MISSING = 2**30
"""A raw value that is missing."""
_STEPS = 100


def relevance_step(scores: np.ndarray, decimals: int = DECIMALS) -> float:
    """Return the step of relevances, about a hundredth of the scores' standard deviation.

    It is at most a unit of the last decimal, and an odd number of steps makes that unit: no step
    straddles a border of rounding, and a packed relevance rounds to `decimals` as the exact one.
    """
    unit = 10.0**-decimals
    spread = float(np.std(scores)) or unit
    halves = max(0, round((unit * _STEPS / spread - 1) / 2))
    return unit / (2 * halves + 1)


def pack(
    panel: ExplainedPanel,
    n_extremes: int,
    watchlist: Sequence[str] = (),
    largest: int = 8,
    factors: Sequence[str] = (),
) -> dict[str, bytes]:
    """Pack all scores and their attributions.

    Parameters
    ----------
    panel : ExplainedPanel
        All scored stock-months; everything in them is known at t.
    n_extremes : int
        So many top and so many bottom stocks of each month carry every input.
    watchlist : sequence of str
        Stocks that do in every month.
    largest : int
        How many inputs every other stock carries: those of greatest |relevance|, in that order.
    factors : sequence of str
        Inputs that the stocks of the two portfolios carry besides: those of figure 10.

    Returns
    -------
    dict
        gzip by name. ``pack/head.json`` is what all months share, with the count of rows, of rows
        with every input (`full`) and the values of the market series of each month.
        ``pack/YYYY-MM`` has the columns stock, sector, score, quantile (0 where the month formed no
        portfolios), totals [groups, rows], input, relevance, value [largest, rows], of the full
        rows their positions, relevance and value [inputs, full rows], raw too where the panel has
        it, and of the rows in the best and the worst quantile relevance and value [factors, rows].
        Where the panel has standard errors two columns follow, [largest, rows] and [inputs, full
        rows]: twice the error, plus one where the relevance is reliable; of the three largest
        reliable inputs every stock carries all.
        Score, totals and relevances are whole `relevance_step`, values of characteristics whole
        `VALUE_STEP`, raw ones whole `raw_units` or `MISSING`; dummies are 0 or 1.

    Raises
    ------
    ArtifactError
        An input that should be one a month differs between stocks.
    """
    step = relevance_step(panel.index["score"].to_numpy())
    largest = min(largest, len(panel.names))
    group = np.array([GROUPS.index(name) for name in panel.catalogue["group"]])
    is_market = group == GROUPS.index("market")
    is_common = is_market | (group == GROUPS.index("calendar"))
    units = np.where(group == GROUPS.index("characteristic"), VALUE_STEP, 1.0)
    columns_of = positions(panel, factors)
    raw_units = [1.0] * len(group) if panel.raw is None else _raw_units(panel.raw)
    stock, stocks = panel.index["stock"].astype(str).factorize(sort=True)
    sector, sectors = panel.index["sector"].astype(object).fillna("").astype(str).factorize()
    months, heads, blocks = panel.months(), [], {}
    for month in months:
        rows = panel.rows(month)
        order = rows.start + np.argsort(panel.index["rank"].to_numpy()[rows])
        values, relevance = panel.features[order], panel.relevance[order].astype(float)
        differs = is_common & (np.ptp(values, axis=0) > 0)
        if differs.any():
            raise ArtifactError(
                f"{panel.names[int(np.argmax(differs))]} differs between stocks in {label(month)}, "
                "but its group is one value a month: run `dvc repro report`, and give it the group "
                "characteristic if it is one"
            )
        rank = np.arange(len(order))
        full = np.flatnonzero(
            (np.minimum(rank, rank[::-1]) < n_extremes)
            | np.isin(stocks[stock[order]], list(watchlist))
            | (month == months[-1])
        )
        steps = np.rint(relevance / step)
        value = np.where(is_market, 0, np.rint(values / units))
        reliable = None if panel.reliable is None else panel.reliable[order]
        top = _largest(relevance, reliable, largest)
        quantile = panel.portfolio()[order]
        legs = np.flatnonzero((quantile > 0) & np.isin(quantile, [1, panel.best]))
        raw = () if panel.raw is None else (_raw_steps(panel.raw[order[full]], raw_units),)
        columns = (
            stock[order],
            sector[order],
            np.rint(panel.index["score"].to_numpy()[order] / step),
            quantile,
            *(np.rint(relevance[:, group == g].sum(1) / step) for g in range(len(GROUPS))),
            top.T,
            np.take_along_axis(steps, top, axis=1).T,
            np.take_along_axis(value, top, axis=1).T,
            full,
            steps[full].T,
            value[full].T,
            *raw,
            steps[np.ix_(legs, columns_of)].T,
            value[np.ix_(legs, columns_of)].T,
            *_error_columns(panel, order, step=step, top=top, full=full),
        )
        blocks[f"pack/{label(month)}"] = compress(*map(_column, columns))
        market = [float(f"{number:.7g}") for number in np.where(is_market, values[0], 0)]
        heads.append(
            {
                "month": label(month),
                "count": len(order),
                "full": len(full),
                "legs": len(legs),
                "market": market,
            }
        )
    head = {
        "names": panel.names, "groups": group.tolist(), "largest": largest, "step": step,
        "units": units.tolist(), "stocks": stocks.tolist(), "sectors": sectors.tolist(),
        "group_names": GROUPS, "best": panel.best, "factors": columns_of.tolist(), "months": heads,
        "raw_units": None if panel.raw is None else raw_units,
        "errors": panel.error is not None,
    }  # fmt: skip
    return {"pack/head.json": pack_json(head), **blocks}


def _largest(relevance: np.ndarray, reliable: np.ndarray | None, largest: int) -> np.ndarray:
    """Return the inputs that a row carries, [rows, largest], of greatest |relevance| first.

    The greatest reliable ones, which its sentence names, are always among them.
    """
    size = np.abs(relevance)
    if reliable is None:
        return np.argsort(-size, axis=1, kind="stable")[:, :largest]
    order = np.argsort(np.where(reliable, -size, 1), axis=1, kind="stable")[:, :SENTENCE_INPUTS]
    named = np.zeros_like(reliable)
    np.put_along_axis(named, order, True, axis=1)
    # Named ones come first whatever their size, then all that are taken go back to their order.
    first = np.where(named & reliable, -2 * size.max(initial=1) - size, -size)
    top = np.argsort(first, axis=1, kind="stable")[:, :largest]
    back = np.lexsort((top, -np.take_along_axis(size, top, axis=1)), axis=1)
    return np.take_along_axis(top, back, axis=1)


def _error_columns(
    panel: ExplainedPanel, order: np.ndarray, *, step: float, top: np.ndarray, full: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return the columns of standard errors and flags, none without them."""
    if panel.error is None or panel.reliable is None:
        return ()
    codes = 2 * np.rint(panel.error[order].astype(float) / step) + panel.reliable[order]
    return np.take_along_axis(codes, top, axis=1).T, codes[full].T


def pack_factors(
    panel: ExplainedPanel, factors: Sequence[str], stars: Stars = "paper"
) -> dict[str, bytes]:
    """Pack the tables of figures 9 and 10 of every month that formed portfolios.

    Returns
    -------
    dict
        gzip by name. ``factors/YYYY-MM`` is JSON by columns: means (input, its number, and long,
        short, t, p, p_adjusted of `tables.factors.factor_means`, the largest difference first) and
        curves (value, relevance, low, high of `tables.factors.factor_shape`, by input).
    """
    numbers = {name: at for at, name in enumerate(panel.names)}
    blocks = {}
    for month in sorted(set(panel.months()) - set(panel.months_without_portfolios())):
        means = factor_means(panel, month, stars)
        order = np.argsort(-means["difference"].abs().to_numpy(), kind="stable")
        means = means.iloc[order].assign(input=order)
        shape = factor_shape(panel, factors, month)
        tables = {
            "means": _json_columns(means[["input", "long", "short", "t", "p", "p_adjusted"]]),
            "curves": {
                numbers[str(name)]: _json_columns(curve[["value", "relevance", "low", "high"]])
                for name, curve in shape.groupby("feature", sort=False)
            },
        }
        blocks[f"factors/{label(month)}"] = pack_json(tables)
    return blocks


def _json_columns(table: pd.DataFrame) -> dict[str, list[float | None]]:
    """Return a table by columns, numbers with four digits."""
    return {
        str(name): [float(f"{x:.4g}") if np.isfinite(x) else None for x in table[name]]
        for name in table
    }


def _raw_units(raw: np.ndarray) -> list[float]:
    """Return the unit of each input's raw values: four digits of the median of those but 0."""
    sizes = (np.abs(column[np.isfinite(column) & (column != 0)]) for column in raw.T)
    return [
        10.0 ** (np.floor(np.log10(float(np.median(size)))) - 3) if len(size) else 1.0
        for size in sizes
    ]


def _raw_steps(raw: np.ndarray, units: Sequence[float]) -> np.ndarray:
    steps = np.rint(raw.astype(float) / units)
    return np.where(np.isnan(steps), MISSING, steps.clip(-MISSING + 1, MISSING - 1)).T


def _column(numbers: np.ndarray) -> bytes:
    """Return whole numbers as zigzag int32, the lowest bytes of all first."""
    zigzag = np.where(numbers < 0, -2 * numbers - 1, 2 * numbers).astype("<u4").ravel()
    return zigzag.view(np.uint8).reshape(-1, 4).T.tobytes()
