"""Tables of a finished run, read back from MLflow alone."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from konkyo import date_text, io
from konkyo.errors import TrackingError
from konkyo.tracking import open_runs
from konkyo.tracking.open_runs import OpenRun

TABLES = (
    "portfolio_performance", "portfolio_returns", "return_attribution_groups",
    "return_attribution_summary", "factor_means", "holdings",
)  # fmt: skip
"""Tables of data/report that `read_run` reads."""


@dataclass(frozen=True)
class RunTables:
    """The tables of a run.

    Attributes
    ----------
    run_id, name : str
        The run's.
    tables : dict of str to DataFrame
        `TABLES`, months as dates.
    months : dict of str to str
        The id of the child run of each decision month, YYYY-MM.
    """

    run_id: str
    name: str
    tables: dict[str, pd.DataFrame]
    months: dict[str, str]


def read_run(client: MlflowClient, experiment: str, wanted: str) -> RunTables:
    """Read a run's tables.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    experiment : str
        Its name, in which names are looked up.
    wanted : str
        The run's id, or its name: the newest finished one of several.

    Raises
    ------
    TrackingError
        There is no such run of the main pipeline, or it has no such tables.
    """
    run = _run(client, experiment, wanted)
    name = run.info.run_name or run.info.run_id
    with tempfile.TemporaryDirectory() as folder:
        try:
            tables = {
                table: _read(client, run.info.run_id, f"tables/{table}.csv", folder)
                for table in TABLES
            }
        except (MlflowException, OSError) as error:
            raise TrackingError(
                f"run {name} lacks a table that a comparison needs "
                f"({str(error).splitlines()[0]}): log it again with `dvc repro`"
            ) from None
    children = open_runs.children(client, OpenRun(run.info.run_id, run.info.experiment_id))
    months = {child.info.run_name: child.info.run_id for child in children}
    return RunTables(run.info.run_id, name, tables, months)


def read_attributions(client: MlflowClient, run: RunTables, month: str) -> pd.DataFrame:
    """Return the scores and relevances of a decision month, YYYY-MM."""
    with tempfile.TemporaryDirectory() as folder:
        return _read(client, run.months[month], f"attributions/{month}.parquet", folder)


def _run(client: MlflowClient, experiment: str, wanted: str) -> Run:
    try:
        return client.get_run(wanted)
    except MlflowException:
        existing = client.get_experiment_by_name(experiment)
    query = "tags.kind = 'experiment' and attributes.status = 'FINISHED'"
    runs = []
    if existing is not None:
        search = partial(client.search_runs, [existing.experiment_id], query)
        runs = open_runs.all_pages(search)
    named = [run for run in runs if run.info.run_name == wanted]
    if named:
        return max(named, key=lambda run: run.info.start_time)
    logged = ", ".join(f"{run.info.run_name} ({run.info.run_id})" for run in runs[:5])
    raise TrackingError(
        f"no finished run {wanted!r} in the experiment {experiment!r}: give the name or the id of "
        f"one of {logged or 'none, log one with `dvc repro`'}"
    )


def _read(client: MlflowClient, run_id: str, path: str, folder: str) -> pd.DataFrame:
    local = Path(client.download_artifacts(run_id, path, folder))
    if local.suffix == ".parquet":
        return io.read_parquet(local)
    frame = io.read_csv(local)
    for column in frame.columns.intersection(["month", "earned"]):
        frame[column] = date_text.period_ends(frame[column])
    return frame
