"""Attributions of scores: a relevance for every feature, and what biases and epsilon absorbed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from konkyo import dates
from konkyo.artifacts import require_months
from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Epsilon
from konkyo.errors import ArtifactError
from konkyo.models import store

INTEGRATED_GRADIENTS = "integrated_gradients"
"""The method that explains a module of a user's own unless params.yaml names another."""


@dataclass(frozen=True)
class Attribution:
    """The scores of one month and their attribution to the features.

    Attributes
    ----------
    score : numpy.ndarray
        [stocks] float64, predicted at t for the return of t+1; of a network with a sigmoid output
        the log-odds, its pre-activation.
    relevance : numpy.ndarray
        [stocks, features] float32, in units of the score.
    absorbed : numpy.ndarray
        [stocks] float64, the part of biases and epsilon: score minus the sum of the relevances.
    """

    score: np.ndarray
    relevance: np.ndarray
    absorbed: np.ndarray


def explain_months(
    networks: Sequence[Sequence[store.Network]],
    rows: Sequence[np.ndarray],
    epsilon: float,
    method: str = INTEGRATED_GRADIENTS,
) -> Iterator[Attribution]:
    """Yield the attribution of each month's scores, computed from that month's networks.

    Parameters
    ----------
    networks : sequence of sequences of Weights
        The networks of each month; score and relevances of an ensemble are means over its members.
    rows : sequence of numpy.ndarray
        Each month's features as the panel holds them, [stocks, features].
    epsilon : float
        Of LRP's epsilon rule, in units of the score.
    method : str
        For modules of a user's own, `attribute.method`: the baseline's score is absorbed,
        and what the method does not account for.

    Notes
    -----
    The pass runs in float64, whatever the weights' precision: where a pre-activation is near zero
    relevances are large and of both signs, and they must still sum to the score. Months are not
    batched: the last bits of a matrix product depend on its shape, and a month's attribution may
    not depend on which other months are computed with it.
    """
    for members, block in zip(networks, rows, strict=True):
        if modules := store.modules(members):
            # captum is not among the requirements of a served model of perceptrons.
            from konkyo.attribution.methods import explain_modules

            mean_score, mean_relevance = explain_modules(modules, block, method, epsilon)
        else:
            stack = store.restack(store.stackable(members), torch.float64)
            # The members of an ensemble see the same rows.
            x = torch.from_numpy(np.asarray(block, dtype=np.float64)).repeat(len(members), 1, 1)
            score, relevance = propagate(stack, stack.scale_(x), Epsilon(epsilon))
            mean_score, mean_relevance = score.mean(0).numpy(), relevance.mean(0).numpy()
        stored = mean_relevance.astype(np.float32)
        # From the float32 relevances, so that the stored table adds up and not only the exact one.
        yield Attribution(mean_score, stored, mean_score - stored.sum(1, dtype=np.float64))


def as_frame(keys: pd.DataFrame, names: Sequence[str], attribution: Attribution) -> pd.DataFrame:
    """Return an attribution as a table: month, stock, score, one column a feature, absorbed."""
    relevance = pd.DataFrame(attribution.relevance, columns=list(names), index=keys.index)
    return pd.concat(
        [
            keys[["month", "stock"]],
            pd.Series(attribution.score, name="score", index=keys.index),
            relevance,
            pd.Series(attribution.absorbed, name="absorbed", index=keys.index),
        ],
        axis=1,
    )


