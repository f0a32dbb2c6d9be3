"""What history fixes (crisis months, numbers of stocks, sizes of industries), shocks and ranks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo.dates import parse

MARKET_SHOCKS = {
    "1998-08": -0.08, "1998-10": 0.08,
    "2001-09": -0.10, "2001-10": 0.04, "2002-03": 0.06,
    "2007-08": -0.06, "2008-01": -0.08, "2008-04": 0.06, "2008-09": -0.13, "2008-10": -0.20,
    "2008-12": 0.05, "2009-03": 0.06, "2009-04": 0.08, "2009-05": 0.07, "2009-07": 0.05,
    "2009-08": 0.04, "2010-03": 0.06,
    "2010-05": -0.09, "2011-03": -0.10, "2011-08": -0.08, "2012-02": 0.08, "2012-12": 0.09,
    "2013-01": 0.06, "2013-04": 0.04,
    "2013-05": -0.05, "2013-09": 0.05, "2015-08": -0.08, "2015-10": 0.08,
    "2016-01": -0.08, "2016-02": -0.08, "2016-06": -0.09, "2016-07": 0.06, "2016-11": 0.10,
    "2017-09": 0.05, "2017-10": 0.04,
    "2018-02": -0.04, "2018-12": -0.10, "2019-01": 0.04, "2019-02": 0.04, "2019-09": 0.06,
}  # fmt: skip
"""The market's return in these months in addition to its random shock, a fraction. Crashes and
recoveries sum to 0, so that beta earns no premium over the sample."""

LISTED_STOCKS = ((1996, 0.88), (2003, 0.93), (2008, 1.02), (2013, 0.98), (2020, 1.12))
"""The number of listed stocks at the start of a year, as a multiple of `stocks`."""

SECTOR_SIZES = (
    6, 6, 100, 85, 40, 12, 145, 38, 9, 11, 33, 32, 24, 40, 140, 155, 62, 32, 50, 22, 43, 8, 4, 24,
    220, 175, 195, 83, 23, 9, 27, 75, 200,
)  # fmt: skip
"""The relative number of firms of each of the 33 industries, in the order of the catalogue."""

DEGREES_OF_FREEDOM = 5
"""Of Student's t: four finite moments, excess kurtosis 6."""


def ordinal_of(name: str) -> int:
    """Return a month named YYYY-MM, counted from 1970-01."""
    month = parse(name)
    return (month.year - 1970) * 12 + month.month - 1


def interpolate(knots: Sequence[tuple[float, float]], months: int | np.ndarray) -> np.ndarray:
    """Return a piecewise linear path at months counted from 1970-01, constant beyond its ends.

    Parameters
    ----------
    knots : sequence of (year, value)
        Values at the start of years, sorted by year.
    months : int or ndarray of int
        Where to evaluate; the result has its shape.
    """
    years, values = zip(*knots, strict=True)
    return np.interp(1970 + np.asarray(months) / 12, years, values)


def shocks_by_month(shocks: Mapping[str, float] = MARKET_SHOCKS) -> dict[int, float]:
    """Return the fixed shocks by month counted from 1970-01."""
    return {ordinal_of(name): shock for name, shock in shocks.items()}


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
