"""The month-end routine: what is handed over, and whether it may be trusted.

ranking     the ranking of a month with its grounds, one row a stock
workbook    the same as an Excel workbook
words       what sheets, columns and figures are called in both languages
drift       inputs of the newest month against the months that its network learnt from
watch       rank IC, missing inputs and signs of effects, month by month
checks      every limit, whether it is breached, and what to do then
plots       the figures of the monitor
page        the monitor as one page
comparison  the challenger against the champion over the last months that both have
"""
