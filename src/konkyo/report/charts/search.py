"""Charts of a hyperparameter search: its trials, and what of the best one is selection."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from konkyo.backtesting import NullDistribution, Overfitting
from konkyo.i18n import Language, t
from konkyo.report.charts.theme import (
    HEIGHT,
    ROW,
    WIDTH,
    colours,
    per_cent,
    rows,
    tips,
    titled,
    zero_rule,
)
from konkyo.report.style import INK, OTHER, SERIES

# Okabe and Ito's blue and vermilion: the choice holds out of sample, and does not.
HOLDS, FAILS = "#0072B2", "#D55E00"
_STEP, _BARS = 0.25, 60


def search_history(trials: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Draw the objective of every trial, and the best one so far.

    Parameters
    ----------
    trials : DataFrame
        trial (number) and objective of the completed trials.
    language : str
        en or ja.
    """
    table = trials[["trial", "objective"]].sort_values("trial")
    table["best"] = table["objective"].cummax()
    objective = t("tuning.figure.objective", language)
    base = alt.Chart(table).encode(x=alt.X("trial:Q", title=t("tuning.figure.trial", language)))
    points = base.mark_point(filled=True, size=36, opacity=0.7, color=SERIES[0]).encode(
        y=alt.Y("objective:Q", title=objective, scale=alt.Scale(zero=False)),
        tooltip=tips(
            ("trial:Q", t("tuning.figure.trial", language)), ("objective:Q", objective, ".3f")
        ),
    )
    line = base.mark_line(interpolate="step-after", color=INK).encode(
        y=alt.Y("best:Q", title=objective)
    )
    chart = alt.layer(points, line).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("tuning.by_trial", language), t("tuning.figure.best_so_far", language))


def importance_bars(importance: Mapping[str, float], language: Language = "en") -> alt.Chart:
    """Draw the importance of each hyperparameter, the largest on top.

    Parameters
    ----------
    importance : mapping
        Share of the objective's variance by hyperparameter, of `optuna.importance`.
    language : str
        en or ja.
    """
    table = pd.DataFrame({"name": list(importance), "share": list(importance.values())})
    table = table.sort_values("share", ascending=False, kind="stable")
    share = t("tuning.figure.importance", language)
    chart = (
        alt.Chart(table)
        .mark_bar(color=SERIES[0])
        .encode(
            x=alt.X("share:Q", title=share, axis=alt.Axis(format=".0%")),
            y=rows("name", table["name"].tolist()),
            tooltip=tips(("name:N",), ("share:Q", share, ".1%")),
        )
    )
    chart = chart.properties(width=WIDTH, height=ROW * len(table))
    return titled(chart, t("tuning.importance", language))


def logit_shares(splits: pd.DataFrame) -> pd.DataFrame:
    """Return the share of splits whose logit falls in each step of a quarter, closed on the right.

    Parameters
    ----------
    splits : DataFrame
        logit, one row a split.

    Returns
    -------
    DataFrame
        left, right (0 is the end of a step), share, fails (the step is at or below 0).
    """
    step = np.ceil(splits["logit"] / _STEP).astype("int64")
    share = step.value_counts(normalize=True).sort_index()
    right = share.index.to_numpy() * _STEP
    return pd.DataFrame(
        {"left": right - _STEP, "right": right, "share": share.to_numpy(), "fails": right <= 0}
    )


def logit_histogram(overfitting: Overfitting, language: Language = "en") -> alt.LayerChart:
    """Draw the logit of the out-of-sample rank of the trial chosen in sample.

    Parameters
    ----------
    overfitting : Overfitting
        Of `backtest.overfitting`.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        A histogram over the splits; the bars at or below 0, in the other colour, sum to the
        probability of backtest overfitting.
    """
    table = logit_shares(overfitting.splits)
    sides = {
        True: (t("legend.at_or_below_median", language), FAILS),
        False: (t("legend.above_median", language), HOLDS),
    }
    drawn = [sides[fails] for fails in sides if (table["fails"] == fails).any()]
    bars = _histogram(
        table.assign(name=[sides[fails][0] for fails in table["fails"]]),
        alt.X("left:Q", title=t("axis.logit", language, trials=overfitting.trials)),
        colours([name for name, _ in drawn], [colour for _, colour in drawn]),
        share="axis.share_of_splits",
        language=language,
    )
    chart = alt.layer(bars, zero_rule("x")).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("title.logit_histogram", language, pbo=overfitting.pbo))


def _histogram(
    table: pd.DataFrame, x: alt.X, paint: alt.Color | dict, *, share: str, language: Language
) -> alt.Chart:
    """Return bars from left to right, as high as share, whose name is a key of the catalogue."""
    x["bin"] = "binned"
    chart = alt.Chart(table).mark_bar(strokeWidth=0)
    return chart.encode(
        x=x,
        x2="right:Q",
        y=alt.Y("share:Q", **per_cent(share, language)),
        color=paint,
        tooltip=tips(("left:Q", x["title"], ".2f"), ("share:Q", t(share, language), ".1%")),
    )


def maximum_by_luck(
    null: NullDistribution, best: float, *, trials: int, language: Language = "en"
) -> alt.LayerChart:
    """Draw the best trial against the distribution of the maximum under zero skill.

    Parameters
    ----------
    null : NullDistribution
        Of `backtest.null_distribution`.
    best : float
        Annual Sharpe ratio of the best trial.
    trials : int
        Number of trials, pruned ones included.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        A histogram of 60 bars, those that reach the best trial in the other colour, and upright
        lines at the expected maximum and at the best trial.
    """
    maxima = null.annual_maxima()
    counts, edges = np.histogram(maxima, bins=_BARS)
    table = pd.DataFrame({"left": edges[:-1], "right": edges[1:], "share": counts / counts.sum()})
    table["reaches"] = (table["left"] + table["right"]) / 2 >= best
    sharpe = t("objective.sharpe_ratio", language)
    bars = _histogram(
        table,
        alt.X("left:Q", title=sharpe, scale=alt.Scale(zero=False)),
        alt.condition("datum.reaches", alt.value(FAILS), alt.value("#B8B8B8")),
        share="axis.share_of_searches",
        language=language,
    )
    expected = null.expected_max_annual()
    names = [
        t("legend.expected_by_luck", language, value=expected),
        t("legend.best_trial", language, value=best),
    ]
    marks = pd.DataFrame({"value": [expected, best], "name": names})
    rules = (
        alt.Chart(marks)
        .mark_rule(strokeWidth=2.5)
        .encode(x=alt.X("value:Q", title=sharpe), color=colours(names, [OTHER, INK]))
    )
    title = t("title.maximum_by_luck", language, trials=trials, effective=null.effective_trials)
    note = t("note.reached_by_luck", language, share=float((maxima >= best).mean()))
    chart = alt.layer(bars, rules).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, title, note)
