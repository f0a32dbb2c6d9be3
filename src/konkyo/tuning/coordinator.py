"""Runs the trials of a search: one coordinator hands stacks of trials to worker processes.

The workers train and score; the coordinator alone talks to the storage. It asks for trials, reports
their months to the pruner after every chunk, tells their results, and notices when a worker dies:
the trials of that worker alone are queued again. A trial's whole monthly series is an attribute of
it before it is told, so that any machine can write all results from the study alone.
"""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import optuna
import pandas as pd
from joblib.externals.loky import ProcessPoolExecutor
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import TrialState

from konkyo.backtesting import NoPortfoliosError
from konkyo.errors import TuningError
from konkyo.models.backends import end_with_parent
from konkyo.resilience import after_interrupt
from konkyo.tuning import objective, pruning, study
from konkyo.tuning.results import SERIES, pack
from konkyo.tuning.space import structure
from konkyo.tuning.storage import CURRENT
from konkyo.tuning.study import Search
from konkyo.tuning.trials import TrialBacktest

Start = Callable[[], ProcessPoolExecutor]
_DEATHS_IN_A_ROW = 10
"""Workers that may die without one chunk done: more than the three of one stack, so that it is not
the trials that they die of."""


@dataclass
class _Stack:
    """Trials of one structure, which train together chunk by chunk.

    Attributes
    ----------
    trials : list of optuna.Trial
        Those that were not pruned so far.
    scores : dict of int to list of DataFrame
        By trial, the scores of each chunk done.
    chunk : int
        The next chunk.
    """

    trials: list[optuna.Trial] = field(default_factory=list)
    scores: dict[int, list[pd.DataFrame]] = field(default_factory=lambda: defaultdict(list))
    chunk: int = 0


def start_worker() -> ProcessPoolExecutor:
    """Return one worker process, begun at its first job.

    Each has an executor of its own: loky gives up all jobs of an executor when one process dies.
    """
    begin = {"initializer": _begin_worker, "initargs": (os.getpid(),)}
    return ProcessPoolExecutor(max_workers=1, env={"OMP_NUM_THREADS": "1"}, **begin)


def _begin_worker(parent: int) -> None:
    # An interrupt from the keyboard reaches every process; the coordinator decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(parent)


