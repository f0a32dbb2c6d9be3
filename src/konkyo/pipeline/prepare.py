"""Stage prepare: records to the feature panel."""

import pandas as pd

from konkyo import config
from konkyo.artifacts import HERE
from konkyo.features import store
from konkyo.features.build import build
from konkyo.io import read_parquet
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main() -> None:
    """Build the panel and write data/panel."""
    stocks, market = read_parquet(HERE.stocks), read_parquet(HERE.market)
    panel, missing = build(stocks, market, config.load().prepare)
    write(panel, missing)
    print(line(panel, missing))


def write(panel: store.Panel, missing: pd.DataFrame) -> None:
    """Write the panel and its counts of missing values."""
    store.write(panel, missing, HERE.panel)


def line(panel: store.Panel, missing: pd.DataFrame) -> str:
    """Return rows, months, features and missing values in one line."""
    months = panel.index["month"]
    return (
        f"panel: {len(panel.index):,} rows, {months.min():%Y-%m} to {months.max():%Y-%m}, "
        f"{len(panel.names)} features, {int(missing['missing'].sum()):,} missing values set to 0"
    )
