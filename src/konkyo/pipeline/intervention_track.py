"""Stage intervention-track: log the second study as one MLflow run."""

from dataclasses import asdict
from pathlib import Path

from konkyo import config, io
from konkyo.artifacts import HERE
from konkyo.pipeline import locking, stage
from konkyo.tracking import intervention


@stage
@locking.writing_study
def main() -> None:
    """Log what the earlier stages left, write where it went."""
    # One at a time writes to the store, whichever study it is of.
    with locking.held():
        tracked = intervention.track(Path.cwd(), config.load())
    io.write_json(asdict(tracked), HERE.intervention_run)
    print(f"run {tracked.run_id} in experiment {tracked.experiment}")
