"""Stage intervention-forecast: fits, forecasts, their accuracy, surfaces and attributions."""

from konkyo import config
from konkyo.artifacts import HERE, command_for
from konkyo.errors import ArtifactError
from konkyo.intervention import (
    accuracy,
    attribution,
    forecasts,
    networks,
    scoring,
    simulated,
    surface,
)
from konkyo.intervention.samples import build_samples, training_points
from konkyo.io import read_parquet, write_csv, write_json, write_parquet
from konkyo.models import store
from konkyo.pipeline import locking, stage


@stage
@locking.writing_study
def main() -> None:
    """Write data/intervention/forecast and data/intervention/metrics.json."""
    study = config.load().intervention
    records = read_parquet(HERE.intervention_records / "records.parquet")
    samples = build_samples(records, study)
    tasks = networks.plan_tasks(samples, study.network, weight_decays={})
    path = HERE.intervention_models / "networks.safetensors"
    weights = store.stackable(store.read(path))
    if len(weights) != len(tasks):
        raise ArtifactError(
            f"{path} holds {len(weights)} networks, and params.yaml asks for {len(tasks)}: run "
            f"`{command_for(path)}`"
        )
    seeds = forecasts.by_seed(samples, tasks, networks=weights, records=records)
    predictions = forecasts.predictions(samples, seeds, records=records, config=study)
    predictions = scoring.score_predictions(predictions, study.scoring)
    ahead = predictions[predictions["out_of_sample"]]
    scores, tests = accuracy.scores(ahead), accuracy.tests(ahead)
    seed_curves = surface.response_curves(samples, tasks, networks=weights)
    curves = surface.mean_curves(seed_curves)
    responses = surface.responses(seed_curves, study.surface.level)
    surfaces = surface.surfaces(samples, tasks, networks=weights, config=study.surface)
    points = training_points(samples, records)
    if study.source == "simulated":
        curves["true_share"] = simulated.true_response(curves, points)
    fits = forecasts.linear_fits(samples)
    attributions = attribution.explain(samples, tasks, networks=weights, epsilon=study.epsilon)

    out = HERE.intervention_forecast
    for name, table in {
        "seeds": seeds, "predictions": predictions, "surfaces": surfaces, "points": points
    }.items():  # fmt: skip
        write_parquet(table, out / f"{name}.parquet")
    for name, table in {
        "fit": forecasts.fit_statistics(predictions, fits),
        "scores": scores,
        "tests": tests,
        "responses": responses,
        "curves": curves,
        "attributions": attributions,
    }.items():
        write_csv(table, out / f"{name}.csv")
    write_json(accuracy.metrics(scores, tests, responses=responses), HERE.intervention_metrics)
    print(accuracy.outcome_text(scores, responses))
