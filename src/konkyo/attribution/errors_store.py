"""Files of standard errors: one table a decision month, and beside it what holds of the month."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo.io import read_json, read_parquet, write_json, write_parquet


@dataclass(frozen=True)
class Errors:
    """Standard errors of one month's scores and relevances.

    Attributes
    ----------
    score : numpy.ndarray
        [stocks], standard error of the score.
    rank_low, rank_high : numpy.ndarray
        [stocks], the score's rank (1 is the best) less and plus two standard errors of the rank.
    relevance : numpy.ndarray
        [stocks, features], standard error of each relevance, in units of the score.
    reliable : numpy.ndarray
        [stocks, features] bool.
    cluster_relevance, cluster_reliable : numpy.ndarray
        The same of the sum over a cluster, in the column of its first member.
    """

    score: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray
    relevance: np.ndarray
    reliable: np.ndarray
    cluster_relevance: np.ndarray
    cluster_reliable: np.ndarray


SCORE = ("score", "rank_low", "rank_high")
WIDE = ("relevance", "reliable", "cluster_relevance", "cluster_reliable")
"""Fields of `Errors`: a column each, and a column a feature each, named field:feature."""


def write(
    errors: Errors, *, stocks: pd.Series, features: list[str], about: dict[str, Any], path: Path
) -> None:
    """Write one month's standard errors.

    Parameters
    ----------
    errors : Errors
        Of the month's rows.
    stocks : pandas.Series
        Their codes.
    features : list of str
        Names of the inputs.
    about : dict
        JSON values: the cache key, the threshold, shares of reliable relevances, clusters.
    path : Path
        The table; `about` goes beside it as JSON, last, as the mark that the month is done.

    Notes
    -----
    float16 has three digits, which is more than an estimate from a few networks deserves.
    """
    parts = [stocks.reset_index(drop=True).rename("stock")]
    parts += [pd.Series(getattr(errors, name).astype(np.float32), name=name) for name in SCORE]
    for name in WIDE:
        values = getattr(errors, name)
        parts.append(
            pd.DataFrame(
                values if values.dtype == bool else values.astype(np.float16),
                columns=[f"{name}:{feature}" for feature in features],
            )
        )
    write_parquet(pd.concat(parts, axis=1), path)
    write_json(about, path.with_suffix(".json"))


def read(path: Path) -> tuple[pd.Series, Errors]:
    """Return the stocks of a month and their standard errors.

    Raises
    ------
    ArtifactError
        The file is missing or damaged.
    """
    table = read_parquet(path)
    wide = {
        name: table[[column for column in table if column.startswith(f"{name}:")]].to_numpy()
        for name in WIDE
    }
    return table["stock"], Errors(**{name: table[name].to_numpy() for name in SCORE}, **wide)


def read_about(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what holds of each month, by month, YYYY-MM.

    Raises
    ------
    ArtifactError
        A file is damaged.
    """
    return {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}
