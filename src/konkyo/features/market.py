"""Features of market series, equal for all stocks of a month (the paper's figure 14)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.errors import ParamsError, RecordsError

LARGEST = 1e37
"""Largest absolute value; float32, the dtype of the panel, ends at 3e38."""


def features(
    market: pd.DataFrame, transforms: Mapping[str, Sequence[str]], month: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return the transformed series of the panel's months.

    Parameters
    ----------
    market : pandas.DataFrame
        month and one column a series in any unit, point in time at the end of the month.
    transforms : mapping of str to sequence of str
        Series and their transforms: level, x(t); change, x(t) / x(t-1) - 1; difference,
        x(t) - x(t-1). Where there is a series `<name>_before`, it is x(t-1) in the vintage of t.
    month : pandas.DatetimeIndex
        The panel's months.

    Returns
    -------
    pandas.DataFrame
        [months, features], named by series and transform; not standardised, since each network
        scales them by its training window.

    Raises
    ------
    ParamsError
        A series is not in the records.
    RecordsError
        A transform is undefined in a month, or its absolute value exceeds `LARGEST`.
    """
    unknown = sorted(set(transforms) - set(market.columns))
    if unknown:
        available = ", ".join(c for c in market.columns if c != "month")
        raise ParamsError(
            f"prepare.market has {', '.join(unknown)}, but the records' market series are "
            f"{available}: correct the name or remove it"
        )
    series = market.set_index(dates.ordinal(market["month"])).sort_index()
    ordinals = dates.ordinal(month)
    columns = {}
    for name, kinds in transforms.items():
        level = series[name].reindex(ordinals).to_numpy(dtype=np.float64)
        before = series[name].reindex(ordinals - 1).to_numpy(dtype=np.float64)
        if f"{name}_before" in series:
            # Of a revised series the level of the month before is of an older vintage.
            before = series[f"{name}_before"].reindex(ordinals).to_numpy(dtype=np.float64)
        for transform in kinds:
            with np.errstate(divide="ignore", invalid="ignore"):
                value = {
                    "level": level,
                    "change": level / before - 1,
                    "difference": level - before,
                }[transform]
            undefined = np.flatnonzero(~np.isfinite(value))
            if len(undefined):
                raise RecordsError(
                    f"market series {name}: no {transform} in {len(undefined)} months of the "
                    f"panel, first {dates.label(month[undefined[0]])}: add the missing values, "
                    "start later (prepare.first_month) or remove "
                    f"{name}: {transform} from prepare.market"
                )
            too_large = np.flatnonzero(np.abs(value) > LARGEST)
            if len(too_large):
                raise RecordsError(
                    f"market series {name}: the {transform} is {value[too_large[0]]:g} in "
                    f"{dates.label(month[too_large[0]])} ({len(too_large)} months of the panel), "
                    f"and {LARGEST:g} is the most in size: correct these values, supply the series "
                    f"in a larger unit, or remove {name}: {transform} from prepare.market"
                )
            columns[column_name(name, transform)] = value
    return pd.DataFrame(columns, index=month)


def column_name(series: str, transform: str) -> str:
    """Return a market feature's name: the series, and its transform unless it is the level."""
    return series if transform == "level" else f"{series}_{transform}"
