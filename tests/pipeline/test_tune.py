"""The search's own stage: how it starts its workers, and how an interrupt ends it at any time."""

import signal
import sys
from types import SimpleNamespace

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

import fake_engine as fake
from konkyo import cli, config
from konkyo.errors import TuningError
from konkyo.features import store
from konkyo.io import write_parquet
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
    with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(values, file)
    monkeypatch.chdir(tmp_path)
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}
    yield tmp_path
    for name, handler in before.items():
        signal.signal(name, handler)


def test_workers_are_started_as_children_of_a_search_of_the_same_length(tmp_path, monkeypatch):
    started, called = [], {}
    monkeypatch.setattr(tune.pool, "run_workers", lambda command, *_: started.extend(command))
    monkeypatch.setattr(tune.results, "save_trials", lambda *_: None)
    search = fake.begin(fake.section(f"journal:{tmp_path}/journal.log", trials=3))
    with pytest.raises(TuningError, match="0 of 3 trials are done"):
        tune._search(search, SimpleNamespace(groups=fake.GROUPS), tmp_path, 3)
    search.storage.close()
    assert started[:3] == [sys.executable, "-m", "konkyo"]
    monkeypatch.setattr(cli, "call", lambda stage, **named: called.update({stage: named}))
    assert CliRunner().invoke(cli.app, started[3:]).exit_code == 0
    assert called == {"tune": {"trials": 3, "worker": True, "apply": False, "child": True}}


def test_working_and_applying_exclude_each_other(here, capsys):
    with pytest.raises(SystemExit) as ended:
        tune.main(worker=True, apply=True)
    assert ended.value.code == 1
    assert "--worker and --apply exclude each other" in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_or_a_polite_kill_while_the_panels_are_made_is_one_line(
    how, here, capsys, monkeypatch
):
    monkeypatch.setattr("konkyo.tuning.panels.build", lambda *_: signal.raise_signal(how))
    # One that the caller lets go by, as nohup does, goes by here too.
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