def explain(
    folder: Path, frame: pd.DataFrame, epsilon: float, method: str = INTEGRATED_GRADIENTS
) -> pd.DataFrame:
    """Score the rows of a frame by their month's networks and attribute the scores to the features.

    Parameters
    ----------
    folder : Path
        Weights, one file a month.
    frame : pandas.DataFrame
        month (period ends), stock and every feature, as the panel holds them (market series
        unscaled); further columns are ignored.
    epsilon : float
        Of LRP's epsilon rule, in units of the score.
    method : str
        For modules of a user's own; see `explain_months`.

    Returns
    -------
    pandas.DataFrame
        month, stock, score, one relevance column a feature, absorbed; in the frame's row order.
        In each row the relevances and absorbed sum to the score.

    Raises
    ------
    ArtifactError
        A month has no network, the frame has no rows, lacks a column or has a value that is
        missing, infinite or text, or the months' networks read different features.
    """
    trained = [path.stem for path in require_months(folder, ".safetensors")]
    _check_keys(frame)
    row_months = pd.Series(np.datetime_as_string(dates.ordinal(frame["month"]).astype("M8[M]")))
    months = sorted(row_months.unique())
    require_networks(months, trained)
    networks = [store.read(folder / f"{month}.safetensors") for month in months]
    names = list(networks[0][0].features)
    differing = [members[0].month for members in networks if list(members[0].features) != names]
    if differing:
        raise ArtifactError(
            f"the networks of {months[0]} and {differing[0]} differ in features: run `dvc repro "
            "train`"
        )
    values = _values(frame, names)
    positions = [np.flatnonzero(row_months == month) for month in months]
    by_month = list(explain_months(networks, [values[at] for at in positions], epsilon, method))
    # Rows were regrouped by month; argsort restores the order of the frame.
    order = np.argsort(np.concatenate(positions))
    in_order = Attribution(
        score=np.concatenate([month.score for month in by_month])[order],
        relevance=np.concatenate([month.relevance for month in by_month])[order],
        absorbed=np.concatenate([month.absorbed for month in by_month])[order],
    )
    return as_frame(frame, names, in_order)


def require_networks(months: Sequence[str], trained: Sequence[str]) -> None:
    """Raise if a month that is asked for has no network.

    Raises
    ------
    ArtifactError
        Names the first such month, and the months that have one.
    """
    untrained = [month for month in months if month not in trained]
    if untrained:
        raise ArtifactError(
            f"{len(untrained)} months have no network, first {untrained[0]}: there are networks "
            f"from {trained[0]} to {trained[-1]}; train that month, or ask for one of these"
        )


def _check_keys(frame: pd.DataFrame) -> None:
    missing = [key for key in ("month", "stock") if key not in frame]
    if missing:
        raise ArtifactError(f"the frame has no column {missing[0]!r}: it needs month and stock")
    if frame.empty:
        raise ArtifactError("the frame has no rows: give the stocks to explain, one row each")
    month = frame["month"]
    if not pd.api.types.is_datetime64_any_dtype(month) or month.isna().any():
        raise ArtifactError(
            f"month is {month.dtype} with {int(month.isna().sum())} missing: make every one a "
            "period end with pandas.to_datetime"
        )


def _values(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    missing = [name for name in names if name not in frame]
    if missing:
        raise ArtifactError(
            f"{len(missing)} features have no column, first {missing[0]!r}: the frame needs month, "
            f"stock and the {len(names)} features of catalogue.csv"
        )
    text = [name for name in names if not _holds_numbers(frame[name])]
    if text:
        raise ArtifactError(
            f"{len(text)} features are not numbers, first {text[0]!r} ({frame[text[0]].dtype}): "
            "make them floats"
        )
    columns = frame[list(names)]
    values = columns.where(columns.notna(), np.nan).to_numpy(dtype=np.float32)
    undefined = np.argwhere(~np.isfinite(values))
    if len(undefined):
        row, column = undefined[0]
        raise ArtifactError(
            f"{len(undefined)} values are missing or infinite, first row {row}, feature "
            f"{names[column]!r}: set missing values to the baseline (0), as the panel does"
        )
    return values


def _holds_numbers(column: pd.Series) -> bool:
    """Return whether all that is there is a number, also where None makes objects of a column."""
    return pd.api.types.is_numeric_dtype(column) or all(
        isinstance(value, Real) for value in column.dropna()
    )
