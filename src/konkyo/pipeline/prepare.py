"""Stage prepare: records to the feature panel."""

from dataclasses import dataclass

import pandas as pd

from konkyo.artifacts import HERE
from konkyo.config import load
from konkyo.features import store
from konkyo.features.build import build
from konkyo.io import read_parquet
from konkyo.pipeline import locking, stage


@dataclass(frozen=True)
class PanelSummary:
    """Size of a feature panel: rows, first and last month, features, missing values.

    `dropped` are the rows of the universe that are none of the panel, as a characteristic is
    missing (prepare.missing: drop); None where missing values are set to 0. `characteristics` are
    their names, in column order.
    """

    rows: int
    first_month: str
    last_month: str
    features: int
    missing: int
    dropped: int | None
    characteristics: tuple[str, ...]

    def __str__(self) -> str:
        """Return the line that the command prints."""
        without = f"{self.missing:,} missing values set to 0"
        if self.dropped is not None:
            without = f"{self.dropped:,} rows without every characteristic dropped"
        return (
            f"panel: {self.rows:,} rows, {self.first_month} to {self.last_month}, "
            f"{self.features} features, {without}; characteristics: "
            f"{', '.join(self.characteristics) or 'none'}"
        )


@stage
@locking.writing
def main() -> None:
    """Build the panel and write it."""
    stocks = read_parquet(HERE.stocks)
    market = read_parquet(HERE.market)
    prepare = load().prepare
    print(save(*build(stocks, market, prepare), prepare.missing))


def save(panel: store.Panel, missing: pd.DataFrame, treatment: str) -> PanelSummary:
    """Write the panel and its counts of missing values; `treatment` is `prepare.missing`."""
    store.write(panel, missing, HERE.panel)
    month = panel.index["month"]
    universe = missing[missing["feature"] != "sector"].groupby("month")["stocks"].first().sum()
    return PanelSummary(
        rows=len(panel.index),
        first_month=f"{month.min():%Y-%m}",
        last_month=f"{month.max():%Y-%m}",
        features=len(panel.names),
        missing=int(missing["missing"].sum()),
        dropped=int(universe) - len(panel.index) if treatment == "drop" else None,
        characteristics=tuple(panel.names[column] for column in panel.columns("characteristic")),
    )
