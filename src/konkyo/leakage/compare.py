"""Original and perturbed results compared up to a decision month, bit by bit."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.features.store import Panel
from konkyo.leakage.pipeline import PipelineOutputs, PreparedRecords
from konkyo.windows import lead

STAGES = ("ingest", "prepare", "train", "attribute", "backtest")
COLUMNS = (
    "stage", "feature", "first_month", "moved", "compared", "example", "decision_month",
    "perturbation",
)  # fmt: skip


_STOCK = ("month", "stock")


@dataclass(frozen=True)
class Finding:
    """The comparison of one column of one stage.

    Attributes
    ----------
    stage, feature : str
        The DVC stage, and the feature or another output of the stage (`universe`, `label`).
    compared, moved : int
        Number of values, and of those that do not have the same bits.
    first_month : str
        The earliest month with a value that moved, YYYY-MM; empty if none did.
    example : str
        That value: stock, before and after.
    decision_month, perturbation : str
        The month after which the records are perturbed, and how.
    """

    stage: str
    feature: str
    compared: int
    moved: int
    first_month: str = ""
    example: str = ""
    decision_month: str = ""
    perturbation: str = ""


def records(before: PreparedRecords, after: PreparedRecords, t: int) -> Iterator[Finding]:
    """Compare the records up to month t (counted from 1970-01), stage ingest."""
    yield from tables(before.stocks, after.stocks, "ingest", _STOCK, t, rows="rows")
    for finding in tables(before.market, after.market, "ingest", ("month",), t, rows="rows"):
        yield replace(finding, feature=f"market: {finding.feature}")


def panels(
    before: PreparedRecords, after: PreparedRecords, t: int, skip_months: int = 0
) -> Iterator[Finding]:
    """Compare the panels up to month t, and the labels realised by then, stage prepare."""
    one, other = before.panel, after.panel
    names = one.names
    if names != other.names:
        different = sorted(set(names) ^ set(other.names)) or names
        shown = ", ".join(different[:3])
        yield Finding("prepare", "features", len(names), len(different), month_label(t), shown)
        return
    columns = ["month", "stock", "sector", "size"]
    index = one.index[columns], other.index[columns]
    for finding in tables(*index, "prepare", _STOCK, t, rows="universe"):
        is_universe = finding.feature == "universe"
        yield finding if is_universe else replace(finding, feature=f"index: {finding.feature}")
    yield from tables(_features(one, t), _features(other, t), "prepare", _STOCK, t)
    # The label of t is realised in a later month, which is perturbed.
    columns, realised = ["month", "stock", "ret", "label"], t - lead(skip_months)
    yield from tables(one.index[columns], other.index[columns], "prepare", _STOCK, realised)
    counts, others = (
        side.missing.loc[side.missing["feature"].isin([*names, "sector"])]
        .drop(columns="stocks")
        .rename(columns={"missing": "counts of missing values"})
        for side in (before, after)
    )
    yield from tables(counts, others, "prepare", ("month", "feature"), t)


def networks(before: PipelineOutputs, after: PipelineOutputs, t: int) -> Iterator[Finding]:
    """Compare scalers, cache key, weights and ridge scores up to month t, stage train."""
    yield from tables(_scaler_table(before), _scaler_table(after), "train", ("month",), t)
    same = before.key == after.key
    yield Finding("train", "key of the weights", 1, int(not same), "" if same else month_label(t))
    layers = zip(_layer_parameters(before), _layer_parameters(after), strict=True)
    for number, (one, other) in enumerate(layers, start=1):
        moved = int(_moved(one, other).sum())
        month = month_label(t) if moved else ""
        yield Finding("train", f"weights of layer {number}", len(one), moved, month)
    yield from tables(before.ridge, after.ridge, "train", _STOCK, t)


def attributions(before: PipelineOutputs, after: PipelineOutputs, t: int) -> Iterator[Finding]:
    """Compare scores and relevances of month t, stage attribute."""
    return tables(before.attributions, after.attributions, "attribute", _STOCK, t)


def portfolios(
    before: PipelineOutputs, after: PipelineOutputs, t: int, skip_months: int = 0
) -> Iterator[Finding]:
    """Compare the portfolios up to month t and their returns realised by then, stage backtest."""
    ranked, others = (side.ranked.drop(columns=["ret", "score"]) for side in (before, after))
    yield from tables(ranked, others, "backtest", (*_STOCK, "model"), t)
    # What the portfolios of t earn later is perturbed.
    realised = t - lead(skip_months)
    yield from tables(before.returns, after.returns, "backtest", ("month", "model"), realised)


def tables(
    before: pd.DataFrame,
    after: pd.DataFrame,
    stage: str,
    keys: Sequence[str],
    t: int,
    *,
    rows: str = "",
) -> Iterator[Finding]:
    """Compare two tables up to month t: their rows, then each column of common rows.

    Parameters
    ----------
    before, after : DataFrame
        The tables, each key once.
    stage : str
        The stage of the findings.
    keys : sequence of str
        Columns that identify a row, the first is the month.
    t : int
        The last month that is compared, counted from 1970-01.
    rows : str
        Name of the finding about the rows; none where it would repeat that of another table.
    """
    keys = list(keys)
    one, other = (frame[dates.ordinal(frame["month"]) <= t] for frame in (before, after))
    both = one[keys].merge(other[keys], on=keys, how="outer", indicator="side")
    # Rows in another order are no finding: only missing and additional ones are.
    unmatched = both[both["side"] != "both"].sort_values(keys)
    if rows and unmatched.empty:
        yield Finding(stage, rows, len(one), 0)
    elif rows:
        first = unmatched.iloc[0]
        change = f"{_row_name(first, keys)} is {'gone' if first['side'] == 'left_only' else 'new'}"
        yield Finding(stage, rows, len(one), len(unmatched), dates.label(first["month"]), change)
    common = both.loc[both["side"] == "both", keys]
    one, other = (common.merge(table, on=keys, how="left") for table in (one, other))
    if one.empty:
        return
    for name in dict.fromkeys([*one, *other]):
        if name in keys:
            continue
        if name not in one or name not in other:
            change = f"the column is {'new' if name in other else 'gone'}"
            yield Finding(stage, name, len(one), len(one), month_label(t), change)
            continue
        places = np.flatnonzero(_moved(one[name], other[name]))
        month = example = ""
        if len(places):
            row = places[np.argmin(dates.ordinal(one["month"])[places])]
            month = dates.label(one["month"].iloc[row])
            values = f"{one[name].iloc[row]} became {other[name].iloc[row]}"
            example = f"{_row_name(one.iloc[row], keys)}: {values}"
        yield Finding(stage, name, len(one), len(places), month, example)


def table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return one row a stage and column over all perturbations, in the order of the pipeline.

    First month, example and perturbation are those of the earliest value that moved.
    """
    frame = pd.DataFrame([asdict(finding) for finding in findings], columns=list(COLUMNS))
    keys = ["stage", "feature"]
    counts = frame.groupby(keys)[["compared", "moved"]].sum()
    unmoved = frame["moved"] == 0
    frame.loc[unmoved, ["decision_month", "perturbation"]] = ""
    # In the order of their first finding; of each the earliest value that moved.
    rows = frame.assign(
        month=frame["first_month"].mask(unmoved, "9999-12"),
        at=frame.groupby(keys, sort=False).ngroup(),
        stage_at=frame["stage"].map(STAGES.index),
    ).sort_values(["stage_at", "at", "month"], kind="stable")
    rows = rows.drop_duplicates(keys).drop(columns=["compared", "moved"])
    return rows.merge(counts, on=keys)[list(COLUMNS)]


