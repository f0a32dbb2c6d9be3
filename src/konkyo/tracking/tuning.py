"""A search over hyperparameters in MLflow: one parent run a study, one child run a trial."""

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.entities import Metric
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE

from konkyo import cache, io
from konkyo.artifacts import Artifacts
from konkyo.config import Params, as_dict, flatten
from konkyo.errors import redact
from konkyo.tracking import lineage, open_runs, series, store
from konkyo.tracking.client import StoreClient
from konkyo.tracking.open_runs import LoggedRun, OpenRun
from konkyo.tuning.objective import MEASURES
from konkyo.tuning.space import NUMBERS, STRUCTURE

_LIBRARIES = ("konkyo", "torch", "pytorch-lightning", "optuna", "numpy", "pandas")
_MEASURES = ("objective", *MEASURES, "seconds")
_FOLDERS = {".png": "figures", ".html": "pages", ".csv": "tables", ".json": "tables"}
_STATES = {"complete": "FINISHED", "pruned": "KILLED", "fail": "FAILED"}


@dataclass(frozen=True)
class TrackedSearch(LoggedRun):
    """Run of a study and its number of trials: the contents of run.json in the study's folder."""

    trials: int


def track(
    root: Path, params: Params, folder: Path, environment: Mapping[str, str] = os.environ
) -> TrackedSearch:
    """Log a study, and delete earlier runs of the same study in the experiment.

    Parameters
    ----------
    root : Path
        The project's folder.
    params : Params
        params.yaml: the store and experiment of the section `track`, the latter with `-tuning`
        appended.
    folder : Path
        Folder of the study: trials.csv, result.csv, selection_bias.json, figures and pages.
    environment : mapping of str to str
        Variables of `mlflow run`.

    Raises
    ------
    TrackingError
        The store, the experiment or the run to fill cannot be used.
    """
    target = store.target(params.track, root, environment)
    target = replace(target, experiment=f"{target.experiment}-tuning")
    client = open_runs.connect(target)
    values = as_dict(params)["tune"]
    values["storage"] = redact(params.tune.storage)
    logged_params = flatten({"tune": values})
    trials = io.read_csv(folder / "trials.csv")
    trials = trials[trials["state"].isin(_STATES)]
    result = io.read_csv(folder / "result.csv")
    selection_bias = io.read_json(folder / "selection_bias.json")
    tags = {
        "kind": "tuning",
        "study": params.tune.study,
        **lineage.git(root),
        "source": str(io.read_json(Artifacts(root).source)["source"]),
        "params_digest": cache.digest_of(repr(sorted(logged_params.items()))),
        **lineage.version_tags(_LIBRARIES),
        MLFLOW_RUN_NOTE: _note(trials, result),
    }
    with open_runs.open_run(client, target, f"tune-{params.tune.study}") as run:
        now = series.now()
        metrics = series.final(
            {"result": _by_model_and_part(result), "selection_bias": selection_bias}, now
        )
        metrics += history(trials, now)
        client.log(run.run_id, params=logged_params, metrics=metrics, tags=tags)
        for path in sorted(folder.iterdir()):
            if path.suffix in _FOLDERS:
                client.log_artifact(run.run_id, str(path), _FOLDERS[path.suffix])
        client.log_artifact(run.run_id, str(folder / "series.parquet"), "series")
        _log_trials(client, run, trials)
        _delete_earlier_runs(client, run, params.tune.study)
    return TrackedSearch(**asdict(open_runs.logged_run(client, run)), trials=len(trials))


def history(trials: pd.DataFrame, at: int) -> list[Metric]:
    """Return `search/objective` and `search/best` by trial; the step is the trial's number.

    Parameters
    ----------
    trials : pandas.DataFrame
        trial, objective (completed trials only), feasible.
    at : int
        Time, milliseconds since 1970.
    """
    best, metrics = -math.inf, []
    for row in trials.sort_values("trial").itertuples(index=False):
        if math.isfinite(row.objective):
            metrics.append(Metric("search/objective", float(row.objective), at, int(row.trial)))
            best = max(best, row.objective) if row.feasible else best
        if math.isfinite(best):
            metrics.append(Metric("search/best", float(best), at, int(row.trial)))
    return metrics


def _log_trials(client: StoreClient, parent: OpenRun, trials: pd.DataFrame) -> None:
    """Log one child run a trial, by number."""
    for row in trials.to_dict("records"):
        now = series.now()
        values = {k: v for k, v in row.items() if pd.notna(v)}
        tags = {
            MLFLOW_PARENT_RUN_ID: parent.run_id,
            "kind": "trial",
            "state": row["state"],
            "current": str(bool(row["current"])).lower(),
            "feasible": str(bool(row["feasible"])).lower(),
        }
        if "retry_of" in values:
            tags["retry_of"] = str(int(values["retry_of"]))
        child = client.create_run(
            parent.experiment_id, start_time=now, tags=tags, run_name=f"trial-{row['trial']:03d}"
        )
        metrics = [Metric(k, float(values[k]), now, 0) for k in _MEASURES if k in values]
        params = {k: values[k] for k in (*STRUCTURE, *NUMBERS) if k in values}
        client.log(child.info.run_id, params=params, metrics=metrics)
        client.set_terminated(child.info.run_id, _STATES[row["state"]])


def _delete_earlier_runs(client: StoreClient, run: OpenRun, study: str) -> None:
    """Delete the earlier runs of a study and their children, once its new run is complete."""
    query = f"tags.kind = 'tuning' and tags.study = '{study}'"
    for earlier in open_runs.all_pages(partial(client.search_runs, [run.experiment_id], query)):
        if earlier.info.run_id == run.run_id:
            continue
        for child in open_runs.children(client, OpenRun(earlier.info.run_id, run.experiment_id)):
            client.delete_run(child.info.run_id)
        client.delete_run(earlier.info.run_id)


def _by_model_and_part(result: pd.DataFrame) -> dict[str, Any]:
    """Return the table of results as metrics nested by model, part and measure."""
    metrics: dict[str, Any] = {}
    for row in result.to_dict("records"):
        values = {k: v for k, v in row.items() if k not in ("model", "part") and pd.notna(v)}
        metrics.setdefault(row["model"], {})[row["part"]] = values
    return metrics


def _note(trials: pd.DataFrame, result: pd.DataFrame) -> str:
    """Return the description at the top of the run's page."""
    counts = [f"{n} {state}" for state, n in trials["state"].value_counts().items()]
    months = result.groupby("part", sort=False)["months"].max()
    parts = ", ".join(f"{int(n)} months of {part}" for part, n in months.items())
    return (
        f"A search of {len(trials)} trials ({', '.join(counts)}), in the child runs; {parts}. "
        "`result/<model>/<part>` compares the current values, the best trial, ridge and placebo; "
        "`selection_bias` says how much of the best trial a search without skill would reach. "
        "The step of `search` is the trial's number."
    )
