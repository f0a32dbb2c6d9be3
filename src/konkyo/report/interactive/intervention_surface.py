"""The reaction surface of a period and its reaction to the month's move, to be turned and read."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.figures.intervention_series import LINEAR, NETWORK
from konkyo.report.figures.intervention_surface import threshold_text
from konkyo.report.interactive.intervention import note
from konkyo.report.interactive.style import CLEAR, GRID, INK, MUTED, as_float32, axis, base_layout

_SCALE = "Viridis"


def reaction_surface(
    surface: pd.DataFrame,
    months: pd.DataFrame,
    inputs: tuple[str, str],
    period: str,
    language: Language = "en",
) -> go.Figure:
    """Draw the fitted reaction over two inputs in three dimensions (figure 6), to be turned.

    Parameters and rows are those of `figures.intervention_surface.reaction_surface`.
    """
    first, second = inputs
    x, y, share, spread = _grid(surface, inputs)
    words = _told(inputs, language)
    traces: list[Any] = [
        go.Surface(
            x=x,
            y=y,
            z=share,
            customdata=spread,
            colorscale=_SCALE,
            opacity=0.85,
            showscale=False,
            hovertemplate=words + "%{z:.2f} (±%{customdata:.2f})<extra></extra>",
        )
    ]
    for face, own, points in _observed(months, inputs, language):
        traces.append(
            go.Scatter3d(
                **points,
                z=as_float32(own["actual_share"]),
                marker={"size": 4, "color": face, "line": {"color": INK, "width": 1}},
                text=[label(month) for month in own["month"]],
                hovertemplate="%{text}: %{z:.2f}<extra></extra>",
            )
        )
    depth: dict[str, Any] = {"gridcolor": GRID, "zerolinecolor": MUTED, "showbackground": False}
    titles = (first, second, "share")
    rises_left = share[:, 0].mean() > share[:, -1].mean()
    scene = {
        f"{name}axis": {
            **depth,
            "title": {"text": t(f"intervention.axis.{key}", language), "font": {"size": 11}},
        }
        for name, key in zip("xyz", titles, strict=True)
    }
    eye = {"x": 1.6 if rises_left else -1.6, "y": -1.6, "z": 0.9}
    return base_layout(
        traces,
        t("intervention.title.surface", language, period=period),
        height=520,
        margin={"l": 0, "r": 0, "t": 60, "b": 0},
        scene={**scene, "camera": {"eye": eye}, "bgcolor": CLEAR},
    )


def reaction_contour(
    surface: pd.DataFrame,
    months: pd.DataFrame,
    inputs: tuple[str, str],
    threshold: float,
    period: str,
    language: Language = "en",
) -> go.Figure:
    """Draw the fitted reaction from above, with the months and the threshold.

    Parameters and rows are those of `figures.intervention_surface.reaction_surface`.
    """
    first, second = inputs
    x, y, share, spread = _grid(surface, inputs)
    traces: list[Any] = [
        go.Contour(
            x=x,
            y=y,
            z=share,
            customdata=spread,
            colorscale=_SCALE,
            ncontours=12,
            line={"width": 0},
            colorbar={
                "title": {"text": t("intervention.axis.share", language), "side": "right"},
                "thickness": 12,
                "outlinewidth": 0,
            },
            hovertemplate=_told(inputs, language) + "%{z:.2f} (±%{customdata:.2f})<extra></extra>",
        )
    ]
    for face, own, points in _observed(months, inputs, language):
        traces.append(
            go.Scatter(
                **points,
                marker={"size": 8, "color": face, "line": {"color": "#000000", "width": 1}},
                text=[f"{label(m)}: {s:.2f}" for m, s in own[["month", "actual_share"]].to_numpy()],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    if first == "change" and np.isfinite(threshold):
        traces.append(
            go.Scatter(
                x=[threshold, threshold],
                y=[float(y[0]), float(y[-1])],
                mode="lines",
                name=t("intervention.legend.threshold", language, at=threshold),
                line={"color": "#56B4E9", "width": 2, "dash": "dash"},
                hoverinfo="skip",
            )
        )
    return base_layout(
        traces,
        t("intervention.title.contour", language, period=period),
        height=460,
        xaxis=axis(t(f"intervention.axis.{first}", language)),
        yaxis=axis(t(f"intervention.axis.{second}", language)),
    )


def reaction_curves(
    curves: pd.DataFrame,
    thresholds: pd.DataFrame,
    periods: dict[str, str],
    language: Language = "en",
) -> go.Figure:
    """Draw the reaction to the month's move with the spread between seeds, a panel a period.

    Parameters and rows are those of `figures.intervention_surface.reaction_curves`.
    """
    at = thresholds.set_index("period")["threshold"]
    traces: list[Any] = []
    layout: dict[str, Any] = {}
    notes = []
    for place, name in enumerate(periods):
        number = "" if place == 0 else str(place + 1)
        own = curves[curves["period"] == name].iloc[::4]
        panel: dict[str, Any] = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        panel |= {"showlegend": place == 0, "mode": "lines"}
        move, share, spread = (as_float32(own[c]) for c in ("move", "share", "spread"))
        traces.append(
            go.Scatter(
                x=np.concatenate([move, move[::-1]]),
                y=np.concatenate([share + spread, (share - spread)[::-1]]),
                fill="toself",
                fillcolor="rgba(0,114,178,0.2)",
                line={"width": 0},
                hoverinfo="skip",
                **{**panel, "showlegend": False},
            )
        )
        drawn = [("network", "share", {"color": NETWORK})]
        if "planted" in own and own["planted"].notna().any():
            drawn.append(("planted", "planted", {"color": LINEAR, "dash": "dash"}))
        for key, column, style in drawn:
            traces.append(
                go.Scatter(
                    x=move, y=as_float32(own[column]),
                    name=t(f"intervention.value.{key}", language), line=style,
                    hovertemplate="%{x:.2f}: %{y:.2f}<extra></extra>", **panel,
                )
            )  # fmt: skip
        left, top = 0.56 * (place % 2), 1 - (place // 2) / -(-len(periods) // 2)
        tall = 1 / -(-len(periods) // 2)
        layout[f"xaxis{number}"] = axis(
            domain=[left, left + 0.44 if len(periods) > 1 else 1], anchor=f"y{number}"
        )
        layout[f"yaxis{number}"] = axis(
            domain=[top - 0.78 * tall, top - 0.1 * tall], anchor=f"x{number}"
        )
        told = f"<b>{name}</b><br>{threshold_text(at[name], language)}"
        notes.append(note(told, left, top - 0.1 * tall))
        if np.isfinite(at[name]):
            ends = [0.0, float(own["share"].max())]
            mark = {"color": INK, "dash": "dot", "width": 1.5}
            traces.append(
                go.Scatter(
                    x=[at[name]] * 2, y=ends, line=mark, hoverinfo="skip",
                    **{**panel, "showlegend": False},
                )
            )  # fmt: skip
    last = "" if len(periods) == 1 else str(len(periods))
    layout[f"xaxis{last}"]["title"] = axis(t("intervention.axis.move", language))["title"]
    layout["yaxis"]["title"] = axis(t("intervention.axis.share", language))["title"]
    return base_layout(
        traces, t("intervention.title.curves", language), height=120 + 270 * -(-len(periods) // 2),
        annotations=notes, **layout,
    )  # fmt: skip


def _grid(surface: pd.DataFrame, inputs: tuple[str, str]) -> tuple[np.ndarray, ...]:
    """Return both sides of the grid, the reaction [second, first] and its spread over seeds."""
    first, second = inputs
    wide = surface.pivot_table(index=second, columns=first, values=["share", "spread"])
    share, spread = (np.round(as_float32(wide[c]), 3) for c in ("share", "spread"))
    return as_float32(wide["share"].columns), as_float32(wide.index), share, spread


def _observed(
    months: pd.DataFrame, inputs: tuple[str, str], language: Language
) -> list[tuple[str, pd.DataFrame, dict[str, Any]]]:
    """Return the months with and without intervention: a colour, the rows, a trace's settings."""
    acted = months["actual_share"] > 0
    found = []
    for key, face, own in (
        ("intervention.legend.acted", LINEAR, months[acted]),
        ("intervention.legend.none", "#FFFFFF", months[~acted]),
    ):
        x, y = (as_float32(own[name]) for name in inputs)
        found.append((face, own, {"x": x, "y": y, "mode": "markers", "name": t(key, language)}))
    return found


def _told(inputs: tuple[str, str], language: Language) -> str:
    first, second = (t(f"intervention.input.{name}", language) for name in inputs)
    return f"{first} %{{x:.2f}}<br>{second} %{{y:.1f}}<br>{t('intervention.axis.share', language)} "
