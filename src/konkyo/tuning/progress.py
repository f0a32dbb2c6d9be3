"""One line of progress: windows trained in all trials, the best value, the time left."""

import sys
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from konkyo.config import Tune
from konkyo.tuning import study
from konkyo.tuning.study import Search

_LAYOUT = "{desc} |{bar}| {n:.0f} of {total:.0f} windows, {elapsed} gone, {remaining} left"


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
    """

    def __init__(self, search: Search, *, months: int, windows: int) -> None:
        self._search, self._months, self._windows = search, months, windows
        total = search.tune.trials * windows
        # In a file lines stay: one in half a minute is enough.
        interval = 0.1 if sys.stderr.isatty() else 30.0
        self._bar = tqdm(total=total, bar_format=_LAYOUT, mininterval=interval)
        self.show()

    def show(self) -> None:
        """Draw the line as the search stands."""
        trials = self._search.study.get_trials(deepcopy=False)
        words = text(trials, study.best(self._search.study), self._search.tune)
        self._bar.set_description_str(words, refresh=False)
        trained = min(done(trials, self._months, self._windows), self._bar.total)
        self._bar.update(max(trained - self._bar.n, 0))

    def close(self) -> None:
        """Draw it for the last time and leave it there."""
        self.show()
        self._bar.close()
