"""The figures of the second study: what the authority did, the fits, forecasts and grounds."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.figures.intervention_series import ACTUAL, LINEAR, NETWORK, RELEVANCE, input_text
from konkyo.report.interactive.style import INK, MUTED, as_float32, axis, base_layout, dates, line


def fitted_intervention(answers: pd.DataFrame, period: str, language: Language = "en") -> go.Figure:
    """Draw a period's intervention with its in-sample fits (figures 2 to 5).

    Parameters and rows are those of `figures.intervention_series.fitted_intervention`.
    """
    actual = answers.drop_duplicates("month").sort_values("month")
    traces: list[Any] = [_actual(dates(actual["month"]), actual["actual"], language)]
    for model, colour in (("network", NETWORK), ("linear", LINEAR)):
        own = answers[answers["model"] == model].sort_values("month")
        traces.append(
            line(own["month"], own["forecast"], t(f"intervention.value.{model}", language), colour)
        )
    return base_layout(
        traces,
        t("intervention.title.fitted", language, period=period),
        hovermode="x unified",
        xaxis=axis(type="date"),
        yaxis=axis(t("intervention.axis.amount", language)),
    )


def forecast_intervention(answers: pd.DataFrame, language: Language = "en") -> go.Figure:
    """Draw the forecast months of all periods, one panel a data set.

    Parameters and rows are those of `figures.intervention_series.forecast_intervention`.
    """
    traces: list[Any] = []
    notes = []
    for place, data in enumerate(("I", "II")):
        own = answers[answers["data"] == data].sort_values("month")
        panel: dict[str, Any] = {"yaxis": "y" if place == 0 else "y2", "showlegend": place == 0}
        actual = own.drop_duplicates("month")
        traces.append(_actual(_names(actual["month"]), actual["actual"], language, **panel))
        for model, colour, symbol in (("network", NETWORK, "circle"), ("linear", LINEAR, "x")):
            points = own[own["model"] == model]
            spread = {
                "type": "data",
                "array": as_float32(points["spread"]),
                "thickness": 1,
                "width": 2,
            }
            traces.append(
                go.Scatter(
                    x=_names(points["month"]),
                    y=as_float32(points["forecast"]),
                    error_y=spread if points["spread"].notna().any() else None,
                    mode="markers",
                    name=t(f"intervention.value.{model}", language),
                    marker={"color": colour, "symbol": symbol, "size": 7},
                    hovertemplate="%{x}: %{y:,.0f}<extra>"
                    + t(f"intervention.value.{model}", language)
                    + "</extra>",
                    **panel,
                )
            )
        notes.append(note(t(f"intervention.legend.data_{data}", language), 0, 0.94 - 0.5 * place))
    title = t("intervention.axis.amount", language)
    return base_layout(
        traces,
        t("intervention.title.forecasts", language),
        height=620,
        annotations=notes,
        xaxis=axis(type="category", anchor="y2", tickangle=-60, nticks=20),
        yaxis=axis(title, domain=[0.52, 0.94]),
        yaxis2=axis(title, domain=[0.0, 0.44]),
    )


def grounds_of_forecasts(
    grounds: pd.DataFrame, method: str, language: Language = "en"
) -> go.Figure:
    """Draw what each input adds to each month's forecast, as bars that add up to its log-odds.

    Parameters and rows are those of `figures.intervention_series.grounds_of_forecasts`.
    """
    own = grounds.sort_values("month")
    months = _names(own["month"])
    traces: list[Any] = []
    for name, colour in RELEVANCE.items():
        called = input_text(name, language)
        traces.append(
            go.Bar(
                x=months, y=as_float32(own[name]), name=called, marker={"color": colour},
                hovertemplate="%{y:+.2f}",
            )
        )  # fmt: skip
    traces.append(
        go.Scatter(
            x=months, y=as_float32(own["score"]), name=t("intervention.legend.sum", language),
            mode="markers", marker={"color": INK, "size": 6}, hovertemplate="%{y:+.2f}",
        )
    )  # fmt: skip
    return base_layout(
        traces,
        t(f"intervention.title.grounds_{method}", language),
        height=480,
        barmode="relative",
        hovermode="x unified",
        xaxis=axis(type="category", tickangle=-60, nticks=20),
        yaxis=axis(t("intervention.axis.log_odds", language)),
    )


def calibration_curve(calibration: pd.DataFrame, language: Language = "en") -> go.Figure:
    """Draw how often intervention came against how probable it was said to be.

    Parameters and rows are those of `figures.intervention_series.calibration_curve`.
    """
    traces: list[Any] = []
    notes = []
    for place, data in enumerate(("I", "II")):
        number = "" if place == 0 else "2"
        panel: dict[str, Any] = {"xaxis": f"x{number}"}
        traces.append(
            go.Scatter(
                x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "width": 1},
                hoverinfo="skip", showlegend=False, **panel,
            )
        )  # fmt: skip
        for model, colour, symbol in (("network", NETWORK, "circle"), ("logit", LINEAR, "diamond")):
            own = calibration[(calibration["model"] == model) & (calibration["data"] == data)]
            traces.append(
                go.Scatter(
                    x=as_float32(own["forecast"]),
                    y=as_float32(own["frequency"]),
                    mode="lines+markers",
                    name=t(f"intervention.value.{model}", language),
                    line={"color": colour, "width": 1},
                    marker={
                        "color": colour, "symbol": symbol, "opacity": 0.7,
                        "size": as_float32(4 + 4 * np.sqrt(own["months"])),
                    },
                    customdata=own["months"].tolist(),
                    hovertemplate="%{x:.2f}: %{y:.2f} (n = %{customdata})<extra></extra>",
                    showlegend=place == 0,
                    **panel,
                )
            )  # fmt: skip
        notes.append(note(t(f"intervention.legend.data_{data}", language), 0.53 * place, 1))
    chance = t("intervention.axis.probability", language)
    return base_layout(
        traces,
        t("intervention.title.calibration", language),
        height=420,
        annotations=notes,
        xaxis=axis(chance, domain=[0, 0.47], range=[-0.06, 1.06]),
        xaxis2=axis(chance, domain=[0.53, 1], range=[-0.06, 1.06]),
        yaxis=axis(t("intervention.axis.frequency", language), range=[-0.08, 1.08]),
    )


def _actual(x: Any, y: pd.Series, language: Language, **settings: Any) -> go.Bar:
    said = t("intervention.value.actual", language)
    told = f"%{{y:,.0f}}<extra>{said}</extra>"
    return go.Bar(
        x=x, y=as_float32(y), name=said, marker={"color": ACTUAL}, hovertemplate=told, **settings
    )


def _names(months: pd.Series) -> list[str]:
    return [label(month) for month in months]


def note(words: str, x: float, y: float, anchor: str = "bottom") -> dict[str, Any]:
    """Return words in a figure, at shares of its width and height."""
    return {
        "text": words, "xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": "left",
        "yanchor": anchor, "showarrow": False, "align": "left", "font": {"size": 12},
    }  # fmt: skip