class Coordinator:
    """Runs trials until the study has as many as were asked for.

    Parameters
    ----------
    search : Search
        The study, whose trials others may run too.
    backtest : TrialBacktest
        What a trial is.
    start : callable
        Returns an executor of one worker.
    """

    def __init__(
        self, search: Search, backtest: TrialBacktest, *, start: Start = start_worker
    ) -> None:
        self._search, self._backtest, self._start = search, backtest, start
        groups = backtest.groups()
        self._chunks = pruning.chunks(groups, search.tune.seed)
        self._places = {month: place for place, month in enumerate(chain.from_iterable(groups))}
        self._workers = [start() for _ in range(search.tune.workers)]
        self._idle = list(range(search.tune.workers))
        self._waiting: list[_Stack] = []
        self._running: dict[Future[list[pd.DataFrame]], tuple[int, _Stack]] = {}
        self._deaths = 0

    def run(self, show: Callable[[], None] = lambda: None, pause: float = 1.0) -> None:
        """Run the trials; whatever ends it early puts those under way back into the queue.

        Parameters
        ----------
        show : callable
            Called whenever something may have changed.
        pause : float
            Seconds at most between two looks at the storage: another machine may have died.

        Raises
        ------
        TuningError
            Workers die one after another.
        Exception
            What a trial raised in its worker.
        """
        try:
            self._run(show, pause)
        except Exception as error:
            # The interrupt of a query can end as an error of the driver or of Optuna.
            if after_interrupt(error):
                raise KeyboardInterrupt from None
            raise

    def _run(self, show: Callable[[], None], pause: float) -> None:
        search = self._search
        try:
            while self._hand_out() or self._running:
                if not self._running:
                    time.sleep(pause)
                done, _ = wait(self._running, timeout=pause, return_when="FIRST_COMPLETED")
                search.storage.record_heartbeats(search.study, search.running, now=False)
                for future in done:
                    self._take_back(future)
                show()
        except BaseException:
            self._kill_workers()
            self._requeue()
            raise
        self._kill_workers()

    def _kill_workers(self) -> None:
        for worker in self._workers:
            worker.shutdown(kill_workers=True)

    def _requeue(self) -> None:
        """Put the trials under way back into the queue; a broken connection is replaced."""
        trials = list(self._search.running.values())
        try:
            study.requeue(self._search, trials, died=False)
        except StorageInternalError:
            # What was requeued before the error is no longer running, so it is not done twice.
            study.requeue(self._search, list(self._search.running.values()), died=False)

    def _hand_out(self) -> bool:
        """Give every idle worker a stack, as far as there are trials; False when none is left."""
        while self._idle:
            if not self._waiting:
                asked = study.ask(self._search, len(self._idle))
                if asked is None:
                    return False
                # The queue may hold trials of another structure than that of the group's first.
                stacks: dict[object, _Stack] = defaultdict(_Stack)
                for trial in asked:
                    stacks[structure(trial.params)].trials.append(trial)
                self._waiting += stacks.values()
            if not self._waiting:
                break
            slot, stack = self._idle.pop(), self._waiting.pop()
            params = [trial.params for trial in stack.trials]
            job = self._backtest.scores, params, self._chunks[stack.chunk]
            try:
                future = self._workers[slot].submit(*job)
            except BrokenProcessPool:
                # It died while it had nothing to do.
                self._replace(slot)
                future = self._workers[slot].submit(*job)
            self._running[future] = slot, stack
        return True

    def _take_back(self, future: "Future[list[pd.DataFrame]]") -> None:
        """Judge the trials of a stack by the chunk that a worker has done, or has died of."""
        slot, stack = self._running.pop(future)
        self._idle.append(slot)
        try:
            frames = future.result()
        except Exception as error:
            study.requeue(self._search, stack.trials, died=True)
            if not isinstance(error, BrokenProcessPool):
                raise
            self._replace(slot)
            self._deaths += 1
            if self._deaths > _DEATHS_IN_A_ROW:
                raise TuningError(
                    f"{self._deaths} worker processes died one after another, the last of "
                    f"{error}: free some memory or lower tune.workers, and start again to go on"
                ) from None
            return
        self._deaths = 0
        pairs = zip(stack.trials, frames, strict=True)
        stack.trials = [trial for trial, frame in pairs if self._goes_on(stack, trial, frame)]
        stack.chunk += 1
        if stack.chunk == len(self._chunks):
            for trial in stack.trials:
                self._end(stack, trial, TrialState.COMPLETE)
        elif stack.trials:
            # Before new trials, whose values may learn from these.
            self._waiting.append(stack)

    def _goes_on(self, stack: _Stack, trial: optuna.Trial, frame: pd.DataFrame) -> bool:
        """Report a trial's newest chunk; end it where it is pruned."""
        series = self._chunk_series(frame)
        if series is not None:
            stack.scores[trial.number].append(frame)
            if not self._is_hopeless(trial, series, last=stack.chunk + 1 == len(self._chunks)):
                return True
        self._end(stack, trial, TrialState.PRUNED)
        return False

    def _chunk_series(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """Return the series of a chunk's months, NaN where a month formed no portfolios.

        None where scores are not finite or half of the months or more form none. Inputs that break
        in a month take it from all trials alike; weights that a decay has driven to zero give every
        stock the same score, and by the few months left to it such a trial could be the best.
        """
        if not np.isfinite(frame["score"]).all():
            return None
        try:
            series = self._backtest.series(frame)
        except NoPortfoliosError:
            return None
        months = pd.Index(frame["month"].unique(), name="month")
        if 2 * len(series) <= len(months):
            return None
        return series.set_index("month").reindex(months).reset_index()

    def _is_hopeless(self, trial: optuna.Trial, series: pd.DataFrame, *, last: bool) -> bool:
        """Report the newest chunk and ask the pruner; the current values always run to the end."""
        added = objective.contributions(self._search.tune.objective, series)
        try:
            # By calendar place, but for months without portfolios.
            for month, value in added.dropna().items():
                trial.report(float(value), self._places[str(month)])
        except UpdateFinishedTrialError:
            # Taken for dead, after a long sleep of the machine say: another runs it by now.
            return True
        return CURRENT not in trial.user_attrs and not last and trial.should_prune()

    def _end(self, stack: _Stack, trial: optuna.Trial, state: TrialState) -> None:
        """Store a trial's series and measures, then tell its state."""
        tune, value = self._search.tune, None
        parts = stack.scores[trial.number]
        try:
            if parts:
                # Anew from all scores: turnover and costs are those between consecutive months.
                series = self._backtest.series(pd.concat(parts, ignore_index=True))
                trial.set_user_attr(SERIES, pack(series))
                for name, figure in objective.secondary(series).items():
                    trial.set_user_attr(name, figure)
                if state == TrialState.COMPLETE:
                    value = objective.objective(tune.objective, series)
                    turnover = float(series["turnover"].mean())
                    trial.set_constraint("turnover", turnover - tune.turnover_cap)
            self._search.study.tell(trial, value, state, skip_if_finished=True)
        except UpdateFinishedTrialError:
            pass
        self._search.running.pop(trial.number, None)

    def _replace(self, slot: int) -> None:
        """Put a new worker in the place of a dead one."""
        self._workers[slot].shutdown(kill_workers=True)
        self._workers[slot] = self._start()
