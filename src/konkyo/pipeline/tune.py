"""The search over hyperparameters: its trials, then their comparison on the holdout."""

import signal
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from konkyo import config, io
from konkyo.artifacts import HERE
from konkyo.errors import INTERRUPTED, TuningError
from konkyo.pipeline import locking, stage
from konkyo.tuning import apply as params_file
from konkyo.tuning import panels, save, space, study
from konkyo.tuning.coordinator import Coordinator
from konkyo.tuning.progress import Line
from konkyo.tuning.storage import open_storage
from konkyo.tuning.trials import TrialBacktest

if TYPE_CHECKING:
    from konkyo.tracking.tuning import SearchRun


@stage
def main(trials: int = 0, worker: bool = False, apply: bool = False) -> None:
    """Begin a search or resume it, run trials for one, or write its best trial into params.yaml.

    Parameters
    ----------
    trials : int
        Trials of the search altogether; 0: tune.trials of params.yaml.
    worker : bool
        Only run trials of a search that another machine ends.
    apply : bool
        Only write the best trial's values into params.yaml.
    """
    # A polite kill and a closed terminal end the search as an interrupt does, unless whoever
    # started it asked that it outlive the terminal.
    for name in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) != signal.SIG_IGN:
            signal.signal(name, signal.default_int_handler)
    if worker and apply:
        raise TuningError("--worker and --apply exclude each other: give one of them")
    params = config.load()
    # Resolved before the study sees it, so that it is on record and a resumed search keeps to it.
    chosen = replace(
        params.tune, precision=precision_of(params), trials=trials or params.tune.trials
    )
    params = replace(params, tune=chosen)
    tune, folder = params.tune, HERE.tuning / params.tune.study
    backtest = TrialBacktest(folder / "searched", folder / "state", params)
    with locking.held(shared=True):
        first = first_holdout_month(tune)
        _write_panels(backtest, before=first)
    with ExitStack() as stack:
        # More workers are welcome (--worker), another one that ends the search is not; and what a
        # journal has running besides its coordinator was left by a dead one.
        if not apply and not (worker and tune.storage.startswith("postgresql:")):
            stack.enter_context(locking.held(f"tuning-{tune.study}"))
        storage = stack.enter_context(closing(open_storage(tune.storage)))
        search = study.begin(storage, params, backtest.facts())
        if apply:
            values = space.settings(save.best_trial(search).params)
            print(params_file.write(Path("params.yaml"), values))
            return
        run = None
        if not worker:
            # MLflow takes seconds to import, which nothing else here has a use for.
            from konkyo.tracking import tuning as tracking

            run = stack.enter_context(tracking.open_search(Path.cwd(), params))
        try:
            _run_trials(search, backtest, folder, run)
            if run is not None:
                _finish(search, backtest, run, first=first, folder=folder)
        except KeyboardInterrupt:
            done = len(study.finished_trials(search.study))
            print(
                f"\n{done} of {tune.trials} trials are kept; start again to go on", file=sys.stderr
            )
            raise SystemExit(INTERRUPTED) from None


def precision_of(params: config.Params) -> config.Precision:
    """Return tune.precision; of auto, bf16-mixed where the stack trains on hardware that has it."""
    if params.tune.precision != "auto":
        return params.tune.precision
    # torch takes seconds to import.
    from konkyo.models import accelerator

    device = accelerator.device_of(params.train.accelerator)
    fast = params.train.module == "stacked" and accelerator.has_bfloat16(device)
    return "bf16-mixed" if fast else "32-true"


def first_holdout_month(tune: config.Tune) -> str:
    """Return the first decision month of the holdout, YYYY-MM."""
    index = io.read_parquet(HERE.panel_index, columns=["month", "ret"])
    return panels.first_holdout_month(index, tune.holdout)


def _write_panels(backtest: TrialBacktest, before: str | None) -> None:
    params = backtest.params
    panels.write_panels(
        HERE.records,
        backtest.folder,
        prepare=params.prepare,
        space=params.tune.space,
        before=before,
    )


def _run_trials(
    search: study.Search, backtest: TrialBacktest, folder: Path, run: "SearchRun | None"
) -> None:
    """Run what is left of the search's trials, in sight, and write their tables."""
    params = backtest.params
    finished = study.finished_trials(search.study)
    if not finished:
        for reason in space.outside(params.train, params.prepare, params.tune.space):
            print(f"the current values of params.yaml are no trial: {reason}")
    if len(finished) >= search.tune.trials:
        return
    print(f"precision: {params.tune.precision}")
    if params.tune.precision == "bf16-mixed":
        from konkyo.models.accelerator import precision_warning

        if warning := precision_warning({"tune.precision": "bf16-mixed"}, params.train.accelerator):
            print(warning)
    groups = backtest.groups()
    months, windows = sum(map(len, groups)), len(groups) * search.tune.seeds
    try:
        with closing(Line(search, months=months, windows=windows)) as line:

            def show() -> None:
                line.show()
                if run is not None:
                    run.show(search.study.get_trials(deepcopy=False))

            Coordinator(search, backtest).run(show)
    finally:
        save.save_trials(search, folder)


def _finish(
    search: study.Search, backtest: TrialBacktest, run: "SearchRun", *, first: str, folder: Path
) -> None:
    """Evaluate the holdout months, write the results and log them."""
    print("the search is over: now the held-out months are looked at, for the first time")
    full = replace(backtest, folder=folder / "whole")
    with locking.held(shared=True):
        _write_panels(full, before=None)
    print(save.save_results(search, backtest, full, first=first, folder=folder))
    tracked = run.finish(search.study.get_trials(deepcopy=False), folder)
    io.write_json(asdict(tracked), folder / "run.json")
    print(f"run {tracked.run_id} in experiment {tracked.experiment}")
