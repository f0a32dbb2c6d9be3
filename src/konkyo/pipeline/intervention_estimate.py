"""Stage intervention-estimate: all networks of the second study, and the linear models."""

from konkyo import config
from konkyo.artifacts import HERE
from konkyo.intervention import forecasts, linear, networks
from konkyo.intervention.samples import build_samples, windows_table
from konkyo.io import read_parquet, write_csv
from konkyo.models import store
from konkyo.pipeline import locking, stage


@stage
@locking.writing_study
def main() -> None:
    """Write networks.safetensors, windows.csv, penalties.csv and coefficients.csv."""
    study = config.load().intervention
    out, state = HERE.intervention_models, HERE.intervention_models / "state"
    records = read_parquet(HERE.intervention_records / "records.parquet")
    samples = build_samples(records, study)
    penalties = networks.cross_validate(samples, study.network, state=state)
    write_csv(penalties, out / "penalties.csv")
    weight_decays = networks.best_weight_decays(penalties)
    tasks = networks.plan_tasks(samples, study.network, weight_decays=weight_decays)
    print(f"{len(tasks)} networks: {len(samples)} windows, 2 methods, {study.network.seeds} seeds")
    weights = networks.train(samples, tasks, config=study.network, state=state)
    store.write(weights, out / "networks.safetensors")
    write_csv(windows_table(samples, records), out / "windows.csv")
    write_csv(linear.coefficient_table(forecasts.linear_fits(samples)), out / "coefficients.csv")
