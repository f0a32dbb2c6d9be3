"""What every source returns: two tables and what is known about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from konkyo.months import label


@dataclass(frozen=True, eq=False)
class Records:
    """The records of one source, checked and normalised.

    Attributes
    ----------
    stocks : DataFrame
        month, stock, sector, return, size and further columns, as `konkyo.sources.schema` says. A
        row at t holds only what was known at the end of t.
    market : DataFrame
        month and the market series, known at the end of the month.
    facts : dict
        source, licence, point_in_time, survivorship_free, files (name: sha256), rows, stocks,
        first_month, last_month. `files` are those in the folder of raw files.
    truth : DataFrame or None
        Where the source knows it: month, stock, expected (return of t+1 above the others, a
        fraction, from what is known at t), baseline (the same of a stock at the centre of every
        input) and the true contribution of each input with an effect, named as the panel's
        features; expected = baseline + the sum of contributions.
    catalogue : DataFrame or None
        Where the source has one: name, english and japanese of the panel's features.
    """

    stocks: pd.DataFrame
    market: pd.DataFrame
    facts: dict[str, Any]
    truth: pd.DataFrame | None = None
    catalogue: pd.DataFrame | None = None


def facts_of(
    stocks: pd.DataFrame,
    files: Mapping[str, str],
    *,
    source: str,
    licence: str,
    point_in_time: bool,
    survivorship_free: bool,
) -> dict[str, Any]:
    """Return what every later stage and run carries about the records.

    Parameters
    ----------
    stocks : DataFrame
        The normalised stocks.
    files : mapping of str to str
        The SHA-256 digest of each raw file.
    source, licence : str
        Where the records come from and on what terms.
    point_in_time : bool
        Nothing in them was restated later.
    survivorship_free : bool
        Stocks that are gone are in them.
    """
    return {
        "source": source,
        "licence": licence,
        "point_in_time": point_in_time,
        "survivorship_free": survivorship_free,
        "files": dict(files),
        "rows": len(stocks),
        "stocks": int(stocks["stock"].nunique()),
        "first_month": label(stocks["month"].min()),
        "last_month": label(stocks["month"].max()),
    }
