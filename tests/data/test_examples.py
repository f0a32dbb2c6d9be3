"""The examples on real records, from nothing but their params files; the records lie beside us."""

from pathlib import Path

import pytest

from konkyo import config, data
from konkyo.features.build import build

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"the real records are not in {DATA}")
def test_weekly_wide_closes_members_and_dated_reports(tmp_path, monkeypatch):
    whole = config.load(ROOT / "data/examples/sp500-weekly/params.yaml")
    monkeypatch.chdir(ROOT)
    records = data.load(whole.ingest, tmp_path, whole.backtest.n_quantiles)
    stocks = records.stocks
    assert (records.facts["first_month"], records.facts["last_month"]) == ("2001-07", "2013-12")
    assert records.facts["reports"][0]["codes"] == "in capital letters"
    # Apple closed 2012 at 69.43 (adjusted); 500 billion was its value in the page known then.
    apple = stocks[(stocks["stock"] == "AAPL") & (stocks["month"] == "2012-12-31")].iloc[0]
    assert apple["eligible"] == 1.0 and 4.5e8 < apple["size"] < 5.5e8
    assert apple["sector"] == "Information Technology"
    # The values of the year after a page are nowhere.
    assert not {"stock_p_change", "SP500_p_change"} & set(stocks)
    panel, _ = build(stocks, records.market, whole.prepare)
    counts = panel.index.groupby("month").size()
    assert counts.index[0].year == 2004 and counts.min() >= 50 and counts.max() > 350
