"""Raw characteristics, before standardisation: for drift, which ranks within a month hide."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.errors import ArtifactError
from konkyo.features import characteristics
from konkyo.features.grid import Grid

# Every rolling characteristic is computed from these.
_BASE = ("return", "size")


def raw_values(stocks: pd.DataFrame, index: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the raw characteristics of the panel's rows.

    Parameters
    ----------
    stocks : pandas.DataFrame
        The records from which the panel was built.
    index : pandas.DataFrame
        month and stock of the panel's rows.
    names : sequence of str
        Characteristics, as in params.yaml.

    Returns
    -------
    pandas.DataFrame
        [rows, names] float64 in the order of `index`, point in time at the row's month end; NaN
        where missing.

    Raises
    ------
    ArtifactError
        A row of the panel has no record.
    """
    grid = Grid.of(stocks)
    row = dates.ordinal(index["month"]) - int(dates.ordinal(grid.month[:1])[0])
    column = grid.column_of(index["stock"], row)
    recorded = column >= 0
    if not recorded.all():
        first = index.iloc[int(np.argmin(recorded))]
        raise ArtifactError(
            f"the panel has stock {first['stock']} in {dates.label(first['month'])}, but the "
            f"records do not ({int((~recorded).sum())} of {len(index)} rows): run "
            "`dvc repro prepare`"
        )
    columns = [name for name in stocks.columns if name in _BASE or name in names]
    grids = {name: grid.to_grid(stocks[name]) for name in columns}
    return characteristics.table(names, grids, row, column)
