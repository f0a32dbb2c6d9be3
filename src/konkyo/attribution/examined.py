"""What was examined, as files: one folder a month, so that a new month examines itself alone."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from konkyo.attribution.examination import MethodEvaluation
from konkyo.io import read_key, read_parquet, write_parquet

_TABLES = ("deletion", "randomised", "seeds")


def write(
    folder: Path,
    month: str,
    key: str,
    keys: pd.DataFrame,
    names: list[str],
    found: MethodEvaluation,
) -> None:
    """Write what one month's examination found.

    Parameters
    ----------
    folder : Path
        Holds a folder a month.
    month : str
        YYYY-MM.
    key : str
        All that the examination depends on.
    keys : pandas.DataFrame
        month, stock of the examined rows.
    names : list of str
        The features.
    found : Examined
        Its relevances are of the rows of `keys`.
    """
    for name in _TABLES:
        write_parquet(getattr(found, name), folder / month / f"{name}.parquet")
    relevance = [
        pd.concat([keys, pd.DataFrame(values, columns=names)], axis=1).assign(method=method)
        for method, values in found.relevance.items()
    ]
    # The grounds go last: their key is the mark that a month is done.
    grounds = pd.concat(relevance, ignore_index=True)
    write_parquet(grounds, folder / month / "grounds.parquet", key)


def missing(folder: Path, keys: Mapping[str, str]) -> list[str]:
    """Return the months that are not there with the key that they must have."""
    return [m for m, key in keys.items() if read_key(folder / m / "grounds.parquet") != key]


def drop_stale(folder: Path, wanted: Iterable[str]) -> None:
    """Remove the months that nothing asks for."""
    for path in set(folder.glob("*")) - {folder / month for month in wanted}:
        shutil.rmtree(path)


def read(
    folder: Path, months: Iterable[str]
) -> tuple[list[MethodEvaluation], dict[str, pd.DataFrame]]:
    """Read what the months' examinations found.

    Returns
    -------
    examined : list of Examined
        In the order of the months; without their relevances.
    grounds : dict of str to pandas.DataFrame
        Method to month, stock and a column a feature, all months.
    """
    examined, grounds = [], []
    for month in months:
        deletion, randomised, seeds = (
            read_parquet(folder / month / f"{name}.parquet") for name in _TABLES
        )
        examined.append(MethodEvaluation({}, deletion, randomised, seeds))
        grounds.append(read_parquet(folder / month / "grounds.parquet"))
    whole = pd.concat(grounds, ignore_index=True)
    by_method = {
        str(name): table.drop(columns="method").reset_index(drop=True)
        for name, table in whole.groupby("method", sort=False)
    }
    return examined, by_method
