"""The result of a search as one page that a browser opens without a network."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
from optuna.trial import FrozenTrial

from konkyo.i18n import Text
from konkyo.report.pages.html import Page, render, sections, shell
from konkyo.tuning import results
from konkyo.tuning.space import NUMBERS, STRUCTURE
from konkyo.tuning.storage import CURRENT, RETRY_OF

SECTIONS = ("result", "selection_bias", "search", "trials")
_MEASURES = {
    "annual_return": "{:.1%}",
    "annual_volatility": "{:.1%}",
    "sharpe_ratio": "{:.2f}",
    "t": "{:.1f}",
    "rank_ic": "{:.3f}",
    "turnover": "{:.0%}",
    "months": "{:.0f}",
}
_SELECTION_BIAS = {
    "sharpe_ratio": "{:.2f}",
    "trials": "{:.0f}",
    "effective_trials": "{:.1f}",
    "expected_maximum": "{:.2f}",
    "p_value": "{:.0%}",
    "psr": "{:.3f}",
    "dsr": "{:.3f}",
    "pbo": "{:.0%}",
    "minimum_track_record": "{:.0f}",
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
    ended = trials[trials["state"].isin(["complete", "pruned"])]
    body = render(
        "tuning.html",
        study=study,
        trials=len(ended),
        pruned=int((ended["state"] == "pruned").sum()),
        months=results.months_of(comparison),
        verdict=_verdict(comparison),
        measures=[Text.of(f"tuning.measure.{name}") for name in _MEASURES],
        comparison=[_row(row) for row in comparison.to_dict("records")],
        best=best.number,
        values=[
            (name, _said(current.params[name]) if current else "–", _said(best.params[name]))
            for name in (*STRUCTURE, *NUMBERS)
        ],
        selection_bias=[
            (Text.of(f"tuning.selection_bias.{name}"), layout.format(bias[name]))
            for name, layout in _SELECTION_BIAS.items()
            if name in bias
        ],
        columns=[name for name in ended.columns if name not in (CURRENT, RETRY_OF)],
        rows=_cells(ended.drop(columns=[CURRENT, RETRY_OF])),
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


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    cells = [
        (layout.format(row[name]), row[name]) if pd.notna(row[name]) else ("–", "")
        for name, layout in _MEASURES.items()
    ]
    return {
        "model": Text.of(f"tuning.model.{row['model']}"),
        "part": Text.of(f"tuning.part.{row['part']}"),
        "cells": cells,
    }


def _cells(trials: pd.DataFrame) -> list[Sequence[tuple[str, Any]]]:
    return [
        [(_said(value), value) if pd.notna(value) else ("–", "") for value in row]
        for row in trials.itertuples(index=False)
    ]


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
