"""How much of a search is luck: choices in halves of the record, the best trial without skill."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from konkyo.backtest import NoSkill, Overfitting
from konkyo.figures.luck import (
    EXPECTED,
    WORTH,
    WORTHLESS,
    line_ends,
    logit_shares,
    maximum_shares,
)
from konkyo.figures.texts import Language, text
from konkyo.interactive.style import INK, MUTED, axis, safe, short, slim

MOST_POINTS = 2_000
"""Of 12,870 splits, a sample is enough for the eye and small enough for a page."""


def logit_histogram(found: Overfitting, language: Language = "en") -> go.Figure:
    """Draw where the trial chosen in one half of the months ranks in the other half.

    Parameters
    ----------
    found : Overfitting
        What `backtest.overfitting` returns.
    language : str
        en or ja.

    Returns
    -------
    plotly Figure
        A histogram; the share at or below 0, in the other colour, is the probability of backtest
        overfitting.
    """
    shares = logit_shares(found.splits)
    traces = [
        _steps(shares[shares["worthless"] == worthless], colour, text(name, language))
        for worthless, colour, name in (
            (True, WORTHLESS, "at_or_below_median"),
            (False, WORTH, "above_median"),
        )
    ]
    return slim(
        traces,
        text("logit_histogram", language, pbo=found.pbo),
        barmode="overlay",
        xaxis=axis(text("logit_axis", language, trials=found.trials), showgrid=False),
        yaxis=axis(text("share_of_splits", language), tickformat=".0%"),
    )


def degradation_scatter(
    found: Overfitting, objective: str = "return_risk", language: Language = "en"
) -> go.Figure:
    """Draw what the chosen trial reached in sample against what it reached out of sample.

    Parameters
    ----------
    found : Overfitting
        What `backtest.overfitting` returns.
    objective : str
        What was maximised: return_risk, t_statistic or mean.
    language : str
        en or ja.

    Returns
    -------
    plotly Figure
        One point a split, at most 2,000 of them; the line of least squares is that of all.
    """
    points = found.splits
    if len(points) > MOST_POINTS:
        points = points.sample(MOST_POINTS, random_state=0)
    figures = ".2%" if objective == "mean" else ".2f"
    loss = points["out_of_sample"] < 0
    cloud = go.Scattergl(
        x=short(points["in_sample"]),
        y=short(points["out_of_sample"]),
        text=[safe(trial) for trial in points["chosen"]],
        name=text("one_split", language),
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
        name=text("least_squares", language),
        mode="lines",
        line={"color": INK, "width": 2},
        hoverinfo="skip",
    )
    what = text(f"objective_{objective}", language)
    tickformat = {"tickformat": ".1%"} if objective == "mean" else {}
    title = text("degradation_scatter", language, slope=found.slope, loss=found.probability_of_loss)
    return slim(
        [cloud, fit],
        title,
        xaxis=axis(text("in_sample", language, what=what), zeroline=False, **tickformat),
        yaxis=axis(text("out_of_sample", language, what=what), **tickformat),
    )


def maximum_by_luck(
    chance: NoSkill, best: float, trials: int, language: Language = "en"
) -> go.Figure:
    """Draw the best trial against what the best of such trials reaches without skill.

    Parameters
    ----------
    chance : NoSkill
        What `backtest.no_skill` returns.
    best : float
        The annual return / risk of the best trial.
    trials : int
        How many there were.
    language : str
        en or ja.

    Returns
    -------
    plotly Figure
        The distribution of the maximum, the expected one, the best trial and who reaches it.
    """
    shares = maximum_shares(chance)
    reached = (shares["left"] + shares["right"]) / 2 >= best
    drawn = chance.annual()
    share = text("reached_by_luck", language, share=float((drawn >= best).mean()))
    top = float(shares["share"].max()) * 1.05
    traces = [
        _steps(shares[~reached], MUTED, ""),
        _steps(shares[reached], WORTHLESS, share),
        _mark(chance.annual_bar(), top, EXPECTED, "expected_by_luck", language),
        _mark(best, top, INK, "best_trial", language),
    ]
    title = text("maximum_by_luck", language, trials=trials, effective=chance.effective_trials)
    return slim(
        traces,
        title,
        barmode="overlay",
        xaxis=axis(text("objective_return_risk", language), showgrid=False, zeroline=False),
        yaxis=axis(text("share_of_searches", language), tickformat=".0%"),
    )


def _steps(bars: pd.DataFrame, colour: str, name: str) -> go.Bar:
    """Return bars between the ends of their steps; without a name they have no legend entry."""
    centre = (bars["left"] + bars["right"]) / 2
    look: dict[str, Any] = {"color": colour, "line": {"width": 0}}
    return go.Bar(
        x=short(centre),
        y=short(bars["share"]),
        width=short((bars["right"] - bars["left"]) * 0.94),
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
        name=text(name, language, value=value),
        mode="lines",
        line={"color": colour, "width": 2.5},
        hoverinfo="name",
    )
