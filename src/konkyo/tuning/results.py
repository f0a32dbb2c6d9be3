"""What a search leaves in its folder: the trials while it goes on, the result when it is over."""

from pathlib import Path

import altair as alt
import pandas as pd
from optuna.trial import FrozenTrial

from konkyo.config import Report
from konkyo.errors import TuningError
from konkyo.i18n import LANGUAGES
from konkyo.io import atomic_write, write_csv, write_json, write_parquet
from konkyo.report.charts import save_png
from konkyo.tuning import page, plots, result_table, study, trial_tables
from konkyo.tuning.engine import Engine
from konkyo.tuning.study import Search

NESTED = "nested"


def save_trials(search: Search, folder: Path) -> None:
    """Write the trials so far: trials.csv, trials/<number>.parquet and series.parquet.

    All of it comes from the study, so that any machine can write it, whoever ran the trials.

    Parameters
    ----------
    search : Search
        The search.
    folder : Path
        Of the study. series.parquet has one row a month and one column a trial: the spread after
        costs, a fraction decided at `month` and earned in the month after.
    """
    trials = search.study.get_trials(deepcopy=False)
    write_csv(trial_tables.table(trials), folder / "trials.csv")
    done = study.finished_trials(search.study)
    if not any(trial_tables.SERIES in trial.user_attrs for trial in done):
        return
    monthly = trial_tables.monthly(done)
    for number, own in monthly.groupby("trial"):
        write_parquet(own.drop(columns="trial"), folder / "trials" / f"{number}.parquet")
    wide = trial_tables.wide(done)
    wide.columns = [f"trial_{number}" for number in wide.columns]
    write_parquet(wide.reset_index(), folder / "series.parquet")


def save_results(search: Search, searched: Engine, whole: Engine, held: str, folder: Path) -> str:
    """Compare the best trial with the others over the holdout, and judge its luck.

    Parameters
    ----------
    search : Search
        With all its trials done.
    searched, whole : Engine
        On the panels of the search, and on those of all records.
    held : str
        First decision month of the holdout, YYYY-MM.
    folder : Path
        Receives result.csv, comparison.parquet (the series behind it), luck.json, best.json,
        tuning.html, figures and, where the section asks for it, nested.csv.

    Returns
    -------
    str
        The result in a few lines.

    Raises
    ------
    TuningError
        No trial is complete and within the turnover cap.
    """
    tune, done = search.tune, study.finished_trials(search.study)
    best, paper = winner(search), result_table.paper_trial(done)
    groups = whole.groups_from(held)
    monthly = result_table.series(searched, searched.groups, whole, groups, paper, best)
    nested = result_table.as_dict(done, tune)
    if nested is not None:
        write_csv(nested, folder / f"{NESTED}.csv")
        outer = nested[["month", "spread"]].rename(columns={"spread": "spread_net"})
        monthly = pd.concat([monthly, outer.assign(model=NESTED, part="tuning")])
    comparison = result_table.table(monthly)
    luck = result_table.luck(done, best, tune)
    write_parquet(monthly, folder / "comparison.parquet")
    write_csv(comparison, folder / "result.csv")
    write_json(luck, folder / "luck.json")
    _draw(search, comparison, luck, paper, best, folder, whole.params.report)
    write_json(
        {"trial": best.number, "objective": best.value, "params": best.params}, folder / "best.json"
    )
    return result_table.in_words(comparison, luck, tune)


def _draw(
    search: Search,
    comparison: pd.DataFrame,
    luck: dict[str, float],
    paper: FrozenTrial,
    best: FrozenTrial,
    folder: Path,
    look: Report,
) -> None:
    """Write the figures as PNG in the report's language and the page in both."""
    done, objective = study.finished_trials(search.study), result_table.of_spreads(search.tune)
    chance = plots.chance(done, best, objective, search.tune.seed)
    charts: dict[str, dict[str, alt.TopLevelMixin]] = {
        language: plots.charts(search.study, chance, objective, language) for language in LANGUAGES
    }
    for name, chart in charts[look.language].items():
        save_png(chart, folder / f"{name}.png", look.dpi)
    text = page.page(
        search.tune.study,
        comparison,
        luck,
        trial_tables.table(search.study.get_trials(deepcopy=False)),
        paper,
        best,
        charts,
        look.language,
    )
    with atomic_write(folder / "tuning.html") as scratch:
        scratch.write_text(text, encoding="utf-8")


def winner(search: Search) -> FrozenTrial:
    """Return the best trial.

    Raises
    ------
    TuningError
        No trial is complete and within the turnover cap.
    """
    best = study.best(search.study)
    if best is None:
        raise TuningError(
            f"no trial of the study {search.tune.study!r} is complete and trades at most "
            f"tune.turnover_cap = {search.tune.turnover_cap} a month: run more trials, or raise "
            "the cap under another tune.study"
        )
    return best
