"""The reaction surface: the fitted function over two inputs, and the threshold read off it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.config import InterventionSurface
from konkyo.intervention.indicators import INPUTS
from konkyo.intervention.networks import Task, predict
from konkyo.intervention.samples import IN_SAMPLE, Sample
from konkyo.models.store import Weights

_FINE = 401
"""Points of the curve on which the threshold is read."""


def surfaces(
    made: Sequence[Sample],
    todo: Sequence[Task],
    networks: Sequence[Weights],
    choice: InterventionSurface,
) -> pd.DataFrame:
    """Return the fitted in-sample function of every period over two inputs (figure 6).

    Parameters
    ----------
    made, todo, networks
        The windows, the networks and their weights.
    choice : InterventionSurface
        The two inputs and the points a side; the other inputs stay at the period's mean.

    Returns
    -------
    pandas.DataFrame
        period, the two inputs, share (per cent of reserves in the period's direction, mean over
        seeds), spread (between seeds). Inputs range as far as the period's months do.
    """
    parts = []
    for sample, own in _in_sample(made, todo, networks):
        first, second = (INPUTS.index(name) for name in choice.inputs)
        sides = [np.linspace(sample.low[i], sample.high[i], choice.points) for i in (first, second)]
        a, b = (side.ravel() for side in np.meshgrid(*sides, indexing="ij"))
        rows = np.tile(sample.x.mean(0), (len(a), 1))
        rows[:, first], rows[:, second] = a, b
        share = sample.top * np.array(predict(own, [rows] * len(own)))
        parts.append(
            pd.DataFrame(
                {
                    "period": sample.period,
                    choice.inputs[0]: a,
                    choice.inputs[1]: b,
                    "share": share.mean(0),
                    "spread": share.std(0, ddof=1) if len(own) > 1 else 0.0,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def thresholds(
    made: Sequence[Sample], todo: Sequence[Task], networks: Sequence[Weights], level: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the threshold of every period's reaction to the month's move off the fitted function.

    Parameters
    ----------
    made, todo, networks
        The windows, the networks and their weights.
    level : float
        Share of the whole rise at which the reaction counts as begun.

    Returns
    -------
    read : pandas.DataFrame
        period, threshold (per cent of move in the direction that the authority leans against, on
        the mean curve of the seeds), spread, lowest and highest (of the seeds' own thresholds) and
        seeds (how many of them have one).
    curves : pandas.DataFrame
        period, move, share (mean over seeds), spread: the curve itself, other inputs at their
        mean.
    """
    read, curves = [], []
    for sample, own in _in_sample(made, todo, networks):
        change = INPUTS.index("change")
        against = -sample.sign * sample.x[:, change]
        move = np.linspace(against.min(), against.max(), _FINE)
        rows = np.tile(sample.x.mean(0), (_FINE, 1))
        rows[:, change] = -sample.sign * move
        share = sample.top * np.array(predict(own, [rows] * len(own)))
        each = np.array([threshold(move, curve, level) for curve in share])
        found = each[np.isfinite(each)]
        spread = share.std(0, ddof=1) if len(own) > 1 else np.zeros(_FINE)
        read.append(
            {
                "period": sample.period,
                "threshold": threshold(move, share.mean(0), level),
                "spread": float(found.std(ddof=1)) if len(found) > 1 else np.nan,
                "lowest": float(found.min()) if len(found) else np.nan,
                "highest": float(found.max()) if len(found) else np.nan,
                "seeds": len(found),
            }
        )
        curves.append(
            pd.DataFrame(
                {
                    "period": sample.period,
                    "move": move,
                    "share": share.mean(0),
                    "spread": spread,
                }
            )
        )
    return pd.DataFrame(read), pd.concat(curves, ignore_index=True)


def threshold(move: np.ndarray, share: np.ndarray, level: float) -> float:
    """Return the move at which a curve has begun to rise.

    Parameters
    ----------
    move : numpy.ndarray
        [points] ascending.
    share : numpy.ndarray
        [points] the reaction.
    level : float
        Share of the way from the curve's lowest point before its highest one to that highest one.

    Returns
    -------
    float
        Going back from the highest point, the first move at which the curve is down to that level,
        by linear interpolation; NaN where it never comes down to it.
    """
    top = int(np.argmax(share))
    before = share[: top + 1]
    line = before.min() + level * (before[top] - before.min())
    below = np.flatnonzero(before <= line)
    if before[top] <= before.min() or not len(below):
        return float("nan")
    last = int(below[-1])
    step = (line - share[last]) / (share[last + 1] - share[last])
    return float(move[last] + step * (move[last + 1] - move[last]))


def _in_sample(
    made: Sequence[Sample], todo: Sequence[Task], networks: Sequence[Weights]
) -> list[tuple[Sample, list[Weights]]]:
    """Return each in-sample window with its networks of the amount, one a seed."""
    return [
        (
            sample,
            [
                network
                for task, network in zip(todo, networks, strict=True)
                if task.sample == place and task.method == "amount"
            ],
        )
        for place, sample in enumerate(made)
        if sample.data == IN_SAMPLE
    ]
