"""Every figure of the study, as pictures and for the page."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from matplotlib.figure import Figure

from konkyo.config import Intervention
from konkyo.i18n import Language
from konkyo.intervention.attribution import RULES
from konkyo.intervention.page import period_name
from konkyo.intervention.samples import IN_SAMPLE
from konkyo.report.figures import intervention_series as series
from konkyo.report.figures import intervention_surface as surface
from konkyo.report.interactive import intervention as twins
from konkyo.report.interactive import intervention_surface as turned

METHODS = ("amount", "occurrence")


def pictures(
    frames: Mapping[str, pd.DataFrame], params: Intervention, language: Language
) -> dict[str, Figure]:
    """Draw every figure by matplotlib.

    Parameters
    ----------
    frames : mapping
        answers, surfaces, points, and `page.TABLES`, as the stage before wrote them.
    params : Intervention
        Periods and the inputs of the surface.
    language : str
        en or ja.

    Returns
    -------
    dict
        fitted_<period> (figures 2 to 5), surface_<period> (figure 6), curves, forecasts,
        calibration and grounds_<method>, by name; periods count from 1.
    """
    drawn = {}
    for place, (name, title, at) in enumerate(_periods(frames, params, language), start=1):
        drawn[f"fitted_{place}"] = series.fitted_intervention(_fit(frames, name), title, language)
        drawn[f"surface_{place}"] = surface.reaction_surface(
            _of(frames["surfaces"], name), _of(frames["points"], name), _inputs(params), at, title,
            language,
        )  # fmt: skip
    return drawn | _of_all_periods(frames, params, language, series, surface)


def interactive(
    frames: Mapping[str, pd.DataFrame], params: Intervention, language: Language
) -> dict[str, go.Figure]:
    """Draw every figure by Plotly, from the same tables.

    Returns
    -------
    dict
        fitted/<period>, surface/<period>, contour/<period>, curves, forecasts, calibration and
        grounds_<method>, by name.
    """
    drawn = {}
    for place, (name, title, at) in enumerate(_periods(frames, params, language), start=1):
        drawn[f"fitted/{place}"] = twins.fitted_intervention(_fit(frames, name), title, language)
        own, points = _of(frames["surfaces"], name), _of(frames["points"], name)
        inputs = _inputs(params)
        drawn[f"surface/{place}"] = turned.reaction_surface(own, points, inputs, title, language)
        drawn[f"contour/{place}"] = turned.reaction_contour(
            own, points, inputs, at, title, language
        )
    return drawn | _of_all_periods(frames, params, language, twins, turned)


def _of_all_periods(
    frames: Mapping[str, pd.DataFrame],
    params: Intervention,
    language: Language,
    series_room: Any,
    surface_room: Any,
) -> dict[str, Any]:
    """Draw what both rooms call by one name: curves, forecasts, calibration, grounds_<method>."""
    titles = {name: title for name, title, _ in _periods(frames, params, language)}
    drawn = {
        "curves": surface_room.reaction_curves(
            frames["curves"], frames["thresholds"], titles, language
        ),
        "forecasts": series_room.forecast_intervention(_ahead(frames), language),
        "calibration": series_room.calibration_curve(frames["calibration"], language),
    }
    for method in METHODS:
        own = _grounds(frames, method)
        drawn[f"grounds_{method}"] = series_room.grounds_of_forecasts(own, method, language)
    return drawn


def _periods(
    frames: Mapping[str, pd.DataFrame], params: Intervention, language: Language
) -> list[tuple[str, str, float]]:
    """Return each period's name, what it is called, and its threshold as a change of the rate."""
    read = frames["thresholds"].set_index("period")["threshold"]
    return [
        (
            period.name,
            period_name(period, language),
            float(read[period.name]) * (-1 if period.direction == "sell" else 1),
        )
        for period in params.periods
    ]


def _inputs(params: Intervention) -> tuple[str, str]:
    first, second = params.surface.inputs
    return first, second


def _of(frame: pd.DataFrame, period: str) -> pd.DataFrame:
    return frame[frame["period"] == period]


def _amounts(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return frames["answers"][frames["answers"]["method"] == "amount"]


def _fit(frames: Mapping[str, pd.DataFrame], period: str) -> pd.DataFrame:
    own = _of(_amounts(frames), period)
    return own[own["data"] == IN_SAMPLE]


def _ahead(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return _amounts(frames)[_amounts(frames)["out_of_sample"]]


def _grounds(frames: Mapping[str, pd.DataFrame], method: str) -> pd.DataFrame:
    own = frames["grounds"]
    return own[(own["method"] == method) & (own["data"] == "I") & (own["rule"] == RULES[0])]
