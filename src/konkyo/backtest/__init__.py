"""From scores to portfolios, returns and what they are worth: pure functions on tidy frames.

scores       the models' scores beside the returns that followed, one row a (model, month, stock)
portfolios   the ranking: rank and equal-count portfolio of every score, 1 worst to the last best
turnover     what each leg trades from month to month
returns      the monthly series: long, short, spread, market, spread after cost
information_coefficient  information coefficients, their t-statistics, monotonicity over quantiles
performance  annual return and risk, drawdown, hit rate; compounded series
metrics      the nested figures of metrics.json

How much of a search's best trial is luck:

objectives   what a search maximises, for many series at once
sharpe       probabilistic Sharpe ratio, minimum track record
expected_max_sharpe  effective number of trials, expected maximum Sharpe ratio without skill
overfitting  probability of backtest overfitting, degradation out of sample
walk_forward_selection  the series of choosing again and again by earlier months only
selection_bias  all of it in plain numbers
"""

from konkyo.backtest.expected_max_sharpe import NullDistribution, null_distribution
from konkyo.backtest.information_coefficient import (
    coefficients,
    monotonicity,
    newey_west_t,
    t_statistic,
)
from konkyo.backtest.metrics import metrics_dict
from konkyo.backtest.objectives import performance_of
from konkyo.backtest.overfitting import Overfitting, overfitting
from konkyo.backtest.performance import cumulative, measures, performance, quantiles
from konkyo.backtest.portfolios import (
    NoPortfoliosError,
    assign_quantiles,
    months_without,
    with_realised_returns,
)
from konkyo.backtest.returns import monthly_returns
from konkyo.backtest.scores import join_scores
from konkyo.backtest.selection_bias import halves, selection_bias
from konkyo.backtest.turnover import trades
from konkyo.backtest.walk_forward_selection import walk_forward_returns

__all__ = [
    "NoPortfoliosError",
    "NullDistribution",
    "Overfitting",
    "assign_quantiles",
    "coefficients",
    "cumulative",
    "halves",
    "join_scores",
    "measures",
    "metrics_dict",
    "monotonicity",
    "monthly_returns",
    "months_without",
    "newey_west_t",
    "null_distribution",
    "overfitting",
    "performance",
    "performance_of",
    "quantiles",
    "selection_bias",
    "t_statistic",
    "trades",
    "walk_forward_returns",
    "with_realised_returns",
]
