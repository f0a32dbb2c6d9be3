"""Stage ingest: bring the raw records, check every rule, write the two record tables."""

from konkyo import config, data
from konkyo.artifacts import HERE
from konkyo.io import write_csv, write_json, write_parquet
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main() -> None:
    """Write data/raw and data/records."""
    settings = config.load()
    records = data.load(settings.ingest, HERE.raw, settings.backtest.n_quantiles)
    print(write(records))


def write(records: data.Records) -> str:
    """Write the tables, remove what another source left, and say what the records hold."""
    HERE.raw.mkdir(parents=True, exist_ok=True)
    for path in HERE.raw.iterdir():
        # What another source left is no part of these records.
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
    facts = records.facts
    return (
        f"{facts['source']}: {facts['rows']:,} rows of {facts['stocks']:,} stocks, "
        f"{facts['first_month']} to {facts['last_month']}"
    )
