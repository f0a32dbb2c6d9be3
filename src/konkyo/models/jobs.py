"""What there is to train: the entries of a run, their keys, and how they are put into stacks."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

import numpy as np

from konkyo.cache import TRAINING, code_digest, digest_of
from konkyo.config import Train
from konkyo.features.store import Panel
from konkyo.models.batches import NetworkSpec
from konkyo.random import numpy_generator, seed_of
from konkyo.windows import MonthSlices, Window

# How a run is spread over processes and devices changes no more than a weight's last digits.
_SPREAD = (
    *("max_networks_per_stack", "workers", "accelerator", "backend"),
    *("scheduler_address", "panel_cache_url"),
    *("placebo_every", "ridge_penalty", "ensemble"),
)


def shuffle_labels(label: np.ndarray, blocks: MonthSlices, seed: int) -> np.ndarray:
    """Return the labels shuffled within each month among the rows that have one.

    The placebo: a month's distribution of labels stays, their tie to the features goes.
    """
    shuffled = label.copy()
    for position, month in enumerate(blocks.names):
        rows = blocks.rows(position)
        known = rows.start + np.flatnonzero(np.isfinite(label[rows]))
        generator = numpy_generator(seed, month, "shuffled labels")
        shuffled[known] = generator.permutation(label[known])
    return shuffled


def market_scale(
    panel: Panel, blocks: MonthSlices, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the affine of a window that trains on the months at positions first .. last - 1.

    Parameters
    ----------
    panel : Panel
        Its market columns are equal for all stocks of a month.
    blocks : MonthBlocks
        The panel's months.
    first, last : int
        The window's own training months: no scaler sees another month.

    Returns
    -------
    mean, deviation : numpy.ndarray
        [features] float32; each month counts once. Zero and one but for the market columns; a
        series that stands still over the window has the largest deviation there is: nothing was
        learned of it, so that it says nothing either when it moves.
    """
    mean = np.zeros(panel.features.shape[1], dtype=np.float32)
    deviation = np.ones_like(mean)
    columns = panel.columns("market")
    monthly = panel.features[blocks.offsets[first:last]][:, columns].astype(np.float64)
    mean[columns] = monthly.mean(0)
    spread = monthly.std(0)
    still = spread <= 1e-7 * np.maximum(np.abs(monthly).max(0, initial=0), 1e-30)
    deviation[columns] = np.where(still, np.finfo(np.float32).max, spread)
    return mean, deviation


def network_specs(panel: Panel, windows: Sequence[Window], params: Train) -> list[NetworkSpec]:
    """Return the networks of a run: the ensemble of each window, a placebo for every n-th window.

    The members of an ensemble differ in their initial weights and in their row order. The first is
    the network of an ensemble of one.

    Training rows without a realised label (a stock that left) are no rows of the window.
    """
    blocks = MonthSlices.of(panel.index["month"])
    label = panel.index["label"].to_numpy()
    position = {name: i for i, name in enumerate(blocks.names)}
    known = np.flatnonzero(np.isfinite(label))
    made = []
    for count, window in enumerate(windows):
        first, last = position[window.first_train], position[window.month]
        mean, deviation = market_scale(panel, blocks, first, last)
        # A view: the windows of a long history share the memory of its row numbers.
        rows = known[slice(*np.searchsorted(known, (window.start, window.stop)))]
        for member in range(params.ensemble):
            seed = member_seed(params.seed, member)
            made.append(NetworkSpec(window.month, rows, mean, deviation, seed))
        if params.placebo_every and count % params.placebo_every == 0:
            made.append(NetworkSpec(window.month, rows, mean, deviation, params.seed, placebo=True))
    return made


def member_seed(seed: int, member: int) -> int:
    """Return the seed of an ensemble's member, counted from 0."""
    return seed if member == 0 else seed_of(seed, "member", member)


def month_digests(panel: Panel, blocks: MonthSlices) -> list[str]:
    """Return a digest of each month's rows: stocks, features and labels."""
    label = panel.index["label"].to_numpy()
    stock = panel.index["stock"].to_numpy(dtype=str)
    return [
        digest_of("\n".join(stock[rows]), panel.features[rows].tobytes(), label[rows].tobytes())
        for rows in map(blocks.rows, range(len(blocks.names)))
    ]


def row_digests(panel: Panel, windows: Sequence[Window]) -> dict[str, str]:
    """Return a digest of what each decision month scores: stocks and features, by month.

    Labels are no part of it: that of t is realised in t+1 and changes no prediction of t.
    """
    stock = panel.index["stock"].to_numpy(dtype=str)
    rows = {w.month: slice(w.test_start, w.test_stop) for w in windows}
    return {
        month: digest_of("\n".join(stock[at]), panel.features[at].tobytes())
        for month, at in rows.items()
    }


def keys(
    panel: Panel, windows: Sequence[Window], made: Sequence[NetworkSpec], params: Train
) -> dict[str, str]:
    """Return the key of each file of weights: rows, labels, params, seeds and code.

    A new month of data adds a key; a changed row changes the keys of the windows that contain its
    month and no others.
    """
    blocks = MonthSlices.of(panel.index["month"])
    digests = month_digests(panel, blocks)
    position = {name: i for i, name in enumerate(blocks.names)}
    span = {w.month: slice(position[w.first_train], position[w.month]) for w in windows}
    chosen = {k: v for k, v in asdict(params).items() if k not in _SPREAD}
    common = [
        code_digest(*TRAINING),
        json.dumps(chosen, sort_keys=True),
        panel.catalogue.to_csv(index=False),
    ]
    return {
        name: digest_of(
            *common, name, *(str(e.seed) for e in members), *digests[span[members[0].month]]
        )
        for name, members in specs_by_file(made).items()
    }


def specs_by_file(made: Sequence[NetworkSpec]) -> dict[str, list[NetworkSpec]]:
    """Return the entries of each file of weights, in order."""
    return {name: list(members) for name, members in groupby(made, key=lambda e: e.name)}


def stacks(sizes: Sequence[int], largest: int, workers: int) -> list[slice]:
    """Divide files of weights into stacks of nearly as many networks, a whole number a worker.

    Stacks of equal size end together, so that no worker waits for another's last one.

    Parameters
    ----------
    sizes : sequence of int
        Networks of each file; those of one file train in one stack.
    largest : int
        Most networks in a stack, unless a single file has more.
    workers : int
        Processes.

    Returns
    -------
    list of slice
        Which files each stack takes; none is empty.
    """
    if not sizes:
        return []
    total = sum(sizes)
    number = -(-total // largest)
    while True:
        number = min(-(-number // workers) * workers, len(sizes))
        parts = _cut(sizes, number)
        if number == len(sizes) or max(sum(sizes[part]) for part in parts) <= largest:
            return parts
        number += 1


def _cut(sizes: Sequence[int], number: int) -> list[slice]:
    """Cut files into `number` runs of nearly equal sum, at least one file each."""
    total, taken, first = sum(sizes), 0, 0
    parts = []
    for part in range(1, number + 1):
        stop = first + 1
        taken += sizes[first]
        most = len(sizes) - (number - part)
        while stop < most and taken * number < total * part:
            taken += sizes[stop]
            stop += 1
        parts.append(slice(first, stop))
        first = stop
    return parts
