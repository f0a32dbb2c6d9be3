"""Charts of a hyperparameter search, from its table of completed trials."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from konkyo.i18n import Language, t
from konkyo.report.charts.theme import HEIGHT, ROW, WIDTH, row_letters, rows, tips, titled
from konkyo.report.style import INK, SERIES

_COLUMNS = 3
_MAX_CHOICES = 12
"""Number of values up to which a hyperparameter without a logarithmic scale is discrete."""


def search_history(trials: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Draw the objective of every trial, and the best one so far.

    Parameters
    ----------
    trials : DataFrame
        trial (number) and objective of the completed trials.
    language : str
        en or ja.
    """
    table = trials[["trial", "objective"]].sort_values("trial")
    table["best"] = table["objective"].cummax()
    objective = t("tuning.figure.objective", language)
    base = alt.Chart(table).encode(x=alt.X("trial:Q", title=t("tuning.figure.trial", language)))
    points = base.mark_point(filled=True, size=36, opacity=0.7, color=SERIES[0]).encode(
        y=alt.Y("objective:Q", title=objective, scale=alt.Scale(zero=False)),
        tooltip=tips(
            ("trial:Q", t("tuning.figure.trial", language)), ("objective:Q", objective, ".3f")
        ),
    )
    line = base.mark_line(interpolate="step-after", color=INK).encode(
        y=alt.Y("best:Q", title=objective)
    )
    chart = alt.layer(points, line).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("tuning.by_trial", language), t("tuning.figure.best_so_far", language))


def importance_bars(importance: Mapping[str, float], language: Language = "en") -> alt.Chart:
    """Draw the importance of each hyperparameter, the largest on top.

    Parameters
    ----------
    importance : mapping
        Share of the objective's variance by hyperparameter, of `optuna.importance`.
    language : str
        en or ja.
    """
    table = pd.DataFrame({"name": list(importance), "share": list(importance.values())})
    table = table.sort_values("share", ascending=False, kind="stable")
    share = t("tuning.figure.importance", language)
    chart = (
        alt.Chart(table)
        .mark_bar(color=SERIES[0])
        .encode(
            x=alt.X("share:Q", title=share, axis=alt.Axis(format=".0%")),
            y=rows("name", table["name"].tolist()),
            tooltip=tips(("name:N",), ("share:Q", share, ".1%")),
        )
    )
    chart = chart.properties(width=WIDTH, height=ROW * len(table)).add_params(row_letters())
    return titled(chart, t("tuning.importance", language))


def slices(
    trials: pd.DataFrame,
    names: Sequence[str],
    *,
    log: Sequence[str] = (),
    language: Language = "en",
) -> alt.ConcatChart:
    """Draw the objective against each hyperparameter, one panel each.

    Parameters
    ----------
    trials : DataFrame
        trial, objective, and a column a hyperparameter: numbers, or texts of a choice.
    names : sequence of str
        The hyperparameters drawn.
    log : sequence of str
        Those with a logarithmic scale.
    language : str
        en or ja.
    """
    objective = t("tuning.figure.objective", language)
    panels = []
    for i, name in enumerate(names):
        discrete = is_discrete(trials[name]) and name not in log
        scale = alt.Scale(
            type="log" if name in log else "linear", zero=False, nice=False, padding=8
        )
        x = (
            alt.X(f"{name}:O", title=name, axis=alt.Axis(labelAngle=0))
            if discrete
            else alt.X(
                f"{name}:Q",
                title=name,
                scale=scale,
                axis=alt.Axis(tickCount=4, format="~g", grid=False),
            )
        )
        table = trials[["trial", "objective", name]]
        panel = alt.Chart(table).mark_point(filled=True, size=30, opacity=0.6, color=SERIES[0])
        panels.append(
            panel.encode(
                x=x,
                y=alt.Y(
                    "objective:Q",
                    title=objective if i % _COLUMNS == 0 else None,
                    scale=alt.Scale(zero=False),
                ),
                tooltip=tips(
                    ("trial:Q", t("tuning.figure.trial", language)),
                    (f"{name}:{'N' if discrete else 'Q'}", name),
                    ("objective:Q", objective, ".3f"),
                ),
            ).properties(width=WIDTH // _COLUMNS - 30, height=170)
        )
    chart = alt.concat(*panels, columns=_COLUMNS)
    return titled(chart, t("tuning.by_value", language))


def parallel_coordinates(
    trials: pd.DataFrame,
    names: Sequence[str],
    *,
    log: Sequence[str] = (),
    language: Language = "en",
) -> alt.Chart:
    """Draw every trial as a line across its hyperparameters, coloured by its objective.

    Parameters
    ----------
    trials, names, log, language
        As of `slices`.

    Returns
    -------
    Chart
        Each hyperparameter from its smallest value of the search (0) to its largest (1); choices
        in alphabetical order, a little apart by trial.
    """
    table = trials[["trial", "objective"]].copy()
    for name in names:
        values = trials[name]
        if not pd.api.types.is_numeric_dtype(values):
            values = values.astype(str).rank(method="dense")
        scaled = np.log(values.astype(float)) if name in log else values.astype(float)
        span = scaled.max() - scaled.min()
        table[name] = (scaled - scaled.min()) / span if span > 0 else 0.5
        if is_discrete(trials[name]):
            # Spread by the golden ratio of the trial's number, or lines would cover each other.
            table[name] += 0.08 * ((trials["trial"] * 0.618) % 1 - 0.5)
    long = table.melt(["trial", "objective"], list(names), "name", "position")
    raw = trials[["trial", *names]].astype({name: str for name in names})
    long["value"] = raw.melt("trial", list(names), "name", "value")["value"]
    objective = t("tuning.figure.objective", language)
    chart = (
        alt.Chart(long)
        .mark_line(strokeWidth=1.2, opacity=0.6)
        .encode(
            x=alt.X(
                "name:N",
                sort=list(names),
                title=None,
                axis=alt.Axis(labelAngle=-30, labelOverlap=False),
            ),
            y=alt.Y("position:Q", title=t("tuning.figure.position", language)),
            detail="trial:N",
            color=alt.Color(
                "objective:Q", scale=alt.Scale(scheme="viridis"), legend=alt.Legend(title=objective)
            ),
            tooltip=tips(
                ("trial:Q", t("tuning.figure.trial", language)),
                ("name:N",),
                ("value:N",),
                ("objective:Q", objective, ".3f"),
            ),
        )
    )
    chart = chart.properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("tuning.figure.parallel_coordinates", language))


def is_discrete(values: pd.Series) -> bool:
    """Return whether a hyperparameter is a choice of texts or of few numbers."""
    return not pd.api.types.is_numeric_dtype(values) or values.nunique() <= _MAX_CHOICES
