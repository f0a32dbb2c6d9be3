from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from konkyo import dates
from konkyo.errors import ArtifactError, ParamsError
from konkyo.features import store
from konkyo.tuning import panels
from small_search import HELD, Search, tables_at


def test_the_holdout_is_the_last_months_with_a_return() -> None:
    ends = dates.month_end(np.arange(6))
    index = pd.DataFrame({"month": ends.repeat(2), "ret": [0.1, np.nan] * 5 + [np.nan] * 2})
    assert panels.first_holdout_month(index, 2) == "1970-04"
    with pytest.raises(ParamsError, match=r"holdout = 5 leaves no month .* there are 5"):
        panels.first_holdout_month(index, 5)


def test_records_of_the_holdout_are_left_out(search: Search) -> None:
    held = dates.parse(search.held)
    whole = pd.read_parquet(search.records / "stocks.parquet")
    later = sorted(m for m in whole["month"].unique() if m >= held)
    # Eight months whose return was earned, and the one after the last of them.
    assert len(later) == HELD + 1
    for path in search.folder.rglob("*.parquet"):
        assert pd.read_parquet(path, columns=["month"])["month"].max() < held
    for own in ("rank-rank", "zscore-rank"):
        index = store.read(search.folder / "panels" / own).index
        last = index["month"].max()
        assert dates.label(last) == dates.label(held - pd.offsets.MonthEnd(1))
        assert index.loc[index["month"] == last, "ret"].isna().all()


def test_another_future_changes_no_byte_of_the_search(search: Search, tmp_path) -> None:
    stocks = pd.read_parquet(search.records / "stocks.parquet")
    market = pd.read_parquet(search.records / "market.parquet")
    held = dates.parse(search.held)
    for table in (stocks, market):
        later = table["month"] >= held
        numbers = table.select_dtypes("number").columns
        table.loc[later, numbers] = table.loc[later, numbers] * 1e3 + 7
    stocks.loc[stocks["month"] >= held, "sector"] = "Banks"
    gone = (stocks["month"] >= held) & (stocks["stock"] < "S010")
    tables_at(tmp_path / "records", stocks[~gone], market)
    space = search.params.tune.space
    panels.write_panels(
        tmp_path / "records",
        tmp_path / "tuning",
        prepare=search.params.prepare,
        space=space,
        before=search.held,
    )
    names = sorted(p.relative_to(search.folder) for p in search.folder.rglob("*") if p.is_file())
    assert len(names) == 2 + 2 * 5
    for name in names:
        assert (tmp_path / "tuning" / name).read_bytes() == (search.folder / name).read_bytes()


def test_panels_are_rebuilt_only_after_a_change(search: Search, tmp_path) -> None:
    space, prepare = search.params.tune.space, search.params.prepare
    write = partial(panels.write_panels, search.records, tmp_path, space=space, before=search.held)
    path = tmp_path / "panels" / "rank-rank" / "features.npy"
    write(prepare=prepare)
    first = path.stat().st_mtime_ns
    write(prepare=prepare)
    assert path.stat().st_mtime_ns == first
    write(prepare=replace(prepare, universe_size=15))
    assert path.stat().st_mtime_ns > first
    # A panel that was cut short has no digest and is not taken for a whole one.
    (path.parent / "digest.txt").unlink()
    path.write_bytes(b"")
    write(prepare=prepare)
    assert len(store.read(path.parent).features)


def test_without_records_it_says_what_to_run(search: Search, tmp_path) -> None:
    with pytest.raises(ArtifactError, match="is missing: run `dvc repro ingest`"):
        panels.write_panels(
            tmp_path / "data/records",
            tmp_path,
            prepare=search.params.prepare,
            space=search.params.tune.space,
            before=None,
        )
