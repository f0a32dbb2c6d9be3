"""check: validate the records that params.yaml names and report every violation."""

from konkyo import config, data
from konkyo.artifacts import HERE
from konkyo.data.records import Records
from konkyo.data.violations import Violation, table
from konkyo.errors import ParamsError, RecordsError, SourceError
from konkyo.features import available
from konkyo.io import write_csv
from konkyo.pipeline import stage
from konkyo.resilience import temporary_folder


@stage
def main() -> None:
    """Write data/check.csv, one row a violation, and nothing else.

    Raises
    ------
    RecordsError, SourceError, ParamsError
        The records violate rules, cannot be read, or lack what the section prepare asks of them;
        the report is written before.
    """
    params = config.load()
    try:
        # Downloads go to a temporary folder: data/raw belongs to the stage ingest.
        with temporary_folder() as raw:
            records = data.load(params.ingest, raw, params.backtest.n_quantiles)
        available.require(params.prepare, records.stocks, records.market)
    except (RecordsError, SourceError, ParamsError) as error:
        unreadable = Violation("", "", "file", str(error), (), 0, "see the message")
        write_csv(table(getattr(error, "violations", ()) or [unreadable]), HERE.check)
        raise
    write_csv(table([]), HERE.check)
    print(summary(records))
    if params.prepare.characteristics == "available":
        names = available.resolve(params.prepare, records.stocks)
        print(f"  characteristics available: {', '.join(names)}")


def summary(records: Records) -> str:
    """Return rows, stocks and months, and the share of missing values by column."""
    facts, series = records.facts, f"{len(records.market):,} rows of market series"
    if list(records.market) == ["month"]:
        series = "no market series"
    lines = [
        f"{facts['source']}: no violation in {facts['rows']:,} rows of "
        f"{facts['stocks']:,} stocks and {series}, "
        f"{facts['first_month']} to {facts['last_month']}"
    ]
    for name, share in records.stocks.isna().mean().items():
        if share:
            lines.append(f"  {name}: {share:.1%} missing")
    lines += [f"  note: {note}" for note in records.notes]
    return "\n".join(lines)
