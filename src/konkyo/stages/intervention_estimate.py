"""Stage intervention-estimate: all networks of the second study, and the linear models."""

from pathlib import Path

from konkyo import params
from konkyo.intervention import forecasts, linear, networks, penalty, samples
from konkyo.io import read_parquet, write_csv
from konkyo.network import store
from konkyo.stages import lock, stage

RECORDS = Path("data/intervention/records/records.parquet")
OUT = Path("data/intervention/models")


@stage
@lock.writing_study
def main() -> None:
    """Write networks.safetensors, windows.csv, penalties.csv and coefficients.csv."""
    chosen = params.load().intervention
    records = read_parquet(RECORDS)
    made = samples.samples(records, chosen)
    penalties = penalty.compare(made, chosen.network, OUT / "state")
    write_csv(penalties, OUT / "penalties.csv")
    todo = networks.tasks(made, chosen.network, penalty.chosen(penalties))
    print(f"{len(todo)} networks: {len(made)} windows, 2 methods, {chosen.network.seeds} seeds")
    trained = networks.train(made, todo, chosen.network, OUT / "state")
    store.write_many(trained, OUT / "networks.safetensors")
    write_csv(samples.table(made, records), OUT / "windows.csv")
    fits = forecasts.linear_fits(made)
    write_csv(linear.coefficient_table(fits), OUT / "coefficients.csv")
