"""Check the records that params.yaml names, and nothing else: a report of all that is wrong."""

from konkyo import config, data
from konkyo.artifacts import HERE
from konkyo.data.records import Records
from konkyo.data.violations import Violation, table
from konkyo.errors import RecordsError, SourceError
from konkyo.io import write_csv
from konkyo.pipeline import stage
from konkyo.resilience import temporary_folder


@stage
def main() -> None:
    """Write data/check.csv, one row a violation, and none where every rule is kept.

    Raises
    ------
    RecordsError, SourceError
        The records break rules, or cannot be read; the report is written before.
    """
    settings = config.load()
    try:
        # What is brought goes to a scratch folder: data/raw belongs to the stage ingest.
        with temporary_folder() as scratch:
            records = data.load(settings.ingest, scratch, settings.backtest.n_quantiles)
    except (RecordsError, SourceError) as error:
        write_csv(table(getattr(error, "violations", ()) or [_unreadable(error)]), HERE.check)
        raise
    write_csv(table([]), HERE.check)
    print(_summary(records))


def _unreadable(error: Exception) -> Violation:
    return Violation("", "", "file", str(error), (), 0, "see what was found")


def _summary(records: Records) -> str:
    """Return what was found: the rows, the months, and how much of each column is missing."""
    facts = records.facts
    lines = [
        f"{facts['source']}: every rule is kept by {facts['rows']:,} rows of "
        f"{facts['stocks']:,} stocks and {len(records.market):,} rows of market series, "
        f"{facts['first_month']} to {facts['last_month']}"
    ]
    for name, share in records.stocks.isna().mean().items():
        if share:
            lines.append(f"  {name}: {share:.1%} missing")
    lines += [f"  note: {note}" for note in records.notes]
    return "\n".join(lines)
