"""The figures of the monitor: every check over the months, and what each is made of."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.config import Monitor
from konkyo.i18n import Language, t
from konkyo.monitoring.checks import CHECKS, LIMIT_KEYS, breaches
from konkyo.report import interactive
from konkyo.report.figures.style import RAISES
from konkyo.report.interactive.style import (
    DIVERGING,
    INK,
    PAPER,
    as_float32,
    axis,
    base_layout,
    colour_bar,
    dates,
    escape_html,
    line,
    places,
)
from konkyo.report.tables.labels import feature_names

_RISING = [[0.0, PAPER], [1.0, RAISES]]
_FORMS = {
    "drift": ".0%", "market_z": ".1f", "rank_ic": ".1f", "missing": ".0%", "sign_flips": ".0%"
}  # fmt: skip


def draw(
    tables: Mapping[str, pd.DataFrame], labels: pd.DataFrame, limits: Monitor, language: Language
) -> dict[str, Any]:
    """Draw the monitor's figures.

    Parameters
    ----------
    tables : mapping
        drift, market, rank_ic, missing, effects, returns and history, by name; a figure whose
        table is empty is left out.
    labels : DataFrame
        What `reading.labels` returns.
    limits : Monitor
        The section of params.yaml.
    language : str
        en or ja.

    Returns
    -------
    dict
        Figures by name: a line a check, and psi_map, market_z_map, missing_map, monthly_rank_ic and
        effect_map.
    """
    made: dict[str, Any] = {}
    for name in CHECKS:
        own = tables["history"][tables["history"]["check"] == name].dropna(subset="value")
        if len(own):
            made[name] = check_line(own, name, float(getattr(limits, LIMIT_KEYS[name])), language)
    names = feature_names(labels, language)
    maps = (
        ("psi_map", "drift", "psi", "psi", _RISING, (0.0, 2 * limits.max_psi), ".2f"),
        (
            *("market_z_map", "market", "z", "std", DIVERGING),
            *((-limits.max_abs_z, limits.max_abs_z), "+.1f"),
        ),
        (
            "missing_map",
            "missing",
            "share",
            "share",
            _RISING,
            (0.0, max(2 * limits.max_missing, 0.1)),
            ".0%",
        ),
    )
    for name, table, column, unit, colours, ends, form in maps:
        if len(tables[table]):
            made[name] = heat(
                tables[table], column, names, name, unit, colours, ends, form, language
            )
    if len(tables["returns"]):
        made["monthly_rank_ic"] = interactive.monthly_rank_ic(tables["returns"], language=language)
    if tables["effects"]["effect"].notna().any():
        made["effect_map"] = interactive.effect_map(tables["effects"], labels, language)
    return made


def check_line(own: pd.DataFrame, name: str, limit: float, language: Language) -> go.Figure:
    """Draw the value of a check month by month beside its limit.

    Parameters
    ----------
    own : DataFrame
        month and value of one check, in order.
    name : str
        The check.
    limit : float
        Its limit; months beyond it have a mark.
    language : str
        en or ja.
    """
    form = _FORMS[name]
    beyond = own[breaches(own["value"], limit, name)]
    hover = "%{x|%Y-%m}: %{y:" + form + "}"
    ends = own["month"].iloc[[0, -1]]
    traces = [
        line(
            own["month"],
            own["value"],
            t("monitor.figure.value", language),
            INK,
            hovertemplate=hover,
        ),
        go.Scatter(
            x=dates(beyond["month"]),
            y=as_float32(beyond["value"]),
            name=t("monitor.figure.beyond", language),
            mode="markers",
            marker={"color": RAISES, "size": 8},
            hoverinfo="skip",
        ),
        go.Scatter(
            x=dates(ends),
            y=[limit, limit],
            name=f"{t('monitor.figure.limit', language)} {limit:g}",
            mode="lines",
            line={"color": RAISES, "width": 1.5, "dash": "dash"},
            hoverinfo="name",
        ),
    ]
    percent = {"tickformat": form} if form.endswith("%") else {}
    low = {} if name == "rank_ic" else {"rangemode": "tozero"}
    return base_layout(
        traces,
        t(f"monitor.check.{name}", language),
        height=320,
        xaxis=axis(type="date", title_text=t("axis.decision_month", language)),
        yaxis=axis(**percent, **low),
    )


def heat(
    table: pd.DataFrame,
    column: str,
    names: Mapping[str, str],
    title: str,
    unit: str,
    colours: list[list[Any]],
    ends: tuple[float, float],
    form: str,
    language: Language,
) -> go.Figure:
    """Draw a number of every input in every month as colours, the largest of the newest on top.

    Parameters
    ----------
    table : DataFrame
        month, feature and the column.
    column : str
        The number.
    names : mapping
        What features are called.
    title, unit : str
        Names in the section "monitor.figure" of the catalogue.
    colours : list
        The scale.
    ends : tuple of float
        The numbers at its ends.
    form : str
        Format of a number.
    language : str
        en or ja.
    """
    wide = table.pivot_table(
        index="feature", columns="month", values=column, sort=False, dropna=False
    ).sort_index(axis=1)
    newest = wide.iloc[:, -1].abs().fillna(-1).to_numpy()
    wide = wide.iloc[np.argsort(-newest, kind="stable")]
    heads = [escape_html(names.get(str(name), str(name))) for name in wide.index]
    cells = go.Heatmap(
        x=dates(pd.DatetimeIndex(wide.columns)),
        y=list(range(len(wide))),
        z=as_float32(wide),
        customdata=[[head] * wide.shape[1] for head in heads],
        colorscale=colours,
        zmin=ends[0],
        zmax=ends[1],
        colorbar=colour_bar(t(f"monitor.figure.{unit}", language)),
        hovertemplate="%{customdata}<br>%{x|%Y-%m}: %{z:" + form + "}<extra></extra>",
    )
    return base_layout(
        [cells],
        t(f"monitor.figure.{title}", language),
        height=170 + 19 * len(wide),
        xaxis=axis(type="date", side="top", showgrid=False),
        yaxis=places(heads, range=[len(wide) - 0.5, -0.5]),
    )
