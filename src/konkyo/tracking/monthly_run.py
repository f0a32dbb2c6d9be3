"""The run of one month that an update added, and the model version that includes it."""

import os
from collections.abc import Mapping

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from konkyo import dates
from konkyo.config import Params
from konkyo.errors import TrackingError
from konkyo.tracking import open_runs, runs, series, store
from konkyo.tracking.results import Results
from konkyo.tracking.runs import TrackedRun


def track_month(
    outputs: Results, params: Params, month: str, environment: Mapping[str, str] = os.environ
) -> TrackedRun | None:
    """Log one month as one run, and register the model that includes it.

    The run has the metrics of all months as they are now, so that it compares with the run of a
    whole experiment, and the month's own losses, attributions, weights and, if `konkyo predict`
    wrote it, ranking. Earlier months are not logged again.

    Parameters
    ----------
    outputs : Results
        Results after the update.
    params : Params
        params.yaml.
    month : str
        The decision month, YYYY-MM.
    environment : mapping of str to str
        Variables of `mlflow run`: a run to fill and its store take precedence over params.yaml.

    Returns
    -------
    TrackedRun or None
        None if a finished run has this month of the same records and params, so that an update that
        is repeated logs nothing twice.

    Raises
    ------
    TrackingError
        The month has no network, or the store, experiment or run to fill cannot be used.
    """
    labels = [dates.label(end) for end in outputs.windows["month"]]
    if month not in labels:
        raise TrackingError(
            f"{month} has no network: the networks are of {labels[0]} to {labels[-1]}; run "
            f"`konkyo update --month {month}`, or give one of these months"
        )
    window = list(outputs.windows.itertuples(index=False))[labels.index(month)]
    artifacts = outputs.artifacts
    target = store.target(params.track, artifacts.root, environment)
    client = open_runs.connect(target)
    description = runs.describe(outputs, params, "update")
    same = {key: description.tags[key] for key in ("kind", "data_digest", "params_digest")}
    same["month"] = month
    if target.run_id is None and runs.finished_runs(client, target.experiment, same):
        return None
    with open_runs.open_run(client, target, f"update-{month}") as run:
        note = f"The decision month {month} was added; the model has {labels[0]} to {labels[-1]}."
        client.log(run.run_id, tags={MLFLOW_RUN_NOTE: note})
        model = runs.log_description(client, run, description)
        client.log(run.run_id, tags={"month": month})
        client.log(run.run_id, metrics=runs.all_metrics(outputs, series.now()))
        with runs.month_logger(client, description, model) as log_month:
            log_month(client.get_run(run.run_id), window)
        for path in sorted(artifacts.predictions.glob(f"{month}.*")):
            client.log_artifact(run.run_id, str(path), "predictions")
        version = runs.register(client, model, description)
    return runs.tracked_run(client, description, run, version)
