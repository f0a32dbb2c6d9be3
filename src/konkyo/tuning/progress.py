"""One line of progress: trials done of those asked for, the best value, the time left."""

import sys
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from konkyo.config import Tune
from konkyo.tuning import study
from konkyo.tuning.study import Search

_LAYOUT = "{desc} |{bar}| {elapsed} gone, {remaining} left"


def done(trials: Sequence[FrozenTrial], months: int) -> float:
    """Return how many trials are done, one under way as the share of its months.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Of any state.
    months : int
        Months of a complete trial.
    """
    counted = sum(trial.state in study.COUNTED for trial in trials)
    under_way = [t for t in trials if t.state == TrialState.RUNNING and t.intermediate_values]
    # Reports are one a month, or for the median one a chunk whose step is the months so far.
    run = [max(len(t.intermediate_values), t.last_step or 0) for t in under_way]
    return counted + sum(min(count / months, 1.0) for count in run)


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
    months : int
        Months of a complete trial.
    """

    def __init__(self, search: Search, months: int) -> None:
        self._search, self._months, self._words = search, months, ""
        initial = done(search.study.get_trials(deepcopy=False), months)
        total = search.tune.trials
        self._bar = tqdm(total=total, initial=initial, bar_format=_LAYOUT, mininterval=0)
        self.show()

    def show(self) -> None:
        """Draw the line as the study stands; into a file, where lines stay, only what is new."""
        tune = self._search.tune
        trials = self._search.study.get_trials(deepcopy=False)
        self._bar.n = min(done(trials, self._months), tune.trials)
        words = text(trials, study.best(self._search.study), tune)
        if words != self._words or sys.stderr.isatty():
            self._words = words
            self._bar.set_description_str(words, refresh=False)
            self._bar.refresh()

    def close(self) -> None:
        """Draw it for the last time and leave it there."""
        self.show()
        self._bar.close()
