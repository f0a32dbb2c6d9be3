"""Which inputs the records can give: `characteristics: available`, and what a list asks in vain."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.config import Prepare
from konkyo.errors import ParamsError
from konkyo.features.characteristics import ROLLING

STANDARD = (
    *("return_1", "return_3", "return_6", "return_12", "return_36"),
    *("beta_36", "volatility_12", "maximum_12"),
)
"""Characteristics of returns that `available` takes where the records reach back far enough."""
NO_CHARACTERISTICS = frozenset(
    {
        *("month", "stock", "sector", "return", "eligible", "spell", "days"),
        *("close", "close_adjusted", "shares", "volume", "dollar_volume"),
    }
)
"""Columns of the records that `available` leaves out: keys, and amounts that follow a split or the
currency. An explicit list may name those that are numbers."""


def resolve(params: Prepare, stocks: pd.DataFrame) -> tuple[str, ...]:
    """Return the characteristics of the panel.

    Parameters
    ----------
    params : Prepare
        The prepare section of params.yaml.
    stocks : pandas.DataFrame
        The records.

    Returns
    -------
    tuple of str
        The list of params.yaml. For `available` those of `STANDARD` whose months the records have
        at the first decision month, then the columns of the records that have a value by then,
        `size` first; nothing later is looked at.
    """
    if params.characteristics != "available":
        return params.characteristics
    early = stocks[stocks["month"] <= dates.parse(params.first_month)]
    months = int(np.ptp(dates.ordinal(early["month"]))) + 1 if len(early) else 0
    # The first month of most records has no return.
    rolling = [name for name in STANDARD if int(name.rpartition("_")[2]) < max(months, 2)]
    columns = [
        name for name in stocks if name not in NO_CHARACTERISTICS and early[name].notna().any()
    ]
    return tuple([*rolling, *sorted(columns, key=lambda name: name != "size")])


def unmet(
    params: Prepare, stocks: pd.DataFrame, market: pd.DataFrame
) -> Iterator[tuple[str, str, str]]:
    """Yield what params.yaml asks of the records in vain: the key, what is wrong, the remedy.

    Parameters
    ----------
    params : Prepare
        The prepare section of params.yaml.
    stocks, market : pandas.DataFrame
        The records.
    """
    first, last = dates.label(stocks["month"].min()), dates.label(stocks["month"].max())
    if not first <= params.first_month <= last:
        yield (
            "prepare.first_month",
            f"{params.first_month} is outside the records, {first} to {last}",
            "set it within",
        )
    if params.characteristics != "available":
        columns = [
            name
            for name in stocks
            if name not in {"month", "stock", "sector", "return", "eligible", "spell"}
        ]
        lacking = [
            name
            for name in params.characteristics
            if not ROLLING.fullmatch(name) and name not in columns
        ]
        if lacking:
            yield (
                "prepare.characteristics",
                f"{', '.join(map(repr, lacking))}: neither a column of the records ("
                f"{', '.join(columns) or 'none'}) nor return_k, return_lag_k, beta_k, "
                "volatility_k or maximum_k of k months",
                "correct or remove them, or set prepare.characteristics to available",
            )
    unknown = [name for name in params.market if name not in market]
    if unknown:
        series = ", ".join(name for name in market if name != "month")
        yield (
            "prepare.market",
            f"{', '.join(unknown)}: the records' market series are {series or 'none'}",
            "correct or remove them" if series else "set it to {}",
        )


def require(params: Prepare, stocks: pd.DataFrame, market: pd.DataFrame) -> None:
    """Raise if the records lack a characteristic, a series or the month that params.yaml names.

    Raises
    ------
    ParamsError
        Names all of them, what the records have, and the remedy.
    """
    faults = [
        ": ".join([key, f"{what}; {remedy}"]) for key, what, remedy in unmet(params, stocks, market)
    ]
    if faults:
        raise ParamsError("\n".join(faults))
