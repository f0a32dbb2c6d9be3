"""The report: tables of the explained panel, charts of them, and pages of both.

`tables` computes, `charts` draws (one Altair chart is the PNG and the page's figure), `pages` lays
it all out in one HTML file.
"""
