"""A month added in a folder of its own: earlier results stay bit for bit."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chain import write_params
from konkyo import config
from konkyo.io import read_json
from konkyo.pipeline import attribute, backtest, ingest, prepare, train, update, verify
from small import make_records, small_params

STAGES = (ingest, prepare, train, attribute, verify, backtest)
RESULTS = ("models", "attributions", "verify", "backtest", "plots")

add = partial(update.main, log=False)


def chosen() -> config.Params:
    small = small_params()
    own = small.ingest.tables
    tables = replace(
        own,
        stocks=replace(own.stocks, files=("data/own/stocks.parquet",)),
        market=(config.Table(("data/own/market.parquet",), {}),),
    )
    return replace(
        small,
        ingest=replace(small.ingest, source="tables", tables=tables),
        train=replace(small.train, epochs=2),
        verify=replace(small.verify, every_n_months=18, n_stocks=8, n_permutations=3),
    )


def write_records(count: int) -> None:
    Path("data/own").mkdir(parents=True, exist_ok=True)
    for name, table in zip(("stocks", "market"), make_records(count=count), strict=True):
        table.to_parquet(f"data/own/{name}.parquet", index=False)


def change(month: str, stock: str, column: str, value: float) -> None:
    path = Path("data/own/stocks.parquet")
    table = pd.read_parquet(path)
    row = (table["month"] == month) & (table["stock"] == stock)
    assert row.sum() == 1
    table.loc[row, column] = value
    table.to_parquet(path, index=False)


def contents(*folders: str) -> dict[str, bytes]:
    found = (p for name in folders for p in Path("data", name).rglob("*") if p.is_file())
    return {str(path): path.read_bytes() for path in found}


def everything() -> dict[str, bytes]:
    """Return the results; not the lock and the id of the project, which no two folders share."""
    others = ("data/own", "data/.results.lock", "data/.project-id", "data/.timings.jsonl")
    return {k: v for k, v in contents("").items() if not k.startswith(others)}


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """Run the stages on 29 months of records: decision months 2001-01 to 2002-05."""
    folder = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params(Path(), chosen())
        write_records(29)
        for each in STAGES:
            each.main()
    return folder


@pytest.fixture
def project(base, tmp_path, monkeypatch) -> Path:
    shutil.copytree(base, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, **options) -> str:
    """Run an update that must fail and change nothing; return what it said."""
    before = everything()
    with pytest.raises(SystemExit) as ended:
        add(**options)
    assert ended.value.code == 1
    assert everything() == before
    return capsys.readouterr().err


@pytest.mark.slow
def test_a_month_is_added_and_earlier_results_stay(project, capsys):
    before, digests = everything(), read_json(Path("data/digests.json"))
    scores = pd.read_parquet("data/models/baselines.parquet")
    ranked = pd.read_parquet("data/backtest/portfolios.parquet")
    write_records(30)
    add(month="2002-06", log=True)
    after = everything()
    own = {f"{name}/2002-06" for name in ("data/attributions", "data/models/weights")}
    grown = {"/".join(Path(name).with_suffix("").parts) for name in set(after) - set(before)}
    assert own <= grown and all(name.endswith("2002-06") for name in grown)
    for name in before:
        if "attributions/" in name or "models/weights/" in name or "models/history/" in name:
            assert after[name] == before[name], name
    new = read_json(Path("data/digests.json"))
    assert list(new) == [*digests, "2002-06"]
    assert {month: new[month] for month in digests} == digests
    said = capsys.readouterr().out
    assert "1 trained" in said and "17 earlier months are unchanged" in said
    assert "konkyo-ranker version 1" in said
    add(month="2002-06", log=True)
    assert "the month is in MLflow already" in capsys.readouterr().out

    grown_scores = pd.read_parquet("data/models/baselines.parquet")
    pd.testing.assert_frame_equal(grown_scores.iloc[: len(scores)], scores, check_exact=True)
    grown_ranks = pd.read_parquet("data/backtest/portfolios.parquet")
    last = ranked["month"].max()
    # The returns of the last month were not earned yet; all that was known at its end is there.
    for table in (ranked, grown_ranks):
        assert table.loc[table["month"] == last, "ret"].isna().all() == (table is ranked)
    keys = ["model", "month", "stock"]
    known = ["score", "rank", "quantile"]
    earlier = grown_ranks[grown_ranks["month"] <= last].set_index(keys)[known].sort_index()
    expected = ranked.set_index(keys)[known].sort_index()
    pd.testing.assert_frame_equal(earlier, expected, check_exact=True)


@pytest.mark.slow
def test_an_update_equals_the_stages_one_by_one(project, base, tmp_path_factory, monkeypatch):
    write_records(31)
    add()
    updated = everything()
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(base, other, dirs_exist_ok=True)
    monkeypatch.chdir(other)
    write_records(31)
    for each in STAGES:
        each.main()
    staged = everything()
    assert updated.keys() == staged.keys()
    assert [name for name in staged if updated[name] != staged[name]] == []
    # And nothing is made again.
    add(month="2002-07")
    assert everything() == staged


@pytest.mark.slow
@pytest.mark.parametrize("room", [prepare, attribute, backtest])
def test_killed_in_the_middle_it_ends_with_the_same(project, base, room, tmp_path, monkeypatch):
    write_records(30)
    name = "save" if room is prepare else "run"
    with monkeypatch.context() as patch:
        patch.setattr(room, name, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(SystemExit):
            add()
    add()
    interrupted = everything()
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(base, undisturbed)
    monkeypatch.chdir(undisturbed)
    write_records(30)
    add()
    assert everything() == interrupted


def test_a_revised_month_is_refused(project, capsys):
    write_records(30)
    change("2001-03-31", "S002", "size", 1.5)
    said = refused(capsys)
    assert "1 earlier month (2001-03 to 2001-03, 1 row)" in said
    assert "stocks, 2001-03: 1 row changed in size (first S002, size: " in said
    assert "now 1.5)" in said and "--restated" in said


def test_vanished_and_appeared_rows_are_refused(project, capsys):
    write_records(30)
    path = Path("data/own/stocks.parquet")
    table = pd.read_parquet(path)
    gone = (table["month"] == "2001-04-30") & (table["stock"] == "S001")
    extra = table[table["month"] == "2001-05-31"].head(1).assign(stock="NEW")
    pd.concat([table[~gone], extra]).to_parquet(path, index=False)
    said = refused(capsys)
    assert "stocks, 2001-04: 1 row vanished (first S001)" in said
    assert "stocks, 2001-05: 1 row appeared (first NEW)" in said


def test_an_accepted_revision_recomputes_its_windows(project, capsys):
    before = contents("attributions")
    write_records(30)
    index = pd.read_parquet("data/panel/index.parquet")
    stocks = index.loc[index["month"] == "2001-03-31", "stock"]
    for stock, value in zip(stocks.iloc[:2], (-9.0, 9.0), strict=True):
        change("2001-03-31", stock, "illiquidity", value)
    add(restated=True)
    after = contents("attributions")
    changed = {Path(name).stem for name in before if after[name] != before[name]}
    # The month itself, and the windows of six months that train on it.
    assert changed == {f"2001-{month:02d}" for month in range(3, 10)}
    assert "10 earlier months are unchanged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("month", "remedy"),
    [("2002-05", "set ingest.last_month: 2002-05"), ("2002-07", "add the rows of 2002-07")],
)
def test_another_month_than_the_newest_is_refused(project, capsys, month, remedy):
    write_records(30)
    said = refused(capsys, month=month)
    assert f"--month {month} is not the newest month of the records, which is 2002-06" in said
    assert remedy in said


def test_records_that_end_before_the_results(project, capsys):
    write_records(28)
    said = refused(capsys)
    assert "the records end in 2002-04" in said and "to 2002-05" in said


def test_bad_rows_are_refused(project, capsys):
    write_records(30)
    change("2002-06-30", "S003", "size", -1.0)
    said = refused(capsys)
    assert "stocks.parquet cannot be used, 1 violation" in said and "size" in said


@pytest.mark.parametrize(("section", "values"), [("train", {"dropout": 0.1}),
                                                 ("attribute", {"epsilon": 0.1}),
                                                 ("prepare", {"universe_size": 12})])  # fmt: skip
def test_changed_params_are_refused(project, capsys, section, values):
    whole = chosen()
    write_params(Path(), replace(whole, **{section: replace(getattr(whole, section), **values)}))
    write_records(30)
    said = refused(capsys)
    assert "would be computed again" in said and "dvc repro" in said


def test_a_file_that_was_altered_is_refused(project, capsys):
    path = Path("data/attributions/2001-05.parquet")
    table = pd.read_parquet(path)
    table.to_parquet(path, index=False)
    write_records(30)
    assert "first 2001-05 (attributions)" in refused(capsys)


def test_baselines_that_are_kept_equal_those_made_anew(project):
    kept = pd.read_parquet("data/models/baselines.parquet")
    Path("data/models/baselines.parquet").unlink()
    train.main()
    made = pd.read_parquet("data/models/baselines.parquet")
    pd.testing.assert_frame_equal(kept, made, check_exact=True)
    assert np.isfinite(made["ridge"]).all() and made["placebo"].notna().any()
