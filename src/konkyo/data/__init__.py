"""Where the records come from: every source returns the same two tables.

- `us_equities`, `tables`, `simulated`: the sources; `vendors`: what fetches files for `tables`
- `records`: what they return
- `files`: which files, and their headers; `parsing`: the SQL of one cell; `scan`: the query of a
  table of any size; `reader`: DuckDB, and a table in memory
- `columns`: every table's columns, as columns.csv declares them, with `rules`; `schema`: the two
  records checked and normalised; `violations`: what is wrong, as text and as a table
- `notes`, `plausibility`: what is worth a look though no rule is broken, and what is assumed
- of `tables` alone: `daily` and `monthly_prices` (days and weeks to months, in SQL), `stock_months`
  and `stocks` (returns, sectors, a code's firms), `market_series`, `conditions` (who is eligible),
  and `fundamentals` joined to months (`fundamentals_read`: their rows, `point_in_time`: what was
  known of them when, `ratios`: their items, and figure 13 as ratios.csv declares it)
"""

from dataclasses import replace
from pathlib import Path

from konkyo.config import Ingest
from konkyo.data import notes, simulated, tables, us_equities
from konkyo.data.records import Records, truncate
from konkyo.data.stocks import rank_autocorrelation
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
        `ingest.first_month` or `ingest.last_month` is not a month of the records.
    """
    last = None if ingest.last_month == "newest" else parse(ingest.last_month)
    first = None if ingest.first_month == "oldest" else parse(ingest.first_month)
    if ingest.source == "us-equities":
        records = us_equities.load(raw, portfolios)
    elif ingest.source == "simulated-tse":
        records = simulated.load(ingest.simulated, portfolios)
    else:
        records = tables.load(ingest.tables, raw, portfolios, last, first)
    if first is not None or last is not None:
        records = truncate(records, last, first)
    correlation = rank_autocorrelation(records.stocks)
    facts = records.facts | {"return_rank_autocorrelation": correlation}
    return replace(records, facts=facts, notes=(*records.notes, *notes.of_averages(correlation)))
