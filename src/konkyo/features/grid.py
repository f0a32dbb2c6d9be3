"""Records as dense grids, months by stocks, on which every characteristic is a rolling sum."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo import dates


@dataclass(frozen=True)
class Grid:
    """Where each record stands in a [months, stocks] grid.

    Attributes
    ----------
    month : pandas.DatetimeIndex
        Period ends, one a row of the grid, without gaps.
    stock : numpy.ndarray
        Codes, sorted, one a column.
    row, column : numpy.ndarray
        Position of each record, in the records' order.
    """

    month: pd.DatetimeIndex
    stock: np.ndarray
    row: np.ndarray
    column: np.ndarray

    @classmethod
    def of(cls, stocks: pd.DataFrame) -> "Grid":
        """Lay out the records of a stocks table."""
        ordinals = dates.ordinal(stocks["month"])
        first, last = int(ordinals.min()), int(ordinals.max())
        column, codes = pd.factorize(stocks["stock"], sort=True)
        month = dates.month_end(np.arange(first, last + 1))
        return cls(month, np.asarray(codes, dtype=object), ordinals - first, column)

    def spread(self, values: pd.Series) -> np.ndarray:
        """Return one column of the records as a grid, float64, NaN where there is no record."""
        grid = np.full((len(self.month), len(self.stock)), np.nan)
        grid[self.row, self.column] = values.to_numpy(dtype=np.float64)
        return grid

    def present(self) -> np.ndarray:
        """Return where there is a record, [months, stocks] bool."""
        grid = np.zeros((len(self.month), len(self.stock)), dtype=bool)
        grid[self.row, self.column] = True
        return grid
