"""Whether the inputs of a month are like those of the months that its network learnt from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.dates import ordinal
from konkyo.windows import MonthSlices

BINS = 10


def cuts(reference: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return the ends of the reference's quantile bins.

    Parameters
    ----------
    reference : numpy.ndarray
        Finite values, at least one.
    bins : int
        Ten for quantiles.

    Returns
    -------
    numpy.ndarray
        Ascending and unique; a bin holds its upper end and not its lower one. A value at which
        two or more quantiles lie is a bin by itself, so that what moves off it is seen.
    """
    n = len(reference)
    # The value below which at least k of `bins` parts lie: one that is in the data.
    ranks = np.ceil(np.arange(1, bins) * n / bins).astype(int) - 1
    values, times = np.unique(np.partition(reference, ranks)[ranks], return_counts=True)
    return np.union1d(values, np.nextafter(values[times > 1], -np.inf))


def stability_index(reference: np.ndarray, now: np.ndarray, bins: int = BINS) -> float:
    """Return the population stability index (PSI) of a sample against a reference.

    PSI = sum over bins of (a - e) ln(a / e), where e and a are the shares of the reference and of
    the sample in the bins of the reference's quantiles. It is the symmetric Kullback-Leibler
    divergence of the binned shares. A common reading is: below 0.1 alike, above 0.25 shifted.

    Parameters
    ----------
    reference, now : numpy.ndarray
        Finite values, in any order.
    bins : int
        Ten for quantiles.

    Returns
    -------
    float
        0 where all shares are equal, else above 0; NaN where either has no values. A bin empty in
        one of the two counts as half a row there, as the logarithm of 0 would be infinite.
    """
    if not len(reference) or not len(now):
        return float("nan")
    ends = cuts(reference, bins)
    expected, actual = _counts(reference, ends), _counts(now, ends)
    either = (expected > 0) | (actual > 0)
    e = np.maximum(expected[either], 0.5) / len(reference)
    a = np.maximum(actual[either], 0.5) / len(now)
    return float(((a - e) * np.log(a / e)).sum())


def _counts(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return how many values each bin holds, [ends + 1]."""
    # Comparing with ten ends is several times faster than searching each value's place.
    below = [0, *(int(np.count_nonzero(values <= end)) for end in ends), len(values)]
    return np.diff(below)


def characteristic_drift(
    raw: pd.DataFrame, month: pd.Series, window: int, newest: int
) -> pd.DataFrame:
    """Return the PSI of every characteristic in the newest months.

    Parameters
    ----------
    raw : DataFrame
        [panel rows, characteristics], before standardising, NaN where missing: the known values of
        a month are compared, and what is missing is counted elsewhere.
    month : Series
        The rows' months, in panel order.
    window : int
        Months of a training window: month t is compared with the rows of t-window .. t-1.
    newest : int
        At most so many months, ending with the newest.

    Returns
    -------
    DataFrame
        month, feature, psi, chance (about what drawing as many rows at random from one
        distribution gives: bins less one, times the sum of the reciprocals of both row counts),
        stocks (with a value). Months with a whole window behind them only.
    """
    blocks = MonthSlices.of(month)
    ends = month.iloc[blocks.offsets[:-1]].to_numpy()
    tables = []
    for name in raw.columns:
        values = raw[name].to_numpy(dtype=np.float64)
        known = [part[np.isfinite(part)] for part in _parts(values, blocks)]
        rows = []
        for t in range(max(window, len(ends) - newest), len(ends)):
            reference = np.concatenate(known[t - window : t])
            rows.append(
                (ends[t], stability_index(reference, known[t]), len(reference), len(known[t]))
            )
        own = pd.DataFrame(rows, columns=["month", "psi", "reference", "stocks"])
        tables.append(own.assign(feature=name))
    table = pd.concat(tables, ignore_index=True)
    both = table[["reference", "stocks"]].replace(0, np.nan)
    table["chance"] = (BINS - 1) * (1 / both).sum(axis=1, min_count=2)
    order = np.lexsort((np.arange(len(table)), ordinal(table["month"])))
    return table.iloc[order].reset_index(drop=True)[["month", "feature", "psi", "chance", "stocks"]]


def market_range(
    values: np.ndarray, month: pd.Series, names: Sequence[str], window: int, newest: int
) -> pd.DataFrame:
    """Return how far every market series is from the months of its training window.

    Parameters
    ----------
    values : numpy.ndarray
        [panel rows, series], the same for all stocks of a month.
    month : Series
        The rows' months, in panel order.
    names : sequence of str
        The series with their transforms.
    window, newest : int
        As of `characteristic_drift`.

    Returns
    -------
    DataFrame
        month, feature, value, mean, deviation (both of the window's months), z: the value less the
        mean in deviations; infinite where a series that never moved does.
    """
    blocks = MonthSlices.of(month)
    first = blocks.offsets[:-1]
    series, ends = np.asarray(values[first], dtype=np.float64), month.iloc[first].to_numpy()
    tables = []
    for t in range(max(window, len(ends) - newest), len(ends)):
        past = series[t - window : t]
        mean, deviation = past.mean(0), past.std(0)
        # A constant leaves rounding dust behind its mean.
        still = np.ptp(past, axis=0) == 0
        mean, deviation = np.where(still, past[0], mean), np.where(still, 0.0, deviation)
        away = series[t] - mean
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(away == 0, 0.0, away / deviation)
        tables.append(
            pd.DataFrame(
                {
                    "month": ends[t],
                    "feature": list(names),
                    "value": series[t],
                    "mean": mean,
                    "deviation": deviation,
                    "z": z,
                }
            )
        )
    columns = ["month", "feature", "value", "mean", "deviation", "z"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _parts(values: np.ndarray, blocks: MonthSlices) -> list[np.ndarray]:
    return [values[blocks.rows(place)] for place in range(len(blocks.names))]
