"""Stage intervention-ingest: bring and check the raw monthly series of the second study."""

from pathlib import Path

from konkyo import params
from konkyo.intervention.bring import bring
from konkyo.io import write_json, write_parquet
from konkyo.stages import lock, stage

OUT = Path("data/intervention/records")


@stage
@lock.writing_study
def main() -> None:
    """Write records.parquet and source.json."""
    records = bring(params.load().intervention)
    write_parquet(records.frame, OUT / "records.parquet")
    write_json(records.facts, OUT / "source.json")
    facts = records.facts
    print(f"{facts['source']}: {facts['first_month']} to {facts['last_month']}")
