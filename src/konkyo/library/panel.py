"""The panel of a frame of raw values, standardised as the stage prepare does."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import pandas as pd

from konkyo.errors import ParamsError
from konkyo.features import build, store
from konkyo.library import checks
from konkyo.library.frames import PANDAS, to_pandas


@dataclass(frozen=True)
class Panel(store.Panel):
    """Features and label of every month and stock: what `RollingRanker` is fitted on.

    Attributes
    ----------
    features : numpy.ndarray
        [rows, features] float32, rows sorted by month and stock, known at the end of month t.
    index : pandas.DataFrame
        month (period end), stock, sector, size, ret (fraction, earned in t+1, NaN where not
        realised) and label (ret standardised within the month), in the same row order.
    catalogue : pandas.DataFrame
        name, group (characteristic, sector, calendar, market), transform, source of each feature.
    kind : str
        Of the caller's frame (pandas, polars, pyarrow), in which results come back.
    """

    kind: str = PANDAS

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        month: str = "month",
        stock: str = "stock",
        label: str | None = "forward_return",
        features: Sequence[str] | None = None,
        market: Sequence[str] = (),
        sectors: str | None = None,
        size: str | None = None,
        calendar: bool = False,
        standardise: Literal["rank", "zscore", "none"] = "rank",
        clip: float = 3.0,
        missing: Literal["centre", "drop"] = "centre",
        label_standardise: Literal["rank", "zscore", "raw"] = "rank",
        label_neutral: Literal["none", "sector"] = "none",
    ) -> Self:
        """Return the panel of a frame of raw values, one row a month and stock, in any order.

        Parameters
        ----------
        frame : pandas or polars DataFrame, or pyarrow Table
            It is left unchanged.
        month : str
            Column of the month t at whose end the row is known: its last day, or a pandas Period.
        stock : str
            Column of the codes: text or whole numbers.
        label : str, optional
            Column of the return earned in t+1, in the row of t: a fraction, known at the end of
            t+1, missing where it is not realised (the newest month, a stock that left). None where
            there is none: such a panel can be scored and not fitted.
        features : sequence of str, optional
            Columns of raw values known at t. None: every other column of numbers, sorted by name.
        market : sequence of str
            Columns that are equal for all stocks of a month. They are not standardised here; each
            network scales them by its training window.
        sectors : str, optional
            Column of the sector's name: one dummy for each sector of the first month (a column for
            a later one would tell that it is to come), of categories one for each, in their order.
        size : str, optional
            Column of the market value, for `backtest` alone.
        calendar : bool
            Whether to add the twelve dummies of the month, which the pipeline has.
        standardise : str
            Of the features within each month: rank (to [-1, 1]), zscore, or none (they are
            standardised already).
        clip : float
            z-scores are clipped at this many standard deviations.
        missing : str
            Missing features are set to the month's centre, 0, or their rows dropped.
        label_standardise, label_neutral : str
            `prepare.label` and `prepare.label_neutral` of params.yaml.

        Raises
        ------
        RecordsError
            Lists every violation, in the words of `konkyo check`: repeated (month, stock), months
            left out, the label among the features, columns without numbers, time zones, infinite
            values.
        ParamsError
            An argument has a value that is not allowed, two features would have one name, or one
            that of a column of the results.

        Examples
        --------
        >>> import pandas as pd
        >>> from konkyo import Panel
        >>> frame = pd.DataFrame({
        ...     "month": pd.PeriodIndex(["2024-01"] * 3, freq="M"),
        ...     "stock": ["A", "B", "C"],
        ...     "value": [0.2, 0.9, 0.4],
        ...     "forward_return": [0.01, 0.03, -0.02],
        ... })
        >>> panel = Panel.from_frame(frame)
        >>> panel.features.tolist()
        [[-1.0], [1.0], [0.0]]
        >>> panel.index["label"].tolist()
        [0.0, 1.0, -1.0]
        """
        checks.require_one_of("standardise", standardise, ("rank", "zscore", "none"))
        checks.require_one_of("missing", missing, ("centre", "drop"))
        checks.require_one_of("label_standardise", label_standardise, ("rank", "zscore", "raw"))
        checks.require_one_of("label_neutral", label_neutral, ("none", "sector"))
        if not clip > 0:
            raise ParamsError(f"clip = {clip}: set it above 0")
        table, kind = to_pandas(frame)
        not_features = [month, stock, label, size, sectors, *checks.names(market)]
        if features is None:
            numbers = table.select_dtypes(["number", "bool"]).columns
            features = sorted(str(name) for name in numbers if name not in not_features)
        if not features and not market:
            raise ParamsError("no features: name columns of numbers that are known at t")
        columns = checks.Columns(
            month=month,
            stock=stock,
            label=label,
            size=size,
            texts=() if sectors is None else (sectors,),
            features=checks.names(features),
            market=checks.names(market),
        )
        rows = checks.rows(table, columns)
        raw = rows[list(columns.features)]
        empty = raw.isna().to_numpy()
        if missing == "drop":
            rows, raw = (part[~empty.any(1)].reset_index(drop=True) for part in (rows, raw))
        elif standardise == "none" and empty.any():
            warnings.warn(
                f"{empty.sum():,} missing values are set to 0, which is the centre of features "
                "that are standardised",
                stacklevel=2,
            )
        index = checks.index_of(rows, columns)
        first = index["month"] == index["month"].min()
        dummies = sorted(index.loc[first, "sector"].dropna().unique())
        if sectors is not None and isinstance(table[sectors].dtype, pd.CategoricalDtype):
            dummies = list(map(str, table[sectors].cat.categories))
        catalogue = build.catalogue_table(
            columns.features,
            dummies,
            [(name, "level", name) for name in columns.market],
            standardise=standardise,
            calendar=calendar,
        )
        panel = build.assemble(
            index,
            raw,
            rows[list(columns.market)],
            catalogue,
            standardise=standardise,
            clip=clip,
            label=label_standardise,
            label_neutral=label_neutral,
        )
        return cls(panel.features, panel.index, panel.catalogue, kind)

    @classmethod
    def read(cls, folder: str | Path = "data/panel") -> Self:
        """Return the panel that the stage prepare has written; its matrix stays on the disk.

        Raises
        ------
        ArtifactError
            A file is missing or damaged.
        """
        panel = store.read(Path(folder))
        return cls(panel.features, panel.index, panel.catalogue)
