"""Look-ahead audit: the pipeline on records whose future was changed, compared up to t bit by bit.

perturb         changes of a table after month t: values, rows, stocks, sectors, order
record_sources  where the records come from, unchanged and perturbed: the user's own files are
                written for the source to read again
pipeline        prepare, train, attribute and backtest in memory, for one decision month
compare         two results up to month t: which columns moved, and since when
run             all decision months against all perturbations
"""
