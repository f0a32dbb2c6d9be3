"""How much of a search is luck: choices in halves of the record, the best trial without skill."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from konkyo.backtest import NullDistribution, Overfitting
from konkyo.i18n import Language, t
from konkyo.report.figures.luck import (
    EXPECTED,
    HALVES,
    WORTH,
    WORTHLESS,
    degradation_title,
    line_ends,
    logit_shares,
    maximum_shares,
    maximum_words,
    reaching,
)
from konkyo.report.interactive.style import INK, MUTED, as_float32, axis, base_layout, escape_html

MOST_POINTS = 2_000
"""Of 12,870 splits, a sample is enough for the eye and small enough for a page."""


def logit_histogram(found: Overfitting, language: Language = "en") -> go.Figure:
    """Draw where the trial chosen in one half of the months ranks in the other half.

    Takes what `figures.luck.logit_histogram` takes.
    """
    shares = logit_shares(found.splits)
    traces = [
        _steps(shares[shares["worthless"] == worthless], colour, t(name, language))
        for worthless, colour, name in HALVES
    ]
    return base_layout(
        traces,
        t("title.logit_histogram", language, pbo=found.pbo),
        barmode="overlay",
        xaxis=axis(t("axis.logit", language, trials=found.trials), showgrid=False),
        yaxis=axis(t("axis.share_of_splits", language), tickformat=".0%"),
    )


def degradation_scatter(
    found: Overfitting, objective: str = "sharpe_ratio", language: Language = "en"
) -> go.Figure:
    """Draw what the chosen trial reached in sample against what it reached out of sample.

    Takes what `figures.luck.degradation_scatter` takes. Of the splits 2,000 at most are drawn;
    the line of least squares is that of all.
    """
    points = found.splits
    if len(points) > MOST_POINTS:
        points = points.sample(MOST_POINTS, random_state=0)
    figures = ".2%" if objective == "mean" else ".2f"
    loss = points["out_of_sample"] < 0
    # Not Scattergl: browsers without a window have no WebGL.
    cloud = go.Scatter(
        x=as_float32(points["in_sample"]),
        y=as_float32(points["out_of_sample"]),
        text=[escape_html(trial) for trial in points["trial"]],
        name=t("legend.one_split", language),
        mode="markers",
        marker={
            "size": 4,
            "opacity": 0.6,
            "color": [WORTHLESS if lost else WORTH for lost in loss],
        },
        hovertemplate=f"%{{text}}: %{{x:{figures}}} → %{{y:{figures}}}<extra></extra>",
        showlegend=False,
    )
    x, y = line_ends(found)
    fit = go.Scatter(
        x=x,
        y=y,
        name=t("legend.least_squares", language),
        mode="lines",
        line={"color": INK, "width": 2},
        hoverinfo="skip",
    )
    what = t(f"objective.{objective}", language)
    tickformat = {"tickformat": ".1%"} if objective == "mean" else {}
    return base_layout(
        [cloud, fit],
        degradation_title(found, language),
        xaxis=axis(t("axis.in_sample", language, what=what), zeroline=False, **tickformat),
        yaxis=axis(t("axis.out_of_sample", language, what=what), **tickformat),
    )


def maximum_by_luck(
    chance: NullDistribution, best: float, trials: int, language: Language = "en"
) -> go.Figure:
    """Draw the best trial against what the best of such trials reaches without skill.

    Takes what `figures.luck.maximum_by_luck` takes.
    """
    shares = maximum_shares(chance)
    reached = reaching(shares, best)
    title, share = maximum_words(chance, best, trials, language)
    top = float(shares["share"].max()) * 1.05
    traces = [
        _steps(shares[~reached], MUTED, ""),
        _steps(shares[reached], WORTHLESS, share),
        _mark(chance.expected_max_annual(), top, EXPECTED, "legend.expected_by_luck", language),
        _mark(best, top, INK, "legend.best_trial", language),
    ]
    return base_layout(
        traces,
        title,
        barmode="overlay",
        xaxis=axis(t("objective.sharpe_ratio", language), showgrid=False, zeroline=False),
        yaxis=axis(t("axis.share_of_searches", language), tickformat=".0%"),
    )


def _steps(bars: pd.DataFrame, colour: str, name: str) -> go.Bar:
    """Return bars between the ends of their steps; without a name they have no legend entry."""
    centre = (bars["left"] + bars["right"]) / 2
    look: dict[str, Any] = {"color": colour, "line": {"width": 0}}
    return go.Bar(
        x=as_float32(centre),
        y=as_float32(bars["share"]),
        width=as_float32((bars["right"] - bars["left"]) * 0.94),
        name=name,
        marker=look,
        showlegend=bool(name),
        hovertemplate="%{x:.2f}: %{y:.1%}<extra></extra>",
    )


def _mark(value: float, top: float, colour: str, name: str, language: Language) -> go.Scatter:
    """Return an upright line at a value."""
    return go.Scatter(
        x=[value, value],
        y=[0, top],
        name=t(name, language, value=value),
        mode="lines",
        line={"color": colour, "width": 2.5},
        hoverinfo="name",
    )
