"""Where the records come from: loaded once unchanged, and again for every perturbation."""

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
from konkyo.leakage import perturb_tables
from konkyo.leakage.perturb import Perturbation, perturb_table, to_table

RecordTables = tuple[pd.DataFrame, pd.DataFrame]
"""Stocks and market series, as the stage ingest writes them."""


class RecordSource(Protocol):
    """A source whose records can be perturbed after a month."""

    @property
    def records(self) -> RecordTables:
        """The records, unchanged."""

    def perturb(
        self, t: int, perturbation: Perturbation, rng: np.random.Generator, scratch: Path
    ) -> RecordTables:
        """Return the records perturbed after month t, counted from 1970-01."""


@dataclass(frozen=True, eq=False)
class OwnTables:
    """The user's own tables: their raw rows are perturbed, and the source reads them again.

    So the audit covers the reading too: point-in-time joins, daily prices, membership.
    """

    ingest: Ingest
    n_quantiles: int
    records: RecordTables
    raw: perturb_tables.RawTables

    def perturb(
        self, t: int, perturbation: Perturbation, rng: np.random.Generator, scratch: Path
    ) -> RecordTables:
        """Write the perturbed tables and load them."""
        shutil.rmtree(scratch / "own", ignore_errors=True)
        last = int(ordinal(self.records[0]["month"]).max())
        tables = perturb_tables.write(
            self.raw, t, perturbation, rng=rng, last=last, folder=scratch / "own"
        )
        ingest = replace(self.ingest, tables=tables, last_month="newest")
        loaded = data.load(ingest, scratch / "raw", self.n_quantiles)
        return loaded.stocks, loaded.market


@dataclass(frozen=True, eq=False)
class BuiltRecords:
    """Records of a source without raw tables: they are perturbed themselves.

    Attributes
    ----------
    records : RecordTables
        As the stage ingest writes them.
    unlagged : RecordTables
        Records of `us-equities` before their values move to the months at whose ends they were
        available; otherwise the same.
    lagged : bool
        Whether they have to move.
    """

    records: RecordTables
    unlagged: RecordTables
    lagged: bool

    def perturb(
        self, t: int, perturbation: Perturbation, rng: np.random.Generator, scratch: Path
    ) -> RecordTables:
        """Perturb the rows, then move their values to the months of their availability."""
        stocks, market = self.unlagged
        last = int(ordinal(stocks["month"]).max())
        perturbed = []
        for frame, keys in ((stocks, ["month", "stock"]), (market, ["month"])):
            table = to_table(frame, {name: name for name in frame})
            rows, _ = perturb_table(table, t, perturbation, rng=rng, last=last)
            rows["month"] = rows["month"].astype(frame["month"].dtype)
            perturbed.append(rows.sort_values(keys, ignore_index=True))
        stocks, market = perturbed
        return (us_equities.to_point_in_time(stocks) if self.lagged else stocks), market


def record_source(ingest: Ingest, raw: Path, n_quantiles: int) -> RecordSource:
    """Load the records of params.yaml, with what is needed to perturb them.

    Parameters
    ----------
    ingest : Ingest
        The section of params.yaml.
    raw : Path
        A scratch folder for the raw files.
    n_quantiles : int
        The least number of stocks of a month.

    Raises
    ------
    SourceError, RecordsError, ParamsError
        As `konkyo.data.load`.
    """
    if ingest.source == "us-equities":
        stocks, market = us_equities.read_checked(raw, n_quantiles)
        if ingest.last_month != "newest":
            last = parse(ingest.last_month)
            stocks, market = (
                table[table["month"] <= last].reset_index(drop=True) for table in (stocks, market)
            )
        records = (us_equities.to_point_in_time(stocks), market)
        return BuiltRecords(records=records, unlagged=(stocks, market), lagged=True)
    loaded = data.load(ingest, raw, n_quantiles)
    records = (loaded.stocks, loaded.market)
    if ingest.source == "tables":
        tables = perturb_tables.read(ingest.tables)
        return OwnTables(ingest=ingest, n_quantiles=n_quantiles, records=records, raw=tables)
    return BuiltRecords(records=records, unlagged=records, lagged=False)
