"""The reaction surface: the fitted function over two inputs, and its threshold."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.config import InterventionSurface
from konkyo.intervention.indicators import INPUTS
from konkyo.intervention.networks import NetworkTask, predict
from konkyo.intervention.samples import IN_SAMPLE, Sample
from konkyo.models.store import Weights

_CURVE_POINTS = 401
"""Points of the curve of which the threshold is read."""


def surfaces(
    samples: Sequence[Sample],
    tasks: Sequence[NetworkTask],
    *,
    networks: Sequence[Weights],
    config: InterventionSurface,
) -> pd.DataFrame:
    """Return the fitted in-sample function of every period over two inputs (figure 6).

    Parameters
    ----------
    samples, tasks, networks
        The windows, the networks and their weights.
    config : InterventionSurface
        The two inputs and the grid points of each; the other inputs stay at the period's mean.

    Returns
    -------
    pandas.DataFrame
        period, the two inputs, share (per cent of reserves in the period's direction, mean over
        seeds), std (across seeds). Inputs range over those of the period's months.
    """
    parts = []
    for sample, seeds in _in_sample_networks(samples, tasks, networks):
        first, second = (INPUTS.index(name) for name in config.inputs)
        sides = [
            np.linspace(sample.x_min[i], sample.x_max[i], config.points) for i in (first, second)
        ]
        a, b = (side.ravel() for side in np.meshgrid(*sides, indexing="ij"))
        rows = np.tile(sample.x_train.mean(0), (len(a), 1))
        rows[:, first], rows[:, second] = a, b
        share = sample.y_max * np.array(predict(seeds, [rows] * len(seeds)))
        parts.append(
            pd.DataFrame(
                {
                    "period": sample.period,
                    config.inputs[0]: a,
                    config.inputs[1]: b,
                    "share": share.mean(0),
                    "std": share.std(0, ddof=1) if len(seeds) > 1 else 0.0,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def thresholds(
    samples: Sequence[Sample],
    tasks: Sequence[NetworkTask],
    *,
    networks: Sequence[Weights],
    level: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the threshold of every period's reaction to the month's move of the rate.

    Parameters
    ----------
    samples, tasks, networks
        The windows, the networks and their weights.
    level : float
        Share of the full response at which the reaction counts as begun.

    Returns
    -------
    thresholds : pandas.DataFrame
        period, threshold (per cent of move in the direction that the authority leans against, of
        the seeds' mean curve), std, lowest and highest (of the single seeds' thresholds) and seeds
        (the number of seeds with a threshold).
    curves : pandas.DataFrame
        period, move, share (mean over seeds) and std (across seeds): the response, other inputs at
        their mean.
    """
    read, curves = [], []
    for sample, seeds in _in_sample_networks(samples, tasks, networks):
        change = INPUTS.index("change")
        move_range = -sample.sign * sample.x_train[:, change]
        move = np.linspace(move_range.min(), move_range.max(), _CURVE_POINTS)
        rows = np.tile(sample.x_train.mean(0), (_CURVE_POINTS, 1))
        rows[:, change] = -sample.sign * move
        share = sample.y_max * np.array(predict(seeds, [rows] * len(seeds)))
        by_seed = np.array([threshold(move, curve, level) for curve in share])
        finite = by_seed[np.isfinite(by_seed)]
        std = share.std(0, ddof=1) if len(seeds) > 1 else np.zeros(_CURVE_POINTS)
        read.append(
            {
                "period": sample.period,
                "threshold": threshold(move, share.mean(0), level),
                "std": float(finite.std(ddof=1)) if len(finite) > 1 else np.nan,
                "lowest": float(finite.min()) if len(finite) else np.nan,
                "highest": float(finite.max()) if len(finite) else np.nan,
                "seeds": len(finite),
            }
        )
        curves.append(
            pd.DataFrame(
                {
                    "period": sample.period,
                    "move": move,
                    "share": share.mean(0),
                    "std": std,
                }
            )
        )
    return pd.DataFrame(read), pd.concat(curves, ignore_index=True)


def threshold(move: np.ndarray, share: np.ndarray, level: float) -> float:
    """Return the move at which a response curve begins to rise.

    Parameters
    ----------
    move : numpy.ndarray
        [points] ascending.
    share : numpy.ndarray
        [points] the reaction.
    level : float
        Share of the rise from the minimum left of the maximum to the maximum.

    Returns
    -------
    float
        Searching leftwards from the maximum, the first move at which the curve is down to that
        level, by linear interpolation; NaN where it is flat or never that low.
    """
    top = int(np.argmax(share))
    rise = share[: top + 1]
    cut = rise.min() + level * (rise[top] - rise.min())
    at_or_below = np.flatnonzero(rise <= cut)
    if rise[top] <= rise.min() or not len(at_or_below):
        return float("nan")
    last = int(at_or_below[-1])
    step = (cut - share[last]) / (share[last + 1] - share[last])
    return float(move[last] + step * (move[last + 1] - move[last]))


def _in_sample_networks(
    samples: Sequence[Sample], tasks: Sequence[NetworkTask], networks: Sequence[Weights]
) -> list[tuple[Sample, list[Weights]]]:
    """Return each in-sample window with its networks of the amount, one a seed each."""
    return [
        (
            sample,
            [
                network
                for task, network in zip(tasks, networks, strict=True)
                if task.sample == place and task.method == "amount"
            ],
        )
        for place, sample in enumerate(samples)
        if sample.data_set == IN_SAMPLE
    ]
