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

import json
import zlib
from collections.abc import Sequence

import numpy as np

from konkyo.dates import label
from konkyo.errors import ArtifactError
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.sentences import RULES

DECIMALS: int = RULES["relevance_decimals"]
"""To so many decimals a relevance or a score rounds with the same result as before packing."""
GROUPS = ("characteristic", "sector", "calendar", "market")
VALUE_STEP = 2 / 303
"""Step of a characteristic's value. A third, the limit of "high" and "low", lies between two."""
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
    panel: ExplainedPanel, n_extremes: int, watchlist: Sequence[str] = (), largest: int = 8
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

    Returns
    -------
    dict
        gzip by name. ``pack/head.json`` is what all months share, with the count of rows, of rows
        with every input (`full`) and the values of the market series of each month.
        ``pack/YYYY-MM`` has the columns stock, sector, score, quantile (0 where the month formed no
        portfolios), totals [groups, rows], input, relevance, value [largest, rows], and of the full
        rows their positions, relevance and value [inputs, full rows]. Score, totals and relevances
        are whole `relevance_step`, values of characteristics whole `VALUE_STEP`; dummies are 0 or
        1.

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
        top = np.argsort(-np.abs(relevance), axis=1, kind="stable")[:, :largest]
        columns = (
            stock[order],
            sector[order],
            np.rint(panel.index["score"].to_numpy()[order] / step),
            panel.portfolio()[order],
            *(np.rint(relevance[:, group == g].sum(1) / step) for g in range(len(GROUPS))),
            top.T,
            np.take_along_axis(steps, top, axis=1).T,
            np.take_along_axis(value, top, axis=1).T,
            full,
            steps[full].T,
            value[full].T,
        )
        blocks[f"pack/{label(month)}"] = compress(*map(_column, columns))
        market = [float(f"{number:.7g}") for number in np.where(is_market, values[0], 0)]
        heads.append(
            {"month": label(month), "count": len(order), "full": len(full), "market": market}
        )
    head = {
        "names": panel.names, "groups": group.tolist(), "largest": largest, "step": step,
        "units": units.tolist(), "stocks": stocks.tolist(), "sectors": sectors.tolist(),
        "months": heads,
    }  # fmt: skip
    return {"pack/head.json": compress(json.dumps(head).encode()), **blocks}


def compress(*parts: bytes) -> bytes:
    """Return the gzip of the parts, each coded by its own statistics; the same bytes every time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31, 9)
    out = [packer.compress(part) + packer.flush(zlib.Z_BLOCK) for part in parts]
    return b"".join([*out, packer.flush()])


def _column(numbers: np.ndarray) -> bytes:
    """Return whole numbers as zigzag int32, the lowest bytes of all first."""
    zigzag = np.where(numbers < 0, -2 * numbers - 1, 2 * numbers).astype("<u4").ravel()
    return zigzag.view(np.uint8).reshape(-1, 4).T.tobytes()
