"""Figures by matplotlib: luck of a search, and the intervention study."""

from konkyo.report.figures.style import save

__all__ = ["save"]
