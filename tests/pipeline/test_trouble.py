"""A full disk and a folder that refuses, at every write of the stages in turn."""

import errno
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from chain import write_params
from konkyo import io
from konkyo.pipeline import attribute, backtest, prepare, system_errors, train, verify
from small import make_records, small_params

STAGES = {
    "prepare": prepare, "train": train, "attribute": attribute, "verify": verify,
    "backtest": backtest,
}  # fmt: skip
LOCK = ".results.lock"


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of each file of a folder; not of lock and timings, which differ."""
    return {
        str(path.relative_to(folder)): io.sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (LOCK, ".timings.jsonl")
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return a folder with data/ as it is before each stage and after the last, by name."""
    root = tmp_path_factory.mktemp("undisturbed")
    work = root / "work"
    stocks, market = make_records(count=24)
    io.write_parquet(stocks, work / "data/records/stocks.parquet")
    io.write_parquet(market, work / "data/records/market.parquet")
    chosen = small_params()
    chosen = replace(
        chosen, verify=replace(chosen.verify, every_n_months=6, n_stocks=4, n_permutations=4)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        write_params(work, chosen)
        for name, stage in STAGES.items():
            shutil.copytree(work / "data", root / name / "data")
            stage.main()
    return root, chosen


@pytest.fixture
def disk(monkeypatch):
    """Return the writes so far and when one is to fail, after the bytes and before the name."""
    state = {"writes": 0, "fails_at": 0}
    plain = os.replace

    def replace_unless_full(source: Path, target: Path) -> None:
        state["writes"] += 1
        if state["writes"] == state["fails_at"]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        plain(source, target)

    monkeypatch.setattr(os, "replace", replace_unless_full)
    return state


def begin(undisturbed, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a folder with what is there before a stage."""
    root, chosen = undisturbed
    shutil.copytree(root / name / "data", folder / "data")
    monkeypatch.chdir(folder)
    write_params(folder, chosen)


def after(undisturbed, name: str) -> dict[str, str]:
    """Return what is there after a stage that nothing disturbed."""
    root, _ = undisturbed
    names = [*STAGES, "work"]
    return contents(root / names[names.index(name) + 1] / "data")


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=[pytest.mark.long, pytest.mark.slow])])
@pytest.mark.parametrize("name", STAGES)
def test_a_full_disk_at_any_write_loses_nothing(
    name, every, undisturbed, disk, tmp_path, monkeypatch, capsys
):
    begin(undisturbed, name, tmp_path, monkeypatch)
    before, expected = contents(tmp_path / "data"), after(undisturbed, name)
    tried = 0
    while True:
        disk.update(writes=0, fails_at=1 + tried * every)
        try:
            STAGES[name].main()
        except SystemExit as ended:
            assert ended.code == 1
            said = capsys.readouterr().err
            assert re.search(r"konkyo: the disk is full: (/\S*/)?data/", said)
            assert "Traceback" not in said and "No space left on device; " in said
            there = contents(tmp_path / "data")
            # A file is the old one or the new one; states to go on from may lie beside them.
            for path, digest in there.items():
                known = before.get(path), expected.get(path)
                assert digest in known or name == "train", path
            tried += 1
        else:
            break
    assert tried
    # Each try went on from what the last one left, and the end is that of nobody's failing; but
    # networks that were left are trained in another stack, which changes their last bits.
    if name == "train":
        root, _ = undisturbed
        assert contents(tmp_path / "data").keys() == expected.keys()
        for path in (root / "attribute/data/models").rglob("*.safetensors"):
            mine = load_file(tmp_path / path.relative_to(root / "attribute"))
            for part, values in load_file(path).items():
                np.testing.assert_allclose(mine[part], values, atol=1e-5)
    else:
        assert contents(tmp_path / "data") == expected


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_said(
    number, undisturbed, tmp_path, monkeypatch, capsys
):
    begin(undisturbed, "backtest", tmp_path, monkeypatch)
    before = contents(tmp_path / "data")

    def refuse(path: Path, **_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(SystemExit) as ended:
        backtest.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("konkyo: data/backtest/portfolios.parquet may not be read or written (")
    assert os.strerror(number) in said
    assert contents(tmp_path / "data") == before


def test_errors_of_libraries_by_their_causes():
    def chained(cause: BaseException) -> BaseException:
        error = RuntimeError("a worker failed")
        error.__cause__ = cause
        return error

    known = {
        "the disk is full": RuntimeError("(sqlite3.OperationalError) database or disk is full"),
        "the disk is full: x": OSError(errno.EDQUOT, "Disk quota exceeded", "x"),
        "a file may not": RuntimeError("attempt to write a readonly database"),
        "too many files are open": OSError(errno.EMFILE, "Too many open files"),
        "y could not be read": OSError(errno.EIO, "Input/output error", "y"),
        "memory ran out": MemoryError(),
    }
    for said, error in known.items():
        for outer in (error, chained(error)):
            assert str(system_errors.explain(outer)).startswith(said)
    # Of engines that may not be installed.
    for name in ("KilledWorker", "TerminatedWorkerError"):
        lost = type(name, (Exception,), {})()
        assert str(system_errors.explain(lost)).startswith(
            "a worker process was killed, most likely"
        )
    for error in (ZeroDivisionError(), OSError("other"), FileNotFoundError(2, "no", "x")):
        assert system_errors.explain(error) is None


WRITE = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
from safetensors.numpy import save_file
from konkyo import io
from konkyo.pipeline import stage
folder = Path(sys.argv[1])
array = np.random.default_rng(1).random(200_000)
frame = pd.DataFrame({"a": array})
def tensors(path):
    with io.atomic_write(path) as scratch:
        save_file({"a": array}, scratch)
writers = {"csv": lambda p: io.write_csv(frame, p), "npy": lambda p: io.write_array(array, p),
    "parquet": lambda p: io.write_parquet(frame, p), "safetensors": tensors,
    "json": lambda p: io.write_json(array.tolist(), p)}
for name, write in writers.items():
    path = folder / f"x.{name}"
    path.write_text("old")
    @stage
    def main():
        write(path)
    try:
        main()
    except SystemExit as ended:
        print(name, ended.code, path.read_text())
print(sorted(path.name for path in folder.iterdir()))
"""


def test_every_writer_on_a_full_disk(tmp_path):
    """A disk in memory of a quarter of a megabyte, where this machine lets one be mounted."""
    mount = f"mount -t tmpfs -o size=256k tmpfs {tmp_path}"
    # In a space of mounts of its own, as a user of its own where this one is not the root.
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "-r"]
    if shutil.which("unshare") is None or subprocess.run([*own, "sh", "-c", mount]).returncode:
        pytest.skip("no disk can be mounted here")
    ran = [sys.executable, "-c", WRITE, str(tmp_path)]
    done = subprocess.run(
        [*own, "sh", "-c", f'{mount} && exec "$@"', "sh", *ran], capture_output=True, text=True
    )
    kinds = ["csv", "npy", "parquet", "safetensors", "json"]
    lines = [f"{kind} 1 old" for kind in kinds] + [str(sorted(f"x.{kind}" for kind in kinds))]
    assert done.stdout.splitlines() == lines, done.stderr
    for kind in kinds:
        assert f"konkyo: the disk is full: {tmp_path}/x.{kind} could not be written" in done.stderr
