"""Second part of the stage attribute: standard errors, from networks of halves of each window."""

import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from konkyo.artifacts import HERE
from konkyo.attribution import errors_store, reliability
from konkyo.attribution.attributions import explain_months
from konkyo.attribution.errors_store import Errors
from konkyo.cache import ATTRIBUTION, code_digest, digest_of, weights_bytes
from konkyo.config import Params
from konkyo.features.store import Panel
from konkyo.io import read_parquet, write_csv
from konkyo.models import store as weights
from konkyo.windows import MonthSlices, Window

TABLE = ("month", "threshold", "reliable_share", "placebo_share")


def run(config: Params, panel: Panel, decisions: Sequence[Window], keys: Mapping[str, str]) -> int:
    """Bring the standard errors up to date with attributions; return the months computed.

    Parameters
    ----------
    config : Params
        All params.
    panel : Panel
        Features.
    decisions : sequence of Window
        The decision months, in order.
    keys : mapping of str to str
        Of each month's attributions.
    """
    if not config.train.resamples:
        shutil.rmtree(HERE.errors, ignore_errors=True)
        # DVC warns of an empty folder.
        write_csv(pd.DataFrame(columns=TABLE), HERE.reliability)
        return 0
    months = Months(config, panel, decisions)
    needed = {window.month: months.key(window, keys) for window in decisions}
    for path in HERE.errors.glob("????-??.*"):
        if path.stem not in needed:
            path.unlink()
    on_file = errors_store.read_about(HERE.errors)
    due = [w for w in decisions if on_file.get(w.month, {}).get("key") != needed[w.month]]
    for window in tqdm(due, "standard errors", unit="month"):
        errors, about = months.errors(window)
        errors_store.write(
            errors,
            stocks=panel.index["stock"].iloc[window.test_start : window.test_stop],
            features=panel.names,
            about={"key": needed[window.month], **about},
            path=HERE.errors_of(window.month),
        )
    write_csv(table(), HERE.reliability)
    return len(due)


def table() -> pd.DataFrame:
    """Return of each month the threshold and shares of reliable relevances.

    month, threshold (missing where nothing is reliable), reliable_share, placebo_share: that of the
    placebo month before those that gave the threshold, missing where there is none.
    """
    about = errors_store.read_about(HERE.errors)
    frame = pd.DataFrame.from_dict(about, orient="index").rename_axis("month").reset_index()
    return frame[[*TABLE]]


def placebos_up_to(decisions: Sequence[Window], every: int) -> dict[str, Sequence[Window]]:
    """Return of each month its newest placebo months, those that calibrate and the one before."""
    return {
        window.month: decisions[: position + 1 : every][-reliability.CALIBRATING - 1 :]
        for position, window in enumerate(decisions)
    }


class Months:
    """The standard errors of any month of a run.

    Parameters
    ----------
    config : Params
        All params.
    panel : Panel
        Features.
    decisions : sequence of Window
        The decision months, in order.
    """

    def __init__(self, config: Params, panel: Panel, decisions: Sequence[Window]) -> None:
        self._params = config.attribute
        self._n_quantiles = config.backtest.n_quantiles
        self._panel = panel
        self._groups = panel.catalogue["group"].tolist()
        self._blocks = MonthSlices.of(panel.index["month"])
        self._placebos_up_to = placebos_up_to(decisions, config.train.placebo_every)
        # Neighbouring months share their placebo months.
        self._placebo_digest = lru_cache(maxsize=None)(self._placebo_digest_of)
        self._placebo_signal = lru_cache(maxsize=reliability.CALIBRATING + 1)(
            self._placebo_signal_of
        )

    def key(self, window: Window, keys: Mapping[str, str]) -> str:
        """Return the cache key of a month's standard errors, from those of the attributions."""
        parts: list[str | bytes] = [
            keys[window.month],
            weights_bytes(HERE.weights_halves, window.month),
        ]
        for placebo in self._placebos_up_to[window.month]:
            parts += [keys[placebo.month], self._placebo_digest(placebo.month)]
        params = repr((self._params, self._n_quantiles))
        return digest_of(code_digest(*ATTRIBUTION), params, *self._groups, *parts)

    def errors(self, window: Window) -> tuple[Errors, dict[str, Any]]:
        """Return a month's standard errors, and what holds of the month as JSON values."""
        shown = read_parquet(HERE.attributions_of(window.month))
        relevance, score = shown[self._panel.names].to_numpy(), shown["score"].to_numpy()
        halves = self._halves(HERE.weights_halves, window)
        takes_part = self._taking_part(window)
        factor = self._moderation(halves)
        error = halves.error(factor)
        signal = reliability.signal(relevance, halves.relevance, error)
        placebos = [self._placebo_signal(w.month) for w in self._placebos_up_to[window.month]]
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

    def _placebo_digest_of(self, month: str) -> str:
        return digest_of(
            weights_bytes(HERE.placebo, month), weights_bytes(HERE.placebo_halves, month)
        )

    def _placebo_signal_of(self, month: str) -> np.ndarray:
        """Return the signals of a placebo month's relevances that take part, [any number]."""
        (window,) = [w for w in self._placebos_up_to[month] if w.month == month]
        rows = self._features(window)
        networks = weights.read(HERE.placebo / f"{month}.safetensors")
        (shown,) = explain_months([networks], [rows], self._params.epsilon, self._params.method)
        halves = self._halves(HERE.placebo_halves, window)
        error = halves.error(self._moderation(halves))
        signal = reliability.signal(shown.relevance, halves.relevance, error)
        return signal[self._taking_part(window)]

    def _halves(self, folder: Path, window: Window) -> reliability.Halves:
        networks = weights.read(folder / f"{window.month}.safetensors")
        return reliability.explain_halves(
            networks, self._features(window), self._params.epsilon, self._params.method
        )

    def _moderation(self, halves: reliability.Halves) -> np.ndarray:
        return reliability.moderation(halves.relevance.std(0), halves.squares, self._groups)

    def _taking_part(self, window: Window) -> np.ndarray:
        return reliability.taking_part(self._features(window), self._groups)

    def _features(self, window: Window) -> np.ndarray:
        return self._panel.features[window.test_start : window.test_stop]
