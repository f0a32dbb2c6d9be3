"""update: add the newest month; results of earlier months stay the same to the bit.

The functions of the stages, called one after another in one process: load, check, train, attribute,
evaluate, backtest, track.
"""

import importlib
import os
import shutil
from pathlib import Path
from threading import Thread
from time import perf_counter

from konkyo import cache, config, data, dates, io, project
from konkyo.artifacts import HERE
from konkyo.data.violations import raise_if_any
from konkyo.features import store
from konkyo.features.build import build
from konkyo.pipeline import (
    dvc_commit,
    earlier_months,
    ingest,
    locking,
    month_option,
    preflight,
    prepare,
    stage,
)
from konkyo.resilience import temporary_folder

_BEFORE_TRAINING = ("ingest", "prepare")
_AFTER_TRAINING = ("train", "attribute", "verify", "backtest")
"""Stages whose outputs are final before and after the training, when they are committed to DVC."""


@stage
@locking.writing
def main(
    month: str | None = None, restated: bool = False, log: bool = True, commit: bool = True
) -> None:
    """Bring the results up to the newest month of the records.

    Parameters
    ----------
    month : str, optional
        YYYY-MM: the month that should be added, an error if it is not the newest of the records.
    restated : bool
        Accept that earlier records, params.yaml or the code changed: all results that depend on
        the change are computed again.
    log : bool
        Log the month in MLflow, and register the model that includes it.
    commit : bool
        Commit the results to DVC, so that `dvc repro` does not compute them again.
    """
    month = None if month is None else month_option(month, "month")
    steps = Steps()
    params = config.load()
    # torch and Lightning take longer to import than the records to check.
    importing = Thread(target=_import_stages, args=(log,), daemon=True)
    importing.start()

    # Until all checks have passed, nothing but this temporary folder is written.
    with temporary_folder(HERE.data) as folder:
        raw = folder / "raw"
        link_files(HERE.raw, raw)
        records = data.load(params.ingest, raw, params.backtest.n_quantiles)
        earlier_months.require_newest(month, records.facts["last_month"])
        if not restated:
            records = earlier_months.append_to_earlier(records)
        raise_if_any(preflight.of_records(params, records))
        steps.report("check", f"records to {records.facts['last_month']}")

        panel, missing = build(records.stocks, records.market, params.prepare)
        steps.report("build", f"{len(panel.index):,} rows of {len(panel.names)} features")

        importing.join()
        from konkyo.pipeline import attribute, backtest, train, verify

        months = sorted(path.stem for path in HERE.weights.glob("*.safetensors"))
        before = cache.file_digests(HERE.weights, HERE.attributions, months)
        if not restated:
            earlier_months.require_cached(params, panel, before)
        steps.report("compare", f"{len(before)} earlier months can stay")
        link_files(raw, HERE.raw)

    ingest.write(records)
    steps.report("ingest", ingest.line(records))
    steps.report("prepare", prepare.save(panel, missing, params.prepare.missing))
    panel = store.read(HERE.panel)
    with_dvc = commit and Path(".dvc").is_dir()
    # DVC hashes and copies the largest files meanwhile: training leaves it a core.
    if HERE.code.exists():
        io.write_json(project.code_digests(), HERE.code)
    committing = dvc_commit.start(_BEFORE_TRAINING) if with_dvc else None
    steps.report("train", train.run(params, panel))
    steps.report("attribute", attribute.run(params, panel))
    steps.report("verify", verify.run(params, panel))
    steps.report("backtest", backtest.run(params))

    changed = cache.changes(before, cache.read_digests(HERE.digests))
    if not restated:
        earlier_months.require_unchanged(changed)
    if committing:
        dvc_commit.finish(committing)
        dvc_commit.finish(dvc_commit.start(_AFTER_TRAINING))
        steps.report("commit", "dvc.lock has the results")
    if log:
        from konkyo.tracking import monthly_run, results

        newest = dates.label(panel.index["month"].iloc[-1])
        run = monthly_run.track_month(results.read(Path.cwd()), params, newest)
        version = run and f"{run.model} version {run.model_version}"
        steps.report("track", version or "the month is in MLflow already")
    unchanged = len(before) - len({name.split()[0] for name in changed})
    print(f"{records.facts['last_month']} is added; {unchanged} earlier months are unchanged")


class Steps:
    """Prints each step of an update with its seconds."""

    def __init__(self) -> None:
        self.started = perf_counter()

    def report(self, name: str, result: object) -> None:
        """Print what a step did, and how long it took since the one before."""
        now = perf_counter()
        lines = str(result).replace("\n", "\n" + " " * 19)
        print(f"{name:<10}{now - self.started:6.1f} s  {lines}", flush=True)
        self.started = now


def link_files(source: Path, target: Path) -> None:
    """Link the files of a folder into another one; copy them on a disk without links."""
    target.mkdir(parents=True, exist_ok=True)
    if not source.is_dir():
        return
    for path in source.iterdir():
        if path.is_file():
            temporary = target / f".{path.name}"
            temporary.unlink(missing_ok=True)
            try:
                os.link(path, temporary)
            except OSError:
                shutil.copyfile(path, temporary)
            # In two steps, since a link cannot replace a file: `target` never lacks one.
            temporary.replace(target / path.name)


def _import_stages(log: bool) -> None:
    """Import what an update needs after its records are checked."""
    importlib.import_module("konkyo.pipeline.verify")
    if log:
        importlib.import_module("konkyo.tracking.monthly_run")
