"""The figures of a search: Optuna's own, and those that say how much of its result is luck."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import optuna
import plotly.graph_objects as go
from optuna.trial import FrozenTrial

from konkyo import backtest
from konkyo.backtest.objectives import ObjectiveName
from konkyo.report.interactive.style import CLEAR, FONT, GRID, INK, MUTED
from konkyo.tuning import results
from konkyo.tuning.space import NUMBERS, STRUCTURE


def search(study: optuna.Study) -> dict[str, go.Figure]:
    """Return Optuna's plots of a study: history, importances, slices, parallel_coordinates.

    The importances need trials that differ, and are left out where Optuna cannot tell.
    """
    made = {
        "history": optuna.visualization.plot_optimization_history(study),
        "slice_numbers": optuna.visualization.plot_slice(study, list(NUMBERS)),
        "slice_structure": optuna.visualization.plot_slice(study, list(STRUCTURE)),
        "parallel_coordinates": optuna.visualization.plot_parallel_coordinate(study),
    }
    try:
        made["importances"] = optuna.visualization.plot_param_importances(study)
    except (ValueError, RuntimeError) as error:
        logging.getLogger(__name__).info("no importances: %s", error)
    return {name: _restyled(figure) for name, figure in made.items()}


@dataclass(frozen=True)
class Chance:
    """What the figures of luck are drawn from, whichever room draws them.

    Attributes
    ----------
    no_skill : NoSkill
        What the best of so many trials would reach by luck.
    halves : Overfitting or None
        None where there are too few months or complete trials to compare.
    reached : float
        The chosen trial's annual return / risk.
    trials : int
        Pruned ones too.
    """

    no_skill: backtest.NullDistribution
    halves: backtest.Overfitting | None
    reached: float
    trials: int


def chance(
    trials: Sequence[FrozenTrial], best: FrozenTrial, objective: ObjectiveName, seed: int
) -> Chance:
    """Return what the figures of luck show.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        All that count.
    best : FrozenTrial
        The chosen one.
    objective : str
        sharpe_ratio, t_statistic or mean.
    seed : int
        Of the draws, as `result.luck` has it.
    """
    wide = results.wide(trials)
    reached = float(best.user_attrs["sharpe_ratio"])
    found = backtest.overfitting_or_none(wide, objective)
    return Chance(backtest.null_distribution(wide, seed), found, reached, wide.shape[1])


def luck(found: Chance, objective: ObjectiveName, language: str, room: Any) -> dict[str, Any]:
    """Return the figures of luck, from the room `figures` or the room `interactive`.

    Parameters
    ----------
    found : Chance
        What `chance` returns.
    objective : str
        sharpe_ratio, t_statistic or mean.
    language : str
        en or ja.
    room : module
        `figures.luck` or `interactive.luck`.

    Returns
    -------
    dict
        maximum_by_luck and, where halves could be compared, logit_histogram and
        degradation_scatter.
    """
    made = {
        "maximum_by_luck": room.maximum_by_luck(
            found.no_skill, found.reached, found.trials, language
        )
    }
    if found.halves is not None:
        made["logit_histogram"] = room.logit_histogram(found.halves, language)
        made["degradation_scatter"] = room.degradation_scatter(found.halves, objective, language)
    return made


def _restyled(figure: go.Figure) -> go.Figure:
    """Return one of Optuna's figures in the page's colours, without a title of its own."""
    figure.layout.template = None
    figure.update_layout(
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font={"family": FONT, "size": 12, "color": INK},
        height=480,
        width=None,
        title={"text": ""},
        margin={"l": 8, "r": 12, "t": 30, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    figure.update_xaxes(automargin=True, gridcolor=GRID, zerolinecolor=MUTED)
    figure.update_yaxes(automargin=True, gridcolor=GRID, zerolinecolor=MUTED)
    return figure
