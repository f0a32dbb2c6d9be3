"""Real statements and archived pages, where they lie beside the repository."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from konkyo import config
from konkyo.config import Reports
from konkyo.data import fundamentals
from konkyo.dates import month_end, ordinal
from small_files import read_reports

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY.parent / "shared/data"
MONTHS = month_end(ordinal(pd.date_range("2012-12-31", "2017-09-30", freq="ME")))

pytestmark = pytest.mark.skipif(
    not (FOLDER / "us_fundamentals_ttm_2012_2016").is_dir(),
    reason="needs the real records in ../shared/data",
)


@pytest.fixture(scope="module")
def tables() -> tuple[list[pd.DataFrame], list[Reports]]:
    """Return the reports of the example as read and checked."""
    chosen = config.load(REPOSITORY / "data/examples/us-fundamentals/params.yaml")
    specs = list(chosen.ingest.tables.reports)
    frames = []
    for spec in specs:
        file = FOLDER.parent.parent / spec.files[0].removeprefix("../")
        frame, violations = read_reports(replace(spec, files=(str(file),)))
        assert violations == []
        frames.append(frame)
    return frames, specs


def grid(stocks: pd.Index) -> pd.DataFrame:
    pairs = pd.MultiIndex.from_product([MONTHS, stocks], names=["month", "stock"])
    return pairs.to_frame(index=False)


def test_apple(tables):
    joined = fundamentals.join(grid(pd.Index(["AAPL", "MSFT"])), *tables)
    apple = joined[joined["stock"] == "AAPL"].set_index("month")
    # The statement of 2016-09-30 is known from 2016-12-29 on.
    december = apple.loc["2016-12-31"]
    assert december["sales"] == 215_639_000 and apple.loc["2016-11-30", "sales"] == 220_288_000
    assert december["sales_growth"] == pytest.approx(215_639 / 233_715 - 1)
    assert december["operating_margin"] == pytest.approx(60_024 / 215_639)
    assert december["net_debt_ratio"] == pytest.approx((11_605 + 75_427 - 67_155) / 128_249)
    assert december["net_profit_growth"] == pytest.approx(45_687 / 53_394 - 1, abs=2e-3)
    # Six months after 2017-03, in which the last statement became known, nothing counts any more.
    assert apple.loc["2017-09-30", "sales"] == 218_118_000
    # No price, no move: the market value of the last archived page, in thousands.
    assert 4.0e8 < apple.loc["2016-12-31", "size"] < 4.7e8
    assert december["earnings_yield"] == pytest.approx(45_687_000 / december["size"])


def test_statements_of_later_quarters_change_nothing(tables):
    (statements, pages), specs = tables
    stocks = grid(pd.Index(statements["stock"].unique()[:200]))
    month = pd.Timestamp("2015-06-30")
    known = statements["period_end"] + pd.Timedelta(days=90) <= month
    past = stocks["month"] <= month
    whole = fundamentals.join(stocks, [statements, pages], specs)[past]
    cut = fundamentals.join(stocks, [statements[known].reset_index(drop=True), pages], specs)[past]
    columns = list(cut.columns)
    assert len(columns) > 15 and cut["sales_growth"].notna().sum() > 1000
    # What needs more than 24 months is there in the later months alone.
    pd.testing.assert_frame_equal(whole[columns], cut)
    assert whole.drop(columns=columns).isna().all(axis=None)
