"""The figures once more, interactive: one function a figure, from the same tables.

The functions are named as those of the room figures, take the same arguments and return a plotly
Figure of a slim layout, transparent behind, in the colours of a light page. `DARK` names the
colours that a dark page puts in their places.

growth    compounded value of the portfolios (the paper's figure 6) and of the models' spreads
table     the performance table (7)
stocks    longest and shortest stocks with their inputs (8), what changed a score
factors   mean relevance in long and short (9), value against relevance (10)
market    the market series over time (11), the stocks that one of them moved (12)
history   relevance by group over time, effects of the attributes over time
exposure  size and sectors of the portfolios, which inputs turn them over
monthly   rank information coefficient and spread, month by month
quantiles   mean annual return from the worst scores to the best
grounds   agreement of the grounds with the truth, deletion curves
style     colours, layout and axes that all of them share
write     a figure as a page of its own
"""

from konkyo.report.interactive.evaluation import deletion_curves, truth_agreement
from konkyo.report.interactive.exposure import (
    exposure_bars,
    exposure_lines,
    relevance_turnover_bars,
)
from konkyo.report.interactive.factors import factor_bars, factor_scatter
from konkyo.report.interactive.growth import model_growth, portfolio_growth
from konkyo.report.interactive.history import effect_map, group_lines
from konkyo.report.interactive.market import market_lines, market_quantile_bars
from konkyo.report.interactive.monthly import monthly_rank_ic, monthly_spread
from konkyo.report.interactive.quantiles import quantile_returns
from konkyo.report.interactive.stocks import change_bars, stock_heat
from konkyo.report.interactive.style import DARK
from konkyo.report.interactive.table import performance_table
from konkyo.report.interactive.write import embedded, write

__all__ = [
    "DARK",
    "change_bars",
    "deletion_curves",
    "effect_map",
    "embedded",
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
    "performance_table",
    "portfolio_growth",
    "quantile_returns",
    "relevance_turnover_bars",
    "stock_heat",
    "truth_agreement",
    "write",
]
