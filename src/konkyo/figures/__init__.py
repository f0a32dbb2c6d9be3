"""One function a figure: a tidy frame in, a matplotlib Figure out; nothing is shown or logged.

growth   compounded value of the portfolios (the paper's figure 6) and of the models' spreads
monthly  rank information coefficient and spread, month by month
grounds  agreement of the grounds with the truth, deletion curves
deciles  mean annual return from the worst scores to the best
style    colours, axes and labels that all of them share
table    the performance table (the paper's figure 7) as Markdown
"""

from konkyo.figures.deciles import decile_returns
from konkyo.figures.grounds import deletion_curves, truth_agreement
from konkyo.figures.growth import model_growth, portfolio_growth
from konkyo.figures.monthly import monthly_rank_ic, monthly_spread
from konkyo.figures.style import save
from konkyo.figures.table import performance_markdown

__all__ = [
    "decile_returns",
    "deletion_curves",
    "model_growth",
    "monthly_rank_ic",
    "monthly_spread",
    "performance_markdown",
    "portfolio_growth",
    "save",
    "truth_agreement",
]
