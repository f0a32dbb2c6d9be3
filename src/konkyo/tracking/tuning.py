"""A search over hyperparameters in MLflow, while it runs: one parent run, one child run a trial."""

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.entities import Metric
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE
from optuna.trial import FrozenTrial, TrialState

from konkyo import cache, io
from konkyo.artifacts import Artifacts
from konkyo.config import Params, as_dict, flatten
from konkyo.errors import TrackingError, redact
from konkyo.retry import RetryPolicy
from konkyo.tracking import lineage, open_runs, series, store
from konkyo.tracking.client import StoreClient
from konkyo.tracking.open_runs import LoggedRun, OpenRun
from konkyo.tuning import results
from konkyo.tuning.objective import MEASURES
from konkyo.tuning.space import NUMBERS, STRUCTURE

_LIBRARIES = ("konkyo", "torch", "pytorch-lightning", "optuna", "numpy", "pandas")
_MEASURES = ("objective", *MEASURES, "seconds")
_FOLDERS = {".png": "figures", ".html": "pages", ".csv": "tables", ".json": "tables"}
_STATES = {"complete": "FINISHED", "pruned": "KILLED", "fail": "FAILED"}
_EVERY = 5.0
"""Seconds between two looks at the trials."""
_HASTY = RetryPolicy(seconds=5.0, first=0.5, longest=2.0)
"""For a store that is busy or away while the search goes on, which it must not hold up."""


@dataclass(frozen=True)
class TrackedSearch(LoggedRun):
    """Run of a study and its number of trials: the contents of run.json in the study's folder."""

    trials: int


@contextmanager
def open_search(
    root: Path, params: Params, environment: Mapping[str, str] = os.environ
) -> Iterator["SearchRun"]:
    """Open the run of a search; when it is complete, delete earlier runs of the same study.

    Parameters
    ----------
    root : Path
        The project's folder; the caller holds the lock of the study.
    params : Params
        params.yaml: the store and experiment of the section `track`, the latter with `-tuning`
        appended.
    environment : mapping of str to str
        Variables of `mlflow run`.

    Raises
    ------
    TrackingError
        The store, the experiment or the run to fill cannot be used.
    """
    study = params.tune.study
    target = store.target(params.track, root, environment)
    target = replace(target, experiment=f"{target.experiment}-tuning", scope=f"tuning-{study}")
    client = open_runs.connect(target)
    values = as_dict(params)["tune"]
    values["storage"] = redact(params.tune.storage)
    logged_params = flatten({"tune": values})
    tags = {
        "kind": "tuning",
        "study": study,
        **lineage.git(root),
        "source": str(io.read_json(Artifacts(root).source)["source"]),
        "params_digest": cache.digest_of(repr(sorted(logged_params.items()))),
        "machine": lineage.machine(),
        **lineage.version_tags(_LIBRARIES),
    }
    with open_runs.open_run(client, target, f"tune-{study}") as run:
        client.log(run.run_id, params=logged_params, tags=tags)
        yield SearchRun(client, run)
        _delete_earlier_runs(client, run, study)


