"""One parent run an experiment, one child run a decision month."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow.parquet as parquet
from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import (
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_RUN_NAME,
    MLFLOW_RUN_NOTE,
    MLFLOW_SOURCE_NAME,
    MLFLOW_SOURCE_TYPE,
)
from tqdm import tqdm

from konkyo import dates
from konkyo.config import Params, as_dict, flatten
from konkyo.errors import TrackingError, redact
from konkyo.tracking import lineage, log_model, open_runs, registry, results, series, store
from konkyo.tracking.client import RETRIES, StoreClient, StoreRetries
from konkyo.tracking.results import Results

_BATCH = 100
"""Entries of a kind in one call: the most params and tags that a store takes."""
_METRICS = 900
"""The most metrics in one call: a store takes 1,000 entries of all kinds."""
_ELSEWHERE = ("track", "monitor", "promote", "tune", "intervention")
"""Sections that decide nothing of this run: where it is logged, how it is judged afterwards, and
what has runs of its own."""


@dataclass(frozen=True)
class Tracked:
    """Where the results were logged: the contents of data/run.json; no password in `uri`.

    `months` are those of the model, `aliases` those that its version was given.
    """

    run_id: str
    experiment_id: str
    experiment: str
    uri: str
    model: str
    model_version: int
    model_uri: str
    months: int
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Described:
    """What a run says of its results beside their figures: params (nested), data sets, tags."""

    params: dict[str, Any]
    inputs: list[DatasetInput]
    tags: dict[str, str]


def track(
    found: Results,
    params: Params,
    environment: Mapping[str, str] = os.environ,
    retries: StoreRetries = RETRIES,
) -> Tracked:
    """Log the results as one parent run with a child run a month, and the servable model.

    The same results are logged once: given again, for instance because the process was killed
    after its run was whole, they are found. To log them again delete their run.

    Parameters
    ----------
    found : Results
        What the earlier stages left.
    params : Params
        params.yaml; its track section says where to log, and is not logged itself, since it
        changes no result and may hold an address with a password.
    environment : mapping of str to str
        What `mlflow run` passes: a run to fill and its store go before params.yaml.
    retries : StoreRetries
        How long the store is waited for.

    Returns
    -------
    Tracked
        The run and the model's version.

    Raises
    ------
    TrackingError
        The store, the experiment or the run to fill cannot be used.
    """
    where = store.target(params.track, found.artifacts.root, environment)
    client = store.connect(where.uri, retries)
    own = described(found, params, "experiment")
    own.tags["results_digest"] = lineage.results_digest(found)
    name = f"{params.track.run_name}-{own.tags['params_digest'][:6]}"
    open_runs.end_stale_runs(client, where.marks)
    if where.run_id is None:
        for run in finished(client, where.experiment, {**own.tags, MLFLOW_RUN_NAME: name}):
            given = registry.registered(client, params.track.model, run.info.run_id)
            if given is not None:
                return tracked(
                    client, found, params, run.info.run_id, run.info.experiment_id, given
                )
    with parent(client, where, name) as (run_id, experiment):
        log(client, run_id, tags={MLFLOW_RUN_NOTE: _note(found)})
        model = describe(client, run_id, found, params, own)
        log(client, run_id, metrics=figures(found, milliseconds()))
        _log_files(client, run_id, found, own.params)
        _log_months(client, run_id, experiment, found)
        given = register(client, model, found, params, own)
    return tracked(client, found, params, run_id, experiment, given)


def finished(client: MlflowClient, experiment: str, tags: Mapping[str, str]) -> list[Run]:
    """Return the finished runs of an experiment, given by its name, that have these tags."""
    there = client.get_experiment_by_name(experiment)
    if there is None:
        return []
    clauses = [f"tags.`{key}` = '{tags[key]}'" for key in ("kind", "data_digest", "params_digest")]
    asked = " and ".join([*clauses, "attributes.status = 'FINISHED'"])
    found = open_runs.every(client, there.experiment_id, asked)
    return [run for run in found if tags.items() <= run.data.tags.items()]


def tracked(
    client: MlflowClient,
    found: Results,
    params: Params,
    run_id: str,
    experiment: str,
    given: registry.Registered,
) -> Tracked:
    """Say where a run and its model went."""
    return Tracked(
        run_id=run_id,
        experiment_id=experiment,
        experiment=client.get_experiment(experiment).name,
        uri=redact(client.tracking_uri),
        model=params.track.model,
        model_version=given.version,
        model_uri=f"models:/{params.track.model}@{registry.NEWEST}",
        months=len(found.windows),
        aliases=given.aliases,
    )


def described(found: Results, params: Params, kind: str) -> Described:
    """Return the params that results depend on, their data sets, and the tags of their run."""
    chosen = {key: value for key, value in as_dict(params).items() if key not in _ELSEWHERE}
    inputs = lineage.datasets(found)
    return Described(chosen, inputs, {"kind": kind, **lineage.tags(found, chosen, inputs)})


def describe(
    client: StoreClient, run_id: str, found: Results, params: Params, own: Described
) -> ModelInfo:
    """Log what a run says of its results, and the servable model.

    The model comes before the metrics: MLflow would copy each metric of step 0 onto it.
    """
    client.log_inputs(run_id, own.inputs)
    log(client, run_id, params=flatten(own.params), tags=own.tags)
    example = results.example(found)
    return log_model.log(client, run_id, found.artifacts.weights, example, params.attribute.epsilon)


def figures(found: Results, at: int) -> list[Metric]:
    """Return the final figures and the series of all months; `at` is now, in milliseconds."""
    metrics = series.final(found.metrics, at)
    metrics += series.monthly(found.returns)
    metrics += series.cumulative(found.cumulative, found.windows["month"].iloc[0])
    return metrics + series.training(found.history, at)


def register(
    client: MlflowClient, model: ModelInfo, found: Results, params: Params, own: Described
) -> registry.Registered:
    """Register the model of a run as a version with its facts and aliases."""
    tags = registry.facts(found, params, own.tags)
    return registry.register(client, model, params.track.model, tags)


@contextmanager
def parent(client: MlflowClient, where: store.Target, name: str) -> Iterator[tuple[str, str]]:
    """Open the parent run; whatever happens in the block, no run of it stays RUNNING.

    Those that a killed process left so are ended first.

    A run made here ends its name in the digest of its params, so that runs of different params
    tell apart in a chart's legend; a run that was given keeps its name.
    """
    open_runs.end_stale_runs(client, where.marks)
    if where.run_id is None:
        experiment = store.experiment_id(client, where.experiment)
    else:
        experiment = _to_fill(client, where.run_id)
    with open_runs.run_marker(client, where.marks, experiment) as process:
        tags = {open_runs.PROCESS: process}
        if where.run_id is None:
            run = client.create_run(experiment, tags=_origin() | tags, run_name=name)
            run_id = run.info.run_id
        else:
            run_id = where.run_id
            log(client, run_id, tags=tags)
        try:
            yield run_id, experiment
        except BaseException as error:
            status = "FAILED" if isinstance(error, Exception) else "KILLED"
            try:
                # Without retries: the store may be away, and then the mark stays for the next run.
                plain = MlflowClient(client.tracking_uri, client.tracking_uri)
                open_runs.end(plain, experiment, run_id, status)
            except Exception as second:
                # It is the first error that is to be mended.
                error.add_note(f"run {run_id} could not be marked {status}: {second}")
            raise
        client.set_terminated(run_id, "FINISHED")


def _to_fill(client: MlflowClient, run_id: str) -> str:
    """Return the experiment of the run that the environment names, if the run can be filled."""
    try:
        run = client.get_run(run_id)
    except MlflowException:
        raise TrackingError(
            f"MLFLOW_RUN_ID = {run_id} is not in the store {client.tracking_uri}: unset it to make "
            "a new run, or set MLFLOW_TRACKING_URI to the store that has it"
        ) from None
    if "kind" in run.data.tags or run.info.lifecycle_stage != "active":
        raise TrackingError(
            f"MLFLOW_RUN_ID = {run_id} already holds results or is deleted: unset it to make a "
            "new run"
        )
    return run.info.experiment_id


def _log_files(client: MlflowClient, run_id: str, found: Results, chosen: dict[str, Any]) -> None:
    """Log the report, its figures and tables, and what brings the state back."""
    folders = {".png": "figures", ".csv": "tables", ".html": None}
    for path in sorted(found.artifacts.report.glob("*")):
        if path.suffix in folders:
            client.log_artifact(run_id, str(path), folders[path.suffix])
    if (found.artifacts.report / "interactive").is_dir():
        client.log_artifacts(run_id, str(found.artifacts.report / "interactive"), "interactive")
    for name, table in found.tables.items():
        client.log_table(run_id, table, f"tables/{name}.json")
    client.log_dict(run_id, chosen, "lineage/params.yaml")
    client.log_dict(run_id, lineage.dvc_lock(found.artifacts.root), "lineage/dvc.lock.yaml")


def _log_months(client: StoreClient, parent_id: str, experiment: str, found: Results) -> None:
    """Log one child run a decision month, first to last."""
    origin = _origin()
    by_month = {
        "history": dict(list(found.history.groupby("month"))),
        "returns": dict(list(found.returns.groupby("month"))),
    }
    rows = tqdm(found.windows.itertuples(index=False), "months", len(found.windows), unit="month")
    for row in rows:
        name = dates.label(row.month)
        now = milliseconds()
        run = client.create_run(
            experiment,
            start_time=now,
            tags={**origin, MLFLOW_PARENT_RUN_ID: parent_id, "kind": "month"},
            run_name=name,
        )
        run_id = run.info.run_id
        metrics = series.of_month(
            by_month["history"].get(row.month, found.history.iloc[:0]),
            by_month["returns"].get(row.month, found.returns.iloc[:0]),
            parquet.read_metadata(found.artifacts.attributions_of(name)).num_rows,
            row.month,
            now,
        )
        log(client, run_id, params=window(row), metrics=metrics)
        # The client would look the run up again for its folder, a sixth of a child's time.
        kept = get_artifact_repository(run.info.artifact_uri, tracking_uri=client.tracking_uri)
        for path, folder in (
            (found.artifacts.attributions_of(name), "attributions"),
            (found.artifacts.weights_of(name), "weights"),
        ):
            client.retried(partial(kept.log_artifact, str(path), folder))
        client.set_terminated(run_id, "FINISHED")


def window(row: Any) -> dict[str, Any]:
    """Return the facts of a decision month's window, a line of `Results.windows`."""
    ends = ("month", "first_train", "last_train", "last_label")
    named = {name: dates.label(getattr(row, name)) for name in ends}
    return {**named, "train_rows": row.train_rows}


