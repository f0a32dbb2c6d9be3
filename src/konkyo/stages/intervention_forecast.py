"""Stage intervention-forecast: fits, forecasts, right and wrong answers, surfaces, grounds."""

from pathlib import Path

from konkyo import params
from konkyo.errors import ArtifactError
from konkyo.intervention import (
    accuracy,
    forecasts,
    grounds,
    networks,
    samples,
    scoring,
    simulated,
    summary,
    surface,
)
from konkyo.io import read_parquet, write_csv, write_json, write_parquet
from konkyo.network import store
from konkyo.stages import lock, stage

RECORDS = Path("data/intervention/records/records.parquet")
NETWORKS = Path("data/intervention/models/networks.safetensors")
OUT = Path("data/intervention/forecast")
METRICS = Path("data/intervention/metrics.json")


@stage
@lock.writing_study
def main() -> None:
    """Write data/intervention/forecast and data/intervention/metrics.json."""
    chosen = params.load().intervention
    records = read_parquet(RECORDS)
    made = samples.samples(records, chosen)
    todo = networks.tasks(made, chosen.network, {})
    trained = store.read_many(NETWORKS)
    if len(trained) != len(todo):
        raise ArtifactError(
            f"{NETWORKS} holds {len(trained)} networks, and params.yaml asks for {len(todo)}: run "
            "`dvc repro src/studies/intervention/dvc.yaml`"
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

    write_parquet(seeds, OUT / "seeds.parquet")
    write_parquet(judged, OUT / "answers.parquet")
    write_csv(statistics, OUT / "fit.csv")
    write_csv(scores, OUT / "scores.csv")
    write_csv(tests, OUT / "tests.csv")
    write_csv(accuracy.over_seeds(seeds, ahead), OUT / "spread.csv")
    write_csv(accuracy.calibration(ahead), OUT / "calibration.csv")
    write_csv(thresholds, OUT / "thresholds.csv")
    write_csv(curves, OUT / "curves.csv")
    write_parquet(surface.surfaces(made, todo, trained, chosen.surface), OUT / "surfaces.parquet")
    write_parquet(points, OUT / "points.parquet")
    write_csv(grounds.explain(made, todo, trained, chosen.epsilon), OUT / "grounds.csv")
    write_json(summary.metrics(scores, tests, thresholds), METRICS)
    print(summary.lines(scores, tests, thresholds))
