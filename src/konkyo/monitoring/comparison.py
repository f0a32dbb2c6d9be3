"""Paired comparison of a challenger model with the champion over their common months."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from konkyo import dates
from konkyo.backtesting import objective_values, t_statistic

Objective = Literal["rank_ic", "sharpe_ratio", "mean"]
SERIES = ("rank_ic", "spread_net", "turnover")
"""Monthly series of a model: portfolios formed at the end of t, returns earned in t+1."""
_MEASURES = {
    "rank_ic": "rank_ic",
    "mean": "spread_net",
    "sharpe_ratio": "spread_net",
    "turnover": "turnover",
}
"""Measures compared, and the monthly series behind each."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Comparison:
    """Two models over the same realised months.

    Attributes
    ----------
    monthly : pandas.DataFrame
        month (the decision month t, period end), then champion_<series>, challenger_<series> and
        difference_<series> (challenger minus champion) of every series.
    metrics : pandas.DataFrame
        measure (rank_ic; mean: of the net spread, a fraction a month; sharpe_ratio: annual, of the
        net spread; turnover: a month, one way), champion, challenger, difference, t and p (of a
        paired t-test, two-sided; NaN for sharpe_ratio, which is not a mean), months.
    objective : str
        The measure that decides.
    n_months : int
        Months that the comparison needs.
    min_improvement : float
        The challenger must be better by more than this, in units of the objective.
    """

    monthly: pd.DataFrame
    metrics: pd.DataFrame
    objective: Objective
    n_months: int
    min_improvement: float

    @property
    def improvement(self) -> float:
        """Difference of the objective, challenger minus champion; NaN where it is not defined."""
        by_measure = self.metrics.set_index("measure")
        return float(by_measure.loc[self.objective, "difference"])

    @property
    def span(self) -> str:
        """The months compared, as text."""
        count = len(self.monthly)
        if count == 0:
            return "no month"
        first, last = (dates.label(self.monthly["month"].iloc[i]) for i in (0, -1))
        return f"{count} months, {first} to {last}"

    def objections(self) -> list[str]:
        """Return the reasons against promotion; empty if the challenger may become champion."""
        reasons = []
        count = len(self.monthly)
        if count < self.n_months:
            reasons.append(
                f"both models have {count} realised months in common, promote.months = "
                f"{self.n_months}: wait until there are as many, or set it lower"
            )
        if not self.improvement > self.min_improvement:
            reasons.append(
                f"its {self.objective} is {self.improvement:+.4f} against the champion's, and must "
                f"be above it by more than promote.min_improvement = {self.min_improvement:g}"
            )
        return reasons


def compare(
    champion: pd.DataFrame,
    challenger: pd.DataFrame,
    *,
    n_months: int,
    objective: Objective,
    min_improvement: float,
) -> Comparison:
    """Compare two models over the last months in which both have a realised result.

    Parameters
    ----------
    champion, challenger : pandas.DataFrame
        month (decision month t, period ends, unique), rank_ic, spread_net (fraction) and turnover
        (one way). Months in which rank_ic or spread_net is missing in either model, such as those
        whose returns are not yet realised, take no part.
    n_months : int
        Length of the comparison, ending with the last common month; fewer common months are an
        objection, not an error.
    objective : str
        rank_ic (its mean), mean or sharpe_ratio of the net spread.
    min_improvement : float
        In units of the objective.

    Returns
    -------
    Comparison
        All measures over the same months, except turnover: it is missing in a model's first month,
        so its means are over the months that have both.
    """
    paired = (
        champion[["month", *SERIES]]
        .merge(challenger[["month", *SERIES]], on="month", suffixes=("_champion", "_challenger"))
        .sort_values("month", ignore_index=True)
    )
    required = [f"{name}_{side}" for name in SERIES[:2] for side in ("champion", "challenger")]
    paired = paired[np.isfinite(paired[required]).all(axis=1)].tail(n_months).reset_index(drop=True)
    monthly = paired[["month"]].copy()
    for name in SERIES:
        for side in ("champion", "challenger"):
            monthly[f"{side}_{name}"] = paired[f"{name}_{side}"]
        monthly[f"difference_{name}"] = paired[f"{name}_challenger"] - paired[f"{name}_champion"]
    rows = [_metric_row(measure, series, monthly) for measure, series in _MEASURES.items()]
    return Comparison(monthly, pd.DataFrame(rows), objective, n_months, min_improvement)


def _metric_row(measure: str, series: str, monthly: pd.DataFrame) -> dict[str, object]:
    """Return one measure of both models over the months in which both have its series."""
    sides = monthly[[f"champion_{series}", f"challenger_{series}"]].dropna()
    values = sides.to_numpy(dtype="float64")
    objective: Literal["sharpe_ratio", "mean"]
    objective = "sharpe_ratio" if measure == "sharpe_ratio" else "mean"
    champion, challenger = (float(objective_values(values[:, side], objective)) for side in (0, 1))
    t = np.nan if measure == "sharpe_ratio" else _paired_t(values[:, 1] - values[:, 0])
    return {
        "measure": measure,
        "champion": champion,
        "challenger": challenger,
        "difference": challenger - champion,
        "t": t,
        "p": 2 * float(stats.t.sf(abs(t), len(values) - 1)) if np.isfinite(t) else np.nan,
        "months": len(values),
    }


def _paired_t(differences: np.ndarray) -> float:
    """Return the paired t-statistic; NaN where the differences are equal up to rounding."""
    if len(differences) < 2 or np.ptp(differences) <= _ROUNDING * np.abs(differences).max():
        return float("nan")
    return t_statistic(pd.Series(differences))


def to_text(comparison: Comparison, champion: str, challenger: str) -> str:
    """Return the metrics as a plain-text table below the months compared.

    Parameters
    ----------
    comparison : Comparison
        Of `compare`.
    champion, challenger : str
        Their names.
    """
    widths = [max(len(name), 10) for name in (champion, challenger)]
    header = f"{'':12}{champion:>{widths[0]}}  {challenger:>{widths[1]}}  difference      t      p"
    lines = [f"over {comparison.span}", header]
    for row in comparison.metrics.itertuples(index=False):
        numbers = f"{row.champion:>{widths[0]}.4f}  {row.challenger:>{widths[1]}.4f}"
        numbers += f"  {row.difference:10.4f}"
        if np.isfinite(row.t):
            numbers += f"  {row.t:5.2f}  {row.p:5.3f}"
        lines.append(f"{row.measure:12}{numbers}")
    return "\n".join(lines)
