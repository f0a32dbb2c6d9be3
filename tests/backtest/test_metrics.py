"""The nested figures: names, values, and nothing that JSON cannot hold."""

import json

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting import (
    assign_quantiles,
    metrics_dict,
    monthly_returns,
    performance,
    performance_by_quantile,
)


def _metrics(scores: pd.DataFrame) -> dict:
    ranked = assign_quantiles(scores, 2)
    returns = monthly_returns(ranked, 2, 10.0)
    return metrics_dict(
        ranked, returns, performance=performance(returns), quantiles=performance_by_quantile(ranked)
    )


def test_names_and_values(scores: pd.DataFrame) -> None:
    found = _metrics(scores)["network"]
    rank_ic = np.array([0.4, 0.5, 1.0])
    assert found["rank_ic"] == pytest.approx(rank_ic.mean())
    assert found["rank_ic_t"] == pytest.approx(rank_ic.mean() / (rank_ic.std(ddof=1) / np.sqrt(3)))
    assert found["turnover"] == pytest.approx((0.5 + 0.875) / 2)
    assert found["monotonicity"] == pytest.approx(1.0)
    assert found["months"] == 3
    assert found["missing"] == 1
    assert found["months_without_portfolios"] == 0
    assert found["spread"]["annual_return_arithmetic"] == pytest.approx(0.56)
    assert found["market"]["months"] == 3
    assert {"long", "short", "spread_net", "ic", "ic_t", "rank_ic_t_newey_west"} <= set(found)


def test_undefined_figures_are_absent(scores: pd.DataFrame) -> None:
    one = scores[scores["month"] == "2020-01-31"].assign(model="placebo")
    found = _metrics(pd.concat([scores, one]))
    assert "turnover" not in found["placebo"]
    assert "rank_ic_t" not in found["placebo"]
    assert "annual_volatility" not in found["placebo"]["spread"]
    assert found["placebo"]["rank_ic"] == pytest.approx(0.4)
    json.dumps(found, allow_nan=False)


def test_months_without_portfolios_are_counted(scores: pd.DataFrame) -> None:
    march = scores["month"] == "2020-03-31"
    part = scores.assign(model="ridge", score=scores["score"].mask(march, 1.0))
    none = scores.assign(model="placebo", score=0.0)
    found = _metrics(pd.concat([scores, part, none]))
    assert found["ridge"]["months"] == 2
    assert found["ridge"]["months_without_portfolios"] == 1
    assert found["placebo"] == {"months": 0, "months_without_portfolios": 4}
