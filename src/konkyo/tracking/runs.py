"""One parent run an experiment, one child run a decision month."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow.parquet as parquet
from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Metric, Run
from mlflow.models.model import ModelInfo
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME, MLFLOW_RUN_NOTE
from tqdm import tqdm

from konkyo import dates, resilience
from konkyo.attribution import row_errors
from konkyo.config import Params, as_dict, flatten
from konkyo.features.store import read_catalogue
from konkyo.models.store import read_key
from konkyo.tracking import lineage, log_model, open_runs, registry, results, series, store
from konkyo.tracking.client import RETRIES, StoreClient, StoreRetries
from konkyo.tracking.open_runs import LoggedRun, OpenRun
from konkyo.tracking.registry import RegisteredVersion
from konkyo.tracking.results import Results

_OTHER_SECTIONS = ("track", "monitor", "promote", "tune", "intervention")
"""Sections of params.yaml that do not change the results of this run: where it is logged, how it is
judged afterwards, and jobs with runs of their own."""


_HYPERPARAMETERS = (
    *("window_months", "hidden_sizes", "activation", "initial", "dropout", "learning_rate"),
    *("weight_decay", "batch_size", "epochs", "precision", "seed", "ensemble"),
)
"""Keys of the section train that a month's networks depend on."""


@dataclass(frozen=True)
class TrackedRun(LoggedRun):
    """Run and model version of the results: the contents of data/run.json.

    Attributes
    ----------
    model, model_version, model_uri : str, int, str
        The registered model.
    months : int
        Decision months of the model.
    aliases : tuple of str
        Aliases of the version.
    """

    model: str
    model_version: int
    model_uri: str
    months: int
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class RunDescription:
    """Params (nested), data sets and tags of a run."""

    params: dict[str, Any]
    inputs: list[DatasetInput]
    tags: dict[str, str]


def track(
    outputs: Results,
    params: Params,
    environment: Mapping[str, str] = os.environ,
    retries: StoreRetries = RETRIES,
) -> TrackedRun:
    """Log the results as one parent run with a child run a month, and the servable model.

    The same results are logged once: a second call, for instance because the process was killed
    after its run was finished, returns the run of the first. To log them again, delete that run.

    Parameters
    ----------
    outputs : Results
        Results of the earlier stages.
    params : Params
        params.yaml. The section track is not logged itself: it changes no result and may hold an
        address with a password.
    environment : mapping of str to str
        Variables of `mlflow run`: a run to fill and its store take precedence over params.yaml.
    retries : StoreRetries
        How long the store is waited for.

    Raises
    ------
    TrackingError
        The store, the experiment or the run to fill cannot be used.
    """
    target = store.target(params.track, outputs.artifacts.root, environment)
    client = open_runs.connect(target, retries)
    description = describe(outputs, params, "experiment")
    description.tags["results_digest"] = lineage.results_digest(outputs)
    # The digest tells runs of different params apart in the legend of a chart.
    name = f"{params.track.run_name}-{description.tags['params_digest'][:6]}"
    if target.run_id is None:
        same = {**description.tags, MLFLOW_RUN_NAME: name}
        for earlier in finished_runs(client, target.experiment, same):
            run = OpenRun(earlier.info.run_id, earlier.info.experiment_id)
            version = registry.version_of_run(client, params.track.model, run.run_id)
            if version is not None:
                return tracked_run(client, outputs, params, run=run, version=version)
    with open_runs.open_run(client, target, name) as run:
        client.log(run.run_id, tags={MLFLOW_RUN_NOTE: _note(outputs)})
        model = log_description(
            client, run, outputs=outputs, params=params, description=description
        )
        now = series.now()
        metrics = all_metrics(outputs, now) + series.final({"seconds": outputs.seconds}, now)
        client.log(run.run_id, metrics=metrics)
        _log_files(client, run, outputs, description.params)
        _log_months(client, run, outputs, description.params, model)
        version = register(client, model, outputs=outputs, params=params, description=description)
    return tracked_run(client, outputs, params, run=run, version=version)


