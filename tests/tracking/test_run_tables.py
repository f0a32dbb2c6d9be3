"""Tables of a run, read back from MLflow by id or by name."""

import pandas as pd
import pytest

from konkyo.errors import TrackingError
from konkyo.tracking import run_tables


def test_an_unknown_run_is_an_error_with_those_known(logged, chosen) -> None:
    client, tracked, _ = logged
    with pytest.raises(TrackingError, match=rf"no finished run 'nothing'.*{tracked.run_id}"):
        run_tables.read_run(client, chosen.track.experiment, "nothing")


def test_a_run_without_the_tables_says_what_to_do(logged, chosen) -> None:
    client, tracked, _ = logged
    with pytest.raises(TrackingError, match=r"lacks a table .*log it again with `dvc repro`"):
        run_tables.read_run(client, chosen.track.experiment, tracked.run_id)


def test_tables_and_months_are_read_back(logged, chosen, monkeypatch) -> None:
    client, tracked, root = logged
    monkeypatch.setattr(run_tables, "TABLES", ("performance",))
    name = client.get_run(tracked.run_id).info.run_name
    run = run_tables.read_run(client, chosen.track.experiment, name)
    assert run.run_id == tracked.run_id
    saved = pd.read_csv(root / "data/report/performance.csv")
    pd.testing.assert_frame_equal(run.tables["performance"], saved)
    assert sorted(run.months) == ["2020-01", "2020-02", "2020-03"]
    table = run_tables.read_attributions(client, run, "2020-02")
    written = pd.read_parquet(root / "data/attributions/2020-02.parquet")
    pd.testing.assert_frame_equal(table, written)
