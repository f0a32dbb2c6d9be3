"""A small simulated market with all effects of one strength, and params to train on it."""

from dataclasses import replace

from konkyo.config import Params, Simulated
from konkyo.data.simulated import Market, simulate
from small import small_params

EFFECTS = ("reversal", "quality", "value", "interaction", "regime")


def market_of(seed: int, strength: float, last_month: str) -> Market:
    """Return about 80 stocks from 2004-01 on."""
    effects = dict.fromkeys(EFFECTS, strength)
    settings = Simulated(seed=seed, stocks=80, noise=1.0, **effects)
    return simulate(settings, "2004-01", last_month)


def params_of(**train) -> Params:
    """Return params with eight characteristics, one market series and a small network."""
    small = small_params()
    prepare = replace(
        small.prepare,
        first_month="2006-01",
        universe_size=400,
        characteristics=(
            *("return_1", "return_3", "return_12", "roe_forecast", "book_to_price", "size"),
            *("earnings_yield_forecast", "share_turnover"),
        ),
        market={"topix": ("change",)},
    )
    network = replace(
        small.train, window_months=12, hidden_sizes=(8,), epochs=5, batch_size=64, dropout=0.1
    )
    return replace(small, prepare=prepare, train=replace(network, **train))
