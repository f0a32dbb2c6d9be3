"""Rolling training windows as row ranges of the panel, without look-ahead.

A window for decision month t trains on the rows of t-36 .. t-1. The label of a row at s is the
return from s to s+1, so the last label of the window is realised exactly at t, when the network
scores the rows of t.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.errors import ArtifactError


@dataclass(frozen=True)
class Window:
    """One decision month and its training rows.

    Attributes
    ----------
    month : str
        Decision month t, YYYY-MM: the rows scored, out of sample.
    first_train, last_train : str
        First and last month of the training rows, t-36 and t-1 for a window of 36 months.
    start, stop : int
        Training rows [start, stop) of the panel.
    test_start, test_stop : int
        Rows [test_start, test_stop) of month t.
    """

    month: str
    first_train: str
    last_train: str
    start: int
    stop: int
    test_start: int
    test_stop: int

    @property
    def last_label(self) -> str:
        """The month in which the last training label was realised: the decision month itself."""
        return self.month


@dataclass(frozen=True)
class MonthSlices:
    """The panel's months, in order, and the row slice of each.

    Attributes
    ----------
    names : tuple of str
        Months, YYYY-MM, without gaps.
    offsets : numpy.ndarray
        Shape [months + 1]: rows of month i are offsets[i] .. offsets[i + 1].
    """

    names: tuple[str, ...]
    offsets: np.ndarray

    @classmethod
    def of(cls, month: pd.Series) -> "MonthSlices":
        """Return the slices of a month column in panel order.

        Raises
        ------
        ArtifactError
            The column is empty, not sorted, or leaves a month out.
        """
        ordinals = dates.ordinal(month)
        if len(ordinals) == 0:
            raise ArtifactError("the panel has no rows: run `dvc repro prepare` on records")
        steps = np.diff(ordinals)
        breaks = np.flatnonzero((steps < 0) | (steps > 1))
        if len(breaks):
            before, after = month.iloc[breaks[0]], month.iloc[breaks[0] + 1]
            raise ArtifactError(
                f"the panel's months must follow one another, but row {breaks[0]} is of "
                f"{dates.label(before)} and the next of {dates.label(after)}: "
                "run `dvc repro prepare` on records without gaps"
            )
        starts = np.concatenate([[0], np.flatnonzero(steps) + 1])
        names = tuple(dates.label(m) for m in month.iloc[starts])
        return cls(names, np.append(starts, len(ordinals)))

    def rows(self, position: int) -> slice:
        """Return the rows of the month at a position."""
        return slice(int(self.offsets[position]), int(self.offsets[position + 1]))


def rolling(blocks: MonthSlices, length: int) -> list[Window]:
    """Return one window a decision month that has `length` months of rows before it.

    Parameters
    ----------
    blocks : MonthSlices
        The panel's months.
    length : int
        Training months a window.

    Returns
    -------
    list of Window
        In the order of their decision months.

    Raises
    ------
    ArtifactError
        The panel is too short for a single window.
    """
    count = len(blocks.names)
    if count <= length:
        shorter = f"set train.window_months to less than {count} or " if count > 1 else ""
        raise ArtifactError(
            f"a window of {length} months needs {length + 1} months of panel, but there are "
            f"{count} ({blocks.names[0]} to {blocks.names[-1]}): {shorter}add more months"
        )
    offsets = blocks.offsets
    return [
        Window(
            month=blocks.names[t],
            first_train=blocks.names[t - length],
            last_train=blocks.names[t - 1],
            start=int(offsets[t - length]),
            stop=int(offsets[t]),
            test_start=int(offsets[t]),
            test_stop=int(offsets[t + 1]),
        )
        for t in range(length, count)
    ]


def table(windows: Sequence[Window]) -> pd.DataFrame:
    """Return the windows as a table: decision month, training months, last label's month, rows."""
    return pd.DataFrame(
        {
            "month": [w.month for w in windows],
            "first_train": [w.first_train for w in windows],
            "last_train": [w.last_train for w in windows],
            "last_label": [w.last_label for w in windows],
            "train_rows": [w.stop - w.start for w in windows],
            "test_rows": [w.test_stop - w.test_start for w in windows],
        }
    )
