"""Every prediction with its attribution: what all tables of the report are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from konkyo.dates import label, ordinal
from konkyo.errors import ArtifactError


@dataclass(frozen=True)
class ExplainedPanel:
    """All scored stock-months, one row each, sorted by (month, stock).

    Attributes
    ----------
    index : pandas.DataFrame
        month (decision month t), stock, sector, size (known at t, in the records' unit), score,
        rank (1 is the best of the month), stocks (how many were ranked), quantile (1 is the worst;
        missing in a month that formed no portfolios) and ret (a fraction, earned from t to t+1; NaN
        where not realised).
    features : numpy.ndarray
        [rows, features] float32: the panel's features, known at t; market series in their own
        units.
    relevance : numpy.ndarray
        [rows, features] float32, in units of the score. A row's relevances and what is absorbed
        add up to its score.
    absorbed : numpy.ndarray
        [rows] float32: what the biases and epsilon take.
    catalogue : pandas.DataFrame
        name and group (characteristic, sector, calendar, market) of each feature, in column order,
        and its transform where the panel says it.
    raw : numpy.ndarray or None
        [rows, features] float32: `features` with the characteristics before standardisation, where
        figure 8 shows those (report.values); NaN where missing.
    error : numpy.ndarray, optional
        [rows, features] float16, standard errors of the relevances; none without `train.resamples`.
    reliable : numpy.ndarray, optional
        [rows, features] bool, which relevances are reliable; there with `error`.
    difference_error : pandas.DataFrame, optional
        By month: standard errors of the mean relevances, long less short portfolio; with `error`.
    """

    index: pd.DataFrame
    features: np.ndarray
    relevance: np.ndarray
    absorbed: np.ndarray
    catalogue: pd.DataFrame
    raw: np.ndarray | None = None
    error: np.ndarray | None = None
    reliable: np.ndarray | None = None
    difference_error: pd.DataFrame | None = None

    @property
    def names(self) -> list[str]:
        """Feature names in column order."""
        return self.catalogue["name"].tolist()

    @property
    def best(self) -> int:
        """The number of the best portfolio: ten for quantiles, 0 without any. The worst is 1."""
        return int(self.portfolio().max())

    def portfolio(self) -> np.ndarray:
        """Return each row's portfolio, 0 where its month formed none."""
        return self.index["quantile"].to_numpy(dtype="int64", na_value=0)

    def months(self) -> list[pd.Timestamp]:
        """Return the decision months in order."""
        return list(self.index["month"].drop_duplicates())

    def months_without_portfolios(self) -> list[pd.Timestamp]:
        """Return the decision months whose scores form no portfolios, in order."""
        return list(self.index["month"][self.portfolio() == 0].drop_duplicates())

    def columns(self, group: str) -> np.ndarray:
        """Return the positions of one group's features."""
        return np.flatnonzero(self.catalogue["group"] == group)

    def side(self, name: str) -> np.ndarray:
        """Return the rows of a portfolio: "long" (the best scores) or "short" (the worst)."""
        # A month without portfolios has no rows of either, were it the only one.
        wanted = max(self.best, 1) if name == "long" else 1
        return np.flatnonzero(self.portfolio() == wanted)

    def starts(self) -> np.ndarray:
        """Return the first row of each decision month."""
        month = self.index["month"].to_numpy()
        return np.flatnonzero(np.r_[True, month[1:] != month[:-1]])

    def spans(self) -> list[slice]:
        """Return the rows of each decision month."""
        starts = self.starts()
        return [slice(*ends) for ends in pairwise([*starts.tolist(), len(self.index)])]

    def by_month(self, key: str, names: Sequence[str], **columns: np.ndarray) -> pd.DataFrame:
        """Return a long table of what is known of some names in each month.

        Parameters
        ----------
        key : str
            What the column of the names is called.
        names : sequence of str
            Features, groups, sectors...
        **columns : numpy.ndarray
            [months, names] each.

        Returns
        -------
        DataFrame
            month, the key and the columns: one row a month and name, sorted by month.
        """
        months = self.index["month"].to_numpy()[self.starts()]
        keys = {
            "month": np.repeat(months, len(names)),
            key: np.tile(np.array(names, dtype=object), len(months)),
        }
        return pd.DataFrame(keys | {name: part.ravel() for name, part in columns.items()})

    def monthly_mean(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the mean over some rows of each month.

        Parameters
        ----------
        values : numpy.ndarray
            [rows, columns]: those of `rows` alone.
        rows : numpy.ndarray
            Row positions in order.

        Returns
        -------
        numpy.ndarray
            [months, columns] float64, NaN in the months that have none of the rows.
        """
        first = np.searchsorted(rows, self.starts())
        count = np.diff(np.r_[first, len(rows)])
        mean = np.full((len(count), values.shape[1]), np.nan)
        present = count > 0
        if present.any():
            # Between the starts of months that have rows lie these months' rows alone.
            total = np.add.reduceat(values, first[present], axis=0, dtype=np.float64)
            mean[present] = total / count[present, None]
        return mean

    def rows(self, month: pd.Timestamp) -> slice:
        """Return the rows of a decision month.

        Raises
        ------
        ArtifactError
            There is none: names the first and the last that there are.
        """
        month_rows = np.flatnonzero(self.index["month"].to_numpy() == np.datetime64(month))
        if not len(month_rows):
            first, last = self.index["month"].iloc[0], self.index["month"].iloc[-1]
            raise ArtifactError(
                f"no stock was ranked in {label(month)}: choose a month from {label(first)} to "
                f"{label(last)}"
            )
        return slice(int(month_rows[0]), int(month_rows[-1]) + 1)


def build(
    index: pd.DataFrame,
    features: np.ndarray,
    catalogue: pd.DataFrame,
    attributions: pd.DataFrame,
    portfolios: pd.DataFrame,
) -> ExplainedPanel:
    """Join panel, attributions and portfolios.

    Parameters
    ----------
    index, features, catalogue : DataFrame, numpy.ndarray, DataFrame
        The panel.
    attributions : DataFrame
        Of all decision months, in order: month, stock, score, a relevance a feature, absorbed.
    portfolios : DataFrame
        month, stock, model, rank, quantile, from `backtest.assign_quantiles`; the rows of the
        model "network" are read. Every row of the attributions has one.

    Returns
    -------
    ExplainedPanel
        In the row order of the panel.

    Raises
    ------
    ArtifactError
        Rows or features of the three do not belong together.
    """
    names = catalogue["name"].tolist()
    scored = index["month"].isin(attributions["month"].unique()).to_numpy()
    rows = index.loc[scored].reset_index(drop=True)
    ranked = portfolios[portfolios["model"] == "network"].reset_index(drop=True)
    for other in (attributions, ranked):
        same = len(rows) == len(other) and bool(
            (rows["stock"].to_numpy() == other["stock"].to_numpy()).all()
            and (ordinal(rows["month"]) == ordinal(other["month"])).all()
        )
        if not same:
            raise ArtifactError(
                "panel, attributions and portfolios are not of the same run: run `dvc repro report`"
            )
    if attributions.columns.tolist()[3:-1] != names:
        raise ArtifactError(
            "the attributions name other features than the panel: run `dvc repro attribute`"
        )
    table = rows[["month", "stock", "sector", "size"]].assign(
        score=attributions["score"].to_numpy(),
        rank=ranked["rank"].to_numpy(),
        stocks=attributions.groupby("month")["score"].transform("size").to_numpy(),
        quantile=ranked["quantile"].array,
        ret=rows["ret"].to_numpy(),
    )
    return ExplainedPanel(
        index=table,
        features=np.asarray(features[scored], dtype=np.float32),
        relevance=attributions[names].to_numpy(np.float32),
        absorbed=attributions["absorbed"].to_numpy(np.float32),
        catalogue=catalogue.filter(["name", "group", "transform"]).reset_index(drop=True),
    )
