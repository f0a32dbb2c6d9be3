"""The files of a search: its trials while it goes on, its result, figures and page at the end."""

from pathlib import Path

from optuna.trial import FrozenTrial

from konkyo.errors import TuningError
from konkyo.io import atomic_write, write_csv, write_json, write_parquet
from konkyo.report.charts.theme import save_pngs
from konkyo.tuning import page, plots, results, study
from konkyo.tuning.study import Search
from konkyo.tuning.trials import TrialBacktest


def save_trials(search: Search, folder: Path) -> None:
    """Write the trials so far: trials.csv, trials/<number>.parquet and series.parquet.

    Parameters
    ----------
    search : Search
        The search.
    folder : Path
        Of the study. series.parquet has one row a month and one column a trial: the spread after
        costs, a fraction decided at `month` and earned in the month after.
    """
    write_csv(results.trial_table(search.study.get_trials(deepcopy=False)), folder / "trials.csv")
    finished = study.finished_trials(search.study)
    if not any(results.SERIES in trial.user_attrs for trial in finished):
        return
    for number, series in results.monthly(finished).groupby("trial"):
        write_parquet(series.drop(columns="trial"), folder / "trials" / f"{number}.parquet")
    wide = results.wide(finished).add_prefix("trial_").rename_axis(columns=None)
    write_parquet(wide.reset_index(), folder / "series.parquet")


def save_results(
    search: Search, searched: TrialBacktest, full: TrialBacktest, *, first: str, folder: Path
) -> str:
    """Compare the best trial with the others over the holdout, and estimate its selection bias.

    Parameters
    ----------
    search : Search
        With all its trials done.
    searched, full : TrialBacktest
        On the panels of the search, and on those of all records.
    first : str
        First decision month of the holdout, YYYY-MM.
    folder : Path
        Receives result.csv, comparison.parquet (the series behind it), selection_bias.json,
        best.json, tuning.html and figures.

    Returns
    -------
    str
        The result in a few lines.

    Raises
    ------
    TuningError
        No trial is complete and within the turnover cap.
    """
    finished = study.finished_trials(search.study)
    best, current = best_trial(search), results.current_trial(finished)
    series = results.comparison_series(
        searched, full, holdout=full.groups(first), current=current, best=best
    )
    comparison = results.comparison_table(series)
    bias = results.selection_bias(finished, best, search.tune)
    write_parquet(series, folder / "comparison.parquet")
    write_csv(comparison, folder / "result.csv")
    write_json(bias, folder / "selection_bias.json")
    report = full.params.report
    charts = plots.charts(search, best)
    pictures = {folder / f"{name}.png": chart for name, chart in charts[report.language].items()}
    save_pngs(pictures, report.dpi)
    table = results.trial_table(search.study.get_trials(deepcopy=False))
    text = page.page(
        search.tune.study, comparison, bias, table, current, best, charts, report.language
    )
    with atomic_write(folder / "tuning.html") as scratch:
        scratch.write_text(text, encoding="utf-8")
    winner = {
        "trial": best.number,
        "objective": best.value,
        "params": best.params,
        "precision": search.tune.precision,
    }
    write_json(winner, folder / "best.json")
    return results.summary(comparison, bias)


def best_trial(search: Search) -> FrozenTrial:
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
