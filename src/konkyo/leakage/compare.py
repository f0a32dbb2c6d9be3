"""Two worlds compared up to a decision month, bit by bit."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.features.store import Panel
from konkyo.leakage.pipeline import PipelineOutputs, Prepared

STAGES = ("ingest", "prepare", "train", "attribute", "backtest")
COLUMNS = (
    "stage", "feature", "first_month", "moved", "compared", "example", "decision_month", "world",
)  # fmt: skip


_STOCK = ("month", "stock")


@dataclass(frozen=True)
class Finding:
    """What became of one column of one stage.

    Attributes
    ----------
    stage, feature : str
        Where: the DVC stage and the feature, or what else the stage makes (`universe`, `label`).
    compared, moved : int
        Values, and how many of them are not the same bits.
    first_month : str
        The earliest month with a value that moved, YYYY-MM; empty where none did.
    example : str
        That value: stock, before and after.
    decision_month, world : str
        After which month the world differs, and how.
    """

    stage: str
    feature: str
    compared: int
    moved: int
    first_month: str = ""
    example: str = ""
    decision_month: str = ""
    world: str = ""


def records(before: Prepared, after: Prepared, t: int) -> Iterator[Finding]:
    """Compare the records up to month t (counted from 1970-01), stage ingest."""
    yield from tables("ingest", "rows", (before.stocks, after.stocks), _STOCK, t)
    for found in tables("ingest", "rows", (before.market, after.market), ("month",), t):
        yield replace(found, feature=f"market: {found.feature}")


def panels(before: Prepared, after: Prepared, t: int) -> Iterator[Finding]:
    """Compare the panels up to month t, and the labels realised by then, stage prepare."""
    worlds = (before.panel, after.panel)
    names = before.panel.names
    if names != after.panel.names:
        new = sorted(set(names) ^ set(after.panel.names)) or names
        yield Finding("prepare", "features", len(names), len(new), _name(t), ", ".join(new[:3]))
        return
    known, features, realised = (
        [made(panel) for panel in worlds]
        for made in (
            lambda panel: panel.index[["month", "stock", "sector", "size"]],
            lambda panel: _features(panel, t),
            lambda panel: panel.index[["month", "stock", "ret", "label"]],
        )
    )
    for found in tables("prepare", "universe", known, _STOCK, t):
        own = found.feature == "universe"
        yield found if own else replace(found, feature=f"index: {found.feature}")
    yield from _but_rows(tables("prepare", "rows", features, _STOCK, t))
    # The label of t is realised in t+1, which differs.
    yield from _but_rows(tables("prepare", "rows", realised, _STOCK, t - 1))
    counts = [
        one.missing[one.missing["feature"].isin([*names, "sector"])] for one in (before, after)
    ]
    for found in tables("prepare", "rows", counts, ("month", "feature"), t):
        if found.feature == "missing":
            yield replace(found, feature="counts of missing values")


def networks(before: PipelineOutputs, after: PipelineOutputs, t: int) -> Iterator[Finding]:
    """Compare scalers, keys, weights and baseline of the windows up to month t, stage train."""
    yield from _but_rows(tables("train", "rows", (_scale(before), _scale(after)), ("month",), t))
    same = before.key == after.key
    yield Finding("train", "key of the weights", 1, int(not same), "" if same else _name(t))
    for place, (one, other) in enumerate(zip(_layers(before), _layers(after), strict=True)):
        moved = _moved(one, other)
        month = _name(t) if moved.any() else ""
        yield Finding("train", f"weights of layer {place + 1}", len(one), int(moved.sum()), month)
    yield from _but_rows(tables("train", "rows", (before.ridge, after.ridge), _STOCK, t))


def explained(before: PipelineOutputs, after: PipelineOutputs, t: int) -> Iterator[Finding]:
    """Compare scores and relevances of month t, stage attribute."""
    yield from _but_rows(tables("attribute", "rows", (before.grounds, after.grounds), _STOCK, t))


def portfolios(before: PipelineOutputs, after: PipelineOutputs, t: int) -> Iterator[Finding]:
    """Compare the portfolios up to month t and what they earned by then, stage backtest."""
    ranked = [one.ranked.drop(columns=["ret", "score"]) for one in (before, after)]
    yield from _but_rows(tables("backtest", "rows", ranked, (*_STOCK, "model"), t))
    yield from _but_rows(
        tables("backtest", "rows", (before.returns, after.returns), ("month", "model"), t - 1)
    )


def tables(
    stage: str, rows: str, both: Sequence[pd.DataFrame], keys: Sequence[str], t: int
) -> Iterator[Finding]:
    """Compare two tables up to month t: their rows as `rows`, then each column of common rows.

    Parameters
    ----------
    stage, rows : str
        What findings are called.
    both : two DataFrames
        Before and after, each key once.
    keys : sequence of str
        The first is the month.
    t : int
        The last month that is compared, counted from 1970-01.
    """
    one, other = (
        table[dates.ordinal(table["month"]) <= t].reset_index(drop=True) for table in both
    )
    keys = list(keys)
    if len(one) != len(other) or any(_moved(one[k], other[k]).any() for k in keys):
        joined = one[keys].merge(other[keys], on=keys, how="outer", indicator="side")
        alone = joined[joined["side"] != "both"].sort_values(keys)
        first = alone.iloc[0] if len(alone) else None
        if first is not None:
            gone = "gone" if first["side"] == "left_only" else "new"
            yield Finding(
                stage, rows, len(one), len(alone), dates.label(first["month"]),
                f"{_who(first, keys)} is {gone}",
            )  # fmt: skip
        common = joined.loc[joined["side"] == "both", keys]
        one, other = (common.merge(table, on=keys, how="left") for table in (one, other))
    else:
        yield Finding(stage, rows, len(one), 0)
    for name in one.columns if len(one) else ():
        if name in keys:
            continue
        if name not in other:
            yield Finding(stage, str(name), len(one), len(one), _name(t), "the column is gone")
            continue
        moved = _moved(one[name], other[name])
        where = np.flatnonzero(moved)
        if not len(where):
            yield Finding(stage, str(name), len(one), 0)
            continue
        row = where[np.argmin(dates.ordinal(one["month"])[where])]
        yield Finding(
            stage, str(name), len(one), len(where), dates.label(one["month"].iloc[row]),
            f"{_who(one.iloc[row], keys)}: {one[name].iloc[row]} became {other[name].iloc[row]}",
        )  # fmt: skip
    for name in [str(name) for name in other if len(other) and name not in one]:
        yield Finding(stage, name, len(other), len(other), _name(t), "the column is new")


def table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return one row a stage and column over all worlds, in the order of the pipeline.

    The first month, the example and the world are those of the earliest value that moved.
    """
    rows: dict[tuple[str, str], Finding] = {}
    for found in findings:
        key = (found.stage, found.feature)
        if key not in rows:
            rows[key] = found
            continue
        kept = rows[key]
        shown = found
        if not found.moved or (kept.moved and kept.first_month <= found.first_month):
            shown = kept
        rows[key] = Finding(
            found.stage, found.feature, kept.compared + found.compared, kept.moved + found.moved,
            shown.first_month, shown.example, shown.decision_month, shown.world,
        )  # fmt: skip
    ordered = sorted(rows.values(), key=lambda found: STAGES.index(found.stage))
    frame = pd.DataFrame([asdict(found) for found in ordered], columns=list(COLUMNS))
    frame.loc[frame["moved"] == 0, ["decision_month", "world"]] = ""
    return frame


