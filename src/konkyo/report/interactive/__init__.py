"""Figures by Plotly of the luck of a search."""

from konkyo.report.interactive.style import DARK
from konkyo.report.interactive.write import embedded, write

__all__ = ["DARK", "embedded", "write"]
