"""The monitor as one page that a browser opens without a network."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from konkyo.config import Monitor
from konkyo.dates import label
from konkyo.i18n import Language, Text
from konkyo.monitoring.checks import Check
from konkyo.monitoring.signals import MIN_T
from konkyo.report.pages.html import Page, minus, render, shell
from konkyo.report.tables.labels import feature_names

SECTIONS = ("checks", "drift", "market", "skill", "missing", "attribution")
_SHARES = ("drift", "missing", "sign_flips")


def page(
    month: pd.Timestamp,
    checks: Sequence[Check],
    tables: Mapping[str, pd.DataFrame],
    labels: pd.DataFrame,
    limits: Monitor,
    window: int,
    figures: Mapping[str, Mapping[str, Mapping[str, Any]]],
    language: Language,
) -> str:
    """Return the page.

    Parameters
    ----------
    month : Timestamp
        The newest decision month.
    checks : sequence of Check
        The decisions.
    tables : mapping
        drift, market and signs; of each the newest month is shown.
    labels : DataFrame
        What `reading.labels` returns.
    limits : Monitor
        The section of params.yaml.
    window : int
        Months of a training window.
    figures : mapping
        For each language, Plotly figures as plain objects, by name; one that is missing leaves its
        place out.
    language : str
        The language shown first.

    Returns
    -------
    str
        HTML; whatever came from data is escaped.
    """
    breached = [check for check in checks if check.breached]
    body = render(
        "monitor.html",
        month=label(month),
        verdict=_verdict(len(breached), len(checks)),
        checks=[_check(check) for check in checks],
        drift=_drift(tables["drift"], month, labels, limits),
        signs=_signs(tables["signs"], month, labels),
        limits=limits,
        min_t=MIN_T,
        window=window,
        figures=figures["en"],
    )
    title = Text.of("monitor.page_title", month=label(month))
    sections = [(name, Text.of(f"monitor.section.{name}")) for name in SECTIONS]
    return shell(Page(title, body, sections, figures=figures, language=language))


def _verdict(breached: int, count: int) -> Text:
    key = "none" if not breached else "one" if breached == 1 else "several"
    return Text.of(f"monitor.verdict.{key}", breached=breached, count=count)


def _check(check: Check) -> dict[str, Any]:
    form = "{:.1%}" if check.name in _SHARES else "{:.2f}"
    judged = pd.notna(check.value)
    past = f"{check.past_breaches} / {check.past_months}"
    return {
        "name": Text.of(f"monitor.check.{check.name}"),
        "key": check.name,
        "month": label(check.month),
        "value": (minus(form.format(check.value)), check.value) if judged else ("–", ""),
        "limit": (minus(form.format(check.limit)), check.limit),
        "breached": check.breached,
        "judged": judged,
        "past": (past, check.past_breaches),
        "detail": check.detail,
        "remedy": check.remedy,
    }


def _drift(
    drift: pd.DataFrame, month: pd.Timestamp, labels: pd.DataFrame, limits: Monitor
) -> list[dict[str, Any]]:
    own = drift[drift["month"] == month].sort_values("psi", ascending=False, kind="stable")
    english, japanese = feature_names(labels, "en"), feature_names(labels, "ja")
    return [
        {
            "name": Text(english[row["feature"]], japanese[row["feature"]]),
            "psi": (f"{row['psi']:.3f}", row["psi"]) if pd.notna(row["psi"]) else ("–", ""),
            "chance": f"{row['chance']:.3f}" if pd.notna(row["chance"]) else "–",
            "stocks": f"{row['stocks']:,}",
            "beyond": bool(row["psi"] > limits.max_psi),
        }
        for row in own.to_dict("records")
    ]


def _signs(signs: pd.DataFrame, month: pd.Timestamp, labels: pd.DataFrame) -> list[dict[str, Any]]:
    own = signs[signs["month"] == month]
    english, japanese = feature_names(labels, "en"), feature_names(labels, "ja")
    return [
        {
            "name": Text(english[row["feature"]], japanese[row["feature"]]),
            "changed": bool(row["changed"]),
            "cells": [
                (minus(f"{row[key]:+.{digits}f}"), row[key]) if pd.notna(row[key]) else ("–", "")
                for key, digits in (("before", 3), ("now", 3), ("t_before", 1), ("t_now", 1))
            ],
        }
        for row in own.sort_values("changed", ascending=False, kind="stable").to_dict("records")
    ]
