"""Models to compare the networks with, on the same rows, windows and scaling."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge

from konkyo.network import store
from konkyo.network.schedule import Entry
from konkyo.panel.store import Panel
from konkyo.windows import Window


def ridge(panel: Panel, entry: Entry, labels: np.ndarray, penalty: float) -> Ridge:
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
    """
    model = Ridge(alpha=penalty, solver="cholesky")
    scaled = (panel.features[entry.rows] - entry.mean) / entry.deviation
    return model.fit(scaled, labels[entry.rows])


def ridge_scores(
    panel: Panel, window: Window, entry: Entry, labels: np.ndarray, penalty: float
) -> np.ndarray:
    """Return the scores of `ridge`, [stocks of month t] float64, predicted label of t+1."""
    model = ridge(panel, entry, labels, penalty)
    ahead = (panel.features[window.test_start : window.test_stop] - entry.mean) / entry.deviation
    return np.asarray(model.predict(ahead), dtype=np.float64)


def network_scores(networks: Sequence[store.Weights], rows: np.ndarray) -> np.ndarray:
    """Return the mean scores of networks over rows of the panel [stocks, features], float64."""
    network = store.restack(networks)
    x = torch.from_numpy(rows)
    every = x.expand(network.windows, *x.shape).clone()
    return network(network.scale_(every)).mean(0).numpy().astype(np.float64)


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
