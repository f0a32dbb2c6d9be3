"""The plan of a training run: its networks, their keys, and how they are divided into stacks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby

import numpy as np

from konkyo.cache import digest_of, training_code
from konkyo.config import Train
from konkyo.features.store import Panel
from konkyo.models.batches import Hyperparameters, NetworkSpec
from konkyo.random import numpy_generator, seed_of
from konkyo.windows import MonthSlices, Window

_NO_EFFECT = (
    *("max_networks_per_stack", "workers", "accelerator", "backend"),
    *("scheduler_address", "panel_cache_url"),
    *("placebo_every", "ridge_penalty", "ensemble", "resamples", "resample_epochs"),
    *("precision", "resample_precision"),
)
"""Params that change no more than a weight's last digits, or that keys hold by other means."""
_OF_MODULES = ("module", "module_params", "validation_months", "patience")
"""Params that the stack does not have."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The files of weights of a run.

    Attributes
    ----------
    specs : mapping of str to list of NetworkSpec
        The compact networks of each file, in the folders weights, placebo, weights_halves and
        placebo_halves: one file a month, YYYY-MM.
    keys : mapping of str to str
        Digest of everything that each file depends on.
    """

    specs: Mapping[str, list[NetworkSpec]]
    keys: Mapping[str, str]

    def is_half(self, name: str) -> bool:
        """Return whether the networks of a file train on halves of their windows."""
        return self.specs[name][0].half

    def count(self, files: Iterable[str]) -> int:
        """Return the number of networks of some files."""
        return sum(len(self.specs[name]) for name in files)


def plan(panel: Panel, windows: Sequence[Window], params: Train) -> Plan:
    """Return the networks of a run and their keys; see `network_specs` and `keys`."""
    blocks = MonthSlices.of(panel.index["month"])
    full = [compact(spec) for spec in network_specs(panel, windows, params)]
    window_of = {window.month: window for window in windows}
    # The halves of an ensemble of any size are those of its first member.
    first = [members[0] for members in specs_by_file(full).values()]
    halves = [
        half
        for spec in first
        for half in half_specs(spec, blocks, window_of[spec.month], params.resamples)
    ]
    specs = [*full, *halves]
    return Plan(specs=specs_by_file(specs), keys=keys(panel, windows, specs, params))


