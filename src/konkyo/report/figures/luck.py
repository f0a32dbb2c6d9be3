"""How much of a search is luck: choices in halves of the record, the best trial without skill."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from konkyo.backtest import NullDistribution, Overfitting
from konkyo.i18n import Language, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import OTHER, canvas, percent_axis

# Okabe and Ito's blue and vermilion: a choice that was worth something, and one that was not.
WORTH, WORTHLESS, EXPECTED = "#0072B2", "#D55E00", OTHER
HALVES = ((True, WORTHLESS, "legend.at_or_below_median"), (False, WORTH, "legend.above_median"))
"""Of the logits: whether they are worthless, their colour, the key of their name."""
_WIDTH = 0.25
_BARS = 60
_ROOM = 1.4
"""The height of the axes above that of the bars: the legend stands between."""


def logit_shares(splits: pd.DataFrame) -> pd.DataFrame:
    """Return how often the logit falls in each step of a quarter, its upper end included.

    Parameters
    ----------
    splits : DataFrame
        logit, one row a split.

    Returns
    -------
    DataFrame
        left, right (a step's ends; 0 is one of them), share, worthless (the step is at or below 0).
    """
    step = np.ceil(splits["logit"] / _WIDTH).astype("int64")
    share = step.value_counts(normalize=True).sort_index()
    right = share.index.to_numpy() * _WIDTH
    return pd.DataFrame(
        {
            "left": right - _WIDTH,
            "right": right,
            "share": share.to_numpy(),
            "worthless": right <= 0,
        }
    )


def maximum_shares(chance: NullDistribution) -> pd.DataFrame:
    """Return how often the best trial without skill ends in each step.

    Parameters
    ----------
    chance : NoSkill
        What `backtest.null_distribution` returns.

    Returns
    -------
    DataFrame
        left, right (annual return / risk), share: 60 equal steps.
    """
    counts, edges = np.histogram(chance.annual_maxima(), bins=_BARS)
    return pd.DataFrame({"left": edges[:-1], "right": edges[1:], "share": counts / counts.sum()})


def logit_histogram(found: Overfitting, language: Language = "en") -> Figure:
    """Draw where the trial chosen in one half of the months ranks in the other half.

    Parameters
    ----------
    found : Overfitting
        What `backtest.overfitting` returns.
    language : str
        en or ja.

    Returns
    -------
    Figure
        A histogram; the share at or below 0, in the other colour, is the probability of backtest
        overfitting.
    """
    figure, axes = canvas(t("title.logit_histogram", language, pbo=found.pbo))
    shares = logit_shares(found.splits)
    for worthless, colour, name in HALVES:
        bars = shares[shares["worthless"] == worthless]
        _steps(axes, bars, colour, t(name, language))
    axes.axvline(0.0, color="#666666", linewidth=0.8)
    axes.set_xlabel(t("axis.logit", language, trials=found.trials), fontsize=9)
    percent_axis(axes, "axis.share_of_splits", language)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return apply_font(figure, language)


def degradation_scatter(
    found: Overfitting, objective: str = "sharpe_ratio", language: Language = "en"
) -> Figure:
    """Draw what the chosen trial reached in sample against what it reached out of sample.

    Parameters
    ----------
    found : Overfitting
        What `backtest.overfitting` returns.
    objective : str
        What was maximised: sharpe_ratio, t_statistic or mean.
    language : str
        en or ja.

    Returns
    -------
    Figure
        One point a split, losses out of sample in the other colour, and the line of least squares.
    """
    figure, axes = canvas(degradation_title(found, language))
    points = found.splits
    colours = np.where(points["out_of_sample"] < 0, WORTHLESS, WORTH)
    axes.scatter(
        points["in_sample"],
        points["out_of_sample"],
        s=8,
        c=colours,
        alpha=float(np.clip(2_000 / len(points), 0.15, 0.8)),
        linewidth=0,
    )
    ends = line_ends(found)
    axes.plot(*ends, color="#000000", linewidth=1.6, label=t("legend.least_squares", language))
    axes.axhline(0.0, color="#666666", linewidth=0.8)
    for write, side in (
        (axes.set_xlabel, "axis.in_sample"),
        (axes.set_ylabel, "axis.out_of_sample"),
    ):
        write(t(side, language, what=t(f"objective.{objective}", language)), fontsize=9)
    if objective == "mean":
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2%}"))
    axes.legend(frameon=False, fontsize=9, loc="best")
    return apply_font(figure, language)


def degradation_title(found: Overfitting, language: Language) -> str:
    """Return the title that says the slope and how often the choice lost."""
    loss = found.probability_of_loss
    return t("title.degradation_scatter", language, slope=found.slope, loss=loss)


def line_ends(found: Overfitting) -> tuple[list[float], list[float]]:
    """Return the ends of the line of least squares: in sample, out of sample."""
    reached = found.splits["in_sample"]
    reached = reached[np.isfinite(reached)]
    x = [float(reached.min()), float(reached.max())]
    return x, [found.intercept + found.slope * value for value in x]


def maximum_by_luck(
    chance: NullDistribution, best: float, trials: int, language: Language = "en"
) -> Figure:
    """Draw the best trial against what the best of such trials reaches without skill.

    Parameters
    ----------
    chance : NoSkill
        What `backtest.null_distribution` returns.
    best : float
        The annual return / risk of the best trial.
    trials : int
        How many there were.
    language : str
        en or ja.

    Returns
    -------
    Figure
        The distribution of the maximum, the expected one, the best trial and who reaches it.
    """
    title, share = maximum_words(chance, best, trials, language)
    figure, axes = canvas(title)
    shares = maximum_shares(chance)
    reached = reaching(shares, best)
    _steps(axes, shares[~reached], "#B8B8B8")
    _steps(axes, shares[reached], WORTHLESS)
    marks = (
        (chance.expected_max_annual(), EXPECTED, "legend.expected_by_luck"),
        (best, "#000000", "legend.best_trial"),
    )
    for value, colour, name in marks:
        label = t(name, language, value=value)
        axes.axvline(value, ymax=1.05 / _ROOM, color=colour, linewidth=2.0, label=label)
    axes.legend(
        frameon=False, fontsize=9, loc="upper left", title=share, title_fontsize=9, alignment="left"
    )
    axes.set_xlabel(t("objective.sharpe_ratio", language), fontsize=9)
    percent_axis(axes, "axis.share_of_searches", language)
    axes.set_ylim(0, shares["share"].max() * _ROOM)
    return apply_font(figure, language)


def reaching(shares: pd.DataFrame, best: float) -> pd.Series:
    """Return which steps of the maximum are, by their middles, no worse than the best trial."""
    return (shares["left"] + shares["right"]) / 2 >= best


def maximum_words(
    chance: NullDistribution, best: float, trials: int, language: Language
) -> tuple[str, str]:
    """Return the title, and what share of searches without skill reaches the best trial."""
    share = float((chance.annual_maxima() >= best).mean())
    return (
        t("title.maximum_by_luck", language, trials=trials, effective=chance.effective_trials),
        t("note.reached_by_luck", language, share=share),
    )


def _steps(axes: Axes, bars: pd.DataFrame, colour: str, label: str | None = None) -> None:
    axes.bar(
        bars["left"],
        bars["share"],
        width=(bars["right"] - bars["left"]) * 0.94,
        align="edge",
        color=colour,
        linewidth=0,
        label=label,
    )
