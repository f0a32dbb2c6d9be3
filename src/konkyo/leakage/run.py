"""The audit: every chosen decision month against every other world."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo import config, dates, windows
from konkyo.errors import KonkyoError
from konkyo.leakage import compare
from konkyo.leakage.compare import Finding
from konkyo.leakage.perturb import WORLDS
from konkyo.leakage.pipeline import PipelineOutputs, Prepared, prepare, run
from konkyo.leakage.record_sources import RecordSource


def decision_months(month: pd.Series, window: int, count: int) -> list[str]:
    """Return decision months spread evenly over all there are, the newest among them.

    Parameters
    ----------
    month : Series
        Of the panel's rows.
    window : int
        Months a network learns from.
    count : int
        How many; fewer where there are fewer.
    """
    blocks = windows.MonthSlices.of(month)
    names = [one.month for one in windows.rolling(blocks, window)]
    places = np.linspace(len(names) - 1, 0, min(count, len(names))).round().astype(int)
    return [names[place] for place in sorted(places)]


def audit(
    origin: RecordSource,
    chosen: config.Params,
    count: int,
    seed: int,
    epochs: int,
    scratch: Path,
    say: Callable[[str], None],
) -> Iterator[Finding]:
    """Yield what became of every column in every world.

    Parameters
    ----------
    origin : Origin
        The records, and how they are in another world.
    chosen : Params
        params.yaml.
    count : int
        How many decision months.
    seed : int
        Of what is changed.
    epochs : int
        Of each training; 0 for train.epochs.
    scratch : Path
        A folder for tables and weights.
    say : callable
        Takes a line of progress.

    Raises
    ------
    KonkyoError
        As the stages do; or another world breaks a rule of the records, such as enough stocks.
    """
    as_is = prepare(*origin.records, chosen)
    decisions = decision_months(as_is.panel.index["month"], chosen.train.window_months, count)
    newest = dates.ordinal(origin.records[0]["month"]).max()
    epochs = epochs or chosen.train.epochs
    for month in decisions:
        t = int(dates.ordinal(pd.Series([dates.parse(month)]))[0])
        before = run(as_is, chosen, month, epochs)
        for number, world in enumerate(WORLDS):
            if t == newest and not world.months:
                # Nothing comes after the newest month as it is.
                continue
            rng = np.random.default_rng([seed, t, number])
            try:
                records = origin.world(t, world, rng, scratch)
                other = prepare(*records, chosen, t, rng)
            except KonkyoError as error:
                raise KonkyoError(
                    f"the audit's world after {month} with {world.name} breaks a rule of the "
                    f"records ({error}): try another --seed"
                ) from error
            found = [*compare.records(as_is, other, t), *compare.panels(as_is, other, t)]
            found += passed(before, other, chosen, month, epochs)
            yield from tag(found, month, world.name)
            moved = sum(one.moved for one in found)
            compared = sum(one.compared for one in found)
            say(f"{month}, {world.name}: {compared:,} values compared, {moved:,} moved")


def passed(
    before: PipelineOutputs, other: Prepared, chosen: config.Params, month: str, epochs: int
) -> list[Finding]:
    """Return what became of networks, grounds and portfolios of a decision month.

    A stage that fails in the other world alone depends on what comes after the month.
    """
    t = int(dates.ordinal(pd.Series([dates.parse(month)]))[0])
    try:
        after = run(other, chosen, month, epochs)
    except Exception as error:
        return [Finding("train", "the run", 1, 1, month, f"{type(error).__name__}: {error}")]
    return [
        *compare.networks(before, after, t),
        *compare.explained(before, after, t),
        *compare.portfolios(before, after, t),
    ]


def tag(found: Sequence[Finding], month: str, world: str) -> list[Finding]:
    """Return findings that say in which world they were made."""
    return [replace(one, decision_month=month, world=world) for one in found]
