"""How far the grounds can be trusted: agreement with the truth, deletion curves."""

import pandas as pd
import plotly.graph_objects as go

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.evaluation import MEASURES, PAPER, areas_of
from konkyo.report.interactive.style import as_float32, axis, base_layout, colour_of, places


def truth_agreement(agreement: pd.DataFrame, language: Language = "en") -> go.Figure:
    """Draw the rank correlation of each method's relevances with the true contributions.

    Takes what `figures.grounds.truth_agreement` takes.
    """
    table = agreement.pivot_table(index="method", columns="measure", values="mean")
    errors = agreement.pivot_table(index="method", columns="measure", values="standard_error")
    order = table["rank_per_stock"].sort_values(ascending=False).index
    marks = {"rank_per_input": ("circle", "long"), "rank_per_stock": ("square", "short")}
    traces = []
    for shift, measure in zip((-0.12, 0.12), MEASURES, strict=True):
        shape, colour = marks[measure]
        error = errors.reindex(order).get(measure)
        traces.append(
            go.Scatter(
                x=as_float32(table.loc[order, measure]),
                y=[place + shift for place in range(len(order))],
                error_x=None if error is None else {"array": as_float32(2 * error), "thickness": 1},
                name=t(f"agreement.{measure}", language),
                mode="markers",
                marker={"symbol": shape, "size": 8, "color": colour_of(colour)},
                hovertemplate="%{x:.3f}",
            )
        )
    names = [
        f"<b>{called}</b>" if name == PAPER else called
        for name in order
        for called in (display_name("method", name, language),)
    ]
    return base_layout(
        traces,
        t("title.truth_agreement", language),
        xaxis=axis(t("axis.agreement", language)),
        yaxis=places(names),
    )


def deletion_curves(deletion: pd.DataFrame, language: Language = "en") -> go.Figure:
    """Draw how far scores move as inputs are put to the centre, most relevant first.

    Takes what `figures.grounds.deletion_curves` takes.
    """
    chance = deletion[deletion["method"] == PAPER]
    curves = [
        (
            t("legend.area", language, method=display_name("method", name, language), area=area),
            deletion[deletion["method"] == name],
            "ordered",
            {"color": colour_of(colour), "width": width},
        )
        for (name, area), colour, width in zip(
            areas_of(deletion).items(), ("spread", "long", "short"), (2.6, 1.6, 1.6), strict=False
        )
    ]
    dashed = {"color": colour_of("named"), "width": 1.6, "dash": "dash"}
    curves.append((t("legend.random_order", language), chance, "random", dashed))
    traces = [
        go.Scatter(
            x=as_float32(curve["deleted"]),
            y=as_float32(curve[column]),
            name=name,
            mode="lines",
            line=line,
            hovertemplate="%{x:.0%}: %{y:.3f}",
        )
        for name, curve, column, line in curves
    ]
    return base_layout(
        traces,
        t("title.deletion_curves", language),
        xaxis=axis(t("axis.deleted", language), tickformat=".0%"),
        yaxis=axis(t("axis.score_change", language)),
    )
