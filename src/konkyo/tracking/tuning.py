"""A search in MLflow: one parent run a study, one child run a trial."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE

from konkyo import cache, io
from konkyo.artifacts import Artifacts
from konkyo.config import Params, as_dict, flatten
from konkyo.errors import redact
from konkyo.tracking import lineage, open_runs, runs, series, store
from konkyo.tuning.objective import MEASURES
from konkyo.tuning.space import NUMBERS, STRUCTURE

_LIBRARIES = ("konkyo", "torch", "pytorch-lightning", "optuna", "numpy", "pandas")
_MEASURES = ("objective", *MEASURES, "seconds")
_FILES = {".png": "figures", ".html": "pages", ".csv": "tables", ".json": "tables"}
_STATES = {"complete": "FINISHED", "pruned": "KILLED", "fail": "FAILED"}


def track(
    root: Path, params: Params, folder: Path, environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Log a study; what was logged of it before in the same experiment goes.

    Parameters
    ----------
    root : Path
        The project's folder.
    params : Params
        params.yaml: the store is that of the section `track`, the experiment its own with
        `-tuning` behind.
    folder : Path
        Of the study: trials.csv, result.csv, selection_bias.json and whatever figures and pages
        there are.
    environment : mapping of str to str
        What `mlflow run` passes.

    Returns
    -------
    dict
        run_id, experiment_id, experiment, uri (without a password), trials.

    Raises
    ------
    TrackingError
        The store, the experiment or the run to fill cannot be used.
    """
    where = store.target(params.track, root, environment)
    where = replace(where, experiment=f"{where.experiment}-tuning")
    client = store.connect(where.uri)
    values = as_dict(params)
    values["tune"]["storage"] = redact(params.tune.storage)
    chosen = flatten({"tune": values["tune"]})
    trials = io.read_csv(folder / "trials.csv")
    trials = trials[trials["state"].isin(_STATES)]
    result = io.read_csv(folder / "result.csv")
    selection_bias = io.read_json(folder / "selection_bias.json")
    name = f"tune-{params.tune.study}"
    with runs.parent(client, where, name) as (run_id, experiment):
        now = runs.milliseconds()
        source = io.read_json(Artifacts(root).source)
        tags = {
            "kind": "tuning",
            "study": params.tune.study,
            **lineage.git(root),
            "source": str(source["source"]),
            "params_digest": cache.digest_of(repr(sorted(chosen.items()))),
            **{f"version_{n.replace('-', '_')}": lineage.installed(n) for n in _LIBRARIES},
            MLFLOW_RUN_NOTE: _note(trials, result),
        }
        metrics = series.final({"result": _nested(result), "selection_bias": selection_bias}, now)
        metrics += history(trials, now)
        runs.log(client, run_id, params=chosen, metrics=metrics, tags=tags)
        for path in sorted(folder.iterdir()):
            if path.suffix in _FILES:
                client.log_artifact(run_id, str(path), _FILES[path.suffix])
        client.log_artifact(run_id, str(folder / "series.parquet"), "series")
        _log_trials(client, run_id, experiment, trials)
        _delete_earlier(client, experiment, params.tune.study, run_id)
    return {
        "run_id": run_id,
        "experiment_id": experiment,
        "experiment": client.get_experiment(experiment).name,
        "uri": redact(where.uri),
        "trials": len(trials),
    }


def history(trials: pd.DataFrame, at: int) -> list[Metric]:
    """Return `search/objective` and `search/best` by trial, the step its number.

    Parameters
    ----------
    trials : pandas.DataFrame
        trial, objective (completed trials only), feasible.
    at : int
        Time, milliseconds since 1970.
    """
    best, found = -math.inf, []
    for row in trials.sort_values("trial").itertuples(index=False):
        if math.isfinite(row.objective):
            found.append(Metric("search/objective", float(row.objective), at, int(row.trial)))
            best = max(best, row.objective) if row.feasible else best
        if math.isfinite(best):
            found.append(Metric("search/best", float(best), at, int(row.trial)))
    return found


def _log_trials(client: MlflowClient, parent: str, experiment: str, trials: pd.DataFrame) -> None:
    """Log one child run a trial, by number."""
    for row in trials.to_dict("records"):
        now = runs.milliseconds()
        known = {k: v for k, v in row.items() if pd.notna(v)}
        tags = {
            MLFLOW_PARENT_RUN_ID: parent,
            "kind": "trial",
            "state": row["state"],
            "current": str(bool(row["current"])).lower(),
            "feasible": str(bool(row["feasible"])).lower(),
        }
        if "retry_of" in known:
            tags["retry_of"] = str(int(known["retry_of"]))
        run = client.create_run(
            experiment, start_time=now, tags=tags, run_name=f"trial-{row['trial']:03d}"
        )
        metrics = [Metric(k, float(known[k]), now, 0) for k in _MEASURES if k in known]
        params = {k: known[k] for k in (*STRUCTURE, *NUMBERS) if k in known}
        runs.log(client, run.info.run_id, params=params, metrics=metrics)
        client.set_terminated(run.info.run_id, _STATES[row["state"]])


def _delete_earlier(client: MlflowClient, experiment: str, study: str, kept: str) -> None:
    """Delete what was logged of the study before, now that it is there anew."""
    asked = f"tags.kind = 'tuning' and tags.study = '{study}'"
    for run in open_runs.every(client, experiment, asked):
        old = run.info.run_id
        if old == kept:
            continue
        for child in open_runs.every(
            client, experiment, f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{old}'"
        ):
            client.delete_run(child.info.run_id)
        client.delete_run(old)


def _nested(result: pd.DataFrame) -> dict[str, Any]:
    """Return the table of the result as figures by model, part and measure."""
    found: dict[str, Any] = {}
    for row in result.to_dict("records"):
        own = {k: v for k, v in row.items() if k not in ("model", "part") and pd.notna(v)}
        found.setdefault(row["model"], {})[row["part"]] = own
    return found


def _note(trials: pd.DataFrame, result: pd.DataFrame) -> str:
    """Return the description at the top of the run's page."""
    counts: Sequence[str] = [f"{n} {s}" for s, n in trials["state"].value_counts().items()]
    months = result.groupby("part", sort=False)["months"].max()
    parts = ", ".join(f"{int(n)} months of {part}" for part, n in months.items())
    return (
        f"A search of {len(trials)} trials ({', '.join(counts)}), in the child runs; {parts}. "
        "`result/<model>/<part>` compares the current values, the best trial, a ridge regression "
        "and shuffled labels; `selection_bias` says how much of the best trial a search without "
        "skill would reach. The step of `search` is the trial's number."
    )
