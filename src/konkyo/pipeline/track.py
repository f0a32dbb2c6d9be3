"""Stage track: log the results as one MLflow run with its servable model."""

import signal
from dataclasses import asdict
from pathlib import Path

from konkyo import config, io, resilience
from konkyo.artifacts import HERE
from konkyo.pipeline import locking, stage
from konkyo.tracking import results, runs


@stage
@locking.writing
def main() -> None:
    """Log the results of the earlier stages, write data/run.json."""
    # So that `kill` ends the runs as Ctrl-C does, instead of leaving them RUNNING.
    resilience.interrupt_on(signal.SIGTERM)
    run = runs.track(results.read(Path.cwd()), config.load())
    io.write_json(asdict(run), HERE.run)
    print(
        f"run {run.run_id} in experiment {run.experiment}: {run.months} months, "
        f"{run.model} version {run.model_version} ({', '.join(run.aliases)})"
    )
