"""Fat-tailed shocks, and cross-sectional ranks as the panel computes them."""

import numpy as np
import pandas as pd

DEGREES_OF_FREEDOM = 5
"""Of Student's t: four finite moments, excess kurtosis 6."""


def student_t(generator: np.random.Generator, count: int) -> np.ndarray:
    """Return Student's t numbers scaled to a variance of 1, shape [count]."""
    scale = np.sqrt((DEGREES_OF_FREEDOM - 2) / DEGREES_OF_FREEDOM)
    return scale * generator.standard_t(DEGREES_OF_FREEDOM, count)


def centred_ranks(values: np.ndarray) -> np.ndarray:
    """Return a cross-section's ranks over [-1, 1], as `prepare.standardise: rank` does.

    Parameters
    ----------
    values : ndarray, shape [stocks]
        One characteristic of the stocks of month t, NaN where missing.

    Returns
    -------
    ndarray, shape [stocks]
        Ties share their average rank; 0, the centre, where missing or where there is one value.
    """
    # pandas' ranks: the first import of scipy.stats takes as long as half the simulation.
    ranks = pd.Series(values).rank().to_numpy()
    count = np.isfinite(ranks).sum()
    return np.nan_to_num((ranks - 1) / (count - 1) * 2 - 1) if count > 1 else np.zeros(len(values))
