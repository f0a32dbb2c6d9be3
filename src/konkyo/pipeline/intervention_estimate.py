"""Stage intervention-estimate: all networks of the second study, and the linear models."""

from konkyo import config
from konkyo.artifacts import HERE
from konkyo.intervention import forecasts, linear, networks, penalty, samples
from konkyo.io import read_parquet, write_csv
from konkyo.models import store
from konkyo.pipeline import locking, stage


@stage
@locking.writing_study
def main() -> None:
    """Write networks.safetensors, windows.csv, penalties.csv and coefficients.csv."""
    chosen = config.load().intervention
    out = HERE.intervention_models
    records = read_parquet(HERE.intervention_records / "records.parquet")
    made = samples.samples(records, chosen)
    penalties = penalty.compare(made, chosen.network, out / "state")
    write_csv(penalties, out / "penalties.csv")
    todo = networks.tasks(made, chosen.network, penalty.chosen(penalties))
    print(f"{len(todo)} networks: {len(made)} windows, 2 methods, {chosen.network.seeds} seeds")
    trained = networks.train(made, todo, chosen.network, out / "state")
    store.write(trained, out / "networks.safetensors")
    write_csv(samples.table(made, records), out / "windows.csv")
    fits = forecasts.linear_fits(made)
    write_csv(linear.coefficient_table(fits), out / "coefficients.csv")
