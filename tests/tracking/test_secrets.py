"""A run logged while every credential is a marker: the store, its artifacts and the results."""

from dataclasses import replace

import pytest

from konkyo import io
from konkyo.tracking import results, runs

MARKER = "hush7Wqx"
VARIABLES = (
    "JQUANTS_API_KEY",
    "FRED_API_KEY",
    "PGPASSWORD",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
)


def with_marker(chosen):
    storage = f"postgresql://me:{MARKER}@host/base"
    return replace(chosen, tune=replace(chosen.tune, storage=storage))


def marked(root) -> list:
    return [p for p in root.rglob("*") if p.is_file() and MARKER.encode() in p.read_bytes()]


@pytest.fixture
def told(monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, MARKER)


def test_no_file_and_no_line_of_a_run_has_a_credential(told, project, chosen, capfd):
    logged = runs.track(results.read(project), with_marker(chosen), {})
    io.write_json(logged.__dict__, project / "data/run.json")
    assert len([p for p in project.rglob("*") if p.is_file()]) > 50
    assert not marked(project)
    assert MARKER not in "".join(capfd.readouterr())


def test_nor_has_a_run_that_fails(told, project, chosen, monkeypatch, capfd):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(runs, "_log_months", fail)
    with pytest.raises(OSError, match="the disk is full"):
        runs.track(results.read(project), with_marker(chosen), {})
    assert not marked(project)
    assert MARKER not in "".join(capfd.readouterr())
