"""The look-ahead audit of a function of a frame: its future is changed, its past compared."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.errors import KonkyoError, ParamsError
from konkyo.features.store import Panel
from konkyo.leakage import compare
from konkyo.leakage.compare import Finding
from konkyo.leakage.perturb import (
    PERTURBATIONS,
    Perturbation,
    Role,
    Table,
    perturb_table,
    redraw_numbers,
)
from konkyo.library import checks
from konkyo.library.frames import to_kind, to_pandas

_KEYS = ["month", "stock"]


def check_lookahead(
    frame: Any,
    build: Callable[[Any], Any],
    *,
    month: str = "month",
    stock: str = "stock",
    label: str | None = "forward_return",
    market: Sequence[str] = (),
    decisions: int = 3,
    seed: int = 1,
) -> Any:
    """Return which columns of what a function builds depend on what was not known yet.

    The rows after several months t are cut off, redrawn, made extreme, removed, joined by new
    stocks and shuffled, and the function is called on each such frame. What it returns up to t must
    have the same bits.

    Parameters
    ----------
    frame : frame
        One row a month and stock, known at the end of the month, of numbers and text. It is left
        unchanged.
    build : callable
        Takes a frame of the caller's kind, its months as period ends, and returns a frame with the
        same columns of month and stock and any others, or a Panel. Networks that are trained
        together in other numbers may differ in a weight's last bits: audit them by `konkyo audit`.
    month, stock : str
        Columns of the frame.
    label : str, optional
        Column of the return earned in t+1, in the row of t: it is changed from t on, and compared
        up to t-1. Ignored where the frame has none.
    market : sequence of str
        Columns that are equal for all stocks of a month, and stay so.
    decisions : int
        Number of months t, spread evenly over the frame.
    seed : int
        Of the changes.

    Returns
    -------
    frame
        One row a column: feature, first_month (of a value that moved), moved, compared, example,
        decision_month (t), perturbation. No look-ahead was found where every `moved` is 0.

    Raises
    ------
    RecordsError
        The frame breaks a rule.
    ParamsError
        There are too few months for so many decisions.
    KonkyoError
        `build` returns no frame with these columns, or fails on the frame itself.

    Examples
    --------
    >>> import konkyo
    >>> frame = konkyo.simulate_market(stocks=40, last="2003-06").frame
    >>> def leaky(frame):
    ...     mean = frame["sales_growth"].mean()
    ...     return frame[["month", "stock"]].assign(demeaned=frame["sales_growth"] - mean)
    >>> table = konkyo.check_lookahead(frame[["month", "stock", "sales_growth"]], leaky)
    >>> table.set_index("feature")["moved"].gt(0).to_dict()
    {'rows': False, 'demeaned': True}
    """
    table, kind = to_pandas(frame)
    market = checks.names(market)
    label = label if label in table else None
    keys = {"month": month, "stock": stock}
    others = [str(name) for name in table if name not in (month, stock, label, *market)]
    texts = [name for name in others if not pd.api.types.is_numeric_dtype(table[name])]
    columns = checks.Columns(
        month=month,
        stock=stock,
        label=label,
        texts=tuple(texts),
        features=tuple(name for name in others if name not in texts),
        market=market,
        results=True,
    )
    rows = checks.rows(table, columns).rename(columns={month: "month", stock: "stock"})
    original = Table(rows, dates.ordinal(rows["month"]), roles=_roles(rows, texts, label))

    def built(part: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        return _columns_of(build(to_kind(part.rename(columns=keys), kind)), keys, label)

    months = np.unique(original.available)
    if not 0 < decisions < len(months):
        raise ParamsError(
            f"decisions = {decisions}: set it to 1 up to {len(months) - 1}, one less than the "
            "frame's months"
        )
    before, late = built(rows)
    findings: list[Finding] = []
    for t in months[np.linspace(len(months) - 1, 0, decisions + 1).round().astype(int)[:-1]]:
        for number, perturbation in enumerate(PERTURBATIONS):
            rng = np.random.default_rng([seed, int(t), number])
            part = _perturbed(original, int(t), perturbation, rng, label=label, market=market)
            findings += [
                replace(one, decision_month=compare.month_label(t), perturbation=perturbation.name)
                for one in _compared(before, built, part, late, int(t))
            ]
    return to_kind(compare.table(findings).drop(columns="stage"), kind)


def _roles(rows: pd.DataFrame, texts: list[str], label: str | None) -> dict[str, Role]:
    """Return what kind of values each column may be redrawn as."""
    numbers = rows.drop(columns=[*_KEYS, *texts])
    roles: dict[str, Role] = {
        str(name): "positive" if (values.dropna() > 0).all() else "number"
        for name, values in numbers.items()
    }
    roles |= {name: "sector" for name in texts}
    return roles if label is None else {**roles, label: "return"}


def _perturbed(
    table: Table,
    t: int,
    perturbation: Perturbation,
    rng: np.random.Generator,
    *,
    label: str | None,
    market: Sequence[str],
) -> pd.DataFrame:
    """Return the rows perturbed after t; labels from t on, market series equal within a month."""
    rows, _ = perturb_table(table, t, perturbation, rng=rng)
    if label is not None:
        newest = (dates.ordinal(rows["month"]) == t) & rows[label].notna().to_numpy()
        drawn = redraw_numbers(
            rows.loc[newest, label].to_numpy(), "return", table, perturbation, rng
        )
        rows.loc[newest, label] = drawn if perturbation.months else np.nan
    for name in market:
        rows[name] = rows.groupby("month")[name].transform("first")
    return rows


def _columns_of(
    result: Any, keys: dict[str, str], label: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return what was built as a frame, and its columns that are known in t+1."""
    if isinstance(result, Panel):
        features = pd.DataFrame(result.features, columns=result.names)
        return pd.concat([result.index, features], axis=1), ["ret", "label"]
    frame, _ = to_pandas(result)
    lacking = [name for name in keys.values() if name not in frame]
    if lacking:
        raise KonkyoError(
            f"build returns no column {lacking[0]!r}: let it keep {' and '.join(keys.values())}"
        )
    frame = frame.rename(columns={name: key for key, name in keys.items()})
    return frame, [label] if label is not None and label in frame else []


def _compared(
    before: pd.DataFrame,
    built: Callable[[pd.DataFrame], tuple[pd.DataFrame, list[str]]],
    part: pd.DataFrame,
    late: list[str],
    t: int,
) -> list[Finding]:
    """Return the findings of one perturbed frame."""
    try:
        after, _ = built(part)
    except Exception as error:
        # What fails on the perturbed frame alone depends on the future.
        example = f"{type(error).__name__}: {error}"
        return [Finding("prepare", "the call", 1, 1, compare.month_label(t), example)]
    earned = [*_KEYS, *late]
    return [
        *compare.tables(
            before.drop(columns=late), after.drop(columns=late, errors="ignore"), "prepare", _KEYS,
            t, rows="rows",
        ),
        *compare.tables(before[earned], after[earned], "prepare", _KEYS, t - 1),
    ]  # fmt: skip
