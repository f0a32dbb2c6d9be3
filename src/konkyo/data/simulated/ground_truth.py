"""The true expected return and the true contribution of every input to it.

Each effect is a function of one to four inputs known at t: cross-sectional ranks over [-1, 1] of
the stocks listed at t (missing is 0, the centre), and TOPIX's last monthly change as it is. A
strength is in units of a monthly return: what the effect adds at its extreme. The sum of the
effects, less its mean over the stocks, is what a stock is expected to earn in t+1 above the others.
All other inputs have no effect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from math import comb

import numpy as np

from konkyo.config import Simulated
from konkyo.data.simulated.portable_random import centred_ranks, mean

FALL_BEGINS, FALL_COMPLETE = 0.02, 0.08
"""TOPIX's loss in the last month from which the regime effect works, and where it is full."""

Inputs = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Effect:
    """One effect of the true function.

    Attributes
    ----------
    name : str
        Its key in params.yaml.
    inputs : tuple of str
        The features that it looks at, by their names in the panel.
    shape : callable
        (inputs, zero_roe) -> ndarray, shape [stocks], for strength 1. `zero_roe` is the rank that a
        forecast return on equity of 0 has in the month.
    """

    name: str
    inputs: tuple[str, ...]
    shape: Callable[[Inputs, float], np.ndarray]


def _reversal(x: Inputs, zero_roe: float) -> np.ndarray:
    """Last month's losers gain, the more so at the extremes (figure 10, left)."""
    past = x["return_1"]
    return -(past + 3 * past * past * past) / 4


def _quality(x: Inputs, zero_roe: float) -> np.ndarray:
    """Forecast ROE pays where it is positive and does nothing below (figure 10, right)."""
    span = max(1 - zero_roe, 1e-9)
    return np.maximum(x["roe_forecast"] - zero_roe, 0) / span


def _value(x: Inputs, zero_roe: float) -> np.ndarray:
    """Cheap stocks gain, by book value and by forecast earnings."""
    return (x["book_to_price"] + x["earnings_yield_forecast"]) / 2


def _interaction(x: Inputs, zero_roe: float) -> np.ndarray:
    """Winners go on where few shares change hands and turn where many do: neither alone works."""
    return -x["return_12"] * x["share_turnover"]


def _regime(x: Inputs, zero_roe: float) -> np.ndarray:
    """After a fall of TOPIX, and only then, cheap small past losers gain (figure 12)."""
    fall = (-x["topix_change"] - FALL_BEGINS) / (FALL_COMPLETE - FALL_BEGINS)
    wanted = (x["book_to_price"] - x["size"] - x["return_3"]) / 3
    return np.minimum(np.maximum(fall, 0), 1) * wanted


EFFECTS = (
    Effect("reversal", ("return_1",), _reversal),
    Effect("quality", ("roe_forecast",), _quality),
    Effect("value", ("book_to_price", "earnings_yield_forecast"), _value),
    Effect("interaction", ("return_12", "share_turnover"), _interaction),
    Effect("regime", ("topix_change", "book_to_price", "size", "return_3"), _regime),
)


def inputs_with_effect(settings: Simulated) -> list[str]:
    """Return the features with a part in an effect of strength above 0, without repeats."""
    active = (e.inputs for e in EFFECTS if getattr(settings, e.name) > 0)
    return list(dict.fromkeys(name for inputs in active for name in inputs))


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of one month's stocks.

    Attributes
    ----------
    expected : ndarray, shape [stocks]
        Expected return of t+1 above the mean of all stocks, a fraction.
    baseline : float
        The same for a stock at the centre of every input, in a month without a fall of TOPIX.
    contributions : dict of str to ndarray, shape [stocks]
        Shapley values by input; their sum is `expected` less `baseline`.
    """

    expected: np.ndarray
    baseline: float
    contributions: dict[str, np.ndarray]


def truth(settings: Simulated, attributes: Inputs, topix_change: float) -> Truth:
    """Return expected returns and contributions from what is known at t.

    Parameters
    ----------
    settings : Simulated
        The strengths.
    attributes : mapping of str to ndarray, shape [stocks]
        The attributes that the effects look at, as published at t, NaN where missing.
    topix_change : float
        TOPIX's change during month t, a fraction.
    """
    roe = attributes["roe_forecast"]
    known = int(np.isfinite(roe).sum())
    zero_roe = 2 * int((roe <= 0).sum()) / known - 1 if known else 0.0
    count = len(roe)
    inputs = {
        name: np.full(count, topix_change)
        if name == "topix_change"
        else centred_ranks(attributes[name])
        for effect in EFFECTS
        for name in effect.inputs
    }
    total, centre = np.zeros(count), 0.0
    contributions = {name: np.zeros(count) for name in inputs_with_effect(settings)}
    for effect in EFFECTS:
        strength = getattr(settings, effect.name)
        if strength == 0:
            continue
        total = total + strength * effect.shape(inputs, zero_roe)
        at_centre = {name: np.zeros(1) for name in effect.inputs}
        centre += strength * float(effect.shape(at_centre, zero_roe)[0])
        for name, part in shapley(effect, inputs, zero_roe).items():
            contributions[name] = contributions[name] + strength * part
    level = mean(total)
    return Truth(total - level, centre - level, contributions)


def shapley(effect: Effect, inputs: Inputs, zero_roe: float) -> dict[str, np.ndarray]:
    """Return exact Shapley values of one effect of strength 1, by enumerating subsets.

    Parameters
    ----------
    effect : Effect
        At most four inputs, hence at most sixteen subsets.
    inputs : mapping of str to ndarray, shape [stocks]
        The actual values. An input outside a subset is at the baseline, 0: the centre of the
        cross-section, or an unchanged TOPIX.
    zero_roe : float
        A property of the month, the same in every subset.

    Returns
    -------
    dict of str to ndarray, shape [stocks]
        Their sum is the effect at the actual values less the effect at the baseline.
    """
    names = effect.inputs
    none = np.zeros(len(inputs[names[0]]))
    worth = {
        frozenset(chosen): effect.shape(
            {name: inputs[name] if name in chosen else none for name in names}, zero_roe
        )
        for size in range(len(names) + 1)
        for chosen in combinations(names, size)
    }
    values = {}
    for name in names:
        # A subset of k others comes before `name` in one ordering out of n * C(n - 1, k).
        gains = [
            (worth[subset | {name}] - without) / (len(names) * comb(len(names) - 1, len(subset)))
            for subset, without in worth.items()
            if name not in subset
        ]
        values[name] = reduce(np.add, gains)
    return values
