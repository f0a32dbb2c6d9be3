"""Features of market series, equal for all stocks of a month (the paper's figure 14)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.errors import RecordsError

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
    RecordsError
        A transform is undefined in a month, or its absolute value exceeds `LARGEST`.
    """
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
            bad = np.flatnonzero(~(np.abs(value) <= LARGEST))
            if len(bad):
                first = value[bad[0]]
                raise RecordsError(
                    f"market series {name}: the {transform} is "
                    f"{'missing' if np.isnan(first) else f'{first:g}'} in "
                    f"{dates.label(month[bad[0]])} ({len(bad)} months of the panel), and at most "
                    f"{LARGEST:g} in size is needed: add or correct the values, start later "
                    f"(prepare.first_month) or remove {name}: {transform} from prepare.market"
                )
            columns[column_name(name, transform)] = value
    return pd.DataFrame(columns, index=month)


def column_name(series: str, transform: str) -> str:
    """Return a market feature's name: the series, and its transform unless it is the level."""
    return series if transform == "level" else f"{series}_{transform}"
