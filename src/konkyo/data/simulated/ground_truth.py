"""The true expected return and its true attribution: Shapley values of the planted effects.

Each effect is a function of one to four inputs known at t: cross-sectional ranks over [-1, 1] of
the stocks listed at t (missing is 0, the centre), and TOPIX's return of month t as it is. A
strength is in units of a monthly return: what the effect adds at its extreme. The sum of the
effects, less its cross-sectional mean, is a stock's expected return of t+1 above the others. All
other inputs have no effect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from konkyo.config import Simulated
from konkyo.data.simulated.scenario import centred_ranks

MIN_FALL, FULL_FALL = 0.02, 0.08
"""TOPIX's loss of the month from which the regime effect sets in, and at which it is full."""

Inputs = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class PlantedEffect:
    """One term of the expected return.

    Attributes
    ----------
    name : str
        Its key in params.yaml.
    inputs : tuple of str
        The features that it depends on, by their names in the panel.
    function : callable
        (inputs, zero_roe) -> ndarray, shape [stocks], at strength 1. `zero_roe` is the rank at
        which the forecast return on equity changes its sign in the month.
    """

    name: str
    inputs: tuple[str, ...]
    function: Callable[[Inputs, float], np.ndarray]


def _reversal(x: Inputs, zero_roe: float) -> np.ndarray:
    """Short-term reversal, steeper at the extremes (figure 10, left): -(r + 3 r^3) / 4."""
    return -(x["return_1"] + 3 * x["return_1"] ** 3) / 4


def _quality(x: Inputs, zero_roe: float) -> np.ndarray:
    """Forecast ROE, linear where it is positive and 0 below (figure 10, right)."""
    return np.maximum(x["roe_forecast"] - zero_roe, 0) / max(1 - zero_roe, 1e-9)


def _value(x: Inputs, zero_roe: float) -> np.ndarray:
    """Book-to-price and forecast earnings yield, in equal parts."""
    return (x["book_to_price"] + x["earnings_yield_forecast"]) / 2


def _interaction(x: Inputs, zero_roe: float) -> np.ndarray:
    """Momentum at low turnover and reversal at high turnover: no main effect of either."""
    return -x["return_12"] * x["share_turnover"]


def _regime(x: Inputs, zero_roe: float) -> np.ndarray:
    """Cheap, small past losers, after a fall of TOPIX only (figure 12)."""
    fall = (-x["topix_change"] - MIN_FALL) / (FULL_FALL - MIN_FALL)
    return fall.clip(0, 1) * (x["book_to_price"] - x["size"] - x["return_3"]) / 3


EFFECTS = (
    PlantedEffect("reversal", ("return_1",), _reversal),
    PlantedEffect("quality", ("roe_forecast",), _quality),
    PlantedEffect("value", ("book_to_price", "earnings_yield_forecast"), _value),
    PlantedEffect("interaction", ("return_12", "share_turnover"), _interaction),
    PlantedEffect("regime", ("topix_change", "book_to_price", "size", "return_3"), _regime),
)


def inputs_with_effect(config: Simulated) -> list[str]:
    """Return the features of the effects whose strength is above 0, without repeats."""
    active = (effect.inputs for effect in EFFECTS if getattr(config, effect.name) > 0)
    return list(dict.fromkeys(name for inputs in active for name in inputs))


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Expected returns of one month and their attribution.

    Attributes
    ----------
    expected : ndarray, shape [stocks]
        Expected return of t+1 above the cross-sectional mean, a fraction.
    baseline : float
        The same of a stock at the centre of every input, in a month without a fall of TOPIX.
    contributions : dict of str to ndarray, shape [stocks]
        Shapley values by input; their sum is `expected` - `baseline`.
    """

    expected: np.ndarray
    baseline: float
    contributions: dict[str, np.ndarray]


def ground_truth(config: Simulated, characteristics: Inputs, topix_change: float) -> GroundTruth:
    """Return expected returns of t+1 and their Shapley values from what is known at t.

    Parameters
    ----------
    config : Simulated
        The strengths.
    characteristics : mapping of str to ndarray, shape [stocks]
        What the effects depend on, as published at t, NaN where missing.
    topix_change : float
        TOPIX's return of month t, a fraction.
    """
    roe = characteristics["roe_forecast"]
    count, n_forecasts = len(roe), np.isfinite(roe).sum()
    zero_roe = float(2 * (roe <= 0).sum() / n_forecasts - 1) if n_forecasts else 0.0
    inputs = {
        name: np.full(count, topix_change)
        if name == "topix_change"
        else centred_ranks(characteristics[name])
        for name in dict.fromkeys(name for effect in EFFECTS for name in effect.inputs)
    }
    total, centre = np.zeros(count), 0.0
    contributions = {name: np.zeros(count) for name in inputs_with_effect(config)}
    for effect in EFFECTS:
        strength = getattr(config, effect.name)
        if strength == 0:
            continue
        total += strength * effect.function(inputs, zero_roe)
        at_centre = {name: np.zeros(1) for name in effect.inputs}
        centre += strength * float(effect.function(at_centre, zero_roe)[0])
        # Shapley values are additive over the effects, so that 16 subsets do and not 2^9.
        for name, values in shapley_values(effect, inputs, zero_roe).items():
            contributions[name] += strength * values
    mean = total.mean()
    return GroundTruth(total - mean, float(centre - mean), contributions)


def shapley_values(effect: PlantedEffect, inputs: Inputs, zero_roe: float) -> dict[str, np.ndarray]:
    """Return exact Shapley values of one effect of strength 1, by enumerating subsets.

    phi_i = sum over S without i of (f(S + i) - f(S)) / (n C(n - 1, |S|))

    Parameters
    ----------
    effect : PlantedEffect
        Of at most four inputs, hence at most sixteen subsets.
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
    zeros = np.zeros(len(inputs[names[0]]))
    outcomes = {
        frozenset(subset): effect.function(
            {name: inputs[name] if name in subset else zeros for name in names}, zero_roe
        )
        for size in range(len(names) + 1)
        for subset in combinations(names, size)
    }
    return {
        name: sum(
            (
                (outcomes[subset | {name}] - without)
                / (len(names) * comb(len(names) - 1, len(subset)))
                for subset, without in outcomes.items()
                if name not in subset
            ),
            start=zeros,
        )
        for name in names
    }
