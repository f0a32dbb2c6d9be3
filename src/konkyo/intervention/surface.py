"""The reaction surfaces, and the response to each input: threshold, peak, interval above half."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.config import InterventionSurface
from konkyo.intervention.indicators import INPUTS
from konkyo.intervention.networks import NetworkTask, predict
from konkyo.intervention.samples import IN_SAMPLE, Sample
from konkyo.models.store import Weights

SURFACES = (("change", "balance"), ("change", "deviation"))
"""The inputs of figures 6-1 and 6-2."""
RESPONSES = ("change", "balance", "deviation")
_CURVE_POINTS = 401
_MONOTONE = 0.02
"""Share of a curve's range by which a monotone curve may go back: the noise of a fitted network."""


def surfaces(
    samples: Sequence[Sample],
    tasks: Sequence[NetworkTask],
    *,
    networks: Sequence[Weights],
    config: InterventionSurface,
) -> pd.DataFrame:
    """Return the fitted in-sample function of every period over two inputs (figures 6-1 and 6-2).

    Parameters
    ----------
    samples, tasks, networks
        The windows, the networks and their weights.
    config : InterventionSurface
        The grid points of each input.

    Returns
    -------
    pandas.DataFrame
        period, surface ("balance" or "deviation", the second input), change, second (its value),
        share (per cent of reserves in the period's direction, mean over seeds), std (across
        seeds). Inputs range over those of the period's months; the others are at their mean.
    """
    parts = []
    for sample, seeds in _in_sample_networks(samples, tasks, networks):
        for pair in SURFACES:
            columns = [INPUTS.index(name) for name in pair]
            sides = [np.linspace(sample.x_min[i], sample.x_max[i], config.points) for i in columns]
            first, second = (side.ravel() for side in np.meshgrid(*sides, indexing="ij"))
            rows = np.tile(sample.x_train.mean(0), (len(first), 1))
            rows[:, columns[0]], rows[:, columns[1]] = first, second
            table = pd.DataFrame({"period": sample.period, "surface": pair[1], "change": first})
            parts.append(table.assign(second=second, **_response(sample, seeds, rows)))
    return pd.concat(parts, ignore_index=True)


def response_curves(
    samples: Sequence[Sample], tasks: Sequence[NetworkTask], *, networks: Sequence[Weights]
) -> pd.DataFrame:
    """Return the response of every period along each input.

    Returns
    -------
    pandas.DataFrame
        period, input (of `RESPONSES`), seed, value, share (per cent of reserves in the period's
        direction) and the `INPUTS` that the networks were asked with. Along change, value is the
        move that the authority leans against (its sign turned where home currency is sold), and
        the other inputs are at their mean. Along balance and deviation the change is at its mean
        over the months with intervention in the period's direction: without a move there is
        hardly a response to see.
    """
    parts = []
    for sample, seeds in _in_sample_networks(samples, tasks, networks):
        for name in RESPONSES:
            column = INPUTS.index(name)
            rows = np.tile(sample.x_train.mean(0), (_CURVE_POINTS, 1))
            if name != "change":
                change = INPUTS.index("change")
                rows[:, change] = sample.x_train[sample.y_train > 0, change].mean()
            side = np.linspace(sample.x_min[column], sample.x_max[column], _CURVE_POINTS)
            # Ascending moves: the authority leans against a rise of the rate when it buys.
            value = side if name != "change" or sample.sign < 0 else -side[::-1]
            rows[:, column] = side if value is side else side[::-1]
            for seed, output in enumerate(predict(seeds, [rows] * len(seeds))):
                table = pd.DataFrame(rows, columns=list(INPUTS)).assign(
                    period=sample.period, input=name, seed=seed, value=value
                )
                parts.append(table.assign(share=sample.share(output)))
    return pd.concat(parts, ignore_index=True)


