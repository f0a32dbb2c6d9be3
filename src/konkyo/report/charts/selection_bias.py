"""Charts of the selection bias of a search: overfitting, and the maximum under zero skill."""

import altair as alt
import numpy as np
import pandas as pd

from konkyo.backtest import NullDistribution, Overfitting
from konkyo.i18n import Language, t
from konkyo.report.charts.theme import HEIGHT, WIDTH, colours, per_cent, tips, titled, zero_rule
from konkyo.report.style import INK, OTHER

# Okabe and Ito's blue and vermilion: the choice holds out of sample, and does not.
HOLDS, FAILS = "#0072B2", "#D55E00"
MAX_POINTS = 2_000
"""Splits drawn: of 12,870 a sample shows the same cloud, in a page of a sixth of the size."""
_STEP, _BARS = 0.25, 60


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
    names = {
        True: t("legend.at_or_below_median", language),
        False: t("legend.above_median", language),
    }
    shares = logit_shares(overfitting.splits)
    table = shares.assign(name=shares["fails"].map(names))
    bars = (
        alt.Chart(table)
        .mark_bar(strokeWidth=0)
        .encode(
            x=alt.X(
                "left:Q",
                bin="binned",
                title=t("axis.logit", language, trials=overfitting.trials),
            ),
            x2="right:Q",
            y=alt.Y("share:Q", **per_cent("axis.share_of_splits", language)),
            color=colours(list(names.values()), [FAILS, HOLDS]),
            tooltip=tips(
                ("right:Q", "", ".2f"), ("share:Q", t("axis.share_of_splits", language), ".1%")
            ),
        )
    )
    chart = alt.layer(bars, zero_rule("x")).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("title.logit_histogram", language, pbo=overfitting.pbo))


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
    bars = (
        alt.Chart(table)
        .mark_bar(strokeWidth=0)
        .encode(
            x=alt.X("left:Q", bin="binned", title=sharpe, scale=alt.Scale(zero=False)),
            x2="right:Q",
            y=alt.Y("share:Q", **per_cent("axis.share_of_searches", language)),
            color=alt.condition("datum.reaches", alt.value(FAILS), alt.value("#B8B8B8")),
            tooltip=tips(
                ("left:Q", sharpe, ".2f"), ("share:Q", t("axis.share_of_searches", language), ".1%")
            ),
        )
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
