"""How well relevances agree with contributions that are known to be true.

The truth is known up to a scale (its function is an expected return, scores are in label units),
so no measure here changes when either side is multiplied by a positive number. An input has an
effect if its true contribution differs from 0 anywhere; the truth of every other input is 0. A
true contribution of less than 1e-9 of the month's largest is rounding and counts as 0.

Measures of a month
-------------------
rank_per_input
    Rank correlation over stocks of truth and relevance, mean over the inputs with an effect. An
    input whose truth is the same for all stocks is left out (a market series without
    interactions); one whose relevance is the same for all stocks counts 0, since it tells nothing.
rank_per_stock
    Rank correlation over the inputs with an effect, mean over stocks; 0 as above.
rank_per_stock_all
    The same over all inputs, those without an effect tied at a truth of 0.
irrelevant_share
    Share of the absolute relevance, summed over stocks, that is on inputs without an effect.
irrelevant_share_no_dummies
    The same with dummies that have no effect left out above and below the line.
sign_agreement
    Share of the pairs (stock, input with an effect) with a true contribution other than 0 whose
    relevance has its sign; a relevance of 0 does not. Chance is one half.
sign_agreement_weighted
    The same, pairs weighted by the size of the true contribution.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo.attribution.correlation import mean_of_defined, rank_correlation
from konkyo.errors import ArtifactError

_KEYS = ["month", "stock"]
_ROUNDING = 1e-9
# Columns of a table of grounds that are not a feature's relevance.
_OTHERS = {*_KEYS, "score", "absorbed"}


def with_effect(truth: pd.DataFrame) -> list[str]:
    """Return the inputs whose true contribution differs from 0 anywhere in the table."""
    names = [str(name) for name in truth.columns if name not in _OTHERS]
    largest = truth[names].abs().max()
    return [name for name in names if largest[name] > _ROUNDING * largest.max()]


def measure(
    truth: np.ndarray,
    relevance: np.ndarray,
    effect: np.ndarray,
    dummy: np.ndarray | None = None,
) -> dict[str, float]:
    """Return every measure of one month, NaN where it is not defined.

    Parameters
    ----------
    truth : numpy.ndarray
        [stocks, features], true contributions to the return of t+1, in any unit.
    relevance : numpy.ndarray
        [stocks, features], in any unit.
    effect : numpy.ndarray
        [features] bool, which inputs have an effect in some month.
    dummy : numpy.ndarray, optional
        [features] bool, which inputs are dummies; none if not given.
    """
    dummy = np.zeros_like(effect) if dummy is None else dummy
    truth = _without_rounding(truth)
    true, found = truth[:, effect], relevance[:, effect]
    size = np.abs(relevance).sum(axis=0)
    counted = effect | ~dummy
    pairs = true != 0
    same = (np.sign(true) == np.sign(found)) & pairs
    return {
        "rank_per_input": mean_of_defined(_ranks_agree(true, found, axis=0)),
        "rank_per_stock": mean_of_defined(_ranks_agree(true, found, axis=1)),
        "rank_per_stock_all": mean_of_defined(_ranks_agree(truth, relevance, axis=1)),
        "irrelevant_share": _ratio(size[~effect].sum(), size.sum()),
        "irrelevant_share_no_dummies": _ratio(size[~effect & ~dummy].sum(), size[counted].sum()),
        "sign_agreement": _ratio(same.sum(), pairs.sum()),
        "sign_agreement_weighted": _ratio(np.abs(true)[same].sum(), np.abs(true).sum()),
    }


def agreement(
    truth: pd.DataFrame,
    relevance: pd.DataFrame,
    effect: Sequence[str],
    dummies: Collection[str] = (),
) -> pd.DataFrame:
    """Return every measure of every month.

    Parameters
    ----------
    truth : pandas.DataFrame
        month, stock and one column an input with an effect, at least.
    relevance : pandas.DataFrame
        month, stock and one column a feature; score and absorbed are left alone. The stocks that
        both tables have are compared.
    effect : sequence of str
        The inputs with an effect: `with_effect` of the truth of all months.
    dummies : collection of str
        The features that are dummies.

    Returns
    -------
    pandas.DataFrame
        month, measure, value.

    Raises
    ------
    ArtifactError
        The tables have no stock in common, one has a row twice, a value is missing, or an input
        with an effect has no column.
    """
    features = [name for name in relevance.columns if name not in _OTHERS]
    has_effect = np.isin(features, list(effect))
    is_dummy = np.isin(features, list(dummies))
    out = []
    for month, true, found in _by_month(truth, relevance, effect, features):
        whole = np.zeros_like(found)
        whole[:, [features.index(name) for name in effect]] = true
        values = measure(whole, found, has_effect, is_dummy)
        out.append(
            pd.DataFrame({"month": month, "measure": list(values), "value": values.values()})
        )
    return pd.concat(out, ignore_index=True)


def per_input(truth: pd.DataFrame, relevance: pd.DataFrame, effect: Sequence[str]) -> pd.DataFrame:
    """Return `rank_per_input` before its mean: month, feature, rank_correlation."""
    out = [
        pd.DataFrame(
            {
                "month": month,
                "feature": list(effect),
                "rank_correlation": _ranks_agree(_without_rounding(true), found, axis=0),
            }
        )
        for month, true, found in _by_month(truth, relevance, effect, list(effect))
    ]
    return pd.concat(out, ignore_index=True)


def compare(measured: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put the measures of several methods into one table.

    Parameters
    ----------
    measured : mapping of str to pandas.DataFrame
        Method to its `agreement`. Months that a method lacks are not in its mean.

    Returns
    -------
    pandas.DataFrame
        method, measure, mean over months, standard_error of that mean (months taken as
        independent; NaN for one month), months.
    """
    frames = [frame.assign(method=name) for name, frame in measured.items()]
    table = pd.concat(frames, ignore_index=True).groupby(["method", "measure"], sort=False)
    out = table["value"].agg(mean="mean", standard_error="sem", months="count")
    return out.reset_index()


