"""Scores and relevances of every stock-month, small enough to travel inside a page.

What is kept of a stock: score and rank, the total of each group's relevances, and its largest
relevances with their inputs' values. What is not kept singly is a group's remainder: its total
less what is shown of it. `absorbed` is the score less all totals. So whatever a page shows adds up
to the score, and no error of rounding piles up. The rows that a reader looks at first (the longest
and shortest of every month, named stocks, the whole newest month) carry every input.

Why it is small: a relevance is a whole multiple of one step (about a hundredth of the scores'
deviation), a characteristic's value a whole multiple of its own; relevances are written from the
smallest kept to the largest as differences, scores from the best to the worst likewise, and each
kind of number lies together, byte by byte, so that gzip codes it by itself. Inputs that are the
same for all stocks of a month are written once a month, dummies of sectors follow from the sector.
Measured with eight inputs a stock: 23.4 bytes a stock-month on the simulated market (296,896 x
126), 20.1 on the real one (328,100 x 81); in base64 that is 9.3 and 8.9 MB of a page, to which
Vega adds 0.4, the charts of both languages 0.5 and the font 0.1.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.errors import ArtifactError
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.sentences import RULES

DECIMALS: int = RULES["relevance_decimals"]
"""To so many decimals a relevance or a score rounds with the same result as before packing."""
FINER = 11
"""Steps of a score in a step of a relevance; odd, as the latter is of the last decimal."""
GROUPS = ("characteristic", "sector", "calendar", "market")
_STEPS = 100
_CUT = 1.0 / 3.0
_LARGEST = 127


@dataclass(frozen=True)
class Packed:
    """What a page carries.

    Attributes
    ----------
    head : bytes
        gzip of a JSON object that all months share: names, steps, values that are one a month.
    months : dict
        gzip of each month's arrays by its label (YYYY-MM); `unpack` reads one.
    """

    head: bytes
    months: dict[str, bytes]


def relevance_step(scores: np.ndarray, decimals: int = DECIMALS) -> float:
    """Return the step of packed relevances, about a hundredth of the scores' deviation.

    It is at most a unit of the last decimal, and an odd number of steps makes that unit: no step
    straddles a border of rounding, and a packed relevance rounds to `decimals` as the exact one.
    """
    unit = 10.0**-decimals
    spread = float(np.std(scores)) or unit
    halves = max(0, round((unit * _STEPS / spread - 1) / 2))
    return unit / (2 * halves + 1)


def value_step(largest: float) -> float:
    """Return the step of a characteristic's packed values, which lie within +-`largest`.

    A third falls between two steps: "high", "average" and "low" stay what they were.
    """
    halves = int(np.floor((2 * _CUT * _LARGEST / max(largest, _CUT) - 1) / 2))
    return 2 * _CUT / (2 * max(halves, 0) + 1)


def pack(
    panel: ExplainedPanel, n_extreme: int, named: Sequence[str] = (), largest: int = 8
) -> Packed:
    """Pack all scores and their grounds.

    Parameters
    ----------
    panel : ExplainedPanel
        All scored stock-months; everything in them is known at t.
    n_extreme : int
        So many longest and so many shortest stocks of each month carry every input.
    named : sequence of str
        Stocks that do in every month.
    largest : int
        How many inputs every other stock carries: those of greatest |relevance|, in that order.

    Returns
    -------
    Packed
        Relevances within half a `relevance_step` of the exact ones, a group's total likewise,
        a score within half a step `FINER` times as fine, a value of a characteristic within half
        its own step.

    Raises
    ------
    ArtifactError
        An input that should be one a month, or follow from the sector, does not.
    """
    n_inputs = min(largest, len(panel.names))
    step = relevance_step(panel.index["score"].to_numpy())
    characteristics, dummies = panel.columns("characteristic"), panel.columns("sector")
    common = np.sort(np.concatenate([panel.columns("calendar"), panel.columns("market")]))
    value_steps = [value_step(float(np.abs(panel.features[:, c]).max())) for c in characteristics]
    stock, stocks = pd.factorize(panel.index["stock"].astype(str), sort=True)
    sector, sectors = pd.factorize(panel.index["sector"].astype(object).fillna("").astype(str))
    group = np.array([GROUPS.index(name) for name in panel.catalogue["group"]])
    months, heads, blocks = panel.months(), [], {}
    for month in months:
        rows = panel.rows(month)
        order = rows.start + np.argsort(panel.index["rank"].to_numpy()[rows])
        full = np.flatnonzero(
            (np.arange(len(order)) < n_extreme)
            | (np.arange(len(order)) >= len(order) - n_extreme)
            | np.isin(stocks[stock[order]], list(named))
            | (month == months[-1])
        )
        values = panel.features[rows][:, common]
        if len(values) and np.ptp(values, axis=0).any():
            name = panel.names[common[int(np.argmax(np.ptp(values, axis=0)))]]
            raise ArtifactError(
                f"{name} differs between stocks in {label(month)}, but its group is one value a "
                "month: run `dvc repro report`, and give it the group characteristic if it is one"
            )
        heads.append(
            {
                "month": label(month),
                "count": len(order),
                "full": len(full),
                "values": [float(f"{value:.7g}") for value in values[0]],
            }
        )
        blocks[label(month)] = _month(
            panel,
            order,
            full,
            stock[order],
            group,
            n_inputs,
            step,
            characteristics,
            np.array(value_steps),
        )
    head = {
        "names": panel.names, "groups": group.tolist(), "kept": n_inputs, "step": step,
        "score_step": step / FINER, "value_steps": value_steps,
        "characteristics": characteristics.tolist(), "common": common.tolist(),
        "stocks": stocks.tolist(), "sectors": sectors.tolist(),
        "dummies": _dummies(panel, sector, len(sectors), dummies),
        "moves": _moves(panel, stock, sector), "months": heads,
    }  # fmt: skip
    return Packed(compress(json.dumps(head, separators=(",", ":")).encode()), blocks)


def compress(*parts: bytes) -> bytes:
    """Return the gzip of the parts, each coded by its own statistics; the same bytes every time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31, 9)
    out = [packer.compress(part) + packer.flush(zlib.Z_BLOCK) for part in parts]
    return b"".join([*out, packer.flush()])


