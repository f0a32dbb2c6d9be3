"""The audit: several decision months under every perturbation of their future."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo import dates, windows
from konkyo.config import Params
from konkyo.errors import KonkyoError
from konkyo.leakage import compare
from konkyo.leakage.compare import Finding
from konkyo.leakage.perturb import PERTURBATIONS
from konkyo.leakage.pipeline import PipelineOutputs, PreparedRecords, prepare, run
from konkyo.leakage.record_sources import RecordSource


def decision_months(
    month: pd.Series, window_months: int, count: int, *, skip_months: int = 0
) -> list[str]:
    """Return decision months, YYYY-MM, spread evenly over all of them, the newest included.

    Parameters
    ----------
    month : Series
        Months of the panel's rows.
    window_months : int
        Months of a training window.
    count : int
        How many; fewer if there are fewer.
    skip_months : int
        Months left out between a decision and the month that it earns.
    """
    blocks = windows.MonthSlices.of(month)
    labels = [window.month for window in windows.rolling(blocks, window_months, skip_months)]
    positions = np.linspace(len(labels) - 1, 0, min(count, len(labels))).round().astype(int)
    return [labels[position] for position in sorted(positions)]


def audit(
    source: RecordSource,
    config: Params,
    *,
    count: int,
    seed: int,
    epochs: int,
    scratch: Path,
    report: Callable[[str], None],
) -> Iterator[Finding]:
    """Yield a finding for every column under every perturbation.

    Parameters
    ----------
    source : RecordSource
        The records, unchanged and perturbed.
    config : Params
        params.yaml.
    count : int
        Number of decision months.
    seed : int
        Seed of the perturbations.
    epochs : int
        Epochs of each training; 0: train.epochs.
    scratch : Path
        A folder for tables and weights.
    report : callable
        Receives a line of progress.

    Raises
    ------
    KonkyoError
        As the stages do; or perturbed records break a rule, such as the least number of stocks.
    """
    original = prepare(*source.records, config)
    window_months, skip_months = config.train.window_months, config.prepare.skip_months
    months = original.panel.index["month"]
    newest = dates.ordinal(source.records[0]["month"]).max()
    epochs = epochs or config.train.epochs
    for month in decision_months(months, window_months, count, skip_months=skip_months):
        t = int(dates.ordinal(pd.Series([dates.parse(month)]))[0])
        outputs = run(original, config, month=month, epochs=epochs)
        for number, perturbation in enumerate(PERTURBATIONS):
            if t == newest and not perturbation.months:
                # Nothing follows the newest month: there is nothing to cut off.
                continue
            rng = np.random.default_rng([seed, t, number])
            try:
                records = source.perturb(t, perturbation, rng, scratch)
                perturbed = prepare(*records, config, shuffle_after=t, rng=rng)
            except KonkyoError as error:
                raise KonkyoError(
                    f"the records perturbed after {month} ({perturbation.name}) break a rule of "
                    f"the records ({error}): try another --seed"
                ) from error
            findings = [
                *compare.records(original, perturbed, t),
                *compare.panels(original, perturbed, t, skip_months),
                *compare_outputs(outputs, perturbed, config, month=month, epochs=epochs),
            ]
            yield from (
                replace(finding, decision_month=month, perturbation=perturbation.name)
                for finding in findings
            )
            moved = sum(finding.moved for finding in findings)
            compared = sum(finding.compared for finding in findings)
            report(f"{month}, {perturbation.name}: {compared:,} values compared, {moved:,} moved")


def compare_outputs(
    outputs: PipelineOutputs,
    perturbed: PreparedRecords,
    config: Params,
    *,
    month: str,
    epochs: int,
) -> list[Finding]:
    """Run the pipeline on perturbed records and compare networks, attributions and portfolios.

    A stage that fails on the perturbed records alone depends on the future: that is a finding, not
    an error.
    """
    t = int(dates.ordinal(pd.Series([dates.parse(month)]))[0])
    try:
        other = run(perturbed, config, month=month, epochs=epochs)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        return [
            Finding(
                stage="train", feature="the run", compared=1, moved=1, first_month=month,
                example=message,
            )
        ]  # fmt: skip
    return [
        *compare.networks(outputs, other, t),
        *compare.attributions(outputs, other, t),
        *compare.portfolios(outputs, other, t, config.prepare.skip_months),
    ]
