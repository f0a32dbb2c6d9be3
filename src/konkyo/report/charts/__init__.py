"""One function a figure: one tidy table in, one Altair chart out; nothing is written or logged.

theme     fonts, colours, axes; a chart as PNG (`save_png`) and as Vega-Lite JSON (`to_spec`)
"""

from konkyo.report.charts.theme import save_png, to_spec

__all__ = ["save_png", "to_spec"]
