"""Agreement of relevances with the true contributions, in records whose ground truth is known.

True contributions are in units of the expected return and relevances in units of the score, so no
measure here changes when either side is multiplied by a positive number. An input has an effect if
its true contribution differs from 0 anywhere; that of every other input is 0. A true contribution
of less than 1e-9 of the month's largest is rounding and counts as 0.

Measures of a month
-------------------
rank_per_input
    Rank correlation over stocks of true contribution and relevance, mean over the inputs with an
    effect. An input whose true contribution is the same for all stocks is left out (a market series
    without interactions); one whose relevance is the same for all stocks counts 0.
rank_per_stock
    Rank correlation over the inputs with an effect, mean over stocks; 0 as above.
rank_per_stock_all
    The same over all inputs, those without an effect tied at 0.
irrelevant_share
    Share of the absolute relevance, summed over stocks, that is on inputs without an effect.
irrelevant_share_no_dummies
    The same with dummies that have no effect left out of numerator and denominator.
sign_agreement
    Share of the pairs (stock, input with an effect) with a true contribution other than 0 whose
    relevance has its sign; a relevance of 0 does not. Chance is one half.
sign_agreement_weighted
    The same, pairs weighted by the size of the true contribution.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo.attribution.correlation import nan_mean, rank_correlation
from konkyo.errors import ArtifactError

_KEYS = ["month", "stock"]
_ROUNDING = 1e-9
# Columns of an attribution that are not a feature's relevance.
_NOT_FEATURES = {*_KEYS, "score", "absorbed"}


def with_effect(truth: pd.DataFrame) -> list[str]:
    """Return the inputs whose true contribution differs from 0 anywhere in the table."""
    names = [str(name) for name in truth.columns if name not in _NOT_FEATURES]
    largest = truth[names].abs().max()
    return [name for name in names if largest[name] > _ROUNDING * largest.max()]


def measure(
    truth: np.ndarray,
    relevance: np.ndarray,
    *,
    effect: np.ndarray,
    dummy: np.ndarray | None = None,
) -> dict[str, float]:
    """Return every measure of one month, NaN where it is undefined.

    Parameters
    ----------
    truth : numpy.ndarray
        [stocks, features], true contributions to the return of t+1, in any unit.
    relevance : numpy.ndarray
        [stocks, features], in any unit.
    effect : numpy.ndarray
        [features] bool, which inputs have an effect in some month.
    dummy : numpy.ndarray, optional
        [features] bool, which inputs are dummies; by default none.
    """
    dummy = np.zeros_like(effect) if dummy is None else dummy
    truth = _without_rounding(truth)
    true, attributed = truth[:, effect], relevance[:, effect]
    size = np.abs(relevance).sum(axis=0)
    pairs = true != 0
    same_sign = (np.sign(true) == np.sign(attributed)) & pairs
    return {
        "rank_per_input": nan_mean(_rank_correlations(true, attributed, axis=0)),
        "rank_per_stock": nan_mean(_rank_correlations(true, attributed, axis=1)),
        "rank_per_stock_all": nan_mean(_rank_correlations(truth, relevance, axis=1)),
        "irrelevant_share": _ratio(size[~effect].sum(), size.sum()),
        "irrelevant_share_no_dummies": _ratio(
            size[~effect & ~dummy].sum(), size[effect | ~dummy].sum()
        ),
        "sign_agreement": _ratio(same_sign.sum(), pairs.sum()),
        "sign_agreement_weighted": _ratio(np.abs(true)[same_sign].sum(), np.abs(true).sum()),
    }


def agreement(
    truth: pd.DataFrame,
    relevance: pd.DataFrame,
    *,
    effect: Sequence[str],
    dummies: Collection[str] = (),
) -> pd.DataFrame:
    """Return every measure of every month.

    Parameters
    ----------
    truth : pandas.DataFrame
        month, stock and one column an input with an effect, at least.
    relevance : pandas.DataFrame
        month, stock and one column a feature; score and absorbed are ignored. Only the stocks that
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
    features = [name for name in relevance.columns if name not in _NOT_FEATURES]
    has_effect = np.isin(features, list(effect))
    is_dummy = np.isin(features, list(dummies))
    months = []
    for month, true, attributed in _by_month(truth, relevance, effect, features):
        all_inputs = np.zeros_like(attributed)
        all_inputs[:, [features.index(name) for name in effect]] = true
        values = measure(all_inputs, attributed, effect=has_effect, dummy=is_dummy)
        months.append(
            pd.DataFrame({"month": month, "measure": list(values), "value": values.values()})
        )
    return pd.concat(months, ignore_index=True)


def per_input(
    truth: pd.DataFrame, relevance: pd.DataFrame, *, effect: Sequence[str]
) -> pd.DataFrame:
    """Return `rank_per_input` before its mean: month, feature, rank_correlation."""
    months = [
        pd.DataFrame(
            {
                "month": month,
                "feature": list(effect),
                "rank_correlation": _rank_correlations(_without_rounding(true), attributed, axis=0),
            }
        )
        for month, true, attributed in _by_month(truth, relevance, effect, list(effect))
    ]
    return pd.concat(months, ignore_index=True)