def _features(panel: Panel, t: int) -> pd.DataFrame:
    """Return month, stock and the features up to month t."""
    rows = int((dates.ordinal(panel.index["month"]) <= t).sum())
    values = pd.DataFrame(panel.features[:rows], columns=panel.names)
    return pd.concat([panel.index[["month", "stock"]].iloc[:rows], values], axis=1)


def _scaler_table(outputs: PipelineOutputs) -> pd.DataFrame:
    """Return mean and standard deviation of the features that are scaled, a row a month."""
    rows = []
    for month, (means, stds) in outputs.scalers.items():
        row: dict[str, object] = {"month": dates.parse(month)}
        for name, mean, std in zip(outputs.features, means, stds, strict=True):
            if (mean, std) != (0, 1):
                row |= {f"scaler: mean of {name}": mean, f"scaler: std of {name}": std}
        rows.append(row)
    return pd.DataFrame(rows)


def _layer_parameters(outputs: PipelineOutputs) -> list[np.ndarray]:
    """Return the weights and biases of each layer, of all members of an ensemble."""
    by_network = [net.parameters_by_layer() for net in outputs.weights]
    return [np.concatenate(layers) for layers in zip(*by_network, strict=True)]


def _moved(before: "pd.Series | np.ndarray", after: "pd.Series | np.ndarray") -> np.ndarray:
    """Return where two columns differ in their bits; two missing values are equal."""
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


def _row_name(row: pd.Series, keys: Sequence[str]) -> str:
    return " ".join(str(row[key]) for key in keys if key != "month") or "the month"


def month_label(t: int) -> str:
    """Return a month, counted from 1970-01, as YYYY-MM."""
    return dates.label(dates.month_end(t)[0])
