"""The report: tables of the explained panel, their figures, and the page that shows them.

`tables` computes, `figures` (PNG) and `interactive` draw, `pages` lays it all out in one HTML file.
"""
