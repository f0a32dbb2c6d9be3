"""The standard errors of any month of a run, from its networks of halves and its placebos."""

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from konkyo.attribution import reliability
from konkyo.attribution.attributions import explain_months
from konkyo.attribution.errors_store import Errors
from konkyo.config import Attribute
from konkyo.features.store import Panel
from konkyo.models.store import Network
from konkyo.windows import MonthSlices, Window

NetworksOf = Callable[[str, str], Sequence[Network]]
"""Returns the networks of a kind (weights, placebo, weights_halves, placebo_halves) and month."""


def placebos_up_to(decisions: Sequence[Window], every: int) -> dict[str, Sequence[Window]]:
    """Return of each month its newest placebo months, those that calibrate and the one before."""
    return {
        window.month: decisions[: position + 1 : every][-reliability.CALIBRATING - 1 :]
        for position, window in enumerate(decisions)
    }


class StandardErrors:
    """The standard errors of any month of a run.

    Parameters
    ----------
    panel : Panel
        Features.
    decisions : sequence of Window
        The decision months, in order.
    networks : callable
        Returns the networks of a kind and month.
    params : Attribute
        The attribute section of params.yaml.
    placebo_every : int
        `train.placebo_every`.
    n_quantiles : int
        `backtest.n_quantiles`, of the standard error of long less short.
    """

    def __init__(
        self,
        panel: Panel,
        decisions: Sequence[Window],
        networks: NetworksOf,
        *,
        params: Attribute,
        placebo_every: int,
        n_quantiles: int = 10,
    ) -> None:
        self._networks = networks
        self._params = params
        self._n_quantiles = n_quantiles
        self._panel = panel
        self._groups = panel.catalogue["group"].tolist()
        self._blocks = MonthSlices.of(panel.index["month"])
        self.placebos_up_to = placebos_up_to(decisions, placebo_every)
        # Neighbouring months share their placebo months.
        self._placebo_signal = lru_cache(maxsize=reliability.CALIBRATING + 1)(
            self._placebo_signal_of
        )

    def errors(
        self, window: Window, score: np.ndarray, relevance: np.ndarray
    ) -> tuple[Errors, dict[str, Any]]:
        """Return a month's standard errors, and what holds of the month as JSON values.

        Parameters
        ----------
        window : Window
            Of the month.
        score, relevance : numpy.ndarray
            [stocks] and [stocks, features] of the month's attributions.
        """
        halves = self._halves("weights_halves", window)
        takes_part = self._taking_part(window)
        factor = self._moderation(halves)
        error = halves.error(factor)
        signal = reliability.signal(relevance, halves.relevance, error)
        placebos = [self._placebo_signal(w.month) for w in self.placebos_up_to[window.month]]
        limit = reliability.threshold(
            signal[takes_part],
            np.concatenate(placebos[-reliability.CALIBRATING :]),
            self._params.false_share,
        )
        cluster = reliability.clusters(
            self._moments.correlation(self._blocks.training_months(window)), self._groups
        )
        errors = reliability.errors(
            score,
            relevance,
            halves,
            error=error,
            reliable=takes_part & (signal >= limit),
            cluster=cluster,
            threshold=limit,
        )
        return errors, {
            "threshold": limit if np.isfinite(limit) else None,
            "moderation": factor.tolist(),
            "taking_part": int(takes_part.sum()),
            "reliable": int(errors.reliable.sum()),
            "reliable_share": float(errors.reliable.sum() / takes_part.sum()),
            "placebo_share": float((placebos[0] >= limit).mean())
            if len(placebos) > reliability.CALIBRATING
            else None,
            "cluster": [self._panel.names[first] for first in cluster],
            "difference_error": reliability.difference_error(
                score, halves.relevance, self._n_quantiles
            ).tolist(),
        }

    @cached_property
    def _moments(self) -> reliability.Moments:
        spans = [self._blocks.rows(position) for position in range(len(self._blocks.names))]
        return reliability.Moments.of(self._panel.features, spans)

    def _placebo_signal_of(self, month: str) -> np.ndarray:
        """Return the signals of a placebo month's relevances that take part, [any number]."""
        (window,) = [w for w in self.placebos_up_to[month] if w.month == month]
        rows = self._features(window)
        networks = self._networks("placebo", month)
        (shown,) = explain_months([networks], [rows], self._params.epsilon, self._params.method)
        halves = self._halves("placebo_halves", window)
        error = halves.error(self._moderation(halves))
        signal = reliability.signal(shown.relevance, halves.relevance, error)
        return signal[self._taking_part(window)]

    def _halves(self, kind: str, window: Window) -> reliability.Halves:
        networks = self._networks(kind, window.month)
        return reliability.explain_halves(
            networks, self._features(window), self._params.epsilon, self._params.method
        )

    def _moderation(self, halves: reliability.Halves) -> np.ndarray:
        return reliability.moderation(halves.deviation, halves.squares, self._groups)

    def _taking_part(self, window: Window) -> np.ndarray:
        return reliability.taking_part(self._features(window), self._groups)

    def _features(self, window: Window) -> np.ndarray:
        return self._panel.features[window.test_start : window.test_stop]