def finished_runs(client: MlflowClient, experiment: str, tags: Mapping[str, str]) -> list[Run]:
    """Return the FINISHED runs of an experiment, given by name, that have these tags."""
    existing = client.get_experiment_by_name(experiment)
    if existing is None:
        return []
    clauses = [f"tags.`{key}` = '{tags[key]}'" for key in ("kind", "data_digest", "params_digest")]
    query = " and ".join([*clauses, "attributes.status = 'FINISHED'"])
    runs = open_runs.all_pages(partial(client.search_runs, [existing.experiment_id], query))
    return [run for run in runs if tags.items() <= run.data.tags.items()]


def tracked_run(
    client: MlflowClient,
    outputs: Results,
    params: Params,
    *,
    run: OpenRun,
    version: RegisteredVersion,
) -> TrackedRun:
    """Return the facts of a run and its model version."""
    return TrackedRun(
        **asdict(open_runs.logged_run(client, run)),
        model=params.track.model,
        model_version=version.version,
        model_uri=f"models:/{params.track.model}@{registry.NEWEST}",
        months=len(outputs.windows),
        aliases=version.aliases,
    )


def describe(outputs: Results, params: Params, kind: str) -> RunDescription:
    """Return the params that results depend on, their data sets, and the tags of their run."""
    values = {k: section for k, section in as_dict(params).items() if k not in _OTHER_SECTIONS}
    inputs = lineage.datasets(outputs)
    tags = {"kind": kind, **lineage.tags(outputs, values, inputs)}
    return RunDescription(params=values, inputs=inputs, tags=tags)


def log_description(
    client: StoreClient,
    run: OpenRun,
    *,
    outputs: Results,
    params: Params,
    description: RunDescription,
) -> ModelInfo:
    """Log data sets, params and tags of a run, and its servable model, which is returned.

    The model comes before the metrics: MLflow would copy each metric of step 0 to it.
    """
    client.log_inputs(run.run_id, description.inputs)
    client.log(run.run_id, params=flatten(description.params), tags=description.tags)
    artifacts = outputs.artifacts
    errors = row_errors.of_months(
        artifacts.errors, read_catalogue(artifacts.panel)["group"].tolist()
    )
    return log_model.log(
        client,
        run.run_id,
        weights=artifacts.weights,
        example=results.input_example(outputs),
        epsilon=params.attribute.epsilon,
        method=params.attribute.method,
        halves=artifacts.weights_halves,
        errors=errors if errors["months"] else None,
    )


def all_metrics(outputs: Results, at: int) -> list[Metric]:
    """Return the final metrics and the series of all months; `at` is now, in milliseconds."""
    return [
        *series.final(outputs.metrics, at),
        *series.monthly(outputs.returns),
        *series.cumulative(outputs.cumulative, outputs.windows["month"].iloc[0]),
        *series.training(outputs.history, at),
    ]


def month_metrics(outputs: Results, month: Any, at: int) -> list[Metric]:
    """Return the metrics of one decision month (period end); `at` is now, in milliseconds."""
    attributions = outputs.artifacts.attributions_of(dates.label(month))
    return series.of_month(
        outputs.history[outputs.history["month"] == month],
        outputs.returns[outputs.returns["month"] == month],
        n_stocks=parquet.read_metadata(attributions).num_rows,
        month=month,
        at=at,
    )


def window_params(window: Any) -> dict[str, Any]:
    """Return the months and the number of rows of a window, a row of `Results.windows`."""
    months = ("month", "first_train", "last_train", "last_label")
    labels = {name: dates.label(getattr(window, name)) for name in months}
    return {**labels, "train_rows": window.train_rows}


def stack_entries(outputs: Results, label: str, at: int) -> tuple[list[Metric], dict[str, str]]:
    """Return metrics and tags of the stack that trained a month's networks, if it is on record."""
    key = read_key(outputs.artifacts.weights_of(label))
    stack = outputs.stacks.get(key or "")
    if stack is None:
        return [], {}
    metrics = {"seconds": stack["seconds"], "networks": stack["networks"]}
    ends = {"started": stack["started"], "ended": stack["started"] + stack["seconds"]}
    times = {name: datetime.fromtimestamp(end, UTC) for name, end in ends.items()}
    tags = {f"stack_{name}": time.isoformat(" ", "seconds") for name, time in times.items()}
    return series.final({"stack": metrics}, at), tags


