"""Market series, equal for all stocks of a month: level, change and difference (figure 14)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.errors import ParamsError, RecordsError

LARGEST = 1e37
"""Beyond it float32, which the panel is in, ends; no series is as large in any unit."""


def features(
    market: pd.DataFrame, chosen: Mapping[str, Sequence[str]], month: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return the transformed series of the panel's months.

    Parameters
    ----------
    market : pandas.DataFrame
        month and one column a series, known at the end of the month, in its own unit.
    chosen : mapping of str to sequence of str
        Series and their transforms: level; change, x(t) / x(t-1) - 1; difference, x(t) - x(t-1).
    month : pandas.DatetimeIndex
        The panel's months.

    Returns
    -------
    pandas.DataFrame
        [months, features], named by series and transform; unscaled.

    Raises
    ------
    ParamsError
        A series is not in the records.
    RecordsError
        A series has no value in a month that needs it, or one beyond `LARGEST`.
    """
    absent = sorted(set(chosen) - set(market.columns))
    if absent:
        there = ", ".join(c for c in market.columns if c != "month")
        raise ParamsError(
            f"prepare.market has {', '.join(absent)}, but the records' market series are {there}: "
            "correct the name or take it out"
        )
    series = market.set_index(dates.ordinal(market["month"])).sort_index()
    at = dates.ordinal(month)
    made = {}
    for name, transforms in chosen.items():
        level = series[name].reindex(at).to_numpy(dtype=np.float64)
        before = series[name].reindex(at - 1).to_numpy(dtype=np.float64)
        for transform in transforms:
            with np.errstate(divide="ignore", invalid="ignore"):
                value = {
                    "level": level,
                    "change": level / before - 1,
                    "difference": level - before,
                }[transform]
            wrong = np.flatnonzero(~np.isfinite(value))
            if len(wrong):
                raise RecordsError(
                    f"market series {name}: no {transform} in {len(wrong)} months of the panel, "
                    f"first {dates.label(month[wrong[0]])}: bring the missing values, start later "
                    f"(prepare.first_month) or take {name}: {transform} out of prepare.market"
                )
            beyond = np.flatnonzero(np.abs(value) > LARGEST)
            if len(beyond):
                raise RecordsError(
                    f"market series {name}: the {transform} is {value[beyond[0]]:g} in "
                    f"{dates.label(month[beyond[0]])} ({len(beyond)} months of the panel), and "
                    f"{LARGEST:g} is the most in size: correct these values, bring the series in "
                    f"a larger unit, or take {name}: {transform} out of prepare.market"
                )
            made[column_name(name, transform)] = value
    return pd.DataFrame(made, index=month)


def column_name(series: str, transform: str) -> str:
    """Return a market feature's name: the series, and its transform unless it is the level."""
    return series if transform == "level" else f"{series}_{transform}"
