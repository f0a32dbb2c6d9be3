"""Where the records come from: every source returns the same two tables.

- `us_equities`, `tables`, `simulated_tse`: the sources, one file or folder each
- `records`: what they return
- `columns`: every table's columns, declared once as pandera schemas of `types` and `rules`
- `schema`: tables checked against them, and the two records normalised, from `reading` (files as
  found), `typed` and `convert` (months, days, numbers, text), `validate` (values and rows),
  `monthly` (whole tables) and `violations` (what is wrong, as text and as a table)
- of `tables` alone: `dated` (days and weeks to months: `scan` the files, `prices` in SQL),
  `series` (the market), `members` (who is eligible), `derive` (return, sector), and
  `reports` joined to months (`filings`: their rows, `known`: what was known when, `ingredients`:
  figures of a year and forecasts, `ratios`: figure 13 as ratios.csv declares it)
"""

from pathlib import Path

from konkyo.config import Ingest
from konkyo.data import simulated, tables, us_equities
from konkyo.data.records import Records, truncate
from konkyo.dates import parse

__all__ = ["Records", "load"]


def load(ingest: Ingest, raw: Path, portfolios: int) -> Records:
    """Bring the records of the source that params.yaml names.

    Parameters
    ----------
    ingest : Ingest
        The section of params.yaml.
    raw : Path
        Folder for the raw files as they came.
    portfolios : int
        The fewest stocks that a month must have, one a portfolio.

    Returns
    -------
    Records
        Checked and normalised; a row at t holds only what was known at the end of t.

    Raises
    ------
    SourceError
        The source cannot be reached or is not what it should be.
    RecordsError
        The records break rules; every violation of every file.
    ParamsError
        `ingest.last_month` is not a month of the records.
    """
    last = None if ingest.last_month == "newest" else parse(ingest.last_month)
    if ingest.source == "us-equities":
        records = us_equities.load(raw, portfolios)
    elif ingest.source == "simulated-tse":
        records = simulated.load(ingest.simulated, portfolios)
    else:
        records = tables.load(ingest.tables, raw, portfolios, last)
    return records if last is None else truncate(records, last)
