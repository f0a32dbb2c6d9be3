"""The networks behind a search: what a worker runs, and the models that the result compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as parquet

from konkyo.cache import digest_of
from konkyo.config import Params
from konkyo.models.batches import Hyperparameters
from konkyo.tuning import panels, trials
from konkyo.tuning.space import units
from konkyo.tuning.trials import Group, Shape


@dataclass(frozen=True)
class Engine:
    """Trains and scores trials on the panels of one folder.

    Attributes
    ----------
    folder : Path
        What `panels.bring` wrote.
    scratch : Path
        For the state of stacks under way.
    params : Params
        The whole of params.yaml.
    """

    folder: Path
    scratch: Path
    params: Params

    @property
    def groups(self) -> list[Group]:
        """The months that every trial runs, divided among its networks."""
        return self.groups_from("")

    def groups_from(self, first: str) -> list[Group]:
        """Return those from a month (YYYY-MM) on, divided anew."""
        tune = self.params.tune
        names = trials.decision_months(self.folder, max(tune.space.window_months))
        return trials.refits([name for name in names if name >= first], tune.refit_every)

    def run(
        self, values: Sequence[Mapping[str, Any]], groups: Sequence[Group], placebo: bool = False
    ) -> list[pd.DataFrame]:
        """Return the scores of trials of one structure; see `trials.run`."""
        tune = self.params.tune
        return trials.run(
            self.folder,
            shape(values[0]),
            [numbers(own, tune.seed) for own in values],
            groups,
            self.params.train,
            self.scratch,
            tune.seeds,
            placebo,
        )

    def linear(self, values: Mapping[str, Any], groups: Sequence[Group]) -> pd.DataFrame:
        """Return the scores of ridge regressions on the rows of a trial; see `trials.linear`."""
        return trials.linear(self.folder, shape(values), groups, self.params.train)

    def measure(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Return the monthly series of scores; see `trials.series`."""
        chosen = self.params.backtest
        return trials.series(scores, chosen.n_quantiles, chosen.cost_bps)

    def facts(self) -> dict[str, Any]:
        """Return what must be the same on every machine of a search: months, and their records."""
        names = [name for group in self.groups for name in group]
        chosen = self.params
        return {
            "months": f"{names[0]} to {names[-1]}",
            "records": content(self.folder / "records" / "stocks.parquet"),
            "portfolios": chosen.backtest.n_quantiles,
            "cost": chosen.backtest.cost_bps,
        }


def content(path: Path) -> str:
    """Return the digest of a Parquet file's values: its bytes depend on the writer's version."""
    table = parquet.read_table(path)
    hashed = pd.util.hash_pandas_object(table.to_pandas(), index=False)
    return digest_of(hashed.to_numpy().tobytes())


def shape(values: Mapping[str, Any]) -> Shape:
    """Return what a trial's stack has in common."""
    return Shape(
        hidden_sizes=units(values["n_hidden_layers"], values["width"]),
        activation=values["activation"],
        batch_size=values["batch_size"],
        epochs=values["epochs"],
        window_months=values["window_months"],
        label=values["label"],
        standardise=values["standardise"],
    )


def numbers(values: Mapping[str, Any], seed: int) -> Hyperparameters:
    """Return what is a trial's own within its stack."""
    return Hyperparameters(
        learning_rate=values["learning_rate"],
        weight_decay=values["weight_decay"],
        dropout=values["dropout"],
        seed=seed,
    )


def write_panels(records: Path, folder: Path, params: Params, held: str | None) -> None:
    """Write the panels of a search, or with None those of all records."""
    panels.write_panels(records, folder, params.prepare, params.tune.space, held)
