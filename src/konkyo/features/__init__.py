"""The feature panel: every stock-month of the universe, point in time at the end of the month.

grid             records as [months, stocks] grids
available        what the records can give, and what a list asks in vain
characteristics  momentum, volatility, beta, size and the records' columns
market           market series, equal for all stocks of a month
standardise      ranks or z-scores within the month's cross-section
build            the panel from the records
store            the panel as files
"""
