"""The result of a search as one page that a browser opens without a network."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
from optuna.trial import FrozenTrial

from konkyo.i18n import Text
from konkyo.report.pages.html import Page, Table, number_cell, render, sections, shell
from konkyo.tuning import results
from konkyo.tuning.space import NUMBERS, STRUCTURE
from konkyo.tuning.storage import CURRENT, RETRY_OF

SECTIONS = ("result", "selection_bias", "search", "trials")
_MEASURES = {
    "annual_return": ".1%",
    "annual_volatility": ".1%",
    "sharpe_ratio": ".2f",
    "t": ".1f",
    "rank_ic": ".3f",
    "turnover": ".0%",
    "months": ".0f",
}
_SELECTION_BIAS = {
    "sharpe_ratio": ".2f",
    "trials": ".0f",
    "effective_trials": ".1f",
    "expected_maximum": ".2f",
    "p_value": ".0%",
    "psr": ".3f",
    "dsr": ".3f",
    "pbo": ".0%",
    "minimum_track_record": ".0f",
}


def page(
    study: str,
    comparison: pd.DataFrame,
    bias: Mapping[str, float],
    trials: pd.DataFrame,
    current: FrozenTrial | None,
    best: FrozenTrial,
    charts: Mapping[str, Mapping[str, alt.TopLevelMixin]],
    language: str,
) -> str:
    """Return the page.

    Parameters
    ----------
    study : str
        The study's name.
    comparison, bias
        What `results.comparison_table` and `results.selection_bias` return.
    trials : pandas.DataFrame
        What `results.trial_table` returns.
    current, best : FrozenTrial
        The two whose values stand side by side; the first only if the search has it.
    charts : mapping
        For each language, charts by name; the place of a missing one is left out.
    language : str
        The language shown first.

    Returns
    -------
    str
        HTML.
    """
    ended = trials[trials["state"].isin(["complete", "pruned"])].drop(columns=[CURRENT, RETRY_OF])
    values = pd.DataFrame(
        [
            {
                "key": name,
                "current": _digits(current.params[name]) if current else "–",
                "best": _digits(best.params[name]),
            }
            for name in (*STRUCTURE, *NUMBERS)
        ]
    )
    body = render(
        "tuning.html",
        study=study,
        trials=len(ended),
        pruned=int((ended["state"] == "pruned").sum()),
        months=results.months_of(comparison),
        verdict=_verdict(comparison),
        comparison=_comparison(comparison),
        values=Table.of(
            values,
            {
                "key": Text.of("tuning.key"),
                "current": Text.of("tuning.current"),
                "best": Text.of("tuning.best_of", number=best.number),
            },
            {},
        ),
        bias=_selection_bias(bias),
        rows=_trials(ended),
        charts=charts["en"],
    )
    title = Text.of("tuning.page_title", study=study)
    bar = sections("tuning", SECTIONS)
    return shell(Page(title, body, bar, charts=charts, language=language))


def _verdict(comparison: pd.DataFrame) -> Text:
    """Return whether the tuned values beat the current ones on the holdout."""
    cells = comparison.set_index(["model", "part"])["sharpe_ratio"]
    tuned, current = cells["best", "holdout"], cells.get(("current", "holdout"))
    if current is None:
        return Text.of("tuning.verdict.alone", tuned=tuned)
    key = "same" if tuned == current else "better" if tuned > current else "worse"
    return Text.of(f"tuning.verdict.{key}", tuned=tuned, current=current)


def _comparison(comparison: pd.DataFrame) -> Table:
    frame = comparison.assign(
        model=[Text.of(f"tuning.model.{name}") for name in comparison["model"]],
        part=[Text.of(f"tuning.part.{name}") for name in comparison["part"]],
    )
    heads = {"model": Text.of("column.model"), "part": Text.of("tuning.months")}
    heads |= {name: Text.of(f"tuning.measure.{name}") for name in _MEASURES}
    return Table.of(frame, heads, _MEASURES)


def _selection_bias(bias: Mapping[str, float]) -> Table:
    frame = pd.DataFrame(
        [
            {
                "name": Text.of(f"tuning.selection_bias.{name}"),
                "value": number_cell(bias[name], form),
            }
            for name, form in _SELECTION_BIAS.items()
            if name in bias
        ],
        columns=["name", "value"],
    )
    heads = {"name": Text.of("tuning.statistic"), "value": Text.of("tuning.value")}
    return Table.of(frame, heads, {"value": ""})


def _trials(trials: pd.DataFrame) -> Table:
    forms = {name: ".4g" for name in trials.select_dtypes("number")}
    return Table.of(trials, {name: Text.same(name) for name in trials}, forms)


def _digits(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
