"""konkyo: stock rankings by rolling neural networks, with the grounds of every prediction.

Panel            features and labels of every stock and month, from a frame of raw values
RollingRanker    one network a rolling month: fit, predict, explain
backtest         quantile portfolios of scores: performance, return attribution, charts
check_lookahead  whether a function of a frame uses what was not known yet
simulate_market  a market whose expected returns and their causes are known
selection_bias   deflated Sharpe ratio and probability of overfitting of a choice among trials
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if sys.platform == "win32":
    raise ImportError(
        "konkyo runs on Linux and macOS; on Windows install WSL (`wsl --install` in PowerShell), "
        "and install and import konkyo there"
    )

if TYPE_CHECKING:
    from konkyo.library.backtest import backtest
    from konkyo.library.lookahead import check_lookahead
    from konkyo.library.panel import Panel
    from konkyo.library.ranker import RollingRanker
    from konkyo.library.selection import selection_bias
    from konkyo.library.simulated import simulate_market

__all__ = [
    "Panel",
    "RollingRanker",
    "backtest",
    "check_lookahead",
    "selection_bias",
    "simulate_market",
]

_MODULES = {
    "Panel": "panel",
    "RollingRanker": "ranker",
    "backtest": "backtest",
    "check_lookahead": "lookahead",
    "selection_bias": "selection",
    "simulate_market": "simulated",
}


# Lazy: `import konkyo` takes no torch, and so does every command's start.
def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module 'konkyo' has no attribute {name!r}")
    value = getattr(import_module(f"konkyo.library.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*__all__, "__version__"])
