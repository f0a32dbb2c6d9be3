"""Does anything look ahead? The pipeline run in worlds that differ only after a decision month.

worlds    what is changed in a table after a month: values, rows, stocks, sectors, order
tables    the user's own tables in such a world, written for the source to read again
origins   where records come from, and the same records in another world
passage   records through panel, network, grounds and portfolios of one decision month
rounds    every decision month against every other world
compare   two worlds up to that month, bit by bit: what moved, where, and since when
"""
