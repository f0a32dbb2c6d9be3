"""Stage intervention-ingest: bring and check the raw monthly series of the second study."""

from konkyo import config
from konkyo.artifacts import HERE
from konkyo.intervention.load import load
from konkyo.io import write_json, write_parquet
from konkyo.pipeline import locking, stage
from konkyo.pipeline.check import study_summary
from konkyo.pipeline.own_files import link_own


@stage
@locking.writing_study
def main() -> None:
    """Write records.parquet and source.json."""
    link_own()
    records = load(config.load().intervention)
    write_parquet(records.frame, HERE.intervention_records / "records.parquet")
    write_json(records.facts, HERE.intervention_records / "source.json")
    print(study_summary(records))