def log(
    client: MlflowClient,
    run_id: str,
    params: Mapping[str, Any] | None = None,
    metrics: list[Metric] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log in as few calls as the store takes."""
    numbers = metrics or []
    settings = [Param(key, str(value)) for key, value in (params or {}).items()]
    marks = [RunTag(key, value) for key, value in (tags or {}).items()]
    for first in range(0, max(len(settings), len(marks)), _BATCH):
        part = slice(first, first + _BATCH)
        client.log_batch(run_id, params=settings[part], tags=marks[part])
    for first in range(0, len(numbers), _METRICS):
        client.log_batch(run_id, metrics=numbers[first : first + _METRICS])


def _origin() -> dict[str, str]:
    """Return who runs this and by what, as MLflow's own fluent runs say it."""
    named = {MLFLOW_SOURCE_NAME: "konkyo.pipeline.track", MLFLOW_SOURCE_TYPE: "LOCAL"}
    return resolve_tags(named)


def _note(found: Results) -> str:
    """Return the description at the top of the run's page."""
    first, last = found.windows["month"].iloc[0], found.windows["month"].iloc[-1]
    return (
        f"{len(found.windows)} decision months, {dates.label(first)} to {dates.label(last)}, "
        f"records of `{found.source['source']}`. One network a month, in the child runs; the "
        "step of a monthly chart counts months from the first, its time is the month's end. To "
        "compare runs, search the experiment for `tags.kind = 'experiment'`."
    )


def milliseconds() -> int:
    """Return the time as MLflow counts it, milliseconds since 1970."""
    return int(time.time() * 1000)
