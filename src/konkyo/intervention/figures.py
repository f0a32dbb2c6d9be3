"""Every figure of the study, by the names of its pictures and of its places in the page."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from konkyo import dates
from konkyo.config import Intervention
from konkyo.i18n import Language
from konkyo.intervention.attribution import RULES
from konkyo.intervention.page import figure_number, period_name
from konkyo.intervention.samples import IN_SAMPLE, METHODS
from konkyo.intervention.surface import SURFACES
from konkyo.report.charts import intervention as series
from konkyo.report.charts import intervention_surface as surface


def charts(
    frames: Mapping[str, pd.DataFrame], config: Intervention, language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Draw every figure.

    Parameters
    ----------
    frames : mapping
        predictions, surfaces, points, curves, responses, calibration and attributions, of the
        stage intervention-forecast, and the records.
    config : Intervention
        Periods.
    language : str
        en or ja.

    Returns
    -------
    dict
        By name: rate (figure 1), fitted_<period> (2 to 5); of both second inputs of figures 6-1
        and 6-2, surface_<input>_<period>, map_<input>_<period> and sections_<input>_<period>;
        curves_<input>, forecasts, calibration and attribution_<method>. Periods are numbered
        from 1. Figures 7 to 18 are the tables.
    """
    names = {period.name: period_name(period, language) for period in config.periods}
    responses, curves = frames["responses"], frames["curves"]
    thresholds = responses[responses["input"] == "change"].set_index("period")["threshold"]
    amounts = frames["predictions"][frames["predictions"]["method"] == "amount"]
    attributions = frames["attributions"]
    realised = (attributions["data"] == "I") & (attributions["rule"] == RULES[0])
    starts = [dates.parse(period.first) for period in config.periods]
    drawn: dict[str, alt.TopLevelMixin] = {
        "rate": series.rate_and_intervention(frames["records"], starts, "1", language)
    }
    for i, period in enumerate(config.periods, start=1):
        name = names[period.name]
        fits = amounts[(amounts["period"] == period.name) & (amounts["data"] == IN_SAMPLE)]
        number = figure_number(2, i, config)
        drawn[f"fitted_{i}"] = series.fitted_intervention(fits, name, number, language)
        points = frames["points"][frames["points"]["period"] == period.name]
        # The threshold is a move against the authority's direction: a fall where it sells yen.
        sign = -1 if period.direction == "sell" else 1
        for number, inputs in zip(("6-1", "6-2"), SURFACES, strict=True):
            second = inputs[1]
            surfaces = frames["surfaces"]
            chosen = (surfaces["period"] == period.name) & (surfaces["surface"] == second)
            grid = surfaces[chosen].rename(columns={"second": second})
            drawn[f"surface_{second}_{i}"] = surface.reaction_wireframe(
                grid, points, inputs=inputs, period=name, number=number, language=language
            )
            drawn[f"map_{second}_{i}"] = surface.reaction_map(
                grid,
                points,
                inputs=inputs,
                threshold=sign * float(thresholds[period.name]),
                period=name,
                language=language,
            )
            drawn[f"sections_{second}_{i}"] = surface.reaction_sections(
                grid, inputs=inputs, period=name, language=language
            )
    for key, of_input in responses.groupby("input", sort=False):
        drawn[f"curves_{key}"] = series.response_curves(
            curves[curves["input"] == key], of_input, names, language
        )
    drawn["forecasts"] = series.forecast_intervention(amounts[amounts["out_of_sample"]], language)
    drawn["calibration"] = series.calibration_curve(frames["calibration"], language)
    for method in METHODS:
        rows = attributions[realised & (attributions["method"] == method)]
        drawn[f"attribution_{method}"] = series.attributions_of_forecasts(rows, method, language)
    return drawn
