"""Reliable relevances of any attribution method, on a sample of stocks: one network at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.attribution import ground_truth, reliability
from konkyo.attribution.methods import Method
from konkyo.models.store import Network


@dataclass(frozen=True)
class Sample:
    """Networks of one month and the rows that they explain.

    Attributes
    ----------
    members, halves : sequence of Weights or ModuleWeights
        The networks of all months of the window, whose mean relevance is shown, and of its halves.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    """

    members: Sequence[Network]
    halves: Sequence[Network]
    rows: np.ndarray

    def explain(self, method: Method, groups: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return a method's relevances and their signals, [rows, features] each."""
        relevance = np.mean([method(network, self.rows) for network in self.members], axis=0)
        halves = np.stack([method(network, self.rows) for network in self.halves])
        squares = reliability.mean_squares(self.members[0], self.rows)
        deviation = halves.std(0)
        error = deviation * reliability.moderation(deviation, squares, groups)
        return relevance, reliability.signal(relevance, halves, error)


def counts(
    methods: Mapping[str, Method],
    month: Sample,
    placebos: Sequence[Sample],
    *,
    groups: Sequence[str],
    false_share: float,
    cluster: np.ndarray,
    truth: np.ndarray | None,
    effect: np.ndarray | None,
) -> pd.DataFrame:
    """Return how many relevances of a month are reliable, by method, and how many of them rightly.

    Parameters
    ----------
    methods : mapping of str to Method
        By name.
    month : Sample
        Of the month.
    placebos : sequence of Sample
        Of placebo months, oldest first: the last four give the threshold, one before them is tested
        by it.
    groups : sequence of str
        Of each feature.
    false_share : float
        As in `reliability.threshold`.
    cluster, truth, effect
        As in `ground_truth.reliability`.

    Returns
    -------
    pandas.DataFrame
        method, the counts of `ground_truth.reliability`, placebo_taking_part, placebo_reliable.
    """
    takes_part = reliability.taking_part(month.rows, groups)
    lines = []
    for name, method in methods.items():
        relevance, signal = month.explain(method, groups)
        by_placebo = [
            part.explain(method, groups)[1][reliability.taking_part(part.rows, groups)]
            for part in placebos
        ]
        calibrating = np.concatenate(by_placebo[-reliability.CALIBRATING :])
        limit = reliability.threshold(signal[takes_part], calibrating, false_share)
        held_out = by_placebo[0] if len(by_placebo) > reliability.CALIBRATING else np.empty(0)
        line = ground_truth.reliability(
            truth,
            relevance,
            takes_part & (signal >= limit),
            takes_part=takes_part,
            cluster=cluster,
            effect=effect,
        )
        placebo = {
            "placebo_taking_part": len(held_out),
            "placebo_reliable": (held_out >= limit).sum(),
        }
        lines.append({"method": name, **line, **placebo})
    return pd.DataFrame(lines)
