"""The backtest of a trial: its networks' scores on the panels of the search, and their series."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet

from konkyo import backtesting, dates
from konkyo.backtesting.costs import CostRates, portfolio_returns
from konkyo.backtesting.holdings import STANDARD, holdings
from konkyo.cache import TRAINING, code_digest, digest_of
from konkyo.config import Params, Train
from konkyo.errors import ParamsError
from konkyo.features import store
from konkyo.features.store import Panel
from konkyo.io import read_parquet
from konkyo.tuning import panels
from konkyo.tuning.space import settings
from konkyo.windows import MonthSlices, rolling

Group = tuple[str, ...]
"""Consecutive decision months, YYYY-MM, that one network serves: it is trained at the first."""
Values = Mapping[str, Any]
"""A trial's hyperparameters by the names of the search space."""


@dataclass(frozen=True)
class TrialBacktest:
    """Trains, scores and backtests trials on the panels of one folder.

    Attributes
    ----------
    folder : Path
        What `panels.write_panels` wrote.
    scratch : Path
        For the state of stacks under way, from which the same call resumes after a kill.
    params : Params
        params.yaml, with a `tune.precision` other than auto.
    """

    folder: Path
    scratch: Path
    params: Params

    def groups(self, first: str = "") -> list[Group]:
        """Return the decision months that every trial runs, divided among its networks.

        All trials are compared over the same months: those after the longest window of the space.

        Parameters
        ----------
        first : str
            Leave out the months before this one, YYYY-MM, and divide from there.

        Raises
        ------
        ArtifactError
            The folder has no panel.
        ParamsError
            No month has so long a window and a realised return.
        """
        tune = self.params.tune
        longest = max(tune.space.window_months) + self.params.prepare.skip_months
        path = panels.path_of(self.folder, tune.space.label[0], tune.space.standardise[0])
        index = read_parquet(path / "index.parquet", columns=["month", "ret"])
        names = MonthSlices.of(index["month"]).names
        realised = {dates.label(m) for m in index.loc[index["ret"].notna(), "month"].unique()}
        months = [name for name in names[longest:] if name in realised]
        if not months:
            raise ParamsError(
                f"tune.space.window_months: {longest} months leave no decision month of the "
                f"{len(names)} before the holdout ({names[0]} to {names[-1]}): allow shorter "
                f"windows only"
            )
        months = [name for name in months if name >= first]
        every = tune.refit_every
        return [tuple(months[i : i + every]) for i in range(0, len(months), every)]

    def facts(self) -> dict[str, Any]:
        """Return what must be equal on every machine of a search, as plain values."""
        groups, params = self.groups(), self.params
        stocks = parquet.read_table(self.folder / "records" / "stocks.parquet").to_pandas()
        # Of the values: a file's bytes depend on the version that wrote it.
        rows = pd.util.hash_pandas_object(stocks, index=False).to_numpy()
        return {
            "months": f"{groups[0][0]} to {groups[-1][-1]}",
            "records": digest_of(rows.tobytes()),
            "portfolios": params.backtest.n_quantiles,
            "cost": repr(CostRates.of(params.backtest)),
            "portfolio": params.tune.portfolio,
        }

    def scores(
        self, trials: Sequence[Values], groups: Sequence[Group], *, placebo: bool = False
    ) -> list[pd.DataFrame]:
        """Train trials of one structure in common stacks and score months.

        Parameters
        ----------
        trials : sequence of mapping
            Their hyperparameters; a trial's scores do not depend on the others.
        groups : sequence of Group
            The months to score, in any order.
        placebo : bool
            Shuffle the labels within each month.

        Returns
        -------
        list of DataFrame
            One a trial: month, stock, score (known at t: the mean of `tune.seeds` networks), ret
            (earned in t+1; NaN where not realised), sector, market_value; sorted.
        """
        # torch and Lightning take seconds to import, which a coordinator has no use for.
        from konkyo.models import baselines, jobs
        from konkyo.models.engines import train_networks

        self.scratch.mkdir(parents=True, exist_ok=True)
        seeds = self.params.tune.seeds
        path = self._panel_path(trials[0])
        panel, blocks, label = _read(path)
        # The placebo's labels are the same for every trial, as the true ones are.
        targets = jobs.shuffle_labels(label, blocks, self.params.train.seed) if placebo else label
        labels = np.stack([label, targets])
        sections = [self._train(values) for values in trials]
        skip_months = self.params.prepare.skip_months
        windows = {w.month: w for w in rolling(blocks, sections[0].window_months, skip_months)}
        size = max(sections[0].max_networks_per_stack // (len(trials) * seeds), 1)
        tables: list[list[pd.DataFrame]] = [[] for _ in trials]
        for first in range(0, len(groups), size):
            part = groups[first : first + size]
            decisions = [windows[group[0]] for group in part]
            specs = [jobs.network_specs(panel, decisions, train) for train in sections]
            entries = [replace(entry, placebo=placebo) for entry in chain.from_iterable(specs)]
            work = repr(([asdict(train) for train in sections], part, placebo))
            digest = digest_of(panels.digest_at(path) or "", code_digest(*TRAINING), work)
            name = f"{digest}-{len(entries)}"
            networks, _ = train_networks(
                panel.features, labels, entries, sections[0], inputs=panel.names,
                keys=[name] * len(entries), scratch=self.scratch, name=name,
            )  # fmt: skip
            for file in self.scratch.glob(f"{name}.*"):
                file.unlink()
            # Trial by trial, and within a trial group by group, seed by seed.
            for trial, place in product(range(len(trials)), range(len(part))):
                start = (trial * len(part) + place) * seeds
                rows = _rows(blocks, part[place])
                ensemble = networks[start : start + seeds]
                score = baselines.network_scores(ensemble, panel.features[rows])
                tables[trial].append(_table(panel, rows, score))
        return [_in_order(of_trial) for of_trial in tables]

    def ridge_scores(self, values: Values, groups: Sequence[Group]) -> pd.DataFrame:
        """Return the scores of ridge regressions on the rows of a trial, as `scores` does."""
        from konkyo.models import baselines, jobs

        panel, blocks, label = _read(self._panel_path(values))
        train = replace(self._train(values), ensemble=1)
        skip_months = self.params.prepare.skip_months
        windows = {w.month: w for w in rolling(blocks, train.window_months, skip_months)}
        tables = []
        for group in groups:
            (entry,) = jobs.network_specs(panel, [windows[group[0]]], train)
            model = baselines.ridge(panel, entry, label, train.ridge_penalty)
            rows = _rows(blocks, group)
            score = baselines.linear_scores(model, entry, panel.features[rows])
            tables.append(_table(panel, rows, score))
        return _in_order(tables)

    def series(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Return the monthly series of a trial's scores.

        Parameters
        ----------
        scores : DataFrame
            month, stock, score, ret, sector, market_value. Turnover and costs are those of a fresh
            start where the month before is missing.

        Returns
        -------
        DataFrame
            month (decision month t), spread, spread_net (fractions, earned in t+1), turnover (one
            way, NaN at a fresh start), rank_ic; sorted by month.
        """
        config = self.params.backtest
        ranked = backtesting.assign_quantiles(scores.assign(model="trial"), config.n_quantiles)
        rates = CostRates.of(config)
        table = backtesting.monthly_returns(
            ranked, config.n_quantiles, rates, skip_months=self.params.prepare.skip_months
        )
        if (name := self.params.tune.portfolio) != "equal_weighted":
            rows = ranked.merge(scores.drop(columns=["score", "ret"]), on=["month", "stock"])
            book = holdings(rows, STANDARD[name], config.n_quantiles)
            returns = portfolio_returns(book, rates).set_index("month")
            # The rank IC is that of all scores, whichever portfolio is formed.
            table = table[table["month"].isin(returns.index)].reset_index(drop=True)
            for column, source in (("spread", "gross"), ("spread_net", "net")):
                table[column] = table["month"].map(returns[source])
            table["turnover"] = table["month"].map(returns["turnover"])
        return table[["month", "spread", "spread_net", "turnover", "rank_ic"]]

    def _panel_path(self, values: Values) -> Path:
        return panels.path_of(self.folder, values["label"], values["standardise"])

    def _train(self, values: Values) -> Train:
        """Return the train section that a trial stands for."""
        tune = self.params.tune
        fixed: dict[str, Any] = {"seed": tune.seed, "ensemble": tune.seeds, "placebo_every": 0}
        fixed["precision"] = tune.precision
        return replace(self.params.train, **settings(values)["train"], **fixed)


def _read(path: Path) -> tuple[Panel, MonthSlices, np.ndarray]:
    """Return a panel, its rows by month and its labels."""
    panel = store.read(path)
    label = panel.index["label"].to_numpy(dtype=np.float32)
    return panel, MonthSlices.of(panel.index["month"]), label


def _rows(blocks: MonthSlices, group: Group) -> slice:
    """Return the panel rows of a group's months, which follow one another."""
    first, last = blocks.names.index(group[0]), blocks.names.index(group[-1])
    return slice(blocks.rows(first).start, blocks.rows(last).stop)


def _table(panel: Panel, rows: slice, score: np.ndarray) -> pd.DataFrame:
    """Return scores beside the returns that followed."""
    index = panel.index.iloc[rows].rename(columns={"size": "market_value"})
    return index[["month", "stock", "ret", "sector", "market_value"]].assign(score=score)


def _in_order(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of groups, scored in any order, as one in calendar order."""
    joined = pd.concat(tables).sort_values(["month", "stock"], ignore_index=True)
    return joined[["month", "stock", "score", "ret", "sector", "market_value"]]
