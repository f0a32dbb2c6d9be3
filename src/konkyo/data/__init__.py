"""Where the records come from: every source returns the same two tables.

- `us_equities`, `tables`, `simulated`: the sources; `vendors`: what fetches files for `tables`
- `records`: what they return
- `reader`: files of any size as typed columns, by DuckDB; `files`: which files, and their headers;
  `parsing`: the SQL of one cell
- `columns`: every table's columns, declared once as pandera schemas of `dtypes` and `checks`
- `schema`: tables checked against them, and the two records normalised, from `validate` (values and
  rows), `monthly` (whole tables) and `violations` (what is wrong, as text and as a table); `notes`:
  what is worth a look though no rule is broken
- of `tables` alone: `daily` and `monthly_prices` (days and weeks to months, in SQL),
  `market_series`, `membership` (who is eligible), `returns` (return, sector), and `fundamentals`
  joined to months (`fundamentals_read`: their rows, `fundamental_items`: their items,
  `point_in_time`: what was known of them when, `ratios`: figure 13 as ratios.csv declares it)
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