def _by_month(
    truth: pd.DataFrame, relevance: pd.DataFrame, effect: Sequence[str], features: Sequence[str]
) -> list[tuple[pd.Timestamp, np.ndarray, np.ndarray]]:
    """Return each month, its truth [stocks, effect] and its relevance [stocks, features]."""
    for name, frame, wanted in (
        ("truth", truth, [*_KEYS, *effect]),
        ("relevances", relevance, [*_KEYS, *features, *effect]),
    ):
        absent = [column for column in wanted if column not in frame]
        if absent:
            raise ArtifactError(f"the table of {name} lacks column {absent[0]!r}: run `dvc repro`")
    rows_of, places = _index(truth, "truth"), _index(relevance, "relevances")
    there = rows_of.get_indexer(places)
    kept = np.flatnonzero(there >= 0)
    if not len(kept):
        raise ArtifactError(
            "truth and relevances have no month and stock in common: both must come from one run"
        )
    true = truth[list(effect)].to_numpy(dtype=np.float64)[there[kept]]
    found = relevance[list(features)].to_numpy(dtype=np.float64)[kept]
    for name, values in (("truth", true), ("relevances", found)):
        if not np.isfinite(values).all():
            raise ArtifactError(
                f"the table of {name} has missing or infinite values: run `dvc repro`"
            )
    month = relevance["month"].to_numpy()[kept]
    return [
        (pd.Timestamp(one), true[month == one], found[month == one]) for one in np.unique(month)
    ]


def _index(frame: pd.DataFrame, name: str) -> pd.MultiIndex:
    index = pd.MultiIndex.from_frame(frame[_KEYS])
    if index.has_duplicates:
        month, stock = index[index.duplicated()][0]
        raise ArtifactError(
            f"the table of {name} has stock {stock} twice in {month:%Y-%m}: keep one"
        )
    return index


def _ranks_agree(true: np.ndarray, found: np.ndarray, axis: int) -> np.ndarray:
    """Return rank correlations: NaN where the truth does not vary, 0 where only it does."""
    values = np.nan_to_num(rank_correlation(true, found, axis), nan=0.0)
    if true.shape[axis] == 0:
        return np.full(len(values), np.nan)
    return np.where(
        np.ptp(true, axis=axis) > _ROUNDING * np.abs(true).max(initial=0.0), values, np.nan
    )


def _without_rounding(truth: np.ndarray) -> np.ndarray:
    return np.where(np.abs(truth) > _ROUNDING * np.abs(truth).max(initial=0.0), truth, 0.0)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
