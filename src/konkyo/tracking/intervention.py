"""The second study in MLflow: one run in an experiment of its own."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from konkyo import cache, io
from konkyo.artifacts import Artifacts, require
from konkyo.config import Params, as_dict, flatten
from konkyo.tracking import lineage, open_runs, series, store
from konkyo.tracking.open_runs import LoggedRun

_LIBRARIES = ("konkyo", "torch", "pytorch-lightning", "numpy", "pandas", "statsmodels")
_FOLDERS = {".png": "figures", ".html": "page"}


def track(root: Path, params: Params, environment: Mapping[str, str] = os.environ) -> LoggedRun:
    """Log the results of the second study.

    Parameters
    ----------
    root : Path
        The project's folder.
    params : Params
        params.yaml: the store of the section `track`, the experiment of `intervention.track`.
    environment : mapping of str to str
        Variables of `mlflow run`.

    Returns
    -------
    LoggedRun
        The contents of data/intervention/run.json.

    Raises
    ------
    TrackingError
        The store, the experiment or the run to fill cannot be used.
    """
    section = params.intervention
    values = {k: v for k, v in as_dict(params)["intervention"].items() if k != "track"}
    target = store.target(params.track, root, environment)
    target = replace(target, experiment=section.track.experiment)
    client = open_runs.connect(target)
    artifacts = Artifacts(root)
    records, forecast = artifacts.intervention_records, artifacts.intervention_forecast
    source = io.read_json(records / "source.json")
    tags = {
        "kind": "intervention",
        **lineage.git(root),
        "source": str(source["source"]),
        "data_digest": io.sha256_of(require(records / "records.parquet"))[:32],
        "params_digest": cache.digest_of(repr(sorted(flatten(values).items()))),
        **lineage.version_tags(_LIBRARIES),
    }
    name = f"{section.track.run_name}-{tags['params_digest'][:6]}"
    with open_runs.open_run(client, target, name) as run:
        metrics = series.final(io.read_json(artifacts.intervention_metrics), series.now())
        client.log(run.run_id, params=flatten(values), metrics=metrics, tags=tags)
        for path in sorted(artifacts.intervention_report.iterdir()):
            client.log_artifact(run.run_id, str(path), _FOLDERS.get(path.suffix, "tables"))
        for path in sorted(forecast.glob("*.csv")):
            client.log_artifact(run.run_id, str(path), "forecast")
        for file in ("networks.safetensors", "penalties.csv", "coefficients.csv"):
            client.log_artifact(run.run_id, str(artifacts.intervention_models / file), "models")
        client.log_dict(run.run_id, values, "lineage/params.yaml")
    return open_runs.logged_run(client, run)
