"""Months: period ends in frames, YYYY-MM in names, integers in arithmetic."""

import numpy as np
import pandas as pd


def ordinal(months: "pd.Series | pd.DatetimeIndex") -> np.ndarray:
    """Return months as integers, 1970-01 being 0, shape [n], int64: the next month is one more."""
    return np.asarray(months, dtype="datetime64[M]").astype("int64")


def month_end(ordinals: "np.ndarray | int") -> pd.DatetimeIndex:
    """Return the period ends of such integers, the inverse of `ordinal`."""
    starts = np.atleast_1d(np.asarray(ordinals, dtype="int64")).astype("datetime64[M]")
    return pd.DatetimeIndex(starts.astype("datetime64[s]")) + pd.offsets.MonthEnd(0)


def label(month: pd.Timestamp) -> str:
    """Return a month as YYYY-MM."""
    return f"{month:%Y-%m}"


def parse(name: str) -> pd.Timestamp:
    """Return the period end of a month YYYY-MM."""
    return month_end(np.datetime64(name, "M").astype("int64"))[0]
