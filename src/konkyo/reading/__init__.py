"""What the grounds say: the tables behind every figure, pure functions of one `Evidence`."""

from konkyo.reading.evidence import (
    Evidence,
    gather,
)
from konkyo.reading.exposure import (
    exposure,
    relevance_turnover,
)
from konkyo.reading.factors import (
    factor_means,
    factor_points,
    factor_shape,
    top_factors,
)
from konkyo.reading.history import (
    effects,
    groups_over_time,
)
from konkyo.reading.labels import labels
from konkyo.reading.market import (
    largest_month,
    market_deciles,
    market_over_time,
    top_market,
)
from konkyo.reading.sentences import (
    RULES,
    grounds_in_words,
    sentence,
    sentences,
)
from konkyo.reading.stocks import (
    extremes,
    score_changes,
    stock_table,
)
from konkyo.reading.tables import tables

__all__ = [
    "RULES",
    "Evidence",
    "effects",
    "exposure",
    "extremes",
    "factor_means",
    "factor_points",
    "factor_shape",
    "gather",
    "grounds_in_words",
    "groups_over_time",
    "labels",
    "largest_month",
    "market_deciles",
    "market_over_time",
    "relevance_turnover",
    "score_changes",
    "sentence",
    "sentences",
    "stock_table",
    "tables",
    "top_factors",
    "top_market",
]
