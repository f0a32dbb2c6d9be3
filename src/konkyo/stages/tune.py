"""The search over hyperparameters: workers, then what they found beside the holdout.

`python -m konkyo.stages.tune` starts or goes on; with `--worker` it is one more worker of a search
that runs elsewhere; with `--apply` it writes the best trial's values into params.yaml.
"""

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from konkyo import files, params
from konkyo.errors import ArtifactError, TuningError
from konkyo.stages import stage
from konkyo.tuning import apply, holdout, outcome, progress, space, study, worker, workers
from konkyo.tuning.engine import Engine, bring
from konkyo.tuning.storage import open_storage

RECORDS, PANEL, OUT = Path("data/records"), Path("data/panel"), Path("data/tuning")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="konkyo.stages.tune", description=__doc__)
    parser.add_argument("--trials", type=int, default=0, help="0: tune.trials of params.yaml")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--worker", action="store_true", help="run trials of a shared search only")
    what.add_argument("--apply", action="store_true", help="write the best into params.yaml")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def first_held(tune: params.Tune) -> str:
    """Return the first decision month of the holdout."""
    index = PANEL / "index.parquet"
    if not index.exists():
        raise ArtifactError(f"{index} is not here: run `dvc repro prepare` first")
    return holdout.first_held(pd.read_parquet(index, columns=["month", "ret"]), tune.holdout)


@stage
def main() -> None:
    """Search, or work for a search, or write what it found into params.yaml."""
    # A polite kill and a closed terminal end the search as an interrupt does, unless whoever
    # started it asked that it outlive the terminal.
    for name in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) != signal.SIG_IGN:
            signal.signal(name, signal.default_int_handler)
    asked = arguments()
    chosen = params.load()
    if asked.trials:
        chosen = replace(chosen, tune=replace(chosen.tune, trials=asked.trials))
    tune, folder = chosen.tune, OUT / chosen.tune.study
    engine = Engine(folder / "searched", folder / "state", chosen)
    if asked.child:
        # A shell lets what it starts in the background ignore interrupts; this one's come from the
        # parent, which has decided.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        workers.end_with_parent()
    else:
        held = first_held(tune)
        bring(RECORDS, engine.folder, chosen, held)
    storage = open_storage(tune.storage)
    try:
        search = study.begin(storage, tune, chosen.prepare, engine.facts())
        if asked.worker:
            worker.work(search, engine.groups, engine.run, engine.measure)
        elif asked.apply:
            best = outcome.winner(search)
            print(apply.write(Path("params.yaml"), space.settings(best.params)))
        else:
            _search(search, engine, folder, asked.trials)
            print("the search is over: now the held-out months are looked at, for the first time")
            whole = replace(engine, folder=folder / "whole")
            bring(RECORDS, whole.folder, chosen, None)
            print(outcome.finish(search, engine, whole, held, folder))
            # MLflow takes seconds to import, which workers have no use for.
            from konkyo.tracking import tuning as tracking

            tracked = tracking.track(Path.cwd(), chosen, folder)
            files.write_json(tracked, folder / "run.json")
            print(f"run {tracked['run_id']} in experiment {tracked['experiment']}")
    except KeyboardInterrupt:
        done = len(study.counted(search.study))
        print(f"\n{done} of {tune.trials} trials are kept; start again to go on", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        storage.close()


def _search(search: study.Search, engine: Engine, folder: Path, trials: int) -> None:
    """Let workers run what is left of the search."""
    count = search.tune.workers
    command = [sys.executable, "-m", "konkyo.stages.tune", "--worker", "--child"]
    command += ["--trials", str(trials)]
    months = sum(len(group) for group in engine.groups)
    try:
        if len(study.counted(search.study)) < search.tune.trials:
            with progress.line(search.study, search.tune, months) as line:
                workers.run(command, count, folder / "logs", line.show)
    finally:
        outcome.keep(search, folder)
    done = len(study.counted(search.study))
    if done < search.tune.trials:
        raise TuningError(
            f"{done} of {search.tune.trials} trials are done and kept, and no worker is left: mend "
            f"what {folder}/logs tells of, and start again to go on"
        )


if __name__ == "__main__":
    main()
