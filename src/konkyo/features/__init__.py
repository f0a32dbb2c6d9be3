"""The feature panel: every stock-month of the universe, known at the end of the month.

grid             records as [months, stocks] grids
characteristics  what a stock is, from its own past
market           series equal for all stocks of a month
standardise      within the month's cross-section
build            the panel from the records
raw              characteristics as they were before standardising
store            the panel as files
"""
