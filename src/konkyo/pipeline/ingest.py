"""Stage ingest: load the raw records, check every rule, write the two tables of records."""

from konkyo import config, data
from konkyo.artifacts import HERE
from konkyo.data.violations import raise_if_any
from konkyo.io import write_csv, write_json, write_parquet
from konkyo.pipeline import check, locking, stage


@stage
@locking.writing
def main() -> None:
    """Write data/raw and data/records; print the summary.

    Raises
    ------
    RecordsError
        The records violate rules and nothing is written, or a later stage would refuse the params.
    """
    params = config.load()
    records, violations = check.examine(params, HERE.raw)
    if records is not None:
        # They are right as they are, whatever a later stage would refuse in the params.
        write(records)
        print(check.summary(params, records, violations))
    raise_if_any(violations)


def write(records: data.Records) -> None:
    """Write the records and remove files of another source."""
    HERE.raw.mkdir(parents=True, exist_ok=True)
    for path in HERE.raw.iterdir():
        if path.is_file() and path.name not in records.facts["files"]:
            path.unlink()
    write_parquet(records.stocks, HERE.stocks)
    write_parquet(records.market, HERE.market)
    for table, write_table, name in (
        (records.truth, write_parquet, "truth.parquet"),
        (records.catalogue, write_csv, "catalogue.csv"),
    ):
        if table is None:
            (HERE.records / name).unlink(missing_ok=True)
        else:
            write_table(table, HERE.records / name)
    write_json(records.facts, HERE.source)


def line(records: data.Records) -> str:
    """Return source, rows, stocks and months in one line."""
    facts = records.facts
    return (
        f"{facts['source']}: {facts['rows']:,} rows of {facts['stocks']:,} stocks, "
        f"{facts['first_month']} to {facts['last_month']}"
    )