def half_specs(
    spec: NetworkSpec, blocks: MonthSlices, window: Window, resamples: int
) -> list[NetworkSpec]:
    """Return the compact networks that train on random halves of a window's months.

    Parameters
    ----------
    spec : NetworkSpec
        The network of all months of the window.
    blocks : MonthSlices
        The panel's months.
    window : Window
        Of the decision month.
    resamples : int
        Number of networks, even: they come in pairs of complementary halves. Each has its own
        initial weights and row order, and the scaling of the whole window.
    """
    months = np.arange(len(blocks.names))[blocks.training_months(window)]
    specs: list[NetworkSpec] = []
    for pair in range(resamples // 2):
        order = numpy_generator(spec.seed, spec.month, "half", pair).permutation(months)
        for part in np.array_split(order, 2):
            spans = [blocks.rows(position) for position in np.sort(part)]
            specs.append(
                replace(
                    spec,
                    rows=np.array([[rows.start, rows.stop] for rows in spans]),
                    seed=seed_of(spec.seed, "half", len(specs)),
                    half=True,
                )
            )
    return specs


def compact(spec: NetworkSpec) -> NetworkSpec:
    """Return a spec as it is sent: for its rows, the spans that hold them, [spans, 2]."""
    return replace(spec, rows=np.array([[spec.rows[0], spec.rows[-1] + 1]]))


def expand(spec: NetworkSpec, labels: np.ndarray) -> NetworkSpec:
    """Return a compact spec with all its rows: those of its spans that have a realised label."""
    rows = [first + np.flatnonzero(np.isfinite(labels[0, first:stop])) for first, stop in spec.rows]
    return replace(spec, rows=np.concatenate(rows))


def shuffle_labels(label: np.ndarray, blocks: MonthSlices, seed: int) -> np.ndarray:
    """Return the labels permuted within each month among the rows that have one.

    The placebo: the labels of a month keep their distribution and lose their tie to the features.
    """
    shuffled = label.copy()
    for position, month in enumerate(blocks.names):
        rows = blocks.rows(position)
        realised = rows.start + np.flatnonzero(np.isfinite(label[rows]))
        generator = numpy_generator(seed, month, "shuffled labels")
        shuffled[realised] = generator.permutation(label[realised])
    return shuffled


def market_scale(
    panel: Panel, blocks: MonthSlices, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the input scaling of a window that trains on the months first .. last - 1.

    Parameters
    ----------
    panel : Panel
        Its market columns are equal for all stocks of a month.
    blocks : MonthSlices
        The panel's months.
    first, last : int
        Positions of the window's training months: the scaling sees no other month.

    Returns
    -------
    mean, std : numpy.ndarray
        [features] float32; each month counts once. Zero and one but for the market columns. A
        series that is constant over the window gets the largest float32 as std, so that its scaled
        input is 0 even where it moves later: nothing was learned of it.
    """
    mean = np.zeros(panel.features.shape[1], dtype=np.float32)
    std = np.ones_like(mean)
    columns = panel.columns("market")
    monthly = panel.features[blocks.offsets[first:last]][:, columns].astype(np.float64)
    mean[columns] = monthly.mean(0)
    sample_std = monthly.std(0)
    # Relative, since a constant float32 has a std of rounding errors.
    constant = sample_std <= 1e-7 * np.maximum(np.abs(monthly).max(0, initial=0), 1e-30)
    std[columns] = np.where(constant, np.finfo(np.float32).max, sample_std)
    return mean, std


def network_specs(panel: Panel, windows: Sequence[Window], params: Train) -> list[NetworkSpec]:
    """Return the networks of a run: the ensemble of each window, a placebo for every n-th window.

    The members of an ensemble differ in their initial weights and in their row order. The first is
    the network of an ensemble of one.

    Training rows without a realised label (a stock that left) are no rows of the window.
    """
    blocks = MonthSlices.of(panel.index["month"])
    realised = np.flatnonzero(np.isfinite(panel.index["label"].to_numpy()))
    hyperparameters = Hyperparameters(
        learning_rate=params.learning_rate,
        weight_decay=params.weight_decay,
        dropout=params.dropout,
        seed=params.seed,
    )
    specs = []
    for count, window in enumerate(windows):
        months = blocks.training_months(window)
        mean, std = market_scale(panel, blocks, months.start, months.stop)
        validates = params.validation_months
        first = int(blocks.offsets[months.stop - validates]) if validates else None
        member = NetworkSpec(
            month=window.month,
            # A view: the windows of a long history share the memory of its row numbers.
            rows=realised[slice(*np.searchsorted(realised, (window.start, window.stop)))],
            mean=mean,
            std=std,
            seed=params.seed,
            hyperparameters=hyperparameters,
            validation_start=first,
        )
        specs += [
            replace(member, seed=member_seed(params.seed, number))
            for number in range(params.ensemble)
        ]
        if params.placebo_every and count % params.placebo_every == 0:
            specs.append(replace(member, placebo=True))
    return specs


def member_seed(seed: int, member: int) -> int:
    """Return the seed of a member of an ensemble, counted from 0."""
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
    """Return a digest of the rows that each decision month scores: stocks and features, by month.

    Labels are no part of it: that of t is realised in t+1 and changes no prediction of t.
    """
    stock = panel.index["stock"].to_numpy(dtype=str)
    rows = {w.month: slice(w.test_start, w.test_stop) for w in windows}
    return {
        month: digest_of("\n".join(stock[at]), panel.features[at].tobytes())
        for month, at in rows.items()
    }


def keys(
    panel: Panel, windows: Sequence[Window], specs: Sequence[NetworkSpec], params: Train
) -> dict[str, str]:
    """Return the key of each file of weights: rows, labels, params, seeds and code.

    A new month of data adds a key; a changed row changes the keys of the windows that contain its
    month and no others.
    """
    blocks = MonthSlices.of(panel.index["month"])
    digests = month_digests(panel, blocks)
    span = {w.month: blocks.training_months(w) for w in windows}
    without = (*_NO_EFFECT, *_OF_MODULES) if params.module == "stacked" else _NO_EFFECT
    effective = {k: v for k, v in asdict(params).items() if k not in without}
    common = [
        training_code(params.module),
        json.dumps(effective, sort_keys=True),
        panel.catalogue.to_csv(index=False),
    ]
    return {
        name: digest_of(
            *common,
            name,
            *(str(spec.seed) for spec in members),
            *(
                (params.resample_precision, str(params.resample_epochs))
                if members[0].half
                else (params.precision,)
            ),
            *digests[span[members[0].month]],
        )
        for name, members in specs_by_file(specs).items()
    }


def specs_by_file(specs: Sequence[NetworkSpec]) -> dict[str, list[NetworkSpec]]:
    """Return the networks of each file of weights, in order."""
    return {name: list(members) for name, members in groupby(specs, key=lambda spec: spec.name)}


def divide(sizes: Sequence[int], *, largest: int, workers: int) -> list[slice]:
    """Divide files of weights into stacks of nearly equal size, a multiple of the workers.

    Stacks of equal size end together, so that no worker waits for another.

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
