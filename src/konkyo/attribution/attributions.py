"""The grounds of predictions: score, relevance of every feature, and what was absorbed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Attribution:
    """The predictions of one month, with their grounds.

    Attributes
    ----------
    score : numpy.ndarray
        [stocks] float64, predicted relative attractiveness at t for the return of t+1; of a
        network with a sigmoid output the log-odds, its pre-activation.
    relevance : numpy.ndarray
        [stocks, features] float32, in units of the score.
    absorbed : numpy.ndarray
        [stocks] float64, what biases and epsilon took: score minus the sum of the relevances.
    """

    score: np.ndarray
    relevance: np.ndarray
    absorbed: np.ndarray


def explain_months(
    networks: Sequence[Sequence[store.Weights]], rows: Sequence[np.ndarray], epsilon: float
) -> Iterator[Attribution]:
    """Yield the grounds of each month, from its own network.

    Parameters
    ----------
    networks : sequence of sequences of Weights
        The networks of each month; the score and the grounds of an ensemble are means over it.
    rows : sequence of numpy.ndarray
        Each month's features as the panel holds them, [stocks, features].
    epsilon : float
        Of the relevance rule.

    Notes
    -----
    The pass runs in float64, whatever the weights' precision: where z is near zero relevances are
    large and of both signs, and their sum must still be the score's. Each month has a pass of its
    own: a product's last bits depend on its shape, and no month's may depend on its neighbours.
    """
    for members, block in zip(networks, rows, strict=True):
        stack = store.restack(members, torch.float64)
        # The members of an ensemble see the same rows.
        x = torch.from_numpy(np.asarray(block, dtype=np.float64)).repeat(len(members), 1, 1)
        score, relevance = propagate(stack, stack.scale_(x), Epsilon(epsilon))
        own = score.mean(0).numpy()
        kept = relevance.mean(0).numpy().astype(np.float32)
        yield Attribution(own, kept, own - kept.sum(1, dtype=np.float64))


def as_frame(keys: pd.DataFrame, names: Sequence[str], grounds: Attribution) -> pd.DataFrame:
    """Return grounds as a table: month, stock, score, one column a feature, absorbed."""
    relevance = pd.DataFrame(grounds.relevance, columns=list(names), index=keys.index)
    return pd.concat(
        [
            keys[["month", "stock"]],
            pd.Series(grounds.score, name="score", index=keys.index),
            relevance,
            pd.Series(grounds.absorbed, name="absorbed", index=keys.index),
        ],
        axis=1,
    )


def explain(folder: Path, frame: pd.DataFrame, epsilon: float) -> pd.DataFrame:
    """Score the rows of a frame, each by its month's network, and give their grounds.

    Parameters
    ----------
    folder : Path
        Weights, one file a month.
    frame : pandas.DataFrame
        month (period ends), stock and every feature, as the panel holds them (market series
        unscaled); further columns are left alone.
    epsilon : float
        Of the relevance rule.

    Returns
    -------
    pandas.DataFrame
        month, stock, score, one relevance column a feature, absorbed; in the frame's row order.
        Each row adds up: the relevances and absorbed sum to the score.

    Raises
    ------
    ArtifactError
        A month has no network, the frame has no rows, lacks a column or has a value that is
        missing, infinite or text, or the months' networks read different features.
    """
    there = [path.stem for path in require_months(folder, ".safetensors")]
    _check_keys(frame)
    name_of = pd.Series(np.datetime_as_string(dates.ordinal(frame["month"]).astype("M8[M]")))
    asked = sorted(name_of.unique())
    absent = [name for name in asked if name not in there]
    if absent:
        raise ArtifactError(
            f"{len(absent)} months have no network, first {absent[0]}: there are networks "
            f"from {there[0]} to {there[-1]}; train that month, or ask for one of these"
        )
    networks = [store.read(folder / f"{name}.safetensors") for name in asked]
    names = list(networks[0][0].features)
    odd = [members[0].month for members in networks if list(members[0].features) != names]
    if odd:
        raise ArtifactError(
            f"the networks of {asked[0]} and {odd[0]} differ in features: run `dvc repro train`"
        )
    values = _values(frame, names)
    positions = [np.flatnonzero(name_of == name) for name in asked]
    parts = explain_months(networks, [values[rows] for rows in positions], epsilon)
    order = np.concatenate([np.array([], dtype=int), *positions])
    grounds = list(parts)
    whole = Attribution(
        *(
            np.concatenate([getattr(g, field) for g in grounds])[np.argsort(order)]
            for field in ("score", "relevance", "absorbed")
        )
    )
    return as_frame(frame, names, whole)


def _check_keys(frame: pd.DataFrame) -> None:
    absent = [key for key in ("month", "stock") if key not in frame]
    if absent:
        raise ArtifactError(f"the frame has no column {absent[0]!r}: it needs month and stock")
    if frame.empty:
        raise ArtifactError("the frame has no rows: give the stocks to explain, one row each")
    month = frame["month"]
    if not pd.api.types.is_datetime64_any_dtype(month) or month.isna().any():
        raise ArtifactError(
            f"month is {month.dtype} with {int(month.isna().sum())} missing: make every one a "
            "period end with pandas.to_datetime"
        )


def _values(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    absent = [name for name in names if name not in frame]
    if absent:
        raise ArtifactError(
            f"{len(absent)} features have no column, first {absent[0]!r}: the frame needs month, "
            f"stock and the {len(names)} features of catalogue.csv"
        )
    text = [name for name in names if not pd.api.types.is_numeric_dtype(frame[name])]
    if text:
        raise ArtifactError(
            f"{len(text)} features are not numbers, first {text[0]!r} ({frame[text[0]].dtype}): "
            "make them floats"
        )
    values = frame[list(names)].to_numpy(dtype=np.float32)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        raise ArtifactError(
            f"{len(wrong)} values are missing or infinite, first row {row}, feature "
            f"{names[column]!r}: put missing values at the centre (0), as the panel does"
        )
    return values
