"""The search's own stage: its workers, and how an interrupt ends it at any time."""

import signal
from dataclasses import replace

import pandas as pd
import pytest

from chain import write_params
from konkyo import config
from konkyo.features import store
from konkyo.io import write_parquet
from konkyo.models import accelerator
from konkyo.pipeline import tune
from small import make_records, small_params


@pytest.fixture
def here(panel, tmp_path, monkeypatch):
    """Return a project whose records and panel are there, made current."""
    stocks, market = make_records()
    write_parquet(stocks, tmp_path / "data/records/stocks.parquet")
    write_parquet(market, tmp_path / "data/records/market.parquet")
    store.write(panel, panel.catalogue, tmp_path / "data/panel")
    values = config.as_dict(small_params())
    values["tune"]["holdout"] = 4
    write_params(tmp_path, values)
    monkeypatch.chdir(tmp_path)
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}
    yield tmp_path
    for name, handler in before.items():
        signal.signal(name, handler)


def shrink(path) -> None:
    """Let two trials of small networks be the whole search."""
    params = config.load(path)
    space = replace(
        params.tune.space,
        n_hidden_layers=(1,),
        width=(4, 8),
        batch_size=(16,),
        epochs=(2,),
        window_months=(6,),
        label=("rank",),
        standardise=("rank",),
    )
    tune = replace(params.tune, trials=2, workers=1, trials_per_stack=2, space=space)
    write_params(path.parent, replace(params, tune=tune))


@pytest.mark.slow
def test_a_worker_runs_trials_and_the_best_is_applied(here, capsys):
    shrink(here / "params.yaml")
    tune.main(worker=True)
    said = capsys.readouterr()
    reason = "the current values of params.yaml are no trial: tune.space.n_hidden_layers = [1]"
    assert reason in said.out
    assert "2 of 2 trials, best" in said.err
    assert len(pd.read_csv(here / "data/tuning/main/trials.csv")) == 2
    # With all trials done there is nothing to run, and nothing is said.
    tune.main(worker=True)
    assert capsys.readouterr() == ("", "")
    tune.main(apply=True)
    assert "+  epochs: 2" in capsys.readouterr().out
    assert config.load(here / "params.yaml").train.hidden_sizes in ((4,), (8,))


@pytest.mark.parametrize(("asked", "has", "module", "taken"), [
    ("auto", True, "stacked", "bf16-mixed"),
    ("auto", False, "stacked", "32-true"),
    ("auto", True, "lightning", "32-true"),
    ("bf16-mixed", False, "stacked", "bf16-mixed"),
])  # fmt: skip
def test_auto_takes_what_the_hardware_has(small, monkeypatch, asked, has, module, taken):
    monkeypatch.setattr(accelerator, "has_bfloat16", lambda _: has)
    params = replace(
        small,
        train=replace(small.train, module=module, accelerator="cpu"),
        tune=replace(small.tune, precision=asked),
    )
    assert tune.precision_of(params) == taken


def test_working_and_applying_exclude_each_other(here, capsys):
    with pytest.raises(SystemExit) as ended:
        tune.main(worker=True, apply=True)
    assert ended.value.code == 1
    assert "--worker and --apply exclude each other" in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_early_interrupt_is_one_line(how, here, capsys, monkeypatch):
    monkeypatch.setattr("konkyo.tuning.panels.build", lambda *_: signal.raise_signal(how))
    # One that the caller ignores, as nohup does with SIGHUP, is ignored here too.
    given = signal.default_int_handler if how == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(how, given)
    try:
        with pytest.raises(SystemExit) as ended:
            tune.main()
    finally:
        signal.signal(how, before)
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "\nkonkyo: interrupted\n")
    assert not (here / "data/tuning/journal.log").exists()
