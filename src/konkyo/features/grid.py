"""Records as dense [months, stocks] grids, on which characteristics are rolling sums."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo import dates


@dataclass(frozen=True)
class Grid:
    """Row and column of each record in a [months, stocks] grid.

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
        """Return the grid of a stocks table: its months without gaps, and its stocks."""
        ordinals = dates.ordinal(stocks["month"])
        first, last = int(ordinals.min()), int(ordinals.max())
        column, codes = pd.factorize(stocks["stock"], sort=True)
        month = dates.month_end(np.arange(first, last + 1))
        return cls(month, np.asarray(codes, dtype=object), ordinals - first, column)

    def to_grid(self, values: pd.Series) -> np.ndarray:
        """Return one column of the records as a grid, float64, NaN where there is no record."""
        grid = np.full((len(self.month), len(self.stock)), np.nan)
        grid[self.row, self.column] = values.to_numpy(dtype=np.float64)
        return grid

    def present(self) -> np.ndarray:
        """Return whether there is a record, [months, stocks] bool."""
        grid = np.zeros((len(self.month), len(self.stock)), dtype=bool)
        grid[self.row, self.column] = True
        return grid
