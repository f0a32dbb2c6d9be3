"""A month added: check its rows, train its window, predict, attribute, append, backtest.

The same functions as the stages', in one process; results of earlier months stay bit for bit.
"""

import importlib
import os
import shutil
import subprocess  # nosec B404 # fixed programs, never a shell
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import perf_counter

from konkyo import cache, config, data, dates
from konkyo.artifacts import HERE
from konkyo.data import revisions as restatement
from konkyo.errors import ArtifactError, RecordsError
from konkyo.features import store
from konkyo.features.build import build
from konkyo.io import read_key, read_parquet
from konkyo.pipeline import ingest, locking, prepare, stage
from konkyo.resilience import temporary_folder

EARLY, LATE = ("ingest", "prepare"), ("train", "attribute", "verify", "backtest")
"""The stages by when DVC is told: their files are final before the training, or after it."""


@stage
@locking.writing
def main(
    month: str | None = None, restated: bool = False, log: bool = True, commit: bool = True
) -> None:
    """Bring the results up to the newest month of the records.

    Parameters
    ----------
    month : str, optional
        YYYY-MM, the newest month of the records, to be sure that it is this one that is added.
    restated : bool
        Accept that earlier months of the records, params.yaml or the code changed: what depends on
        the change is made anew.
    log : bool
        Log the month in MLflow, and register the model that has it.
    commit : bool
        Tell DVC what was made, so that `dvc repro` does not make it again.
    """
    began = perf_counter()
    chosen = config.load()
    # torch and Lightning take longer to import than the records to check.
    importing = Thread(target=_import, args=(log,), daemon=True)
    importing.start()
    with temporary_folder(HERE.data) as folder:
        raw = folder / "raw"
        _link(HERE.raw, raw)
        records = data.load(chosen.ingest, raw, chosen.backtest.n_quantiles)
        check_month(month, records.facts["last_month"])
        if not restated:
            records = beside_earlier(records)
        began = _say("check", began, f"records to {records.facts['last_month']}")

        panel, missing = build(records.stocks, records.market, chosen.prepare)
        began = _say("build", began, f"{len(panel.index):,} rows of {len(panel.names)} features")

        # Here and not above, so that a refusal of the records does not wait for it.
        importing.join()
        from konkyo.pipeline import attribute, backtest, train, verify

        before = cache.file_digests(HERE.weights, HERE.attributions, _there(HERE.weights))
        if not restated:
            check_results(chosen, panel, before)
        began = _say("compare", began, f"{len(before)} earlier months can stay")
        # Nothing was replaced so far.
        _link(raw, HERE.raw)
    began = _say("ingest", began, ingest.write(records))
    began = _say("prepare", began, prepare.save(panel, missing))
    panel = store.read(HERE.panel)
    commit = commit and Path(".dvc").is_dir()
    # It hashes and copies the largest files, for which training leaves a core.
    early = commit_start(EARLY) if commit else None
    for name, run in (("train", train.run), ("attribute", attribute.run), ("verify", verify.run)):
        began = _say(name, began, run(chosen, panel))
    began = _say("backtest", began, backtest.run(chosen))

    changed = cache.changes(before, cache.read_digests(HERE.digests))
    if changed and not restated:
        raise ArtifactError(
            f"{len(changed)} files of earlier months changed, first {changed[0]}: something else "
            "wrote them meanwhile; run `dvc checkout` and this command again"
        )
    if early:
        commit_end(early, EARLY)
        commit_end(commit_start(LATE), LATE)
        began = _say("commit", began, "dvc.lock holds the results")
    if log:
        from konkyo.tracking import monthly_run, results

        newest = panel.index["month"].iloc[-1]
        tracked = monthly_run.append(results.read(Path.cwd()), chosen, dates.label(newest))
        version = tracked and f"{tracked.model} version {tracked.model_version}"
        _say("track", began, version or "the month is in MLflow already")
    stayed = len(before) - len({name.split()[0] for name in changed})
    print(f"{records.facts['last_month']} is there; {stayed} earlier months are as they were")


