"""Where the records come from: every source returns the same two tables.

- `us_equities`, `tables`, `simulated_tse`: the sources, one file or folder each
- `records`: what they return
- `columns`: every table's columns, declared once as pandera schemas of `types` and `rules`
- `schema`: tables checked against them, and the two records normalised, from `reading` (files as
  found), `typed` and `convert` (months, days, numbers, text), `validate` (values and rows),
  `monthly` (whole tables) and `violations` (what is wrong, as text and as a table)
"""

from pathlib import Path

from konkyo.params import Ingest
from konkyo.sources import simulated_tse, tables, us_equities
from konkyo.sources.records import Records

__all__ = ["Records", "bring"]


def bring(ingest: Ingest, raw: Path, portfolios: int) -> Records:
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
    """
    if ingest.source == "us-equities":
        return us_equities.bring(raw, portfolios)
    if ingest.source == "simulated-tse":
        return simulated_tse.bring(ingest.simulated, portfolios)
    return tables.bring(ingest.tables, raw, portfolios)
