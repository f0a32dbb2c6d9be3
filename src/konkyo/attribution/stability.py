"""Whether relevances stay over seeds, where they should, and change with weights, as they must."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from konkyo.attribution.correlation import mean_of_defined, rank_correlation
from konkyo.attribution.methods import Method
from konkyo.models.store import Weights


def over_seeds(relevances: Sequence[np.ndarray]) -> pd.DataFrame:
    """Compare the relevances of networks that differ in their seeds alone.

    Parameters
    ----------
    relevances : sequence of numpy.ndarray
        [stocks, features] a seed, of the same rows. Features that are 0 in all rows of every seed
        (dummies of other months) tie and raise the correlation: leave them out.

    Returns
    -------
    pandas.DataFrame
        first, second (positions of the seeds), rank_correlation over the features of a stock, mean
        over stocks.
    """
    out = [
        (i, j, mean_of_defined(rank_correlation(relevances[i], relevances[j], axis=1)))
        for i, j in combinations(range(len(relevances)), 2)
    ]
    return pd.DataFrame(out, columns=["first", "second", "rank_correlation"])


def randomise(network: Weights, layers: int, generator: np.random.Generator) -> Weights:
    """Return a network whose last layers have weights and biases drawn anew.

    Parameters
    ----------
    network : Weights
        A trained network.
    layers : int
        How many, counted from the output.
    generator : numpy.random.Generator
        Draws U(-1, 1) / sqrt(in), as an untrained network has them. The output layer is drawn
        first: with generators of one seed, the draws of fewer layers are among those of more.
    """
    weights, biases = list(network.weights), list(network.biases)
    for place in range(len(weights) - 1, len(weights) - 1 - layers, -1):
        bound = weights[place].shape[0] ** -0.5
        weights[place], biases[place] = (
            generator.uniform(-bound, bound, part.shape).astype(np.float32)
            for part in (weights[place], biases[place])
        )
    return replace(network, weights=tuple(weights), biases=tuple(biases))


def randomisation(network: Weights, rows: np.ndarray, method: Method, seed: int) -> pd.DataFrame:
    """Draw the layers anew one after the other, from the output down, and compare relevances.

    Relevances that stay the same do not depend on what the network learned (Adebayo and others,
    Sanity checks for saliency maps, 2018).

    Parameters
    ----------
    network : Weights
        A trained network.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    method : callable
        Of `methods`.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        layers (drawn anew, 0 .. all), rank_correlation with the trained network's relevances over
        the features of a row, mean over rows, and size_correlation, the same of their absolute
        values: that one stays above 0 as long as a method multiplies by inputs.
    """
    trained = method(network, rows)
    out = []
    for layers in range(len(network.weights) + 1):
        other = method(randomise(network, layers, np.random.default_rng(seed)), rows)
        signed = mean_of_defined(rank_correlation(trained, other, axis=1))
        size = mean_of_defined(rank_correlation(np.abs(trained), np.abs(other), axis=1))
        out.append((layers, signed, size))
    return pd.DataFrame(out, columns=["layers", "rank_correlation", "size_correlation"])
