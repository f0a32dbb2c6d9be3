import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from konkyo import io
from konkyo.features import store
from konkyo.features.build import build
from konkyo.features.store import Panel
from konkyo.models import train as room
from konkyo.models.train import history, train
from konkyo.windows import MonthSlices, rolling
from small import make_records, small_params


def run(panel: Panel, params, folder: Path, months: int | None = None) -> room.TrainSummary:
    windows = rolling(MonthSlices.of(panel.index["month"]), params.window_months)
    return train(panel, windows[:months], params, folder, folder / "log.jsonl")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and p.suffix != ".jsonl"
    }


def keys_on_record(folder: Path) -> list[str]:
    return sorted(key for line in io.read_json_lines(folder / "log.jsonl") for key in line["keys"])


def weights_of(folder: Path) -> dict[str, bytes]:
    return {k: v for k, v in contents(folder).items() if k.endswith(".safetensors")}


@pytest.fixture(scope="module")
def chosen():
    return small_params().train


@pytest.fixture(scope="module")
def months(panel):
    """Return the panel without its last months, as earlier records would have made it."""
    stocks, market = make_records()

    def upto(month: str) -> Panel:
        prepare = small_params().prepare
        return build(stocks[stocks["month"] <= month], market[market["month"] <= month], prepare)[0]

    return upto


@pytest.fixture(scope="module")
def whole(panel, chosen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert run(panel, chosen, folder).trained > 10
    return folder


def test_what_is_there_is_kept(panel, chosen, whole):
    before = contents(whole)
    outcome = run(panel, chosen, whole)
    assert (outcome.trained, outcome.dropped) == (0, 0)
    assert contents(whole) == before
    assert not any("state" in name for name in before)


def test_incremental_equals_from_scratch(months, panel, chosen, whole, tmp_path):
    first = run(months("2002-03-31"), chosen, tmp_path)
    second = run(months("2002-04-30"), chosen, tmp_path)
    third = run(panel, chosen, tmp_path)
    # A window a month, and a placebo for every third window.
    assert 1 <= second.trained <= 2 and second.current == first.trained
    assert 2 <= third.trained <= 3
    # Those that were kept have the record of when they were trained.
    assert keys_on_record(tmp_path) == keys_on_record(whole)
    grown, scratch = weights_of(tmp_path), weights_of(whole)
    assert grown.keys() == scratch.keys()
    for name in grown:
        (a,), (b,) = (room.store.read(folder / name) for folder in (tmp_path, whole))
        assert a.key == b.key
        for mine, theirs in zip(a.weights + a.biases, b.weights + b.biases, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_months_that_are_gone_are_dropped(months, chosen, whole, tmp_path):
    for name, content in contents(whole).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    outcome = run(months("2002-03-31"), chosen, tmp_path)
    assert outcome.trained == 0 and outcome.dropped >= 3
    assert "weights/2002-04.safetensors" not in contents(tmp_path)
    assert "history/weights/2002-04.parquet" not in contents(tmp_path)


@pytest.mark.slow
@pytest.mark.cluster
def test_workers_side_by_side_give_the_same(panel, chosen, whole, tmp_path):
    run(panel, replace(chosen, workers=2, max_networks_per_stack=5), tmp_path)
    for name in weights_of(whole):
        (a,), (b,) = (room.store.read(folder / name) for folder in (tmp_path, whole))
        for mine, theirs in zip(a.weights, b.weights, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5)


@pytest.mark.parametrize("count", [4, 6])
def test_interrupted_stacks_resume_to_equal_networks(
    count, panel, chosen, whole, tmp_path, monkeypatch
):
    """The networks that are left, stacked anew, would differ in their last digits."""
    written, write = [], room.store.write

    def die(members, path):
        if len(written) == count:
            raise SystemExit
        written.append(path)
        write(members, path)

    monkeypatch.setattr(room.store, "write", die)
    with pytest.raises(SystemExit):
        run(panel, chosen, tmp_path)
    monkeypatch.undo()
    assert len(weights_of(tmp_path)) == count
    run(panel, chosen, tmp_path)
    assert contents(tmp_path) == contents(whole)


def test_unfinished_stacks_of_other_params_are_dropped(panel, chosen, tmp_path):
    state = tmp_path / "state"
    io.write_json({"0" * 32: ["weights/2001-01", "weights/1990-01"]}, state / "stacks.json")
    (state / f"{'0' * 32}.ckpt").write_bytes(b"of another run")
    assert room.unfinished_stacks(state, {"weights/2001-01": "key"}, ["weights/2001-01"]) == {}
    (state / "stacks.json").write_text('{"cut')
    assert room.unfinished_stacks(state, {"weights/2001-01": "key"}, ["weights/2001-01"]) == {}
    outcome = run(panel, chosen, tmp_path, 2)
    assert outcome.trained == 3 and not state.exists()


def test_history_has_every_epoch(panel, chosen, whole):
    windows = rolling(MonthSlices.of(panel.index["month"]), chosen.window_months)
    table = history(whole, windows)
    assert table["month"].tolist() == [w.month for w in windows for _ in range(chosen.epochs)]
    assert np.isfinite(table["loss"]).all()


EPOCHS, MONTHS = 6, 6
"""Two stacks, of which a kill at the third checkpoint leaves much to do."""
SCRIPT = f"""
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from small import small_params
from konkyo.models.fit import ResumeCheckpoint
from konkyo.models.train import train
from konkyo.features import store
from konkyo.windows import MonthSlices, rolling
write, times = ResumeCheckpoint.on_train_epoch_end, []
def kill_after_three(self, *arguments):
    write(self, *arguments)
    times.append(1)
    if len(times) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
ResumeCheckpoint.on_train_epoch_end = kill_after_three
panel = store.read(Path(sys.argv[1]))
params = replace(small_params().train, epochs={EPOCHS})
windows = rolling(MonthSlices.of(panel.index["month"]), params.window_months)
train(panel, windows[:{MONTHS}], params, Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bytes(panel, chosen, tmp_path):
    store.write(panel, panel.catalogue, tmp_path / "panel")
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "panel"), str(tmp_path / "killed")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(list((tmp_path / "killed").glob("state/*.ckpt"))) == 1
    longer = replace(chosen, epochs=EPOCHS)
    run(panel, longer, tmp_path / "undisturbed", MONTHS)
    # The panel is read as the killed process read it; nothing else is left of that.
    run(store.read(tmp_path / "panel"), longer, tmp_path / "killed", MONTHS)
    after, expected = contents(tmp_path / "killed"), contents(tmp_path / "undisturbed")
    assert after.keys() == expected.keys()
    for name in weights_of(tmp_path / "undisturbed"):
        assert after[name] == expected[name], name
