"""One line of progress: windows trained in all trials, the best value, the time left."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from konkyo.config import Tune
from konkyo.tuning import study
from konkyo.tuning.study import Search

_LAYOUT = "{desc} |{bar}| {n:.0f} of {total:.0f} windows, {elapsed} gone, {remaining} left"
_IN_FILE = 30.0
"""Seconds between two lines in a file, where lines stay."""


def done(trials: Sequence[FrozenTrial], months: int, windows: int) -> float:
    """Return how many windows are trained, as the study has it: whole chunks.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Of any state.
    months, windows : int
        Months and windows (networks) of a complete trial, for which a pruned one counts.
    """
    counted = sum(trial.state in study.COUNTED for trial in trials)
    under_way = [trial for trial in trials if trial.state == TrialState.RUNNING]
    return windows * (counted + sum(len(t.intermediate_values) / months for t in under_way))


def in_chunks(scratch: Path) -> float:
    """Return how many windows are trained in the chunks under way on this machine.

    The name of a stack's file ends in its windows, of which it holds the share that is done.
    """
    trained = 0.0
    for file in scratch.glob("*.progress"):
        # One may be removed or half written at this moment.
        with suppress(OSError, ValueError):
            trained += float(file.read_text(encoding="ascii")) * int(file.stem.split("-")[1])
    return trained


def text(trials: Sequence[FrozenTrial], best: FrozenTrial | None, tune: Tune) -> str:
    """Return the line's words, such as `12 of 50 trials, best 0.845 (trial 7)`."""
    counted = sum(trial.state in study.COUNTED for trial in trials)
    top = "no best yet" if best is None else f"best {best.value:.3f} (trial {best.number})"
    return f"{counted} of {tune.trials} trials, {top}"


class Line:
    """The line on the screen, until it is closed.

    Parameters
    ----------
    search : Search
        The search.
    months, windows : int
        Months and windows of a complete trial.
    scratch : Path
        Where the workers write how far they are.
    """

    def __init__(self, search: Search, *, months: int, windows: int, scratch: Path) -> None:
        self._search, self._months, self._windows = search, months, windows
        self._scratch, self._words, self._drawn = scratch, "", 0.0
        # Of workers that were killed.
        for file in scratch.glob("*.progress"):
            file.unlink(missing_ok=True)
        initial = done(search.study.get_trials(deepcopy=False), months, windows)
        total = search.tune.trials * windows
        self._bar = tqdm(total=total, initial=initial, bar_format=_LAYOUT, mininterval=0)
        self.show()

    def show(self) -> None:
        """Draw the line as the search stands; into a file, where lines stay, now and then."""
        tune = self._search.tune
        trials = self._search.study.get_trials(deepcopy=False)
        trained = done(trials, self._months, self._windows) + in_chunks(self._scratch)
        self._bar.n = min(max(trained, self._bar.n), tune.trials * self._windows)
        words = text(trials, study.best(self._search.study), tune)
        now = time.monotonic()
        if words != self._words or sys.stderr.isatty() or now - self._drawn > _IN_FILE:
            self._words, self._drawn = words, now
            self._bar.set_description_str(words, refresh=False)
            self._bar.refresh()

    def close(self) -> None:
        """Draw it for the last time and leave it there."""
        self.show()
        self._bar.close()
