"""Stage intervention-forecast: fits, forecasts, right and wrong answers, surfaces, grounds."""

from konkyo import config
from konkyo.artifacts import HERE, command_for
from konkyo.errors import ArtifactError
from konkyo.intervention import (
    accuracy,
    attribution,
    forecasts,
    networks,
    samples,
    scoring,
    simulated,
    summary,
    surface,
)
from konkyo.io import read_parquet, write_csv, write_json, write_parquet
from konkyo.models import store
from konkyo.pipeline import locking, stage


@stage
@locking.writing_study
def main() -> None:
    """Write data/intervention/forecast and data/intervention/metrics.json."""
    chosen = config.load().intervention
    records = read_parquet(HERE.intervention_records / "records.parquet")
    made = samples.samples(records, chosen)
    todo = networks.tasks(made, chosen.network, {})
    path = HERE.intervention_models / "networks.safetensors"
    trained = store.read(path)
    if len(trained) != len(todo):
        raise ArtifactError(
            f"{path} holds {len(trained)} networks, and params.yaml asks for {len(todo)}: run "
            f"`{command_for(path)}`"
        )
    seeds = forecasts.by_seed(made, todo, trained, records)
    answers = forecasts.answers(made, seeds, records, chosen.scoring)
    judged = scoring.judge(answers, chosen.scoring)
    ahead = judged[judged["out_of_sample"]]
    scores, tests = accuracy.scores(ahead), accuracy.tests(ahead)
    thresholds, curves = surface.thresholds(made, todo, trained, chosen.surface.level)
    points = samples.points(made, records)
    if chosen.source == "simulated":
        curves["planted"] = simulated.planted(curves, points)
    statistics = forecasts.fit_statistics(answers, forecasts.linear_fits(made))

    out = HERE.intervention_forecast
    write_parquet(seeds, out / "seeds.parquet")
    write_parquet(judged, out / "answers.parquet")
    write_csv(statistics, out / "fit.csv")
    write_csv(scores, out / "scores.csv")
    write_csv(tests, out / "tests.csv")
    write_csv(accuracy.over_seeds(seeds, ahead), out / "spread.csv")
    write_csv(accuracy.calibration(ahead), out / "calibration.csv")
    write_csv(thresholds, out / "thresholds.csv")
    write_csv(curves, out / "curves.csv")
    write_parquet(surface.surfaces(made, todo, trained, chosen.surface), out / "surfaces.parquet")
    write_parquet(points, out / "points.parquet")
    write_csv(attribution.explain(made, todo, trained, chosen.epsilon), out / "grounds.csv")
    write_json(summary.metrics(scores, tests, thresholds), HERE.intervention_metrics)
    print(summary.lines(scores, tests, thresholds))
