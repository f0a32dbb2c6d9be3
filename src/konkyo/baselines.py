"""Models to compare the networks with, on the same rows, windows and scaling."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge

from konkyo.network import store
from konkyo.network.schedule import Entry
from konkyo.panel.store import Panel
from konkyo.windows import Window


def ridge_scores(
    panel: Panel, window: Window, entry: Entry, labels: np.ndarray, penalty: float
) -> np.ndarray:
    """Return the scores of a ridge regression on the network's own training rows.

    Parameters
    ----------
    panel : Panel
        Features.
    window : Window
        The decision month.
    entry : Entry
        Its training rows and the affine of its market series.
    labels : numpy.ndarray
        [rows], NaN where not realised.
    penalty : float
        Weight of the squared coefficients against the summed squared errors.

    Returns
    -------
    numpy.ndarray
        [stocks of month t] float64, predicted label of t+1.
    """
    model = Ridge(alpha=penalty, solver="cholesky")
    scaled = (panel.features[entry.rows] - entry.mean) / entry.deviation
    model.fit(scaled, labels[entry.rows])
    ahead = (panel.features[window.test_start : window.test_stop] - entry.mean) / entry.deviation
    return np.asarray(model.predict(ahead), dtype=np.float64)


def network_scores(panel: Panel, window: Window, path: Path) -> np.ndarray:
    """Return the scores of one kept network, [stocks of month t] float64."""
    network = store.restack([store.read(path)])
    x = torch.from_numpy(panel.features[window.test_start : window.test_stop].copy())[None]
    return network(network.scale_(x))[0].numpy().astype(np.float64)


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