def register(
    client: MlflowClient,
    model: ModelInfo,
    *,
    outputs: Results,
    params: Params,
    description: RunDescription,
) -> RegisteredVersion:
    """Register the model of a run as a version with its tags and aliases."""
    tags = registry.version_tags(outputs, params, description.tags)
    return registry.register(client, model, params.track.model, tags)


def _log_files(
    client: MlflowClient, run: OpenRun, outputs: Results, params: dict[str, Any]
) -> None:
    """Log the report, its figures and tables, and params.yaml and dvc.lock of the results."""
    folders = {".png": "figures", ".csv": "tables", ".html": None}
    report = outputs.artifacts.report
    for path in sorted(report.glob("*")):
        if path.suffix in folders:
            client.log_artifact(run.run_id, str(path), folders[path.suffix])
    for name, table in outputs.tables.items():
        client.log_table(run.run_id, table, f"tables/{name}.json")
    client.log_dict(run.run_id, params, "lineage/params.yaml")
    lock = lineage.dvc_lock(outputs.artifacts.root)
    client.log_dict(run.run_id, lock, "lineage/dvc.lock.yaml")


def _log_months(
    client: StoreClient, parent: OpenRun, outputs: Results, params: dict[str, Any], model: ModelInfo
) -> None:
    """Log one child run a decision month, first to last."""
    tags = {**open_runs.origin_tags(), MLFLOW_PARENT_RUN_ID: parent.run_id, "kind": "month"}
    windows = outputs.windows.itertuples(index=False)
    with month_logger(client, outputs, params, model) as log_month:
        for window in tqdm(windows, "months", len(outputs.windows), unit="month"):
            label = dates.label(window.month)
            child = client.create_run(parent.experiment_id, tags=tags, run_name=label)
            log_month(child, window)
            client.set_terminated(child.info.run_id, "FINISHED")


@contextmanager
def month_logger(
    client: StoreClient, outputs: Results, params: dict[str, Any], model: ModelInfo
) -> Iterator[Callable[[Run, Any], None]]:
    """Yield a function that fills the run of a month: params, metrics, files and its model.

    Its arguments are the run and a row of `Results.windows`.

    Parameters
    ----------
    client : StoreClient
        Of the store.
    outputs : Results
        The results.
    params : dict
        Params that the results depend on, nested.
    model : ModelInfo
        The logged model of all months.
    """
    train = {name: params["train"][name] for name in _HYPERPARAMETERS}
    with resilience.temporary_folder() as scratch:
        folder = scratch / "model"
        month_model = log_model.save_month_model(folder, model)

        def log_month(run: Run, window: Any) -> None:
            label, run_id, at = dates.label(window.month), run.info.run_id, run.info.start_time
            metrics, tags = stack_entries(outputs, label, at)
            metrics += month_metrics(outputs, window.month, at)
            values = window_params(window) | flatten({"train": train})
            client.log(run_id, params=values, metrics=metrics, tags=tags)
            log_model.month_of(month_model, folder, month=label, run_id=run_id)
            # Not client.log_artifact, which looks the run up for its folder: a sixth of the time.
            uri = client.tracking_uri
            artifacts = get_artifact_repository(run.info.artifact_uri, tracking_uri=uri)
            for path, name in (
                (outputs.artifacts.attributions_of(label), "attributions"),
                (outputs.artifacts.weights_of(label), "weights"),
                (outputs.artifacts.errors_of(label), "errors"),
            ):
                # Errors are there only with train.resamples.
                if path.exists():
                    client.retry(partial(artifacts.log_artifact, str(path), name))
            client.retry(partial(artifacts.log_artifacts, str(folder), "model"))

        yield log_month


def _note(outputs: Results) -> str:
    """Return the description at the top of the run's page."""
    first, last = outputs.windows["month"].iloc[0], outputs.windows["month"].iloc[-1]
    return (
        f"{len(outputs.windows)} decision months, {dates.label(first)} to {dates.label(last)}, "
        f"records of `{outputs.source['source']}`. One network a month, in the child runs; the "
        "step of a monthly chart counts months from the first, its time is the month's end. To "
        "compare runs, search the experiment for `tags.kind = 'experiment'`."
    )
