"""Figures by Plotly of the pages of tuning, monitoring and the intervention study."""

from konkyo.report.interactive.history import effect_map
from konkyo.report.interactive.monthly import monthly_rank_ic
from konkyo.report.interactive.style import DARK
from konkyo.report.interactive.write import embedded, write

__all__ = ["DARK", "effect_map", "embedded", "monthly_rank_ic", "write"]
