"""The search over hyperparameters: workers, then what they found beside the holdout."""

import signal
import sys
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

from konkyo import config, io
from konkyo.artifacts import HERE
from konkyo.errors import INTERRUPTED, TuningError
from konkyo.pipeline import locking, stage
from konkyo.tuning import holdout, pool, progress, results, space, study
from konkyo.tuning.apply import write
from konkyo.tuning.engine import Engine, write_panels
from konkyo.tuning.storage import open_storage
from konkyo.tuning.worker import work


def first_held(tune: config.Tune) -> str:
    """Return the first decision month of the holdout."""
    index = io.read_parquet(HERE.panel_index, columns=["month", "ret"])
    return holdout.first_held(index, tune.holdout)


@stage
def main(trials: int = 0, worker: bool = False, apply: bool = False, child: bool = False) -> None:
    """Begin a search or go on with it, work for one, or write what it found into params.yaml.

    Parameters
    ----------
    trials : int
        Trials of the search altogether; 0: tune.trials of params.yaml.
    worker : bool
        Only run trials of a search that was begun elsewhere.
    apply : bool
        Only write the best trial's values into params.yaml.
    child : bool
        This worker was started by a search on this machine, which has made the panels and tells
        when to end.
    """
    # A polite kill and a closed terminal end the search as an interrupt does, unless whoever
    # started it asked that it outlive the terminal.
    for name in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) != signal.SIG_IGN:
            signal.signal(name, signal.default_int_handler)
    if worker and apply:
        raise TuningError("--worker and --apply exclude each other: give one of them")
    chosen = config.load()
    if trials:
        chosen = replace(chosen, tune=replace(chosen.tune, trials=trials))
    tune, folder = chosen.tune, HERE.tuning / chosen.tune.study
    engine = Engine(folder / "searched", folder / "state", chosen)
    if child:
        # A shell lets what it starts in the background ignore interrupts; this one's come from the
        # parent, which has decided.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        pool.end_with_parent()
    else:
        with locking.held(shared=True):
            write_panels(HERE.records, engine.folder, chosen, first_held(tune))
    with closing(open_storage(tune.storage)) as storage:
        search = study.begin(storage, tune, chosen.prepare, engine.facts())
        try:
            if worker:
                work(search, engine.groups, engine.run, engine.measure)
            elif apply:
                print(write(Path("params.yaml"), space.settings(results.winner(search).params)))
            else:
                # More workers are welcome (--worker), another one that ends the search is not.
                with locking.held(f"tuning-{tune.study}"):
                    _search(search, engine, folder, trials)
                    _finish(search, engine, folder)
        except KeyboardInterrupt:
            done = len(study.finished_trials(search.study))
            print(
                f"\n{done} of {tune.trials} trials are kept; start again to go on", file=sys.stderr
            )
            raise SystemExit(INTERRUPTED) from None


def _search(search: study.Search, engine: Engine, folder: Path, trials: int) -> None:
    """Let workers run what is left of the search."""
    count = search.tune.workers
    command = [sys.executable, "-m", "konkyo", "tune", "--worker", "--child"]
    command += ["--trials", str(trials)]
    months = sum(len(group) for group in engine.groups)
    try:
        if len(study.finished_trials(search.study)) < search.tune.trials:
            with progress.line(search.study, search.tune, months) as line:
                pool.run_workers(command, count, folder / "logs", line.show)
    finally:
        results.save_trials(search, folder)
    done = len(study.finished_trials(search.study))
    if done < search.tune.trials:
        raise TuningError(
            f"{done} of {search.tune.trials} trials are done and kept, and no worker is left: mend "
            f"what {folder}/logs tells of, and start again to go on"
        )


def _finish(search: study.Search, engine: Engine, folder: Path) -> None:
    """Look at the held-out months, write the results and log them."""
    print("the search is over: now the held-out months are looked at, for the first time")
    whole = replace(engine, folder=folder / "whole")
    with locking.held(shared=True):
        write_panels(HERE.records, whole.folder, engine.params, None)
    print(results.save_results(search, engine, whole, first_held(search.tune), folder))
    # MLflow takes seconds to import, which workers have no use for.
    from konkyo.tracking import tuning as tracking

    with locking.held():
        tracked = tracking.track(Path.cwd(), engine.params, folder)
    io.write_json(asdict(tracked), folder / "run.json")
    print(f"run {tracked.run_id} in experiment {tracked.experiment}")
