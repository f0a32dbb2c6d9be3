"""Records at the edge of sense, through the stages: finite numbers within bounds, or words."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import chain
from konkyo import config
from konkyo.models import store
from small import make_records, small_params

SMALL = small_params()
SHORT = replace(
    SMALL,
    train=replace(SMALL.train, epochs=1, placebo_every=1),
    backtest=replace(SMALL.backtest, n_quantiles=2),
)
EPSILON = SHORT.attribute.epsilon

Case = Callable[[pd.DataFrame, pd.DataFrame], config.Params]


def prepared(**changes: object) -> config.Params:
    return replace(SHORT, prepare=replace(SHORT.prepare, **changes))


def constant_inputs(stocks: pd.DataFrame, market: pd.DataFrame) -> config.Params:
    stocks[["illiquidity", "size"]] = 0.1
    market["VIX"], market["MKT"] = 0.1, 0.0
    return prepared(standardise="zscore")


def nothing_known(stocks: pd.DataFrame, market: pd.DataFrame) -> config.Params:
    stocks["illiquidity"] = np.nan
    return SHORT


def labels_equal(stocks: pd.DataFrame, market: pd.DataFrame) -> config.Params:
    stocks["return"] = 0.01
    return prepared(label="zscore", standardise="zscore")


def labels_zero(stocks: pd.DataFrame, market: pd.DataFrame) -> config.Params:
    stocks["return"] = 0.0
    return prepared(label="raw")


def collinear_inputs(stocks: pd.DataFrame, market: pd.DataFrame) -> config.Params:
    stocks["copy"], stocks["twice"] = stocks["illiquidity"], 2 * stocks["illiquidity"]
    market["VIX2"] = 3 * market["VIX"]
    chosen = prepared(
        characteristics=(*SHORT.prepare.characteristics, "copy", "twice"),
        market={**SHORT.prepare.market, "VIX2": ("level", "change")},
    )
    return replace(chosen, train=replace(chosen.train, ridge_penalty=1e-12))


def huge_and_tiny(stocks: pd.DataFrame, market: pd.DataFrame) -> config.Params:
    stocks.loc[::7, "illiquidity"], stocks.loc[3::7, "illiquidity"] = 1e30, -1e30
    stocks.loc[::5, "size"], stocks.loc[1::5, "size"] = 1e30, 1e-30
    market.loc[market.index[9], "VIX"] = 1e30
    return prepared(standardise="zscore", label="zscore")


def market_jumps(stocks: pd.DataFrame, market: pd.DataFrame) -> config.Params:
    # What no window has seen: the series is scored far beyond its training months.
    market["VIX"] *= 1e-30
    market.loc[market.index[-1], "VIX"] = 1.0
    return SHORT


def two_stocks(stocks: pd.DataFrame, market: pd.DataFrame) -> config.Params:
    lasting = stocks["stock"].value_counts().index[:2]
    stocks.drop(stocks.index[~stocks["stock"].isin(lasting)], inplace=True)  # noqa: PD002
    return SHORT


CASES = [
    constant_inputs, nothing_known, labels_equal, labels_zero, collinear_inputs, huge_and_tiny,
    market_jumps, two_stocks,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_scores_and_relevances_stay_within_bounds(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stocks, market = make_records(count=15)
    chosen = case(stocks, market)
    chain.lay(tmp_path, chosen, (stocks.reset_index(drop=True), market))
    monkeypatch.chdir(tmp_path)
    chain.run(("prepare", "train", "attribute", "backtest"))
    panel = pd.read_parquet("data/panel/index.parquet")
    features = np.load("data/panel/features.npy")
    assert np.isfinite(features).all()
    for path in sorted(Path("data/attributions").glob("*.parquet")):
        grounds = pd.read_parquet(path)
        relevance = grounds.drop(columns=["month", "stock", "score", "absorbed"]).to_numpy(float)
        (network,) = store.read(Path(f"data/models/weights/{path.stem}.safetensors"))
        rows = features[(panel["month"] == grounds["month"].iloc[0]).to_numpy()]
        x = (rows.astype(float) - network.mean) / network.std
        # Hidden units of tanh lie in [-1, 1].
        most = np.abs(network.weights[-1]).sum() + np.abs(network.biases[-1]).sum()
        assert (grounds["score"].abs() <= most * (1 + 1e-6)).all()
        above, absorbed = np.ones(1), 0.0
        for weight, bias in zip(network.weights[::-1], network.biases[::-1], strict=True):
            absorbed += ((np.abs(bias) + EPSILON) * above).sum()
            above = np.abs(weight) @ above
        assert (np.abs(relevance) <= np.abs(x) * above * (1 + 1e-5) + 1e-12).all()
        dust = 1e-6 * np.abs(relevance).sum(1)
        assert (grounds["absorbed"].abs() <= absorbed + dust).all()
        np.testing.assert_allclose(relevance.sum(1) + grounds["absorbed"], grounds["score"])
    scores = pd.read_parquet("data/models/baselines.parquet")
    assert np.isfinite(scores[["ridge", "placebo"]]).to_numpy().all()
    returns = pd.read_csv("data/backtest/returns.csv")
    assert np.isfinite(returns[["long", "short", "spread", "market"]]).to_numpy().all()


@pytest.mark.parametrize(
    ("count", "stocks", "stage", "said"),
    [
        (1, 24, "train", "a window of 6 months needs one month more, and the panel has 1"),
        (15, 1, "train", "fewer than 2 stocks that are eligible and have a size"),
    ],
)
def test_one_month_and_one_stock_end_in_words(
    count, stocks, stage, said, tmp_path, monkeypatch, capsys
):
    records, market = make_records(count=15)
    lasting = records["stock"].value_counts().index[:stocks]
    records = records[records["stock"].isin(lasting)]
    last = market["month"].iloc[count - 1]
    chosen = prepared(first_month="2000-01", characteristics=("size",), market={"MKT": ("level",)})
    kept = records[records["month"] <= last].reset_index(drop=True)
    chain.lay(tmp_path, chosen, (kept, market[market["month"] <= last]))
    monkeypatch.chdir(tmp_path)
    stages = ("prepare", "train", "attribute", "backtest")
    chain.run(stages[: stages.index(stage)])
    with pytest.raises(SystemExit) as ended:
        chain.run([stage])
    assert ended.value.code == 1
    assert said in capsys.readouterr().err