def mean_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Return mean and std of `response_curves` over the seeds, one row a value."""
    keys = ["period", "input", "value", *INPUTS]
    of_seeds = curves.groupby(keys, sort=False)["share"]
    # The std of one seed is NaN, and a band of no width in the figure.
    return of_seeds.agg(share="mean", std="std").fillna({"std": 0.0}).reset_index()


def responses(curves: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return what is read off the curves of every period and input.

    Parameters
    ----------
    curves : pandas.DataFrame
        Of `response_curves`.
    level : float
        Share of the full response at which the reaction counts as begun.

    Returns
    -------
    pandas.DataFrame
        period, input, shape, threshold (value at which the response begins; of monotone curves
        only, the others have no single one), std, lowest and
        highest (of the single seeds' thresholds), seeds (number of seeds with a threshold), peak
        (value of the largest response; missing for a monotone curve), half_from and half_to (ends
        of the interval around the peak in which the response is above half of it; missing where
        the months' range ends first).
    """
    rows = []
    for (period, name), group in curves.groupby(["period", "input"], sort=False):
        by_seed = [
            _reading(one["value"].to_numpy(), one["share"].to_numpy(), level)
            for _, one in group.groupby("seed")
        ]
        mean = group.groupby("value")["share"].mean()
        single = np.array([reading["threshold"] for reading in by_seed])
        single = single[np.isfinite(single)]
        rows.append(
            {
                "period": period,
                "input": name,
                **_reading(mean.index.to_numpy(), mean.to_numpy(), level),
                "std": float(single.std(ddof=1)) if len(single) > 1 else np.nan,
                "lowest": float(single.min()) if len(single) else np.nan,
                "highest": float(single.max()) if len(single) else np.nan,
                "seeds": len(single),
            }
        )
    return pd.DataFrame(rows)


def shape(share: np.ndarray) -> str:
    """Return "flat", "rising", "falling", "hump" (an inner maximum) or "trough" (at an end)."""
    span, steps = float(np.ptp(share)), np.diff(share)
    if span == 0:
        return "flat"
    if -steps[steps < 0].sum() <= _MONOTONE * span:
        return "rising"
    if steps[steps > 0].sum() <= _MONOTONE * span:
        return "falling"
    return "hump" if 0 < np.argmax(share) < len(share) - 1 else "trough"


def threshold(value: np.ndarray, share: np.ndarray, level: float) -> float:
    """Return the value at which a response begins to rise.

    Parameters
    ----------
    value : numpy.ndarray
        [points] ascending.
    share : numpy.ndarray
        [points] the response.
    level : float
        Share of the rise from the minimum left of the maximum to the maximum.

    Returns
    -------
    float
        Searching leftwards from the maximum, the first value at which the curve is down to that
        level, by linear interpolation; NaN where it is flat or never that low.
    """
    top = int(np.argmax(share))
    rise = share[: top + 1]
    if rise[top] <= rise.min():
        return float("nan")
    return _crossing(value, share, rise.min() + level * (rise[top] - rise.min()), (top, -1))


def half_interval(value: np.ndarray, share: np.ndarray) -> tuple[float, float]:
    """Return the ends of the interval around the maximum where a response is above half of it.

    An end is NaN where the curve stays above half up to its first or last point.
    """
    top = int(np.argmax(share))
    low, high = (_crossing(value, share, share[top] / 2, (top, step)) for step in (-1, 1))
    return low, high


def _crossing(value: np.ndarray, share: np.ndarray, least: float, start: tuple[int, int]) -> float:
    """Return the first value from a point on, in steps of -1 or 1, where a curve is down to it."""
    point, step = start
    side = np.arange(point, -1 if step < 0 else len(share), step)
    below = side[share[side] <= least]
    if not len(below):
        return float("nan")
    inner, outer = below[0] - step, below[0]
    part = (share[inner] - least) / (share[inner] - share[outer])
    return float(value[inner] + part * (value[outer] - value[inner]))


def _reading(value: np.ndarray, share: np.ndarray, level: float) -> dict:
    form = shape(share)
    begins = peak = low = high = np.nan
    if form == "rising":
        begins = threshold(value, share, level)
    elif form == "falling":
        # The response begins where the curve, read from the right, has begun to rise.
        begins = -threshold(-value[::-1], share[::-1], level)
    elif form != "flat":
        peak, (low, high) = float(value[np.argmax(share)]), half_interval(value, share)
    return {
        "shape": form, "threshold": begins, "peak": peak, "half_from": low, "half_to": high,
    }  # fmt: skip


def _response(sample: Sample, seeds: list[Weights], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return share and std of the response to rows of inputs, over the seeds."""
    share = sample.share(np.array(predict(seeds, [rows] * len(seeds))))
    return {"share": share.mean(0), "std": share.std(0, ddof=min(1, len(seeds) - 1))}


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
                if task.sample == i and task.method == "amount"
            ],
        )
        for i, sample in enumerate(samples)
        if sample.fit == IN_SAMPLE
    ]
