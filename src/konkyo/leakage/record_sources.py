"""Where the records come from: brought once as they are, and again in every other world."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from konkyo import data
from konkyo.config import Ingest
from konkyo.data import us_equities
from konkyo.dates import ordinal, parse
from konkyo.leakage import perturb, perturb_tables
from konkyo.leakage.perturb import Perturbation

Records = tuple[pd.DataFrame, pd.DataFrame]
"""Stocks and market series, as the stage ingest writes them."""


class RecordSource(Protocol):
    """A source whose records can be brought in another world."""

    @property
    def records(self) -> Records:
        """The records as they are."""

    def world(
        self, t: int, world: Perturbation, rng: np.random.Generator, scratch: Path
    ) -> Records:
        """Return the records of a world that differs after month t, counted from 1970-01."""


@dataclass(frozen=True, eq=False)
class OwnTables:
    """The user's own tables: their raw rows differ, and the source reads them again."""

    ingest: Ingest
    portfolios: int
    records: Records
    raw: perturb_tables.RawTables

    def world(
        self, t: int, world: Perturbation, rng: np.random.Generator, scratch: Path
    ) -> Records:
        """Write the tables of the other world and bring them."""
        shutil.rmtree(scratch / "own", ignore_errors=True)
        last = int(ordinal(self.records[0]["month"]).max())
        files = perturb_tables.write(self.raw, t, world, rng, last, scratch / "own")
        ingest = replace(self.ingest, tables=files, last_month="newest")
        found = data.load(ingest, scratch / "raw", self.portfolios)
        return found.stocks, found.market


@dataclass(frozen=True, eq=False)
class BuiltRecords:
    """Records that a source brings or makes: they differ themselves.

    Attributes
    ----------
    records : Records
        As the stage ingest writes them.
    before : Records
        Those of `us-equities` before their values are moved to the months at whose ends they were
        known; else the same.
    late : bool
        They are still to be moved.
    """

    records: Records
    before: Records
    late: bool

    def world(
        self, t: int, world: Perturbation, rng: np.random.Generator, scratch: Path
    ) -> Records:
        """Change the rows, and move them where that is still to be done."""
        stocks, market = self.before
        last = int(ordinal(stocks["month"]).max())
        made = []
        for table, keys in ((stocks, ["month", "stock"]), (market, ["month"])):
            rows = perturb.table_of(table, {name: name for name in table})
            found = perturb.perturb_table(rows, t, world, rng, last)[0]
            found["month"] = found["month"].astype(table["month"].dtype)
            made.append(found.sort_values(keys, ignore_index=True))
        stocks, market = made
        return (us_equities.to_point_in_time(stocks) if self.late else stocks), market


def record_source(ingest: Ingest, raw: Path, portfolios: int) -> RecordSource:
    """Bring the records of params.yaml, and keep what other worlds are made of.

    Parameters
    ----------
    ingest : Ingest
        The section of params.yaml.
    raw : Path
        A scratch folder for the raw files.
    portfolios : int
        The fewest stocks that a month must have.

    Raises
    ------
    SourceError, RecordsError, ParamsError
        As `konkyo.data.bring`.
    """
    if ingest.source == "us-equities":
        before = us_equities.read_checked(raw, portfolios)
        if ingest.last_month != "newest":
            last = parse(ingest.last_month)
            before = tuple(table[table["month"] <= last].reset_index(drop=True) for table in before)
        return BuiltRecords((us_equities.to_point_in_time(before[0]), before[1]), before, late=True)
    found = data.load(ingest, raw, portfolios)
    records = (found.stocks, found.market)
    if ingest.source == "tables":
        return OwnTables(ingest, portfolios, records, perturb_tables.read(ingest.tables))
    return BuiltRecords(records, records, late=False)
