"""The records of a source: two tables, facts about them, and the ground truth of a simulation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from konkyo.data.violations import LOOK_AT, Note
from konkyo.dates import label
from konkyo.errors import ParamsError

SECTIONS = ("read", "matched", "assumed", "set missing", "left out")
"""Of the summary with which `konkyo check` and the stage ingest end, before what to look at."""


@dataclass(frozen=True, eq=False)
class Records:
    """The records of one source, checked and normalised.

    Attributes
    ----------
    stocks : DataFrame
        month, stock, sector, return, size and further columns, as `konkyo.data.schema` says. A
        row at t holds only what was known at the end of t.
    market : DataFrame
        month and the market series, known at the end of the month.
    facts : dict
        source, licence, point_in_time, survivorship_free, files (name: sha256), rows, stocks,
        first_month, last_month. `files` are those in the folder of raw files, or the user's own
        where they are too large to be copied there.
    truth : DataFrame or None
        Of a simulated source: month, stock, expected (return of t+1 above the cross-sectional
        mean, a fraction, known at t), baseline (the same of a stock at the centre of every input)
        and the true contribution of each input with an effect, named as the panel's
        features; expected = baseline + the sum of contributions.
    catalogue : DataFrame or None
        Of a simulated source: name, english and japanese of the panel's features.
    notes : tuple of Note
        What the source did with its files, by the sections of `SECTIONS`, and what to look at.
    """

    stocks: pd.DataFrame
    market: pd.DataFrame
    facts: dict[str, Any]
    truth: pd.DataFrame | None = None
    catalogue: pd.DataFrame | None = None
    notes: tuple[Note, ...] = ()

    def lines(self, section: str = LOOK_AT) -> tuple[str, ...]:
        """Return the texts of a section's notes; by default what is odd but possible."""
        return tuple(note.text for note in self.notes if note.section == section)


def truncate(
    records: Records, last: pd.Timestamp | None, first: pd.Timestamp | None = None
) -> Records:
    """Return the records from one month to another.

    Parameters
    ----------
    records : Records
        Of any source.
    last, first : Timestamp or None
        The ends of the last and of the first month to include; None for all.

    Raises
    ------
    ParamsError
        The records have no row of that month.
    """
    begin, end = records.stocks["month"].min(), records.stocks["month"].max()
    for key, month, all_of_them in (("last", last, "newest"), ("first", first, "oldest")):
        if month is not None and not begin <= month <= end:
            raise ParamsError(
                f"ingest.{key}_month = {label(month)!r} is outside the records, which cover "
                f"{label(begin)} to {label(end)}: set it within, or to {all_of_them}"
            )
    begin, end = first or begin, last or end
    stocks, market, truth = (
        None if table is None else table[table["month"].between(begin, end)].reset_index(drop=True)
        for table in (records.stocks, records.market, records.truth)
    )
    assert stocks is not None and market is not None  # nosec B101 # tells mypy the type
    facts = records.facts | _coverage(stocks)
    return replace(records, stocks=stocks, market=market, truth=truth, facts=facts)


def _coverage(stocks: pd.DataFrame) -> dict[str, Any]:
    return {
        "rows": len(stocks),
        "stocks": int(stocks["stock"].nunique()),
        "first_month": label(stocks["month"].min()),
        "last_month": label(stocks["month"].max()),
    }


def facts_of(
    stocks: pd.DataFrame,
    files: Mapping[str, str],
    *,
    source: str,
    licence: str,
    point_in_time: bool,
    survivorship_free: bool,
) -> dict[str, Any]:
    """Return the facts about records that later stages and tracked runs carry on.

    Parameters
    ----------
    stocks : DataFrame
        The normalised stocks.
    files : mapping of str to str
        The SHA-256 digest of each raw file.
    source, licence : str
        Where the records come from and on what terms.
    point_in_time : bool
        No value was restated after its month.
    survivorship_free : bool
        Delisted stocks are included.
    """
    return {
        "source": source,
        "licence": licence,
        "point_in_time": point_in_time,
        "survivorship_free": survivorship_free,
        "files": dict(files),
        **_coverage(stocks),
    }
