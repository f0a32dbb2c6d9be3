"""When a label is earned, and the rolling training windows that follow from it, no look-ahead.

A decision at the end of month t earns the return of month t + 1 + skip_months, where skip_months
is 0 unless a gap is left between what is known and what is earned (`prepare.skip_months`). The
label of a row is that return, so a window for decision month t ends with the row of t - 1 -
skip_months, whose label is realised exactly at t, when the network scores the rows of t. Without a
gap and with 36 months these are the rows of t-36 .. t-1.

Only this module knows the gap: whoever needs the month in which something is earned, or the rows
whose labels are realised, asks here.
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
        First and last month of the training rows, t-36 and t-1 for a window of 36 months without a
        gap, t-37 and t-2 with a gap of one month.
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

    def training_months(self, window: Window) -> slice:
        """Return the positions of a window's training months."""
        return slice(self.names.index(window.first_train), self.names.index(window.last_train) + 1)


def lead(skip_months: int) -> int:
    """Return the number of months from a decision to the month in which it earns its return."""
    return 1 + skip_months


def earned_in(month: "pd.Series | pd.DatetimeIndex", skip_months: int) -> pd.DatetimeIndex:
    """Return the month ends of the months in which decisions earn their returns."""
    return dates.month_end(dates.ordinal(month) + lead(skip_months))


def returns_ahead(returns: np.ndarray, skip_months: int) -> np.ndarray:
    """Return in the row of t what a decision at the end of t earns.

    Parameters
    ----------
    returns : numpy.ndarray
        [months, stocks], fractions earned in each month, consecutive months.
    skip_months : int
        Months left out between the decision and the month earned.

    Returns
    -------
    numpy.ndarray
        The same shape; NaN in the last 1 + skip_months rows, which are not realised.
    """
    ahead = np.full_like(returns, np.nan)
    ahead[: -lead(skip_months)] = returns[lead(skip_months) :]
    return ahead


def rolling(blocks: MonthSlices, length: int, skip_months: int = 0) -> list[Window]:
    """Return one window a decision month that has `length` months of realised labels behind it.

    Parameters
    ----------
    blocks : MonthSlices
        The panel's months.
    length : int
        Training months a window.
    skip_months : int
        Months left out between a decision and the month that it earns.

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
    needed = length + lead(skip_months)
    if count < needed:
        gap = f" and prepare.skip_months = {skip_months}" if skip_months else ""
        longest = count - lead(skip_months)
        shorter = f"set train.window_months to at most {longest} or " if longest > 0 else ""
        raise ArtifactError(
            f"a window of {length} months{gap} needs {needed} months of panel, but there are "
            f"{count} ({blocks.names[0]} to {blocks.names[-1]}): {shorter}add more months"
        )
    offsets = blocks.offsets
    return [
        Window(
            month=blocks.names[t],
            first_train=blocks.names[t - lead(skip_months) - length + 1],
            last_train=blocks.names[t - lead(skip_months)],
            start=int(offsets[t - lead(skip_months) - length + 1]),
            stop=int(offsets[t - skip_months]),
            test_start=int(offsets[t]),
            test_stop=int(offsets[t + 1]),
        )
        for t in range(needed - 1, count)
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
