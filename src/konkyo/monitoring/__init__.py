"""The month-end routine: the deliverable, and the checks of whether it is reliable.

ranking     the ranking of a month with its attributions, one row a stock
workbook    the ranking as an Excel workbook
drift       PSI and z-scores of the newest inputs against their training window
signals     rank IC, missing inputs and sign flips of effects, month by month
checks      limits, breaches and remedies
page        the monitor as an HTML page
comparison  challenger against champion over their common months
"""

from konkyo.errors import require_extra

require_extra("pipeline")
