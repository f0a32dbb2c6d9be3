"""The second study in MLflow: one run in an experiment of its own."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities import Metric

from konkyo import cache, dates, io
from konkyo.artifacts import Artifacts, require
from konkyo.config import Params, as_dict, flatten
from konkyo.errors import redact
from konkyo.tracking import lineage, runs, series, store

_LIBRARIES = ("konkyo", "torch", "pytorch-lightning", "numpy", "pandas", "statsmodels")


def track(
    root: Path, params: Params, environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Log what the stages of the second study left.

    Parameters
    ----------
    root : Path
        The project's folder.
    params : Params
        params.yaml: the store is that of the section `track`, the experiment that of
        `intervention.track`.
    environment : mapping of str to str
        What `mlflow run` passes.

    Returns
    -------
    dict
        run_id, experiment_id, uri: the contents of data/intervention/run.json.

    Raises
    ------
    TrackingError
        The store, the experiment or the run to fill cannot be used.
    """
    section = params.intervention
    chosen = {k: v for k, v in as_dict(params)["intervention"].items() if k != "track"}
    where = replace(
        store.target(params.track, root, environment), experiment=section.track.experiment
    )
    client = store.connect(where.uri)
    artifacts = Artifacts(root)
    records = artifacts.intervention_records
    source = io.read_json(records / "source.json")
    tags = {
        "kind": "intervention",
        **lineage.git(root),
        "source": str(source["source"]),
        "data_digest": io.sha256_of(require(records / "records.parquet"))[:32],
        "params_digest": cache.digest_of(repr(sorted(flatten(chosen).items()))),
        **{f"version_{name.replace('-', '_')}": lineage.installed(name) for name in _LIBRARIES},
    }
    name = f"{section.track.run_name}-{tags['params_digest'][:6]}"
    forecast = artifacts.intervention_forecast
    with runs.parent(client, where, name) as (run_id, experiment):
        metrics = series.final(io.read_json(artifacts.intervention_metrics), runs.milliseconds())
        metrics += forecasts(io.read_parquet(forecast / "predictions.parquet"))
        runs.log(client, run_id, params=flatten(chosen), metrics=metrics, tags=tags)
        for path in sorted(artifacts.intervention_report.iterdir()):
            kind = {".png": "figures", ".html": "page"}.get(path.suffix, "tables")
            client.log_artifact(run_id, str(path), kind)
        for path in sorted(forecast.glob("*.csv")):
            client.log_artifact(run_id, str(path), "forecast")
        for name in ("networks.safetensors", "penalties.csv", "coefficients.csv"):
            client.log_artifact(run_id, str(artifacts.intervention_models / name), "models")
        client.log_dict(run_id, chosen, "lineage/params.yaml")
    return {
        "run_id": run_id,
        "experiment_id": experiment,
        "experiment": client.get_experiment(experiment).name,
        "uri": redact(where.uri),
    }


def forecasts(answers: pd.DataFrame) -> list[Metric]:
    """Return the forecast months as series: actual, and the network's and the linear amounts.

    Parameters
    ----------
    answers : pandas.DataFrame
        Of the stage intervention-forecast.

    Returns
    -------
    list of Metric
        forecast/<name>, million dollars; the step counts months from the first forecast month.
    """
    own = answers[answers["out_of_sample"] & (answers["method"] == "amount")]
    first = int(dates.ordinal(own["month"]).min())
    named = {"actual": own[(own["data"] == "I") & (own["model"] == "network")]}
    for data in ("I", "II"):
        for model in ("network", "linear"):
            rows = own[(own["data"] == data) & (own["model"] == model)]
            named[f"{model}_data_{data}"] = rows
    return [
        Metric(f"forecast/{name}", float(value), series.milliseconds(month), int(step))
        for name, rows in named.items()
        for value, month, step in zip(
            rows["actual" if name == "actual" else "forecast"],
            rows["month"],
            dates.ordinal(rows["month"]) - first,
            strict=True,
        )
        if np.isfinite(value)
    ]
