"""From scores to portfolios, returns and performance: pure functions on tidy frames.

scores       scores of all models joined to realised returns, one row a (model, month, stock)
portfolios   ranks and equal-count quantile portfolios, 1 lowest to the last highest scores
holdings     weights: equal, by value, score or rank; neutral to sectors, size, beta; cap, buffer
turnover     what each leg trades from month to month
costs        basis points by leg, borrowing, market impact, capacity
return_attribution  what each input earned; Shapley values of the groups in the quantile spread
risk         alpha and betas, drawdowns, calendar years, interval of the Sharpe ratio, exposures
portfolio_tables  all tables of the portfolios as they are held
benchmark    an index of the records, or the universe weighted by market value
returns      monthly series: long, short, spread, market, spread after costs
information_coefficient  information coefficients, t-statistics, monotonicity over quantiles
objectives   Sharpe ratio, t-statistic and mean of many series at once: the one definition
performance  annual return and volatility, drawdown, hit rate; cumulative returns
metrics      the nested figures of metrics.json
results      the backtest of all models: what the stage and the library call

Selection bias of a search:

sharpe       probabilistic Sharpe ratio, minimum track record length
expected_max_sharpe  effective number of trials, expected maximum Sharpe ratio under zero skill
overfitting  probability of backtest overfitting, performance degradation
selection_bias  all of these figures of one search
"""

from konkyo.backtesting.benchmark import benchmark_returns
from konkyo.backtesting.expected_max_sharpe import NullDistribution, null_distribution
from konkyo.backtesting.information_coefficient import (
    information_coefficients,
    monotonicity,
    newey_west_t,
    t_statistic,
)
from konkyo.backtesting.metrics import metrics_dict
from konkyo.backtesting.objectives import objective_values
from konkyo.backtesting.overfitting import Overfitting, overfitting
from konkyo.backtesting.performance import (
    cumulative,
    measures,
    performance,
    performance_by_quantile,
)
from konkyo.backtesting.portfolios import (
    NoPortfoliosError,
    assign_quantiles,
    months_without_portfolios,
    with_realised_returns,
)
from konkyo.backtesting.returns import monthly_returns
from konkyo.backtesting.scores import join_scores
from konkyo.backtesting.selection_bias import overfitting_or_none, selection_bias
from konkyo.backtesting.turnover import trades

__all__ = [
    "NoPortfoliosError",
    "NullDistribution",
    "Overfitting",
    "assign_quantiles",
    "benchmark_returns",
    "cumulative",
    "information_coefficients",
    "join_scores",
    "measures",
    "metrics_dict",
    "monotonicity",
    "monthly_returns",
    "months_without_portfolios",
    "newey_west_t",
    "null_distribution",
    "objective_values",
    "overfitting",
    "overfitting_or_none",
    "performance",
    "performance_by_quantile",
    "selection_bias",
    "t_statistic",
    "trades",
    "with_realised_returns",
]
