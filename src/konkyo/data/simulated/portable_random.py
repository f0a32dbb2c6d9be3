"""Random numbers and functions whose last bit is the same on every machine.

The simulation feeds its results back month after month, so that one differing bit could change a
rounded value or a listing. Hence: PCG64 gives uniform numbers, and everything else is additions,
products, quotients and square roots, which IEEE 754 defines to the last bit. `exp`, `log`, numpy's
own normal numbers (whose tails call the C library) and matrix products (whose order depends on the
processor) are not used; sums over stocks are exactly rounded (`math.fsum`).
"""

import math

import numpy as np

DEGREES = 5
"""Degrees of freedom of the fat-tailed numbers: four moments, excess kurtosis about 6."""

_UNIFORMS = 12
_SQUARINGS = 10


class Draws:
    """The random numbers of one key, for instance (seed, month, purpose).

    A month's numbers depend on its key alone, so that a simulation cut short at an earlier month
    has the same earlier rows.
    """

    def __init__(self, *key: int):
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))

    def uniform(self, count: int) -> np.ndarray:
        """Return numbers spread evenly over [0, 1), float64, shape [count]."""
        return self._generator.random(count)

    def normal(self, count: int) -> np.ndarray:
        """Return numbers of mean 0 and deviation 1, each the sum of twelve uniform ones, less 6."""
        rows = self._generator.random((_UNIFORMS, count))
        total = rows[0]
        for row in rows[1:]:
            total = total + row
        return total - _UNIFORMS / 2

    def student(self, count: int) -> np.ndarray:
        """Return numbers of Student's t with `DEGREES` degrees of freedom, scaled to deviation 1.

        Their normal numbers are those of `normal`, so that the far tails are a little lighter.
        """
        squares = np.zeros(count)
        for _ in range(DEGREES):
            part = self.normal(count)
            squares = squares + part * part
        return self.normal(count) * np.sqrt((DEGREES - 2) / np.maximum(squares, 1e-6))

    def positive(self, count: int, spread: float) -> np.ndarray:
        """Return numbers of median 1, skewed to the right: `exponential` of `spread` * normal."""
        return exponential(spread * self.normal(count))


def exponential(values: np.ndarray) -> np.ndarray:
    """Return (1 + x / 1024) ** 1024, near exp(x) for |x| below 10: ten squarings."""
    power = 1 + values / 2**_SQUARINGS
    for _ in range(_SQUARINGS):
        power = power * power
    return power


def mean(values: np.ndarray) -> float:
    """Return the mean, its sum exactly rounded whatever the order."""
    return math.fsum(values.tolist()) / len(values)


def centred_ranks(values: np.ndarray) -> np.ndarray:
    """Return a cross-section's ranks over [-1, 1], as the panel standardises them.

    Parameters
    ----------
    values : ndarray, shape [stocks]
        One attribute of the stocks listed at t, NaN where missing.

    Returns
    -------
    ndarray, shape [stocks]
        Ties share their mean rank; 0, the centre, where missing or where there is one value.
    """
    known = np.isfinite(values)
    _, place, count = np.unique(values[known], return_inverse=True, return_counts=True)
    ranks = np.zeros(len(values))
    if len(place) > 1:
        middle = np.cumsum(count) - count + (count - 1) / 2
        ranks[known] = (middle / (len(place) - 1) * 2 - 1)[place]
    return ranks
