"""Baselines on the networks' own rows, windows and scaling: ridge regression and the placebo."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from konkyo.cache import TRAINING, code_digest, digest_of
from konkyo.config import Train
from konkyo.features.store import Panel
from konkyo.io import read_key, read_parquet
from konkyo.models import jobs, store, user_module
from konkyo.models.batches import NetworkSpec
from konkyo.windows import MonthSlices, Window

Keys = dict[str, dict[str, str]]
"""By baseline and month, YYYY-MM: digest of everything that its scores depend on."""


def ridge(panel: Panel, spec: NetworkSpec, labels: np.ndarray, penalty: float) -> Ridge:
    """Fit a ridge regression on a network's own training rows, scaled as the network's.

    Parameters
    ----------
    panel : Panel
        Features.
    spec : NetworkSpec
        The training rows and the input scaling of a decision month.
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
    scaled = (panel.features[spec.rows] - spec.mean) / spec.std
    with threadpool_limits(1):
        return model.fit(scaled, labels[spec.rows])


def linear_scores(model: Ridge, spec: NetworkSpec, rows: np.ndarray) -> np.ndarray:
    """Return the scores of a fitted `ridge` over rows of the panel [stocks, features], float64."""
    # In float64 throughout: a series that leaves its window far behind would overflow float32.
    scaled = (rows.astype(np.float64) - spec.mean) / spec.std
    with threadpool_limits(1):
        return np.asarray(model.predict(scaled), dtype=np.float64)


def ridge_scores(
    panel: Panel, window: Window, spec: NetworkSpec, labels: np.ndarray, penalty: float
) -> np.ndarray:
    """Return the scores of `ridge`, [stocks of month t] float64, predicted label of t+1."""
    model = ridge(panel, spec, labels=labels, penalty=penalty)
    return linear_scores(model, spec, panel.features[window.test_start : window.test_stop])


def network_scores(networks: Sequence[store.Network], rows: np.ndarray) -> np.ndarray:
    """Return the mean scores of networks over rows of the panel [stocks, features], float64."""
    if modules := store.modules(networks):
        return user_module.score(modules, rows)
    network = store.restack(store.stackable(networks), torch.float64)
    every = torch.from_numpy(rows.astype(np.float64)).repeat(network.windows, 1, 1)
    return network(network.scale_(every)).mean(0).numpy()


def scores(
    panel: Panel,
    windows: Sequence[Window],
    params: Train,
    *,
    placebo: Path,
    cached: Mapping[str, Mapping[str, np.ndarray]],
    keys: Keys,
) -> pd.DataFrame:
    """Return the scores of the baselines: month, stock, ridge, placebo.

    Parameters
    ----------
    panel : Panel
        Features and labels.
    windows : sequence of Window
        The decision months.
    params : Train
        The train section of params.yaml.
    placebo : Path
        Folder of the networks trained on shuffled labels.
    cached : mapping
        Scores of `cached_scores`, which are not computed again.
    keys : mapping
        Those of `keys`: the months that a baseline scores; it is NaN in the others.
    """
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    due = [window for window in windows if window.month not in cached["ridge"]]
    single = replace(params, ensemble=1, placebo_every=0)
    specs = {spec.month: spec for spec in jobs.network_specs(panel, due, single)}

    def of_ridge(window: Window) -> np.ndarray:
        return ridge_scores(
            panel, window, specs[window.month], labels=labels, penalty=params.ridge_penalty
        )

    # Threads, since the products let go of Python's lock; one limit around all of them, which each
    # regression would otherwise take back while others run.
    with threadpool_limits(1), ThreadPoolExecutor(params.workers) as threads:
        fitted = dict(
            zip((window.month for window in due), threads.map(of_ridge, due), strict=True)
        )

    def of_placebo(window: Window) -> np.ndarray:
        rows = panel.features[window.test_start : window.test_stop]
        return network_scores(store.read(placebo / f"{window.month}.safetensors"), rows)

    ridges = {**cached["ridge"], **fitted}
    columns: dict[str, Sequence[np.ndarray | None]] = {
        "ridge": [ridges[window.month] for window in windows],
        "placebo": fill_missing_scores(keys["placebo"], cached["placebo"], windows, of_placebo),
    }
    return table(panel, windows, columns)


def table(
    panel: Panel, windows: Sequence[Window], columns: Mapping[str, Sequence[np.ndarray | None]]
) -> pd.DataFrame:
    """Return scores of baselines by month and stock, NaN where a baseline has no month."""
    rows = slice(windows[0].test_start, windows[-1].test_stop)
    frame = panel.index.iloc[rows][["month", "stock"]].reset_index(drop=True)
    for name, parts in columns.items():
        filled = [
            np.full(window.test_stop - window.test_start, np.nan) if part is None else part
            for window, part in zip(windows, parts, strict=True)
        ]
        frame[name] = np.concatenate(filled)
    return frame


def keys(panel: Panel, windows: Sequence[Window], penalty: float, placebo: Path) -> Keys:
    """Return the keys of the scores of each baseline by month.

    Parameters
    ----------
    panel : Panel
        Features and labels.
    windows : sequence of Window
        The decision months.
    penalty : float
        Of the ridge regression.
    placebo : Path
        Folder of the networks trained on shuffled labels; a month without one has no key.
    """
    blocks = MonthSlices.of(panel.index["month"])
    trained_on = dict(zip(blocks.names, jobs.month_digests(panel, blocks), strict=True))
    scored = jobs.row_digests(panel, windows)
    catalogue = panel.catalogue.to_csv(index=False)
    code = code_digest(*TRAINING)
    digests: Keys = {"ridge": {}, "placebo": {}}
    for window in windows:
        span = blocks.training_months(window)
        digests["ridge"][window.month] = digest_of(
            code, repr(penalty), catalogue, scored[window.month],
            *(trained_on[name] for name in blocks.names[span]),
        )  # fmt: skip
        path = placebo / f"{window.month}.safetensors"
        if path.exists():
            digests["placebo"][window.month] = digest_of(
                code, scored[window.month], path.read_bytes()
            )
    return digests


def cached_scores(path: Path, keys: Keys) -> dict[str, dict[str, np.ndarray]]:
    """Return the scores on file that are up to date, by baseline and month.

    Parameters
    ----------
    path : Path
        What `scores` returned, written with its keys.
    keys : dict
        Those of `keys` now.
    """
    recorded = read_key(path) or {}
    current = {
        name: {m for m, key in by_month.items() if recorded.get(name, {}).get(m) == key}
        for name, by_month in keys.items()
    }
    if not any(current.values()):
        return {name: {} for name in keys}
    table = read_parquet(path, columns=["month", *keys])
    blocks = MonthSlices.of(table["month"])
    rows = {name: blocks.rows(position) for position, name in enumerate(blocks.names)}
    return {
        name: {month: table[name].to_numpy()[rows[month]] for month in months}
        for name, months in current.items()
    }


def fill_missing_scores(
    keys: Mapping[str, str],
    cached: Mapping[str, np.ndarray],
    windows: Sequence[Window],
    score: Callable[[Window], np.ndarray],
) -> list[np.ndarray | None]:
    """Return a baseline's scores of each window: the cached ones, and the others computed now.

    Parameters
    ----------
    keys : mapping of str to str
        The months that have a score; None is returned for the others.
    cached : mapping of str to numpy.ndarray
        Scores by month, of `cached_scores`.
    windows : sequence of Window
        The decision months.
    score : callable
        Computes the scores of a window.
    """
    return [
        (cached[w.month] if w.month in cached else score(w)) if w.month in keys else None
        for w in windows
    ]
