"""What the page says first: averaged prices, a month left out, a lost spread, epsilon's share."""

from dataclasses import replace

import pandas as pd
import pytest

from konkyo.pipeline.backtest import compute
from konkyo.pipeline.report import notices
from small import small_params

PERFORMANCE = pd.DataFrame(
    {"model": ["network"] * 2, "portfolio": ["spread", "long"], "max_drawdown": [-0.4, -0.5]}
)
SMALL = small_params()


def said(performance=PERFORMANCE, source=None, metrics=None, share=0.01, params=SMALL) -> str:
    sizes = pd.DataFrame({"method": ["lrp_epsilon"], "epsilon": [share], "score": [1.0]})
    tables = {"performance": performance, "absorption": sizes}
    texts = notices(tables, source or {}, metrics or {}, params)
    assert all(text.en != text.ja for text in texts)
    return "\n".join(text.en for text in texts)


def test_nothing_where_there_is_nothing_to_say():
    assert said(source={"return_rank_autocorrelation": 0.09}) == ""
    assert said(source={"return_rank_autocorrelation": None}) == ""


@pytest.mark.parametrize("correlation", [0.21, -0.15])
def test_averaged_prices_until_a_month_is_left_out(correlation):
    source = {"return_rank_autocorrelation": correlation}
    assert f"is {correlation} on average over the months" in said(source=source)
    gapped = replace(SMALL, prepare=replace(SMALL.prepare, skip_months=1))
    assert "Months left out between" in said(source=source, params=gapped)
    assert "on average" not in said(source=source, params=gapped)


def test_what_the_page_says_of_odd_results():
    lost = PERFORMANCE.assign(max_drawdown=[-1.0, -0.5])
    assert "the long-short portfolio lost 100 per cent or more" in said(performance=lost)
    whole_leg = PERFORMANCE.assign(max_drawdown=[-0.4, -1.0])
    assert said(performance=whole_leg) == ""
    assert "has a return: 3." in said(metrics={"network": {"months_without_leg_return": 3}})
    assert "absorbs 11 per cent of the scores" in said(share=0.11)


def test_the_command_says_that_the_spread_is_lost():
    months = pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"]).repeat(2)
    scores = pd.DataFrame(
        {"month": months, "stock": ["A", "B"] * 3, "model": "network", "score": [1.0, 2.0] * 3}
    ).assign(ret=[0.1, 0.2, 2.0, 0.5, 0.1, 0.3])
    result = compute(scores, replace(SMALL.backtest, n_quantiles=2), pd.Series(dtype="float64"))
    assert "the spread lost 100 per cent or more in a month" in str(result)
    spread = result.metrics["network"]["spread"]
    assert spread["max_drawdown"] == -1.0
    lines = result.cumulative[result.cumulative["portfolio"] == "spread"]
    assert lines["cumulative"].tolist() == pytest.approx([0.1, -1.0, -1.0])
