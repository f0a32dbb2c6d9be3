"""The run of one month added by an update, and the version that has it."""

import os
from collections.abc import Mapping

import pyarrow.parquet as parquet
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from konkyo import dates
from konkyo.config import Params
from konkyo.errors import TrackingError
from konkyo.tracking import open_runs, runs, series, store
from konkyo.tracking.results import Results
from konkyo.tracking.runs import Tracked


def append(
    found: Results, params: Params, month: str, environment: Mapping[str, str] = os.environ
) -> Tracked | None:
    """Log one month as one run, and register the model that has it.

    The run has the figures of all months as they are now, so that it compares with the run of a
    whole experiment, and the month's own losses, attributions, weights and, where `konkyo predict`
    has written it, ranking. No earlier month is logged again.

    Parameters
    ----------
    found : Results
        What the update left.
    params : Params
        params.yaml.
    month : str
        The decision month added, YYYY-MM.
    environment : mapping of str to str
        What `mlflow run` passes: a run to fill and its store go before params.yaml.

    Returns
    -------
    Tracked or None
        The run, the model's version and its aliases; None where a finished run has logged this
        month of these records and params, so that an update that is given again logs nothing twice.

    Raises
    ------
    TrackingError
        The month has no network, or the store, experiment or run to fill cannot be used.
    """
    names = [dates.label(end) for end in found.windows["month"]]
    if month not in names:
        raise TrackingError(
            f"{month} has no network: there are those of {names[0]} to {names[-1]}; run "
            f"`konkyo update --month {month}`, or name one of these"
        )
    row = list(found.windows.itertuples(index=False))[names.index(month)]
    where = store.target(params.track, found.artifacts.root, environment)
    client = store.connect(where.uri)
    own = runs.described(found, params, "update")
    open_runs.end_stale_runs(client, where.marks)
    this = {key: own.tags[key] for key in ("kind", "data_digest", "params_digest")}
    if where.run_id is None and runs.finished(client, where.experiment, {**this, "month": month}):
        return None
    with runs.parent(client, where, f"update-{month}") as (run_id, experiment):
        note = f"The decision month {month} was added; the model has {names[0]} to {names[-1]}."
        runs.log(client, run_id, params=runs.window(row), tags={MLFLOW_RUN_NOTE: note})
        model = runs.describe(client, run_id, found, params, own)
        runs.log(client, run_id, tags={"month": month})
        now = runs.milliseconds()
        metrics = runs.figures(found, now)
        metrics += series.of_month(
            found.history[found.history["month"] == row.month],
            found.returns[found.returns["month"] == row.month],
            parquet.read_metadata(found.artifacts.attributions_of(month)).num_rows,
            row.month,
            now,
        )
        runs.log(client, run_id, metrics=metrics)
        client.log_artifact(run_id, str(found.artifacts.attributions_of(month)), "attributions")
        client.log_artifact(run_id, str(found.artifacts.weights_of(month)), "weights")
        for path in sorted(found.artifacts.predictions.glob(f"{month}.*")):
            client.log_artifact(run_id, str(path), "predictions")
        given = runs.register(client, model, found, params, own)
    return runs.tracked(client, found, params, run_id, experiment, given)
