"""Models to compare the networks with, on the same rows, windows and scaling."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from konkyo.cache import BASELINES, code_digest, digest_of
from konkyo.features.store import Panel
from konkyo.io import read_key, read_parquet
from konkyo.models import jobs, store
from konkyo.models.batches import NetworkSpec
from konkyo.windows import MonthSlices, Window

Keys = dict[str, dict[str, str]]
"""Of each baseline and month, YYYY-MM, all that its scores depend on, as a digest."""


def ridge(panel: Panel, entry: NetworkSpec, labels: np.ndarray, penalty: float) -> Ridge:
    """Fit a ridge regression on the network's own training rows, scaled as the network's.

    Parameters
    ----------
    panel : Panel
        Features.
    entry : Entry
        The training rows and the affine of the market series of a decision month.
    labels : numpy.ndarray
        [rows], NaN where not realised.
    penalty : float
        Weight of the squared coefficients against the summed squared errors.

    Notes
    -----
    One thread: how many share the sums over rows changes the coefficients' last digits, and they
    must not depend on the cores that a machine happens to have.
    """
    model = Ridge(alpha=penalty, solver="cholesky")
    scaled = (panel.features[entry.rows] - entry.mean) / entry.std
    with threadpool_limits(1):
        return model.fit(scaled, labels[entry.rows])


def ridge_scores(
    panel: Panel, window: Window, entry: NetworkSpec, labels: np.ndarray, penalty: float
) -> np.ndarray:
    """Return the scores of `ridge`, [stocks of month t] float64, predicted label of t+1."""
    model = ridge(panel, entry, labels, penalty)
    return linear_scores(model, entry, panel.features[window.test_start : window.test_stop])


def linear_scores(model: Ridge, entry: NetworkSpec, rows: np.ndarray) -> np.ndarray:
    """Return the scores of a fitted `ridge` over rows of the panel [stocks, features], float64."""
    # In float64 throughout: a series that leaves its window far behind would overflow float32.
    scaled = (rows.astype(np.float64) - entry.mean) / entry.std
    with threadpool_limits(1):
        return np.asarray(model.predict(scaled), dtype=np.float64)


def network_scores(networks: Sequence[store.Weights], rows: np.ndarray) -> np.ndarray:
    """Return the mean scores of networks over rows of the panel [stocks, features], float64."""
    network = store.restack(networks, torch.float64)
    every = torch.from_numpy(rows.astype(np.float64)).repeat(network.windows, 1, 1)
    return network(network.scale_(every)).mean(0).numpy()


def table(
    panel: Panel, windows: Sequence[Window], columns: dict[str, list[np.ndarray | None]]
) -> pd.DataFrame:
    """Return the scores of baselines by month and stock, NaN where a baseline has no month."""
    rows = slice(windows[0].test_start, windows[-1].test_stop)
    out = panel.index.iloc[rows][["month", "stock"]].reset_index(drop=True)
    for name, parts in columns.items():
        filled = [
            np.full(w.test_stop - w.test_start, np.nan) if part is None else part
            for w, part in zip(windows, parts, strict=True)
        ]
        out[name] = np.concatenate(filled)
    return out


def keys(panel: Panel, windows: Sequence[Window], penalty: float, shuffled: Path) -> Keys:
    """Return the keys of the scores of each baseline by month.

    Parameters
    ----------
    panel : Panel
        Features and labels.
    windows : sequence of Window
        The decision months.
    penalty : float
        Of the ridge regression.
    shuffled : Path
        Folder of the networks trained on shuffled labels; a month without one has no key.
    """
    blocks = MonthSlices.of(panel.index["month"])
    trained_on = dict(zip(blocks.names, jobs.month_digests(panel, blocks), strict=True))
    scored = jobs.row_digests(panel, windows)
    catalogue = panel.catalogue.to_csv(index=False)
    code = code_digest(*BASELINES)
    found: Keys = {"ridge": {}, "placebo": {}}
    for window in windows:
        span = slice(blocks.names.index(window.first_train), blocks.names.index(window.month))
        found["ridge"][window.month] = digest_of(
            code, repr(penalty), catalogue, scored[window.month],
            *(trained_on[name] for name in blocks.names[span]),
        )  # fmt: skip
        path = shuffled / f"{window.month}.safetensors"
        if path.exists():
            found["placebo"][window.month] = digest_of(
                code, scored[window.month], path.read_bytes()
            )
    return found


def cached_scores(path: Path, wanted: Keys) -> dict[str, dict[str, np.ndarray]]:
    """Return the scores on file whose keys are the wanted ones, by baseline and month.

    Parameters
    ----------
    path : Path
        What `table` returned, written with its keys.
    wanted : dict
        Those of `keys`.
    """
    there = read_key(path) or {}
    same = {
        name: {m for m, key in of_month.items() if there.get(name, {}).get(m) == key}
        for name, of_month in wanted.items()
    }
    if not any(same.values()):
        return {name: {} for name in wanted}
    scores = read_parquet(path, columns=["month", *wanted])
    blocks = MonthSlices.of(scores["month"])
    rows = {name: blocks.rows(position) for position, name in enumerate(blocks.names)}
    return {
        name: {month: scores[name].to_numpy()[rows[month]] for month in of_month}
        for name, of_month in same.items()
    }


def fill_missing_scores(
    wanted: Mapping[str, str],
    there: Mapping[str, np.ndarray],
    windows: Sequence[Window],
    score: Callable[[Window], np.ndarray],
) -> list[np.ndarray | None]:
    """Return a baseline's scores of each window: those that are there, and the others made now.

    Parameters
    ----------
    wanted : mapping of str to str
        The months that have a score, with their keys.
    there : mapping of str to numpy.ndarray
        Those of `kept`.
    windows : sequence of Window
        The decision months.
    score : callable
        Makes the scores of a window.
    """
    return [
        (there[w.month] if w.month in there else score(w)) if w.month in wanted else None
        for w in windows
    ]
