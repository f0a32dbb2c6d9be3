"""The small simulated market: params of its project, and a ranker with the same."""

import konkyo
from konkyo.config import Params, as_dict, parse
from konkyo.data import simulated
from small import small_params

LAST = "2003-12"
MARKET = dict(sorted(simulated.MARKET.items()))
"""In the order in which the tests' params.yaml is written."""


def params() -> Params:
    """Return the small params for the simulated market, with halves of windows."""
    small = small_params(resamples=4)
    values = as_dict(small)
    values["prepare"] |= {
        "first_month": "2002-12",
        "universe_size": 1000,
        "characteristics": simulated.CHARACTERISTICS,
        "sectors": simulated.SECTORS,
        "market": MARKET,
    }
    values["train"] |= {"batch_size": 64, "epochs": 2, "max_networks_per_stack": 64}
    return parse(values)


def ranker(**changes: object) -> konkyo.RollingRanker:
    """Return a ranker with the train section of the project."""
    train = as_dict(params())["train"]
    del train["ridge_penalty"]
    train["hidden_sizes"] = tuple(train["hidden_sizes"])
    return konkyo.RollingRanker(**{**train, **changes})
