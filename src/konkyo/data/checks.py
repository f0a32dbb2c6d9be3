"""The rules of one value and of one row, as pandera checks: what breaks them, and the remedy.

Every rule passes over the values that another rule reports, so that one mistake is one line. A
check's `name` is the rule's, its `error` is what a violation says was found, its `title` is the
rule as the documentation says it and its `description` is the remedy. `statistics` names the
columns of a check that looks at more than one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

LEAVE_EMPTY = "correct them, or leave them empty to say that they are missing"
FILL_IN = "fill them in, or remove these rows"


def finite() -> pa.Check:
    """Return the rule that every number is finite."""
    return _check(
        lambda values: ~np.isinf(values),
        name="finite",
        error="infinite",
        title="finite",
        description=LEAVE_EMPTY,
    )


def at_least(limit: float, unit: str = "") -> pa.Check:
    """Return the rule that no number is below a limit."""
    said = f" (the unit is {unit})" if unit else ""
    return _check(
        lambda values: (values >= limit) | np.isinf(values),
        name="at least",
        error=f"below {limit:g}{said}",
        title=f"at least {limit:g}",
        description=LEAVE_EMPTY,
    )


def above(limit: float) -> pa.Check:
    """Return the rule that every number is above a limit."""
    return _check(
        lambda values: (values > limit) | np.isinf(values),
        name="above",
        error=f"not above {limit:g}",
        title=f"above {limit:g}",
        description=LEAVE_EMPTY,
    )


def at_most(limit: float) -> pa.Check:
    """Return the rule that no number is above what any market has seen, which sums rely on."""
    return _check(
        lambda values: (values <= limit) | np.isinf(values),
        name="at most",
        error=f"above {limit:g}",
        title=f"at most {limit:g}",
        description=LEAVE_EMPTY,
    )


def one_of(allowed: Sequence[float]) -> pa.Check:
    """Return the rule that every number is one of a few."""
    named = " or ".join(f"{value:g}" for value in allowed)
    return _check(
        lambda values: values.isin(allowed) | np.isinf(values),
        name="one of",
        error=f"not {named}",
        title=named,
        description=f"write {named}",
    )


def unique(keys: Sequence[str]) -> pa.Check:
    """Return the rule that no two rows have the same keys; the second and later ones break it."""
    named = " and ".join(keys)
    return _of_rows(
        lambda frame: ~_repeated(frame, keys),
        keys,
        name="unique",
        error="repeated",
        title=f"one row a {named}",
        description=f"keep one row a {named}",
    )


def either(one: str, other: str) -> pa.Check:
    """Return the rule that a row has at least one of two values."""
    return _of_rows(
        lambda frame: _column(frame, one).notna() | _column(frame, other).notna(),
        (one, other),
        name="either",
        error=f"neither {one} nor {other}",
        title=f"{one}, {other} or both in every row",
        description=f"fill in {one} or {other}, or remove these rows",
    )


def not_before(later: str, earlier: str, free: str = "") -> pa.Check:
    """Return the rule that of two dates of a row, where both are there, one is not the earlier.

    Rows whose only numbers are in columns that end in `free` need not keep it.
    """
    unless = f", but for rows that hold `{free}` columns alone" if free else ""
    return _of_rows(
        lambda frame: (
            ~(_column(frame, later) < _column(frame, earlier))
            | (_only(frame, free) if free else False)
        ),
        (later, earlier),
        name="order",
        error=f"{later} before {earlier}",
        title=f"{later} not before {earlier}{unless}",
        description=f"correct the dates, or leave {later} empty where it is not known",
    )


def codes_of(values: pd.Series) -> np.ndarray:
    """Return each value's place among the sorted distinct ones, -1 where missing, shape [rows]."""
    return pd.factorize(values, sort=True)[0].astype("int64")


def _of_rows(
    test: Callable[[pd.DataFrame], pd.Series],
    columns: Sequence[str],
    name: str,
    error: str,
    title: str,
    description: str,
) -> pa.Check:
    return _check(
        test,
        name=name,
        error=error,
        title=title,
        description=description,
        statistics={"columns": list(columns)},
        ignore_na=False,
    )


def _check(test: Callable[[Any], pd.Series], **said: Any) -> pa.Check:
    # pandera writes out every failing value, most of the time where a whole column is wrong;
    # the rows are read from the check's output.
    return pa.Check(test, n_failure_cases=1, **said)


def _repeated(frame: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
    if any(key not in frame for key in keys):
        return pd.Series(False, index=frame.index)
    known = frame[list(keys)].notna().all(axis=1)
    codes = pd.DataFrame({key: pd.factorize(frame[key])[0] for key in keys}, index=frame.index)
    return codes.duplicated(keep="first") & known


def _only(frame: pd.DataFrame, ending: str) -> pd.Series:
    """Return which rows have numbers and all of them in columns of this ending."""
    numbers = frame.select_dtypes("number").drop(columns="months", errors="ignore").notna()
    wanted = [name for name in numbers if str(name).endswith(ending)]
    return numbers[wanted].any(axis=1) & ~numbers.drop(columns=wanted).any(axis=1)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame:
        return frame[name]
    return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")
