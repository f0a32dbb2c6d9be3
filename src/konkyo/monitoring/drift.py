"""Drift of a month's inputs against its training window: PSI and z-scores."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.dates import ordinal
from konkyo.windows import MonthSlices, Window, lead, rolling

BINS = 10


def bin_edges(reference: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return the inner edges of the quantile bins of a reference sample.

    Parameters
    ----------
    reference : numpy.ndarray
        Finite values, at least one.
    bins : int
        Number of quantile bins.

    Returns
    -------
    numpy.ndarray
        Ascending and unique; bins are closed on the right. A value that several quantiles share
        (a mass point) gets a bin of its own, so that a shift off it shows.
    """
    n = len(reference)
    # An order statistic, not an interpolation: the edge of a mass point is its very value.
    ranks = np.ceil(np.arange(1, bins) * n / bins).astype(int) - 1
    values, counts = np.unique(np.partition(reference, ranks)[ranks], return_counts=True)
    return np.union1d(values, np.nextafter(values[counts > 1], -np.inf))


def stability_index(reference: np.ndarray, current: np.ndarray, bins: int = BINS) -> float:
    """Return the population stability index (PSI) of a sample against a reference.

    PSI = sum over bins of (a - e) ln(a / e), where e and a are the shares of the reference and of
    the sample in the quantile bins of the reference: the symmetrised Kullback-Leibler divergence
    of the binned shares. Rule of thumb: below 0.1 no drift, above 0.25 a shift.

    Parameters
    ----------
    reference, current : numpy.ndarray
        Finite values, in any order.
    bins : int
        Number of quantile bins.

    Returns
    -------
    float
        At least 0; NaN where either sample is empty. A bin that is empty in one sample counts half
        a row there, as the logarithm of 0 is infinite.
    """
    if not len(reference) or not len(current):
        return float("nan")
    edges = bin_edges(reference, bins)
    expected, actual = _bin_counts(reference, edges), _bin_counts(current, edges)
    occupied = (expected > 0) | (actual > 0)
    expected_share = np.maximum(expected[occupied], 0.5) / len(reference)
    actual_share = np.maximum(actual[occupied], 0.5) / len(current)
    return float(((actual_share - expected_share) * np.log(actual_share / expected_share)).sum())


def _bin_counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the number of values in each bin, [edges + 1]."""
    # Ten comparisons of the whole array are several times faster than searchsorted.
    at_or_below = [0, *(int(np.count_nonzero(values <= end)) for end in edges), len(values)]
    return np.diff(at_or_below)


def characteristic_drift(
    raw: pd.DataFrame, month: pd.Series, window: int, n_months: int, *, skip_months: int = 0
) -> pd.DataFrame:
    """Return the PSI of every characteristic in the newest months.

    Parameters
    ----------
    raw : DataFrame
        [panel rows, characteristics] before standardisation, NaN where missing; missing values take
        no part (`signals.missing_shares` counts them).
    month : Series
        The rows' months, in panel order.
    window : int
        Months of the training window: month t is compared with the rows that its network is
        trained on, t-window .. t-1 without a gap.
    n_months : int
        Number of newest months returned, at most.
    skip_months : int
        Months left out between a decision and the month that it earns.

    Returns
    -------
    DataFrame
        month, feature, psi, chance (expected PSI of two samples of these sizes from one
        distribution: (bins - 1)(1/n + 1/m), its asymptotic mean), stocks (with a value). Months
        before the first full window are left out.
    """
    blocks = MonthSlices.of(month)
    newest = _newest_windows(blocks, window, n_months, skip_months)
    tables = [pd.DataFrame(columns=["month", "psi", "reference", "stocks", "feature"])]
    for name in raw.columns:
        values = raw[name].to_numpy(dtype=np.float64)
        rows = []
        for decision in newest:
            reference = values[decision.start : decision.stop]
            current = values[decision.test_start : decision.test_stop]
            reference, current = (part[np.isfinite(part)] for part in (reference, current))
            rows.append(
                (
                    month.iloc[decision.test_start],
                    stability_index(reference, current),
                    len(reference),
                    len(current),
                )
            )
        psi = pd.DataFrame(rows, columns=["month", "psi", "reference", "stocks"])
        tables.append(psi.assign(feature=name))
    table = pd.concat(tables[1:] or tables, ignore_index=True)
    sizes = table[["reference", "stocks"]].astype("float64").replace(0, np.nan)
    table["chance"] = (BINS - 1) * (1 / sizes).sum(axis=1, min_count=2)
    order = np.lexsort((np.arange(len(table)), ordinal(table["month"])))
    return table.iloc[order].reset_index(drop=True)[["month", "feature", "psi", "chance", "stocks"]]


def market_z_scores(
    values: np.ndarray,
    month: pd.Series,
    names: Sequence[str],
    window: int,
    n_months: int,
    *,
    skip_months: int = 0,
) -> pd.DataFrame:
    """Return the z-score of every market series against its training window.

    Parameters
    ----------
    values : numpy.ndarray
        [panel rows, series], equal for all stocks of a month.
    month : Series
        The rows' months, in panel order.
    names : sequence of str
        The series with their transforms.
    window, n_months, skip_months : int
        As of `characteristic_drift`.

    Returns
    -------
    DataFrame
        month, feature, value, mean, std (of the window's months, divisor n), z = (value - mean) /
        std; infinite where a series that was constant over the window moves.
    """
    blocks = MonthSlices.of(month)
    series = np.asarray(values[blocks.offsets[:-1]], dtype=np.float64)
    tables = []
    for decision in _newest_windows(blocks, window, n_months, skip_months) if len(names) else ():
        t = blocks.names.index(decision.month)
        past = series[blocks.training_months(decision)]
        mean, std = past.mean(0), past.std(0)
        # The std of a constant is rounding error, not 0, and would give a finite z.
        is_constant = np.ptp(past, axis=0) == 0
        mean, std = np.where(is_constant, past[0], mean), np.where(is_constant, 0.0, std)
        distance = series[t] - mean
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(distance == 0, 0.0, distance / std)
        tables.append(
            pd.DataFrame(
                {
                    "month": month.iloc[decision.test_start],
                    "feature": list(names),
                    "value": series[t],
                    "mean": mean,
                    "std": std,
                    "z": z,
                }
            )
        )
    columns = ["month", "feature", "value", "mean", "std", "z"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _newest_windows(
    blocks: MonthSlices, window: int, n_months: int, skip_months: int
) -> list[Window]:
    """Return the newest training windows, none where the panel is too short for one."""
    if len(blocks.names) < window + lead(skip_months):
        return []
    return rolling(blocks, window, skip_months)[-n_months:]
