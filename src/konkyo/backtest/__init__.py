"""From scores to portfolios, returns and what they are worth: pure functions on tidy frames.

scores       the models' scores beside the returns that followed, one row a (model, month, stock)
portfolios   equal-count portfolios by score, 1 worst to the last best
turnover     what each leg trades from month to month
returns      the monthly series: long, short, spread, market, spread after cost
information  information coefficients, their t-statistics, monotonicity over deciles
performance  annual return and risk, drawdown, hit rate; compounded series
differences  mean relevance of a factor, long against short (figure 9)
metrics      the nested figures of metrics.json
"""

from konkyo.backtest.differences import mean_differences
from konkyo.backtest.information import (
    coefficients,
    monotonicity,
    newey_west_t,
    t_statistic,
)
from konkyo.backtest.metrics import nested
from konkyo.backtest.performance import cumulative, deciles, measures, performance
from konkyo.backtest.portfolios import rank
from konkyo.backtest.returns import monthly
from konkyo.backtest.scores import gather
from konkyo.backtest.turnover import trades

__all__ = [
    "coefficients",
    "cumulative",
    "deciles",
    "gather",
    "mean_differences",
    "measures",
    "monotonicity",
    "monthly",
    "nested",
    "newey_west_t",
    "performance",
    "rank",
    "t_statistic",
    "trades",
]
