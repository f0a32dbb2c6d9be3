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
        Codes, sorted, one a column; the same twice where it passed to another firm.
    row, column : numpy.ndarray
        Position of each record, in the records' order.
    """

    month: pd.DatetimeIndex
    stock: np.ndarray
    row: np.ndarray
    column: np.ndarray

    @classmethod
    def of(cls, stocks: pd.DataFrame) -> "Grid":
        """Return the grid of a stocks table: its months without gaps, and its stocks.

        Where the table has a column `spell`, each of the firms that have had a code is a column of
        its own, so that no window of months reaches from one firm to the next.
        """
        ordinals = dates.ordinal(stocks["month"])
        first, last = int(ordinals.min()), int(ordinals.max())
        column, codes = pd.factorize(stocks["stock"], sort=True)
        month = dates.month_end(np.arange(first, last + 1))
        codes = np.asarray(codes, dtype=object)
        if "spell" in stocks:
            spell = stocks["spell"].fillna(0).to_numpy().astype("int64")
            firms, column = np.unique(np.column_stack([column, spell]), axis=0, return_inverse=True)
            codes, column = codes[firms[:, 0]], column.ravel()
        return cls(month, codes, ordinals - first, column)

    def to_grid(self, values: pd.Series) -> np.ndarray:
        """Return one column of the records as a grid, float64, NaN where there is no record."""
        grid = np.full((len(self.month), len(self.stock)), np.nan)
        grid[self.row, self.column] = values.to_numpy(dtype=np.float64)
        return grid

    def numbers(self, stocks: pd.DataFrame) -> dict[str, np.ndarray]:
        """Return every column of numbers but `spell` as a grid."""
        keys = ("month", "stock", "sector", "spell")
        return {name: self.to_grid(stocks[name]) for name in stocks if name not in keys}

    def column_of(self, stock: pd.Series, row: np.ndarray) -> np.ndarray:
        """Return the columns of stocks in rows of the grid; -1 where there is no record.

        Parameters
        ----------
        stock : Series, shape [n]
            Codes.
        row : ndarray of int, shape [n]
            Rows of the grid, or numbers outside of it.
        """
        code, codes = pd.factorize(self.stock)
        columns = np.full((len(self.month), len(codes)), -1)
        columns[self.row, code[self.column]] = self.column
        place = pd.Index(codes).get_indexer(pd.Index(stock.astype(object)))
        inside = (row >= 0) & (row < len(self.month)) & (place >= 0)
        result = np.full(len(row), -1)
        result[inside] = columns[row[inside], place[inside]]
        return result
