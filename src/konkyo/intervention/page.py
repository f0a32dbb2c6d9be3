"""The study's figures and its page in the report."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from konkyo.figures import intervention_series as series
from konkyo.figures.intervention_surface import reaction_surface
from konkyo.intervention.accuracy import ALL
from konkyo.intervention.samples import IN_SAMPLE
from konkyo.intervention.tables import markdown
from konkyo.params import Intervention

TABLES = ("fit", "scores", "tests", "calibration", "thresholds", "grounds")
"""What the page reads of the forecasts' folder."""


def draw(
    answers: pd.DataFrame,
    surfaces: pd.DataFrame,
    points: pd.DataFrame,
    read: dict[str, pd.DataFrame],
    params: Intervention,
) -> dict[str, Figure]:
    """Draw every figure of the study.

    Parameters
    ----------
    answers, surfaces, points : pandas.DataFrame
        As the stage before wrote them.
    read : dict
        `TABLES`.
    params : Intervention
        Periods and the inputs of the surface.

    Returns
    -------
    dict
        fitted_<period> (figures 2 to 5), surface_<period> (figure 6), forecasts, calibration and
        grounds, by name.
    """
    amounts = answers[answers["method"] == "amount"]
    thresholds = read["thresholds"].set_index("period")["threshold"]
    drawn = {}
    for place, period in enumerate(params.periods, start=1):
        own = amounts[(amounts["period"] == period.name) & (amounts["data"] == IN_SAMPLE)]
        drawn[f"fitted_{place}"] = series.fitted_intervention(
            own, f"Intervention and its in-sample fit, {_title(period)}"
        )
        sign = -1 if period.direction == "sell" else 1
        drawn[f"surface_{place}"] = reaction_surface(
            surfaces[surfaces["period"] == period.name],
            points[points["period"] == period.name],
            (params.surface.inputs[0], params.surface.inputs[1]),
            sign * float(thresholds[period.name]),
            f"Reaction surface, {_title(period)}",
        )
    ahead = amounts[amounts["out_of_sample"]]
    drawn["forecasts"] = series.forecast_intervention(ahead, "One-step-ahead forecasts")
    drawn["calibration"] = series.calibration_curve(
        read["calibration"], "Calibration of the forecast months"
    )
    grounds = read["grounds"]
    for method in ("amount", "occurrence"):
        own = grounds[(grounds["method"] == method) & (grounds["data"] == "I")]
        drawn[f"grounds_{method}"] = series.grounds_of_forecasts(
            own, f"Grounds of the forecasts, {method}, data set I"
        )
    return drawn


def write(
    source: dict[str, Any],
    read: dict[str, pd.DataFrame],
    tables: dict[str, pd.DataFrame],
    drawn: list[str],
    params: Intervention,
) -> str:
    """Return the page of the study as Markdown.

    Parameters
    ----------
    source : dict
        Facts about the records.
    read, tables : dict
        `TABLES`, and the tables of the forecast months.
    drawn : list of str
        Names of the figures.
    params : Intervention
        The section of params.yaml.
    """
    scale = "all months, as the paper did" if params.looks_ahead else "the training months alone"
    parts = [
        "# When does the authority intervene, and by how much?\n",
        f"Records: {source['source']}, {source['first_month']} to {source['last_month']}. "
        f"{params.network.seeds} networks a forecast; scale and parity from {scale}. Amounts are "
        "million dollars, positive where yen was sold; rmse is per cent of reserves.\n",
        "## Threshold of the reaction to the month's move (per cent)\n",
        markdown(read["thresholds"], 2),
        "## In-sample fit\n",
        markdown(read["fit"].dropna(axis=1, how="all")),
        "## One-step-ahead forecasts, all periods\n",
        markdown(_whole(read["scores"])),
        "## The network against the linear model\n",
        markdown(read["tests"]),
        "## Scores by period\n",
        markdown(read["scores"][read["scores"]["period"] != ALL]),
    ]
    for place, period in enumerate(params.periods, start=1):
        parts += [
            f"## Period {place}: {_title(period)}\n",
            f"![fit](fitted_{place}.png)\n",
            f"![surface](surface_{place}.png)\n",
            "Amounts (figures 7 to 10); the last row has the shares that are right.\n",
            markdown(tables[f"amounts_{place}"], 2),
            "Yes and no of method 1 (figures 11 to 14).\n",
            markdown(tables[f"answers_{place}"], 2),
            "Occurrence, method 2 (figures 15 to 18).\n",
            markdown(tables[f"occurrence_{place}"], 2),
        ]
    parts.append("## Forecasts and their grounds\n")
    parts += [
        f"![{name}]({name}.png)\n" for name in drawn if not name.startswith(("fitted", "surface"))
    ]
    return "\n".join(parts)


def _whole(scores: pd.DataFrame) -> pd.DataFrame:
    return scores[scores["period"] == ALL].drop(columns="period")


def _title(period: Any) -> str:
    verb = "selling" if period.direction == "sell" else "buying"
    return f"{period.first} to {period.last} ({verb} yen)"
