"""Mean return from the worst scores to the best."""

from itertools import cycle

import pandas as pd
import plotly.graph_objects as go

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.quantiles import quantile_rows
from konkyo.report.interactive.style import INK, PAPER, as_float32, axis, base_layout, colour_of


def quantile_returns(
    quantiles: pd.DataFrame, model: str = "network", language: Language = "en"
) -> go.Figure:
    """Draw the mean annual return of every quantile, that of full-length baselines beside it.

    Takes what `figures.quantiles.quantile_returns` takes.
    """
    bars, others = quantile_rows(quantiles, model)
    last = bars["quantile"].max()
    ends = {1: "short", last: "long"}
    colours = [colour_of(ends.get(quantile, "market")) for quantile in bars["quantile"]]
    traces: list[go.Bar | go.Scatter] = [
        go.Bar(
            x=bars["quantile"].tolist(),
            y=as_float32(bars["annual_return"]),
            name=display_name("model", model, language),
            marker={"color": colours, "opacity": 0.85},
            hovertemplate="%{x}: %{y:.1%}<extra></extra>",
            showlegend=False,
        )
    ]
    shapes = cycle(("diamond", "circle", "triangle-up"))
    for (name, points), shape in zip(others.groupby("model"), shapes, strict=False):
        traces.append(
            go.Scatter(
                x=points["quantile"].tolist(),
                y=as_float32(points["annual_return"]),
                name=display_name("model", str(name), language),
                mode="markers",
                marker={
                    "symbol": shape,
                    "size": 9,
                    "color": PAPER,
                    "line": {"color": INK, "width": 1.2},
                },
                hovertemplate="%{x}: %{y:.1%}",
            )
        )
    return base_layout(
        traces,
        t("title.quantile_returns", language, model=display_name("model", model, language)),
        xaxis=axis(t("axis.quantile", language, last=last), dtick=1, showgrid=False),
        yaxis=axis(t("axis.annual_return_mean", language), tickformat=".0%"),
    )
