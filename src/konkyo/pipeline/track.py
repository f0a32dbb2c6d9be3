"""Log the results as one MLflow run with its servable model."""

import signal
from dataclasses import asdict
from pathlib import Path

from konkyo import config, io
from konkyo.artifacts import HERE
from konkyo.pipeline import locking, stage
from konkyo.tracking import results, runs


@stage
@locking.writing
def main() -> None:
    """Read what the earlier stages left, log it, write where it went."""
    # A polite kill ends the runs as an interrupt does, instead of leaving them RUNNING.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = config.load()
    found = results.read(Path.cwd())
    tracked = runs.track(found, chosen)
    io.write_json(asdict(tracked), HERE.run)
    print(
        f"run {tracked.run_id} in experiment {tracked.experiment}: {tracked.months} months, "
        f"{tracked.model} version {tracked.model_version} ({', '.join(tracked.aliases)})"
    )