def commit_start(stages: Sequence[str]) -> "subprocess.Popen[str]":
    """Begin to write the stages' results into DVC's cache and lock file."""
    command = [sys.executable, "-m", "dvc", "commit", "--quiet", "--force", *stages]
    return subprocess.Popen(  # nosec B603 # a list, never a shell
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def commit_end(begun: "subprocess.Popen[str]", stages: Sequence[str]) -> None:
    """Wait until it is done.

    Raises
    ------
    ArtifactError
        DVC refuses.
    """
    said = begun.communicate()[1].strip()
    if begun.returncode:
        raise ArtifactError(
            f"the results are there, but `dvc commit` failed ({said}): run "
            f"`dvc commit --force {' '.join(stages)}`"
        )


def check_month(asked: str | None, newest: str) -> None:
    """Refuse a month that is not the newest one of the records.

    Raises
    ------
    RecordsError
        It is earlier or later.
    """
    if asked is None or asked == newest:
        return
    remedy = (
        f"set ingest.last_month: {asked} in params.yaml"
        if asked < newest
        else f"bring the rows of {asked} (ingest.tables.stocks.files), and let "
        "ingest.last_month be newest"
    )
    raise RecordsError(
        f"--month {asked} is not the newest month of the records, which is {newest}: {remedy}"
    )


def beside_earlier(records: data.Records) -> data.Records:
    """Return the records with the earlier months exactly as they were.

    Raises
    ------
    RecordsError
        An earlier month changed by more than rounding, or has rows more or fewer.
    """
    names = ("stocks", "market")
    paths = {name: HERE.records / f"{name}.parquet" for name in names}
    if not all(path.exists() for path in paths.values()):
        return records
    before = {name: read_parquet(path) for name, path in paths.items()}
    last = dates.label(before["stocks"]["month"].max())
    if last > records.facts["last_month"]:
        raise RecordsError(
            f"the records end in {records.facts['last_month']}, but there are results with records "
            f"to {last}: bring the rows up to {last}, or make all anew by `dvc repro`"
        )
    found = [
        difference
        for name, keys in (("stocks", ("month", "stock")), ("market", ("month",)))
        for difference in restatement.differences(name, before[name], getattr(records, name), keys)
    ]
    restatement.raise_if_revised(found)
    return replace(
        records,
        stocks=restatement.appended(before["stocks"], records.stocks),
        market=restatement.appended(before["market"], records.market),
    )


def check_results(
    chosen: config.Params, panel: store.Panel, before: dict[str, dict[str, str]]
) -> None:
    """Refuse to go on where results of earlier months would be made anew.

    Raises
    ------
    ArtifactError
        A file is not the one that was written last, or what it was made from changed.
    """
    from konkyo import windows
    from konkyo.models import jobs
    from konkyo.models import store as weights
    from konkyo.models.train import missing

    altered = cache.changes(cache.read_digests(HERE.digests), before)
    if altered:
        raise ArtifactError(
            f"{len(altered)} files of earlier months are not as they were written, first "
            f"{altered[0]}: finish the last run with `dvc repro`, or bring them back with "
            "`dvc checkout`"
        )
    decisions = windows.rolling(
        windows.MonthSlices.of(panel.index["month"]), chosen.train.window_months
    )
    made = jobs.network_specs(panel, decisions, chosen.train)
    keys = jobs.keys(panel, decisions, made, chosen.train)
    due = [
        name
        for name in missing(keys, HERE.models)
        if weights.read_key(HERE.models / f"{name}.safetensors") is not None
    ]
    rows = {m: d for m, d in jobs.row_digests(panel, decisions).items() if m in before}
    explained = cache.attribution_keys(HERE.weights, rows, chosen.attribute.epsilon)
    due += [
        f"attributions/{month}"
        for month, key in explained.items()
        if "attributions" in before[month] and read_key(HERE.attributions_of(month)) != key
    ]
    if due:
        raise ArtifactError(
            f"{len(due)} results of earlier months would be made anew, first {due[0]}: params.yaml "
            "or the code changed since; `dvc repro` makes them anew, and so does --restated"
        )


def _import(log: bool) -> None:
    """Import what a run needs after its records have been checked."""
    importlib.import_module("konkyo.pipeline.verify")
    if log:
        importlib.import_module("konkyo.tracking.monthly_run")


def _there(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.safetensors"))


def _link(source: Path, target: Path) -> None:
    """Make `target` hold the files of `source`, without copying where the disk can."""
    target.mkdir(parents=True, exist_ok=True)
    if not source.is_dir():
        return
    for path in source.iterdir():
        if path.is_file():
            scratch = target / f".{path.name}"
            scratch.unlink(missing_ok=True)
            try:
                os.link(path, scratch)
            except OSError:
                shutil.copyfile(path, scratch)
            scratch.replace(target / path.name)


def _say(name: str, began: float, what: object) -> float:
    """Print what a step did and how long it took; return the time now."""
    now = perf_counter()
    lines = str(what).replace("\n", "\n" + " " * 19)
    print(f"{name:<10}{now - began:6.1f} s  {lines}", flush=True)
    return now
