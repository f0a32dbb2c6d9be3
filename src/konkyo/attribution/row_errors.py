"""Standard errors of any rows of a month, of which the stage attribute has those of all stocks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.artifacts import require
from konkyo.attribution import errors_store, reliability
from konkyo.models import store

ERROR, RELIABLE = "error_", "reliable_"
"""Prefixes of the columns of an input, as in the CSV of a ranking."""


def of_months(folder: Path, groups: Sequence[str]) -> dict[str, Any]:
    """Return what `with_errors` needs to know of the months of a folder of standard errors.

    Parameters
    ----------
    folder : Path
        `data/errors`.
    groups : sequence of str
        Of each feature, as in the panel's catalogue.
    """
    about = errors_store.read_about(folder)
    months = {
        month: {name: values[name] for name in ("threshold", "moderation")}
        for month, values in about.items()
    }
    return {"groups": list(groups), "months": months}


def with_errors(
    answer: pd.DataFrame,
    frame: pd.DataFrame,
    halves: Path,
    about: Mapping[str, Any],
    *,
    epsilon: float,
    method: str,
) -> pd.DataFrame:
    """Add the standard errors of relevances, and which are reliable, to their attributions.

    Parameters
    ----------
    answer : pandas.DataFrame
        What `explain` returns.
    frame : pandas.DataFrame
        The rows that it explained.
    halves : Path
        Networks of the halves of each month's window, a file a month.
    about : mapping
        What `of_months` returns.
    epsilon, method
        As in `explain`.

    Returns
    -------
    pandas.DataFrame
        `answer` with error_<feature> (in units of the score) and reliable_<feature> (bool): those
        of `data/errors`, whichever rows of a month are asked for.
    """
    row_months = answer["month"].map(dates.label)
    names = answer.columns[answer.columns.get_loc("score") + 1 : -1].tolist()
    error = np.empty((len(answer), len(names)), np.float32)
    reliable = np.empty(error.shape, bool)
    for month in row_months.unique():
        rows = np.flatnonzero(row_months == month)
        networks = store.read(require(halves / f"{month}.safetensors"))
        features = frame[names].iloc[rows].to_numpy(dtype=np.float32)
        by_half = reliability.explain_halves(networks, features, epsilon, method)
        of_month = about["months"][month]
        of_rows = by_half.error(np.array(of_month["moderation"]))
        limit = np.inf if of_month["threshold"] is None else of_month["threshold"]
        signal = reliability.signal(answer[names].iloc[rows].to_numpy(), by_half.relevance, of_rows)
        error[rows] = of_rows
        reliable[rows] = reliability.taking_part(features, about["groups"]) & (signal >= limit)
    return pd.concat([answer, error_columns(error, reliable, names, answer.index)], axis=1)


def error_columns(
    error: np.ndarray, reliable: np.ndarray, names: Sequence[str], index: pd.Index
) -> pd.DataFrame:
    """Return error_<feature> and reliable_<feature> of arrays [rows, features]."""
    parts = [
        pd.DataFrame(values, index, [prefix + name for name in names])
        for prefix, values in ((ERROR, error), (RELIABLE, reliable))
    ]
    return pd.concat(parts, axis=1)
