"""Compounded value over time, of portfolios and of models."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.growth import model_lines, portfolio_lines
from konkyo.report.interactive.style import axis, base_layout, colour_of, line


def portfolio_growth(
    cumulative: pd.DataFrame, model: str = "network", language: Language = "en"
) -> go.Figure:
    """Draw what 1 invested in each portfolio became (the paper's figure 6).

    Takes what `figures.growth.portfolio_growth` takes.
    """
    title = t("title.portfolio_growth", language, model=display_name("model", model, language))
    return _growth(portfolio_lines(cumulative, model), title, "portfolio", "spread", language)


def model_growth(
    cumulative: pd.DataFrame, models: Sequence[str] | None = None, language: Language = "en"
) -> go.Figure:
    """Draw what the long-short portfolio of each model became.

    Takes what `figures.growth.model_growth` takes.
    """
    lines = model_lines(cumulative, models)
    return _growth(lines, t("title.model_growth", language), "model", "network", language)


def _growth(
    lines: dict[str, pd.DataFrame], title: str, section: str, emphasis: str, language: Language
) -> go.Figure:
    traces = [
        line(
            series["month"],
            series["value"],
            display_name(section, name, language),
            colour_of(name),
            width=2.4 if name == emphasis else 1.5,
            hovertemplate="%{x|%Y-%m}: %{y:.2f}",
        )
        for name, series in lines.items()
    ]
    # Exponents of 10; a plain log axis of plotly marks 2 and 5 in small letters without the 0.
    ends = np.concatenate([series["value"].to_numpy() for series in lines.values()])
    steps = (1, 2, 5) if ends.max() / ends.min() > 5 else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6.5, 8)
    marks = [step * 10.0**power for power in range(-4, 7) for step in steps]
    return base_layout(
        traces,
        title,
        xaxis=axis(t("axis.earned_month", language)),
        yaxis=axis(
            t("axis.value_of_one", language),
            type="log",
            tickvals=marks,
            ticktext=[f"{mark:g}" for mark in marks],
        ),
        hovermode="x unified",
    )
