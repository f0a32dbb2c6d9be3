"""Charts of a hyperparameter search: its trials, and what of the best one is selection."""

from collections.abc import Mapping, Sequence

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
    row_letters,
    rows,
    tips,
    titled,
    zero_rule,
)
from konkyo.report.style import INK, OTHER, SERIES

_COLUMNS = 3
_MAX_CHOICES = 12
"""Number of values up to which a hyperparameter without a logarithmic scale is discrete."""
# Okabe and Ito's blue and vermilion: the choice holds out of sample, and does not.
HOLDS, FAILS = "#0072B2", "#D55E00"
MAX_POINTS = 2_000
"""Splits drawn: of 12,870 a sample shows the same cloud, in a page of a sixth of the size."""
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
    chart = chart.properties(width=WIDTH, height=ROW * len(table)).add_params(row_letters())
    return titled(chart, t("tuning.importance", language))


def slices(
    trials: pd.DataFrame,
    names: Sequence[str],
    *,
    log: Sequence[str] = (),
    language: Language = "en",
) -> alt.ConcatChart:
    """Draw the objective against each hyperparameter, one panel each.

    Parameters
    ----------
    trials : DataFrame
        trial, objective, and a column a hyperparameter: numbers, or texts of a choice.
    names : sequence of str
        The hyperparameters drawn.
    log : sequence of str
        Those with a logarithmic scale.
    language : str
        en or ja.
    """
    objective = t("tuning.figure.objective", language)
    panels = []
    for i, name in enumerate(names):
        kind, axis, scale = (
            "Q",
            alt.Axis(tickCount=4, format="~g", grid=False),
            alt.Scale(zero=False),
        )
        if name in log:
            scale = alt.Scale(type="log")
        elif is_discrete(trials[name]):
            kind, axis, scale = "O", alt.Axis(labelAngle=0), alt.Undefined
        if kind == "Q":
            scale.nice, scale.padding = False, 8
        title = objective if i % _COLUMNS == 0 else None
        panel = alt.Chart(trials[["trial", "objective", name]])
        panel = panel.mark_point(filled=True, size=30, opacity=0.6, color=SERIES[0]).encode(
            x=alt.X(f"{name}:{kind}", title=name, scale=scale, axis=axis),
            y=alt.Y("objective:Q", title=title, scale=alt.Scale(zero=False)),
            tooltip=tips(
                ("trial:Q", t("tuning.figure.trial", language)),
                (f"{name}:{kind}", name),
                ("objective:Q", objective, ".3f"),
            ),
        )
        panels.append(panel.properties(width=WIDTH // _COLUMNS - 30, height=170))
    chart = alt.concat(*panels, columns=_COLUMNS)
    return titled(chart, t("tuning.by_value", language))


def is_discrete(values: pd.Series) -> bool:
    """Return whether a hyperparameter is a choice of texts or of few numbers."""
    return not pd.api.types.is_numeric_dtype(values) or values.nunique() <= _MAX_CHOICES


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


def degradation_scatter(
    overfitting: Overfitting, objective: str = "sharpe_ratio", language: Language = "en"
) -> alt.LayerChart:
    """Draw the chosen trial's performance out of sample against that in sample.

    Parameters
    ----------
    overfitting : Overfitting
        Of `backtest.overfitting`.
    objective : str
        What was maximised: sharpe_ratio, t_statistic or mean.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        One point a split, at most `MAX_POINTS` of them, losses in the other colour; the
        least-squares line is that of all splits.
    """
    points = overfitting.splits[["in_sample", "out_of_sample", "trial"]]
    points = points[np.isfinite(points[["in_sample", "out_of_sample"]]).all(axis=1)]
    ends = points["in_sample"].agg(["min", "max"]).to_numpy()
    if len(points) > MAX_POINTS:
        points = points.sample(MAX_POINTS, random_state=0)
    form = ".1%" if objective == "mean" else ".2f"
    what = t(f"objective.{objective}", language)
    titles = [t(f"axis.{side}", language, what=what) for side in ("in_sample", "out_of_sample")]
    exact = alt.Scale(zero=False)
    x = alt.X("in_sample:Q", title=titles[0], axis=alt.Axis(format=form), scale=exact)
    y = alt.Y("out_of_sample:Q", title=titles[1], axis=alt.Axis(format=form), scale=exact)
    table = points.assign(trial=points["trial"].astype(str), fails=points["out_of_sample"] < 0)
    cloud = (
        alt.Chart(table)
        .mark_point(filled=True, size=14, opacity=0.45)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "fails:N", scale=alt.Scale(domain=[True, False], range=[FAILS, HOLDS]), legend=None
            ),
            tooltip=tips(
                ("trial:N", t("tuning.figure.trial", language)),
                ("in_sample:Q", titles[0], form),
                ("out_of_sample:Q", titles[1], form),
            ),
        )
    )
    line = pd.DataFrame(
        {"in_sample": ends, "out_of_sample": overfitting.intercept + overfitting.slope * ends}
    )
    fit = alt.Chart(line).mark_line(color=INK, strokeWidth=2).encode(x=x, y=y)
    title = t(
        "title.degradation_scatter", language,
        slope=overfitting.slope, loss=overfitting.probability_of_loss,
    )  # fmt: skip
    chart = alt.layer(cloud, zero_rule(), fit).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, title, t("legend.least_squares", language))


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
