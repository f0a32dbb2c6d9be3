"""The library's backtest and selection bias: their frames, what they refuse."""

import numpy as np
import pandas as pd
import pytest

import konkyo
from konkyo.backtesting import selection_bias
from konkyo.errors import KonkyoError, ParamsError, RecordsError
from small_portfolio import inputs


@pytest.fixture(scope="module")
def frames():
    """Return scores with relevances and returns of the small market of four years."""
    market = inputs()
    rows = market.rows[market.rows["model"] == "network"].reset_index(drop=True)
    names = market.catalogue["name"]
    scores = rows[["month", "stock", "score"]].join(pd.DataFrame(market.relevance, columns=names))
    returns = rows[["month", "stock", "sector", "market_value"]]
    return scores, returns.assign(forward_return=rows["ret"]), market


def test_figures_and_charts(frames):
    scores, returns, _ = frames
    result = konkyo.backtest(scores, returns, n_quantiles=5, weights="score")
    rows = scores.merge(returns)
    ic = rows.groupby("month")[["score", "forward_return"]].corr("spearman").iloc[::2, 1]
    assert result.summary()["rank_ic"] == pytest.approx(ic.dropna().mean(), abs=2e-3)
    assert result.summary()["months"] == 47
    earned = result.return_attribution().set_index("feature")["annual"]
    assert earned.idxmax() == "return_1" and earned["size"] < 0
    assert result.portfolios.query("main")["portfolio"].tolist() == ["score_weighted"]
    assert {"portfolio_growth", "return_attribution_bars", "promise_points"} <= set(result.charts)
    for chart in result.charts.values():
        assert chart.to_dict()["$schema"]


def test_scores_alone_have_no_return_attribution(frames):
    scores, returns, _ = frames
    result = konkyo.backtest(scores[["month", "stock", "score"]], returns, n_quantiles=5)
    assert "return_attribution_bars" not in result.charts
    with pytest.raises(KonkyoError, match=r"no relevances: .*RollingRanker\.explain"):
        result.return_attribution()


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda s: s.assign(score=s["score"].where(s.index > 0)), {}, RecordsError,
         "'score': missing in 1 row"),
        (lambda s: pd.concat([s, s.head(1)]), {}, RecordsError, "repeated in 1 row"),
        (lambda s: s.drop(columns="score"), {}, RecordsError, "'score' missing"),
        (lambda s: s.assign(stock=s["stock"].replace("s00", "s99")), {}, KonkyoError,
         "48 scores have no row in returns, first that of stock s99 in 2015-01"),
        (lambda s: s, {"n_quantiles": 1}, ParamsError, "n_quantiles = 1: set it to greater"),
        (lambda s: s, {"n_quantiles": 80}, KonkyoError, "80"),
    ],
)  # fmt: skip
def test_refused(frames, change, options, error, message):
    scores, returns, _ = frames
    with pytest.raises(error, match=message):
        konkyo.backtest(change(scores), returns, **options)


def test_selection_bias_is_that_of_the_rooms():
    rng = np.random.default_rng(3)
    months = pd.date_range("2010-01-31", periods=60, freq="ME")
    values = pd.DataFrame(rng.normal(0.002, 0.03, (60, 8)), columns=list("abcdefgh"), index=months)
    values.iloc[:30, 7] = np.nan
    sharpe = values.mean() / values.std() * np.sqrt(12)
    best = sharpe[:7].idxmax()
    table = values.rename_axis("month").reset_index().sample(frac=1, random_state=1)
    figures = konkyo.selection_bias(table)
    expected = selection_bias(values, sharpe, best)
    assert figures.keys() == expected.keys()
    assert all(figures[name] == pytest.approx(expected[name]) for name in expected)
    assert figures["sharpe_ratio"] == pytest.approx(sharpe[best]) and "pbo" in figures
    with pytest.raises(KonkyoError, match="trial h did not run in 30 of 60"):
        konkyo.selection_bias(table, best="h")
    with pytest.raises(RecordsError, match="repeated in 1 row"):
        konkyo.selection_bias(pd.concat([table, table.head(1)]))
    with pytest.raises(ParamsError, match="objective = 'alpha': set it to one of sharpe_ratio"):
        konkyo.selection_bias(table, objective="alpha")
