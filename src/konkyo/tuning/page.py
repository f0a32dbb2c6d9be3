"""The result of a search as one page that a browser opens without a network."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial

from konkyo.pages.shell import Page, Words, render, shell
from konkyo.tuning import records, result
from konkyo.tuning.space import NUMBERS, STRUCTURE

SECTIONS = (
    ("result", Words("Result", "結果")),
    ("luck", Words("Luck", "偶然")),
    ("search", Words("The search", "探索")),
    ("trials", Words("Trials", "試行")),
)
_MODELS = {
    "paper": Words("paper's values", "論文の値"),
    "best": Words("best trial", "最良試行"),
    "linear": Words("linear", "線形"),
    "shuffled": Words("shuffled labels", "シャッフル"),
    "nested": Words("re-tuned as time went on", "逐次再探索"),
}
_PARTS = {"tuning": Words("searched", "探索"), "holdout": Words("held out", "ホールドアウト")}
_MEASURES = {
    "annual_return": (Words("annual return", "年率リターン"), "{:.1%}"),
    "annual_risk": (Words("annual risk", "年率リスク"), "{:.1%}"),
    "return_risk": (Words("return / risk", "リターン／リスク"), "{:.2f}"),
    "t": (Words("t", "t値"), "{:.1f}"),
    "rank_ic": (Words("rank IC", "順位IC"), "{:.3f}"),
    "turnover": (Words("turnover a month", "月間回転率"), "{:.0%}"),
    "months": (Words("months", "月数"), "{:.0f}"),
}
_LUCK = {
    "return_risk": (
        Words("return / risk of the best trial", "最良試行のリターン／リスク"),
        "{:.2f}",
    ),
    "trials": (Words("trials", "試行数"), "{:.0f}"),
    "effective_trials": (
        Words("independent trials that these count as", "独立な試行に換算した数"),
        "{:.1f}",
    ),
    "expected_maximum": (
        Words("return / risk of the best expected by luck", "偶然だけで期待される最良値"),
        "{:.2f}",
    ),
    "probability_by_luck": (
        Words("probability that luck alone reaches the best trial", "偶然だけで最良試行に届く確率"),
        "{:.0%}",
    ),
    "psr": (
        Words("probabilistic Sharpe ratio (one trial)", "確率的シャープ比（一試行）"),
        "{:.3f}",
    ),
    "dsr": (Words("deflated Sharpe ratio (all trials)", "デフレート済みシャープ比"), "{:.3f}"),
    "pbo": (Words("probability of backtest overfitting", "バックテスト過剰適合の確率"), "{:.0%}"),
    "minimum_track_record": (
        Words("months that such a record needs at least", "必要な最短月数"),
        "{:.0f}",
    ),
}


def page(
    study: str,
    comparison: pd.DataFrame,
    luck: Mapping[str, float],
    trials: pd.DataFrame,
    paper: FrozenTrial,
    best: FrozenTrial,
    figures: Mapping[str, Mapping[str, Mapping[str, Any]]],
    language: str,
) -> str:
    """Return the page.

    Parameters
    ----------
    study : str
        The study's name.
    comparison, luck
        What `result.table` and `result.luck` return.
    trials : pandas.DataFrame
        What `records.table` returns.
    paper, best : FrozenTrial
        The two whose values stand side by side.
    figures : mapping
        For each language, Plotly figures as plain objects, by name; one that is missing leaves its
        place out.
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
        months=result.months_of(comparison),
        verdict=_verdict(comparison),
        measures=[words for words, _ in _MEASURES.values()],
        comparison=[_row(row) for row in comparison.to_dict("records")],
        best=best.number,
        values=[
            (name, _said(paper.params[name]), _said(best.params[name]))
            for name in (*STRUCTURE, *NUMBERS)
        ],
        luck=[
            (words, layout.format(luck[name]))
            for name, (words, layout) in _LUCK.items()
            if name in luck
        ],
        columns=[name for name in ended.columns if name not in ("paper", records.RETRY_OF)],
        rows=_cells(ended.drop(columns=["paper", records.RETRY_OF])),
        figures=figures["en"],
    )
    title = Words(f"konkyo: tuning {study}", f"konkyo：チューニング {study}")
    return shell(Page(title, body, SECTIONS, figures=figures, language=language))


def _verdict(comparison: pd.DataFrame) -> Words:
    """Say whether the tuned values beat the paper's where neither was looked at before."""
    cells = comparison.set_index(["model", "part"])["return_risk"]
    tuned, plain = cells["best", "holdout"], cells["paper", "holdout"]
    beat = tuned > plain
    if tuned == plain:
        return Words(
            "The search found nothing better than the paper's values on the searched months.",
            "探索期間では、論文の値を上回る試行は見つからなかった。",
        )
    return Words(
        f"On the held-out months the tuned values {'beat' if beat else 'did not beat'} the "
        f"paper's: return/risk {tuned:.2f} against {plain:.2f}.",
        f"ホールドアウト期間のリターン／リスクは、チューニング後 {tuned:.2f}、論文の値 {plain:.2f}"
        f"であり、チューニングは論文の値を{'上回った' if beat else '上回らなかった'}。",
    )


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    cells = [
        (layout.format(row[name]), row[name]) if pd.notna(row[name]) else ("–", "")
        for name, (_, layout) in _MEASURES.items()
    ]
    return {"model": _MODELS[row["model"]], "part": _PARTS[row["part"]], "cells": cells}


def _cells(trials: pd.DataFrame) -> list[Sequence[tuple[str, Any]]]:
    return [
        [(_said(value), value) if pd.notna(value) else ("–", "") for value in row]
        for row in trials.itertuples(index=False)
    ]


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
