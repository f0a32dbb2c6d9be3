"""One function a figure: a tidy frame in, a matplotlib Figure out; nothing is shown or logged.

growth    compounded value of the portfolios (the paper's figure 6) and of the models' spreads
table     the performance table (7), also as Markdown
stocks    longest and shortest stocks with their inputs (8), what changed a score
factors   mean relevance in long and short (9), value against relevance (10)
market    the market series over time (11), the stocks that one of them moved (12)
history   relevance by group over time, effects of the attributes over time
exposure  size and sectors of the portfolios, which inputs turn them over
monthly   rank information coefficient and spread, month by month
quantiles   mean annual return from the worst scores to the best
grounds   agreement of the grounds with the truth, deletion curves
arrange   tables put in the order that both rooms of figures show
style     colours, axes and labels that all of them share
fonts     the Japanese font
"""

from konkyo.report.figures.evaluation import deletion_curves, truth_agreement
from konkyo.report.figures.exposure import exposure_bars, exposure_lines, relevance_turnover_bars
from konkyo.report.figures.factors import factor_bars, factor_scatter
from konkyo.report.figures.growth import model_growth, portfolio_growth
from konkyo.report.figures.history import effect_map, group_lines
from konkyo.report.figures.market import market_lines, market_quantile_bars
from konkyo.report.figures.monthly import monthly_rank_ic, monthly_spread
from konkyo.report.figures.quantiles import quantile_returns
from konkyo.report.figures.stocks import change_bars, stock_heat
from konkyo.report.figures.style import save
from konkyo.report.figures.table import performance_markdown, performance_table

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
    "performance_markdown",
    "performance_table",
    "portfolio_growth",
    "quantile_returns",
    "relevance_turnover_bars",
    "save",
    "stock_heat",
    "truth_agreement",
]