class SearchRun:
    """The run of a search and those of its trials.

    Parameters
    ----------
    client : StoreClient
        Of the store.
    run : OpenRun
        The parent run.
    """

    def __init__(self, client: StoreClient, run: OpenRun) -> None:
        self._client, self._run = client, run
        self._children: dict[int, str] = {}
        self._reported: dict[int, int] = {}
        self._ended: set[int] = set()
        self._best, self._next = -math.inf, 0.0

    def show(self, trials: Sequence[FrozenTrial]) -> None:
        """Log what is new of the trials, if the last look is a while ago and the store answers."""
        if time.monotonic() < self._next:
            return
        patient = self._client.retries
        self._client.retries = replace(patient, logging=_HASTY)
        try:
            self.log(trials)
        except TrackingError:
            # The retries have said so on the screen; the next look logs what this one could not.
            pass
        finally:
            self._client.retries = patient
            self._next = time.monotonic() + _EVERY

    def log(self, trials: Sequence[FrozenTrial]) -> None:
        """Log what is new of the trials: params, values by month, state, and measures at the end.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            All of the study, of any state.
        """
        if not trials:
            return
        rows = results.trial_table(trials).to_dict("records")
        for trial, row in zip(trials, rows, strict=True):
            if trial.state != TrialState.WAITING and trial.number not in self._ended:
                self._log_trial(trial, {k: v for k, v in row.items() if pd.notna(v)})

    def _log_trial(self, trial: FrozenTrial, row: dict[str, Any]) -> None:
        client, started = self._client, _milliseconds(trial.datetime_start)
        if trial.number not in self._children:
            tags = {
                MLFLOW_PARENT_RUN_ID: self._run.run_id,
                "kind": "trial",
                "state": row["state"],
                "current": str(bool(row["current"])).lower(),
                **({"retry_of": str(int(row["retry_of"]))} if "retry_of" in row else {}),
            }
            child = client.create_run(
                self._run.experiment_id, started, tags, f"trial-{trial.number:03d}"
            )
            self._children[trial.number] = child.info.run_id
            # A trial whose values are still being drawn gets the rest at the next look.
        run_id = self._children[trial.number]
        params = {name: row[name] for name in (*STRUCTURE, *NUMBERS) if name in row}
        reports = sorted(trial.intermediate_values.items())
        if len(reports) > self._reported.get(trial.number, -1):
            metrics = [Metric("reported", v, started, k) for k, v in reports if math.isfinite(v)]
            client.log(run_id, params=params, metrics=metrics)
            self._reported[trial.number] = len(reports)
        if row["state"] in _STATES:
            self._end_trial(trial, row, run_id)

    def _end_trial(self, trial: FrozenTrial, row: dict[str, Any], run_id: str) -> None:
        at = _milliseconds(trial.datetime_complete)
        metrics = [Metric(k, float(row[k]), at, 0) for k in _MEASURES if k in row]
        if results.SERIES in trial.user_attrs:
            metrics += series.monthly(results.unpack(trial.user_attrs[results.SERIES]))
        tags = {"state": row["state"], "feasible": str(bool(row["feasible"])).lower()}
        self._client.log(run_id, metrics=metrics, tags=tags)
        self._client.set_terminated(run_id, _STATES[row["state"]], at)
        self._ended.add(trial.number)
        self._best = max(self._best, row["objective"]) if row["feasible"] else self._best
        values = {"objective": row.get("objective", math.nan), "best": self._best}
        history = [
            Metric(f"search/{name}", value, at, trial.number)
            for name, value in values.items()
            if math.isfinite(value)
        ]
        self._client.log(self._run.run_id, metrics=history)

    def finish(self, trials: Sequence[FrozenTrial], folder: Path) -> TrackedSearch:
        """Log all trials and the results of the search; return where they are.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            All of the study.
        folder : Path
            Of the study: result.csv, selection_bias.json, figures and pages.
        """
        self.log(trials)
        client, run_id = self._client, self._run.run_id
        result = io.read_csv(folder / "result.csv")
        bias = io.read_json(folder / "selection_bias.json")
        figures = {"result": _by_model_and_part(result), "selection_bias": bias}
        ended = [t.state.name.lower() for t in trials if t.number in self._ended]
        tags = {MLFLOW_RUN_NOTE: _note(pd.Series(ended), result)}
        client.log(run_id, metrics=series.final(figures, series.now()), tags=tags)
        for path in sorted(folder.iterdir()):
            if path.suffix in _FOLDERS:
                client.log_artifact(run_id, str(path), _FOLDERS[path.suffix])
        client.log_artifact(run_id, str(folder / "series.parquet"), "series")
        return TrackedSearch(**asdict(open_runs.logged_run(client, self._run)), trials=len(ended))


def _milliseconds(at: datetime | None) -> int:
    """Return a time of Optuna, of this machine's zone, in MLflow's unit."""
    return series.now() if at is None else int(at.timestamp() * 1000)


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


def _note(states: pd.Series, result: pd.DataFrame) -> str:
    """Return the description at the top of the run's page."""
    counts = [f"{n} {state}" for state, n in states.value_counts().items()]
    months = result.groupby("part", sort=False)["months"].max()
    parts = ", ".join(f"{int(n)} months of {part}" for part, n in months.items())
    return (
        f"A search of {len(states)} trials ({', '.join(counts)}), in the child runs; {parts}. "
        "`result/<model>/<part>` compares the current values, the best trial, ridge and placebo; "
        "`selection_bias` says how much of the best trial a search without skill would reach. "
        "The step of `search` is the trial's number."
    )
