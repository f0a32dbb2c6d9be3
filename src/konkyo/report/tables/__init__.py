"""The tables behind every figure: pure functions of one `ExplainedPanel`."""

from konkyo.report.tables.all_tables import tables
from konkyo.report.tables.explained_panel import ExplainedPanel, build
from konkyo.report.tables.exposure import exposure, relevance_turnover
from konkyo.report.tables.factors import (
    factor_means,
    factor_means_over_time,
    factor_points,
    factor_shape,
    top_factors,
)
from konkyo.report.tables.history import effects, groups_over_time
from konkyo.report.tables.labels import labels, read_labels
from konkyo.report.tables.market import (
    largest_month,
    market_over_time,
    market_quantiles,
    top_market,
)
from konkyo.report.tables.sentences import RULES, Phrases, sentences
from konkyo.report.tables.stocks import extremes, score_changes, stock_table

__all__ = [
    "RULES",
    "ExplainedPanel",
    "Phrases",
    "build",
    "effects",
    "exposure",
    "extremes",
    "factor_means",
    "factor_means_over_time",
    "factor_points",
    "factor_shape",
    "groups_over_time",
    "labels",
    "largest_month",
    "market_over_time",
    "market_quantiles",
    "read_labels",
    "relevance_turnover",
    "score_changes",
    "sentences",
    "stock_table",
    "tables",
    "top_factors",
    "top_market",
]
