"""A search on small records."""

from dataclasses import replace

import pytest

from konkyo.features.build import build
from konkyo.tuning import panels
from postgres import postgres  # noqa: F401
from small import make_records, small_params
from small_search import HELD, Search, tables_at


@pytest.fixture(scope="session")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """Panels of both standardisings and of labels by rank, cut before the last eight months."""
    whole = small_params()
    space = replace(whole.tune.space, label=("rank",), standardise=("rank", "zscore"))
    params = replace(whole, tune=replace(whole.tune, holdout=HELD, space=space))
    root = tmp_path_factory.mktemp("search")
    stocks, market = make_records(count=34)
    tables_at(root / "records", stocks, market)
    panel, _ = build(stocks, market, params.prepare)
    held = panels.first_holdout_month(panel.index, HELD)
    panels.write_panels(
        root / "records", root / "tuning", prepare=params.prepare, space=space, before=held
    )
    return Search(params, root / "records", root / "tuning", held)
