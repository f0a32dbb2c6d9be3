"""The challenger against the champion, over the last months that both have."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from konkyo import dates
from konkyo.backtest import objective_values, t_statistic

Objective = Literal["rank_ic", "sharpe_ratio", "mean"]
SERIES = ("rank_ic", "spread_net", "turnover")
"""Monthly series of a model: decided at the end of t, earned in t+1."""
_MEASURES = {
    "rank_ic": "rank_ic",
    "mean": "spread_net",
    "sharpe_ratio": "spread_net",
    "turnover": "turnover",
}
"""What is compared, and the series that it is made of."""
_DUST = 1e-9


@dataclass(frozen=True)
class Comparison:
    """Two models over the same months.

    Attributes
    ----------
    monthly : pandas.DataFrame
        month (the decision month t, period end), then champion_<series>, challenger_<series> and
        difference_<series> (challenger minus champion) of every series.
    figures : pandas.DataFrame
        measure (rank_ic; mean: of the net spread, a fraction a month; sharpe_ratio: annual, of the
        net spread; turnover: a month, one way), champion, challenger, difference, t and p (paired,
        two-sided; none for sharpe_ratio, which is no mean), months.
    objective : str
        The measure that decides.
    asked : int
        Months that were to be compared.
    least : float
        The challenger must be better by more than this.
    """

    monthly: pd.DataFrame
    figures: pd.DataFrame
    objective: Objective
    asked: int
    least: float

    @property
    def better(self) -> float:
        """By how much the challenger is better in the objective; NaN where it is not defined."""
        own = self.figures.set_index("measure")
        return float(own.loc[self.objective, "difference"])

    @property
    def span(self) -> str:
        """The months compared, in words."""
        count = len(self.monthly)
        if count == 0:
            return "no month"
        first, last = (dates.label(self.monthly["month"].iloc[i]) for i in (0, -1))
        return f"{count} months, {first} to {last}"

    def objections(self) -> list[str]:
        """Return why the challenger may not become champion; empty if it may."""
        found = []
        count = len(self.monthly)
        if count < self.asked:
            found.append(
                f"both models have {count} realised months in common, promote.months = "
                f"{self.asked}: wait until there are as many, or set it lower"
            )
        if not self.better > self.least:
            found.append(
                f"its {self.objective} is {self.better:+.4f} against the champion's, and must be "
                f"above it by more than promote.min_improvement = {self.least:g}"
            )
        return found


def compare(
    champion: pd.DataFrame,
    challenger: pd.DataFrame,
    count: int,
    objective: Objective,
    least: float,
) -> Comparison:
    """Compare two models over the last months in which both have a realised result.

    Parameters
    ----------
    champion, challenger : pandas.DataFrame
        month (decision month t, period ends, unique), rank_ic, spread_net (fraction) and turnover
        (one way). A month counts where rank_ic and spread_net are known in both, so it was earned
        by the time of the comparison.
    count : int
        So many of these months, the last ones; fewer where there are fewer, which is an objection.
    objective : str
        rank_ic (its mean), mean or sharpe_ratio of the net spread.
    least : float
        In units of the objective.

    Returns
    -------
    Comparison
        Every figure over the same months, but turnover, which a model's first month lacks: its
        means are over the months that have both.
    """
    both = (
        champion[["month", *SERIES]]
        .merge(challenger[["month", *SERIES]], on="month", suffixes=("_champion", "_challenger"))
        .sort_values("month", ignore_index=True)
    )
    known = [f"{name}_{side}" for name in SERIES[:2] for side in ("champion", "challenger")]
    both = both[np.isfinite(both[known]).all(axis=1)].tail(count).reset_index(drop=True)
    monthly = both[["month"]].copy()
    for name in SERIES:
        for side in ("champion", "challenger"):
            monthly[f"{side}_{name}"] = both[f"{name}_{side}"]
        monthly[f"difference_{name}"] = both[f"{name}_challenger"] - both[f"{name}_champion"]
    rows = [_row(measure, series, monthly) for measure, series in _MEASURES.items()]
    return Comparison(monthly, pd.DataFrame(rows), objective, count, least)


def _row(measure: str, series: str, monthly: pd.DataFrame) -> dict[str, object]:
    """Return one measure of both models, over the months in which both have its series."""
    sides = monthly[[f"champion_{series}", f"challenger_{series}"]].dropna()
    values = sides.to_numpy(dtype="float64")
    own, other = (_of(values[:, side], measure) for side in (0, 1))
    t = np.nan if measure == "sharpe_ratio" else _paired(values[:, 1] - values[:, 0])
    return {
        "measure": measure,
        "champion": own,
        "challenger": other,
        "difference": other - own,
        "t": t,
        "p": 2 * float(stats.t.sf(abs(t), len(values) - 1)) if np.isfinite(t) else np.nan,
        "months": len(values),
    }


def _paired(differences: np.ndarray) -> float:
    """Return the paired t-statistic; NaN where only rounding makes the differences differ."""
    if len(differences) < 2 or np.ptp(differences) <= _DUST * np.abs(differences).max():
        return float("nan")
    return t_statistic(pd.Series(differences))


def _of(values: np.ndarray, measure: str) -> float:
    objective: Literal["sharpe_ratio", "mean"]
    objective = "sharpe_ratio" if measure == "sharpe_ratio" else "mean"
    return float(objective_values(values, objective))


def in_words(comparison: Comparison, champion: str, challenger: str) -> str:
    """Return the figures as a table of text, the months above it.

    Parameters
    ----------
    comparison : Comparison
        The two models compared.
    champion, challenger : str
        Their names.
    """
    widths = [max(len(name), 10) for name in (champion, challenger)]
    head = f"{'':12}{champion:>{widths[0]}}  {challenger:>{widths[1]}}  difference      t      p"
    lines = [f"over {comparison.span}", head]
    for row in comparison.figures.itertuples(index=False):
        numbers = f"{row.champion:>{widths[0]}.4f}  {row.challenger:>{widths[1]}.4f}"
        numbers += f"  {row.difference:10.4f}"
        if np.isfinite(row.t):
            numbers += f"  {row.t:5.2f}  {row.p:5.3f}"
        lines.append(f"{row.measure:12}{numbers}")
    return "\n".join(lines)