def _month(
    panel: ExplainedPanel,
    order: np.ndarray,
    full: np.ndarray,
    stock: np.ndarray,
    group: np.ndarray,
    n_inputs: int,
    step: float,
    characteristics: np.ndarray,
    value_steps: np.ndarray,
) -> bytes:
    """Write the arrays of a month, rows from the best rank to the worst; `unpack` says which."""
    relevance = panel.relevance[order].astype(float)
    codes = np.rint(relevance / step).astype(np.int64)
    values = np.rint(panel.features[order][:, characteristics] / value_steps).astype(np.int64)
    score = np.rint(panel.index["score"].to_numpy()[order] / (step / FINER)).astype(np.int64)
    totals = [
        np.rint(relevance[:, group == g].sum(1) / step).astype(np.int64) for g in range(len(GROUPS))
    ]
    top = np.argsort(-np.abs(relevance), axis=1, kind="stable")[:, :n_inputs]
    top_codes = np.take_along_axis(codes, top, axis=1)
    size = np.abs(top_codes)
    steps = size - np.append(size[:, 1:], np.zeros((len(size), 1), np.int64), axis=1)
    slot_of = np.full(len(group), -1)
    slot_of[characteristics] = np.arange(len(characteristics))
    slot = slot_of[top]
    top_values = np.take_along_axis(values, np.maximum(slot, 0), axis=1)
    arrays = [
        stock,
        np.diff(score, prepend=0),
        np.diff(panel.portfolio()[order], prepend=0),
        np.concatenate(totals),
        top.T.ravel(),
        (2 * steps + (top_codes < 0)).T.ravel(),
        top_values.T.ravel()[slot.T.ravel() >= 0],
        np.diff(full, prepend=0),
        codes[full].T.ravel(),
        values[full].T.ravel(),
    ]
    return compress(*[_write(array) for array in arrays])


