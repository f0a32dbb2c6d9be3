"""Every figure of the study, by the names of its pictures and of its places in the page."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from konkyo.config import Intervention
from konkyo.i18n import Language
from konkyo.intervention.attribution import RULES
from konkyo.intervention.page import period_name
from konkyo.intervention.samples import IN_SAMPLE, METHODS
from konkyo.report.charts import intervention as series
from konkyo.report.charts import intervention_surface as surface


def charts(
    frames: Mapping[str, pd.DataFrame], config: Intervention, language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Draw every figure.

    Parameters
    ----------
    frames : mapping
        predictions, surfaces, points, curves, thresholds, calibration and attributions, of the
        stage intervention-forecast.
    config : Intervention
        Periods and the inputs of the surface.
    language : str
        en or ja.

    Returns
    -------
    dict
        fitted_<period> (figures 2 to 5), surface_<period> (figure 6), map_<period>,
        sections_<period>, curves, forecasts, calibration and attribution_<method>, by name;
        periods are numbered from 1.
    """
    names = {period.name: period_name(period, language) for period in config.periods}
    threshold = frames["thresholds"].set_index("period")["threshold"]
    amounts = frames["predictions"][frames["predictions"]["method"] == "amount"]
    attributions = frames["attributions"]
    realised = (attributions["data"] == "I") & (attributions["rule"] == RULES[0])
    first, second = config.surface.inputs
    inputs = (first, second)
    drawn: dict[str, alt.TopLevelMixin] = {}
    for i, period in enumerate(config.periods, start=1):
        rows = {
            key: frames[key][frames[key]["period"] == period.name] for key in ("surfaces", "points")
        }
        fits = amounts[(amounts["period"] == period.name) & (amounts["data"] == IN_SAMPLE)]
        name = names[period.name]
        drawn[f"fitted_{i}"] = series.fitted_intervention(fits, name, language)
        drawn[f"surface_{i}"] = surface.reaction_wireframe(
            rows["surfaces"], rows["points"], inputs=inputs, period=name, language=language
        )
        # The threshold is a move against the authority's direction: a fall where it sells yen.
        sign = -1 if period.direction == "sell" else 1
        drawn[f"map_{i}"] = surface.reaction_map(
            rows["surfaces"],
            rows["points"],
            inputs=inputs,
            threshold=sign * float(threshold[period.name]),
            period=name,
            language=language,
        )
        drawn[f"sections_{i}"] = surface.reaction_sections(
            rows["surfaces"], inputs=inputs, period=name, language=language
        )
    drawn["curves"] = series.response_curves(
        frames["curves"], frames["thresholds"], names, language
    )
    drawn["forecasts"] = series.forecast_intervention(amounts[amounts["out_of_sample"]], language)
    drawn["calibration"] = series.calibration_curve(frames["calibration"], language)
    for method in METHODS:
        rows = attributions[realised & (attributions["method"] == method)]
        drawn[f"attribution_{method}"] = series.attributions_of_forecasts(rows, method, language)
    return drawn