def reliability(
    truth: np.ndarray | None,
    relevance: np.ndarray,
    reliable: np.ndarray,
    *,
    takes_part: np.ndarray,
    cluster: np.ndarray,
    effect: np.ndarray | None = None,
) -> dict[str, float]:
    """Return the counts behind the measures of one month's reliable relevances.

    Parameters
    ----------
    truth : numpy.ndarray, optional
        [stocks, features], true contributions.
    relevance : numpy.ndarray
        [stocks, features].
    reliable, takes_part : numpy.ndarray
        [stocks, features] bool: which relevances are reliable, and which may be.
    cluster : numpy.ndarray
        [features], a number of the cluster of each input.
    effect : numpy.ndarray, optional
        [features] bool, which inputs have an effect in some month; with `truth`.

    Returns
    -------
    dict of str to float
        Sums, which add up over months; `reliability_measures` makes shares of them.
    """
    sums = {"taking_part": float(takes_part.sum()), "reliable": float(reliable.sum())}
    if truth is None or effect is None:
        return sums
    truth = np.where(takes_part, _without_rounding(truth), 0.0)
    pairs = reliable & (truth != 0)
    return sums | {
        "on_effect": float(reliable[:, effect].sum()),
        "in_cluster": float(reliable[:, np.isin(cluster, cluster[effect])].sum()),
        "pairs": float(pairs.sum()),
        "same_sign": float((pairs & (np.sign(truth) == np.sign(relevance))).sum()),
        "covered": float(np.abs(truth)[reliable].sum()),
        "true": float(np.abs(truth).sum()),
    }


def reliability_measures(counts: Mapping[str, float]) -> dict[str, float]:
    """Return the measures of reliable relevances from sums (or means) of counts over months.

    reliable_share of those that may be reliable; reliable_share_placebo, of the placebo months that
    gave no threshold; reliable_precision: of the reliable ones, the share on inputs with an effect;
    reliable_precision_cluster: on inputs whose cluster holds one; reliable_sign: share with the
    sign of a true contribution other than 0; reliable_coverage: share of the true contributions'
    absolute sum that is on reliable relevances. NaN where undefined.
    """
    ratios = {
        "reliable_share": ("reliable", "taking_part"),
        "reliable_share_placebo": ("placebo_reliable", "placebo_taking_part"),
        "reliable_precision": ("on_effect", "reliable"),
        "reliable_precision_cluster": ("in_cluster", "reliable"),
        "reliable_sign": ("same_sign", "pairs"),
        "reliable_coverage": ("covered", "true"),
    }
    return {
        name: _ratio(counts.get(part, np.nan), counts.get(total, np.nan))
        for name, (part, total) in ratios.items()
    }


def compare(by_method: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the mean over months of every measure of several methods.

    Parameters
    ----------
    by_method : mapping of str to pandas.DataFrame
        Method to its `agreement`. Months in which a measure is NaN are not in its mean.

    Returns
    -------
    pandas.DataFrame
        method, measure, mean over months, standard_error of that mean (months taken as
        independent; NaN for one month), months.
    """
    frames = [frame.assign(method=name) for name, frame in by_method.items()]
    groups = pd.concat(frames, ignore_index=True).groupby(["method", "measure"], sort=False)
    table = groups["value"].agg(mean="mean", standard_error="sem", months="count")
    return table.reset_index()


def _by_month(
    truth: pd.DataFrame, relevance: pd.DataFrame, effect: Sequence[str], features: Sequence[str]
) -> list[tuple[pd.Timestamp, np.ndarray, np.ndarray]]:
    """Return months, true contributions [stocks, effect] and relevances [stocks, features]."""
    for name, frame, needed in (
        ("truth", truth, [*_KEYS, *effect]),
        ("relevances", relevance, [*_KEYS, *features, *effect]),
    ):
        missing = [column for column in needed if column not in frame]
        if missing:
            raise ArtifactError(f"the table of {name} lacks column {missing[0]!r}: run `dvc repro`")
    truth_row = _index(truth, "truth").get_indexer(_index(relevance, "relevances"))
    common = np.flatnonzero(truth_row >= 0)
    if not len(common):
        raise ArtifactError(
            "truth and relevances have no month and stock in common: both must come from one run"
        )
    true = truth[list(effect)].to_numpy(dtype=np.float64)[truth_row[common]]
    attributed = relevance[list(features)].to_numpy(dtype=np.float64)[common]
    for name, values in (("truth", true), ("relevances", attributed)):
        if not np.isfinite(values).all():
            raise ArtifactError(
                f"the table of {name} has missing or infinite values: run `dvc repro`"
            )
    months = relevance["month"].to_numpy()[common]
    return [
        (pd.Timestamp(month), true[months == month], attributed[months == month])
        for month in np.unique(months)
    ]


def _index(frame: pd.DataFrame, name: str) -> pd.MultiIndex:
    index = pd.MultiIndex.from_frame(frame[_KEYS])
    if index.has_duplicates:
        month, stock = index[index.duplicated()][0]
        raise ArtifactError(
            f"the table of {name} has stock {stock} twice in {month:%Y-%m}: keep one"
        )
    return index


def _rank_correlations(true: np.ndarray, attributed: np.ndarray, axis: int) -> np.ndarray:
    """Return rank correlations: NaN where the truth is constant, 0 where only the relevance is."""
    values = np.nan_to_num(rank_correlation(true, attributed, axis), nan=0.0)
    if true.shape[axis] == 0:
        return np.full(len(values), np.nan)
    varies = np.ptp(true, axis=axis) > _ROUNDING * np.abs(true).max(initial=0.0)
    return np.where(varies, values, np.nan)


def _without_rounding(truth: np.ndarray) -> np.ndarray:
    return np.where(np.abs(truth) > _ROUNDING * np.abs(truth).max(initial=0.0), truth, 0.0)


def _ratio(part: float, total: float) -> float:
    return float(part / total) if total > 0 else float("nan")