def _but_rows(found: Iterator[Finding]) -> Iterator[Finding]:
    """Leave out which rows there are, of which the universe decides."""
    return (one for one in found if one.feature != "rows")


def _features(panel: Panel, t: int) -> pd.DataFrame:
    """Return month, stock and the features up to month t."""
    rows = int((dates.ordinal(panel.index["month"]) <= t).sum())
    values = pd.DataFrame(panel.features[:rows], columns=panel.names)
    return pd.concat([panel.index[["month", "stock"]].iloc[:rows], values], axis=1)


def _scale(one: PipelineOutputs) -> pd.DataFrame:
    """Return the affine of the inputs by decision month, a column a number."""
    rows = []
    for month, (mean, deviation) in one.scale.items():
        row: dict[str, object] = {"month": dates.parse(month)}
        for place, name in enumerate(one.panel.names):
            if (mean[place], deviation[place]) != (0, 1):
                row |= {f"scaler: mean of {name}": mean[place]}
                row |= {f"scaler: deviation of {name}": deviation[place]}
        rows.append(row)
    return pd.DataFrame(rows)


def _layers(one: PipelineOutputs) -> list[np.ndarray]:
    """Return each layer's weights and biases, of all members of an ensemble."""
    found = []
    for place in range(len(one.weights[0].weights)):
        parts = [np.append(own.weights[place].ravel(), own.biases[place]) for own in one.weights]
        found.append(np.concatenate(parts))
    return found


def _moved(before: "pd.Series | np.ndarray", after: "pd.Series | np.ndarray") -> np.ndarray:
    """Return where two columns are not the same bits; two missing values are the same."""
    one, other = np.asarray(before), np.asarray(after)
    if one.shape != other.shape:
        return np.ones(one.shape, dtype=bool)
    if one.dtype.kind == "f" and one.dtype == other.dtype:
        bits = f"u{one.dtype.itemsize}"
        same = np.ascontiguousarray(one).view(bits) == np.ascontiguousarray(other).view(bits)
        return np.asarray(~same & ~(np.isnan(one) & np.isnan(other)))
    if one.dtype.kind == "O" or other.dtype.kind == "O":
        left, right = pd.Series(one, dtype=object), pd.Series(other, dtype=object)
        return ((left != right) & ~(left.isna() & right.isna())).fillna(True).to_numpy(dtype=bool)
    return np.asarray(one != other)


def _who(row: pd.Series, keys: Sequence[str]) -> str:
    return " ".join(str(row[key]) for key in keys if key != "month") or "the month"


def _name(t: int) -> str:
    return dates.label(dates.month_end(t)[0])
