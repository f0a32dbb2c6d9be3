"""Stability of attributions over seeds, and their dependence on the trained weights.

Source of cascading randomisation: Adebayo and others, Sanity Checks for Saliency Maps (2018).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from konkyo.attribution.correlation import nan_mean, rank_correlation
from konkyo.attribution.methods import Method
from konkyo.models.store import ModuleWeights, Network


def seed_correlation(attributions: Sequence[np.ndarray]) -> pd.DataFrame:
    """Correlate the attributions of networks that differ in their seeds alone.

    Parameters
    ----------
    attributions : sequence of numpy.ndarray
        [stocks, features] a seed, of the same rows. Features that are 0 in all rows of every seed
        (dummies of other months) tie and raise the correlation: leave them out.

    Returns
    -------
    pandas.DataFrame
        first, second (positions of the seeds), rank_correlation over the features of a stock, mean
        over stocks.
    """
    pairs = [
        (i, j, nan_mean(rank_correlation(attributions[i], attributions[j], axis=1)))
        for i, j in combinations(range(len(attributions)), 2)
    ]
    return pd.DataFrame(pairs, columns=["first", "second", "rank_correlation"])


def randomise(network: Network, layers: int, generator: np.random.Generator) -> Network:
    """Return a network whose last layers have random weights and biases.

    Parameters
    ----------
    network : Weights or ModuleWeights
        A trained network; of a user's module the layers are its submodules with parameters, and the
        last that it defines is taken for the output.
    layers : int
        How many, counted from the output.
    generator : numpy.random.Generator
        Draws U(-1, 1) / sqrt(in), as an untrained network has them. The output layer is drawn
        first: with generators of one seed, the draws of fewer layers are among those of more.
    """
    if isinstance(network, ModuleWeights):
        return _randomise_module(network, layers, generator)
    weights, biases = list(network.weights), list(network.biases)
    for layer in range(len(weights) - 1, len(weights) - 1 - layers, -1):
        bound = weights[layer].shape[0] ** -0.5
        weights[layer], biases[layer] = (
            generator.uniform(-bound, bound, parameter.shape).astype(np.float32)
            for parameter in (weights[layer], biases[layer])
        )
    return replace(network, weights=tuple(weights), biases=tuple(biases))


def _randomise_module(
    network: ModuleWeights, layers: int, generator: np.random.Generator
) -> ModuleWeights:
    state = dict(network.state)
    for names in list(network.layers().values())[::-1][:layers]:
        # The last axis of torch's weights is that of their inputs.
        fan_in = max((state[name].shape[-1] for name in names if state[name].ndim > 1), default=1)
        for name in names:
            drawn = generator.uniform(-(fan_in**-0.5), fan_in**-0.5, state[name].shape)
            state[name] = np.asarray(drawn, dtype=state[name].dtype)
    return replace(network, state=state)


def cascading_randomisation(
    network: Network, rows: np.ndarray, method: Method, *, seed: int
) -> pd.DataFrame:
    """Randomise the layers cumulatively, from the output down, and correlate attributions.

    Attributions that stay the same do not depend on what the network learned.

    Parameters
    ----------
    network : Weights or ModuleWeights
        A trained network.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    method : callable
        Of `methods`.
    seed : int
        Of the random weights.

    Returns
    -------
    pandas.DataFrame
        layers (randomised, 0 .. all), rank_correlation with the trained network's relevances over
        the features of a row, mean over rows, and size_correlation, the same of their absolute
        values: that one stays above 0 as long as a method multiplies by inputs.
    """
    trained = method(network, rows)
    lines = []
    for layers in range(len(network.parameters_by_layer()) + 1):
        # A generator of the same seed for each step keeps the layers randomised so far.
        randomised = method(randomise(network, layers, np.random.default_rng(seed)), rows)
        signed = nan_mean(rank_correlation(trained, randomised, axis=1))
        size = nan_mean(rank_correlation(np.abs(trained), np.abs(randomised), axis=1))
        lines.append((layers, signed, size))
    return pd.DataFrame(lines, columns=["layers", "rank_correlation", "size_correlation"])
