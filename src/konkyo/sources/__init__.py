"""Where the records come from: every source returns the same two tables.

- `us_equities`, `tables`, `simulated_tse`: the sources, one file or folder each
- `records`: what they return
- `schema`: the two tables' rules, checked and normalised in one pass, from
  `reading` (files as found), `convert` (months, numbers, text), `rules` and `faults`
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
        The records break rules; every fault of both files.
    """
    if ingest.source == "us-equities":
        return us_equities.bring(raw, portfolios)
    if ingest.source == "simulated-tse":
        return simulated_tse.bring(ingest.simulated, portfolios)
    return tables.bring(ingest.tables, raw, portfolios)
