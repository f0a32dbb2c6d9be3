"""One function a figure: one tidy table in, one Altair chart out; nothing is written or logged.

performance  growth of 1 (the paper's figure 6), monthly rank IC and return, return by quantile
stocks       top and bottom stocks with their inputs (8), what changed a score
factors      mean relevance in long and short (9), relevance against the input's value (10)
market       market series over time (11), the stocks that one of them moved (12)
history      relevance by group, effects of the attributes, exposures over time
exposure     sectors of the portfolios, inputs that turn them over
evaluation   deletion curves, agreement with the true contributions
bars         pairs of bars and waterfalls
theme        fonts, colours, axes; a chart as PNG (`save_png`) and as Vega-Lite JSON (`to_spec`)
"""

from konkyo.report.charts.evaluation import deletion_curves, truth_agreement
from konkyo.report.charts.exposure import exposure_bars, relevance_turnover_bars
from konkyo.report.charts.factors import factor_bars, factor_scatter
from konkyo.report.charts.history import effect_map, exposure_lines, group_lines
from konkyo.report.charts.market import market_lines, market_quantile_bars
from konkyo.report.charts.performance import (
    model_growth,
    monthly_rank_ic,
    monthly_spread,
    portfolio_growth,
    quantile_returns,
)
from konkyo.report.charts.stocks import change_bars, stock_heat
from konkyo.report.charts.theme import save_png, to_spec

__all__ = [
    "change_bars",
    "deletion_curves",
    "effect_map",
    "exposure_bars",
    "exposure_lines",
    "factor_bars",
    "factor_scatter",
    "group_lines",
    "market_lines",
    "market_quantile_bars",
    "model_growth",
    "monthly_rank_ic",
    "monthly_spread",
    "portfolio_growth",
    "quantile_returns",
    "relevance_turnover_bars",
    "save_png",
    "stock_heat",
    "to_spec",
    "truth_agreement",
]