def unpack(head: dict[str, Any], month: str, block: bytes) -> dict[str, np.ndarray]:
    """Read a month back, as the page does.

    Parameters
    ----------
    head : dict
        The head's JSON object.
    month : str
        YYYY-MM.
    block : bytes
        The month's gzip.

    Returns
    -------
    dict
        Rows from the best rank to the worst: stock (names), score, quantile (0 where the month
        formed no portfolios), totals [rows, groups], inputs and relevance [rows, kept] (positions,
        greatest first), value [rows, kept] (NaN where the input is no characteristic), full (row
        positions), full_relevance [full, features], full_value [full, characteristics].
    """
    facts = next(entry for entry in head["months"] if entry["month"] == month)
    n, n_inputs, groups = facts["count"], head["kept"], head["groups"]
    data, offset = zlib.decompress(block, 31), 0

    def take(count: int) -> np.ndarray:
        nonlocal offset
        array, offset = _read(data, offset, count)
        return array

    stock, score, quantile = take(n), take(n).cumsum(), take(n).cumsum()
    totals = take(len(GROUPS) * n).reshape(-1, n).T
    inputs = take(n_inputs * n).reshape(n_inputs, n).T
    coded = take(n_inputs * n).reshape(n_inputs, n).T
    size = (coded // 2)[:, ::-1].cumsum(1)[:, ::-1]
    has_value = np.isin(inputs, head["characteristics"])
    value = np.full((n_inputs, n), np.nan)
    value[has_value.T] = take(int(has_value.sum()))
    slot = np.searchsorted(head["characteristics"], inputs).clip(max=len(head["value_steps"]) - 1)
    rows = take(facts["full"]).cumsum()
    codes = take(len(groups) * len(rows)).reshape(len(groups), -1).T
    values = take(len(head["characteristics"]) * len(rows))
    return {
        "stock": np.array(head["stocks"])[stock],
        "score": score * head["score_step"],
        "quantile": quantile,
        "totals": totals * head["step"],
        "inputs": inputs,
        "relevance": np.where(coded % 2, -size, size) * head["step"],
        "value": value.T * np.array(head["value_steps"])[slot],
        "full": rows,
        "full_relevance": codes * head["step"],
        "full_value": values.reshape(-1, len(rows)).T * np.array(head["value_steps"]),
    }


def _write(array: np.ndarray) -> bytes:
    """Return a byte that says how many planes follow, and the planes, the lowest byte first."""
    folded = np.where(array < 0, -2 * array - 1, 2 * array).astype("<u4")
    width = max(1, (int(folded.max(initial=0)).bit_length() + 7) // 8)
    planes = folded.view(np.uint8).reshape(-1, 4)[:, :width]
    return bytes([width]) + planes.T.tobytes()


def _read(data: bytes, offset: int, count: int) -> tuple[np.ndarray, int]:
    """Return `count` whole numbers written at `at`, and the place after them."""
    width = data[offset]
    planes = np.frombuffer(data, np.uint8, width * count, offset + 1).reshape(width, count)
    folded = (planes.astype(np.int64) << (8 * np.arange(width))[:, None]).sum(0)
    return np.where(folded % 2, -(folded // 2) - 1, folded // 2), offset + 1 + width * count


def _dummies(
    panel: ExplainedPanel, sector: np.ndarray, count: int, columns: np.ndarray
) -> list[int]:
    """Return the input that is 1 in each sector, -1 where none is."""
    inputs = []
    for number in range(count):
        values = panel.features[sector == number][:, columns]
        if (values != values[0]).any() or values[0].sum() not in (0, 1):
            name = panel.index["sector"].iloc[np.argmax(sector == number)]
            raise ArtifactError(
                f"dummies of the sector {name} are not one 1 in its own column at most: "
                "run `dvc repro prepare`"
            )
        inputs.append(int(columns[np.argmax(values[0])]) if values[0].any() else -1)
    return inputs


def _moves(panel: ExplainedPanel, stock: np.ndarray, sector: np.ndarray) -> list[list[int]]:
    """Return stock, month and sector (numbers) wherever a stock's sector is new."""
    month = np.unique(panel.index["month"].to_numpy(), return_inverse=True)[1]
    order = np.lexsort((month, stock))
    stock_of, when, what = stock[order], month[order], sector[order]
    new = np.ones(len(order), bool)
    new[1:] = (stock_of[1:] != stock_of[:-1]) | (what[1:] != what[:-1])
    return np.stack([stock_of[new], when[new], what[new]], axis=1).tolist()
