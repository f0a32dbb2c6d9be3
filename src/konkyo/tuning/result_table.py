"""The table that a search ends in: what tuning brought, beside what it would bring by luck.

Only here, when the search is over, are the holdout months looked at.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from konkyo import backtest
from konkyo.backtest.objectives import ObjectiveName
from konkyo.config import Tune
from konkyo.errors import TuningError
from konkyo.tuning import trial_tables
from konkyo.tuning.engine import Engine
from konkyo.tuning.objective import secondary
from konkyo.tuning.storage import PAPER
from konkyo.tuning.trials import Group

MODELS = ("paper", "best", "linear", "placebo")
PARTS = ("tuning", "holdout")
_FIRST_CHOICE = 36
"""Months before the first choice of the nested series."""


def paper_trial(trials: Sequence[FrozenTrial]) -> FrozenTrial:
    """Return the completed trial with the paper's values.

    Raises
    ------
    TuningError
        It has not ended.
    """
    for trial in trials:
        if PAPER in trial.user_attrs and trial.state == TrialState.COMPLETE:
            return trial
    raise TuningError("the trial with the paper's values has not ended: run the search longer")


def series(
    searched: Engine,
    groups: Sequence[Group],
    whole: Engine,
    held: Sequence[Group],
    paper: FrozenTrial,
    best: FrozenTrial,
) -> pd.DataFrame:
    """Return the monthly series of the four models over the searched and the held-out months.

    Parameters
    ----------
    searched, whole : Engine
        On the panels of the search, and on those of all records.
    groups, held : sequence of Group
        The months of the search, and those of the holdout.
    paper, best : FrozenTrial
        Their series over the searched months are the search's own.

    Returns
    -------
    pandas.DataFrame
        model (paper | best | linear: ridge on the paper's rows | shuffled: the best trial's values
        on labels shuffled within each month), part (tuning | holdout), month (t), spread,
        spread_net, turnover, rank_ic; returns are fractions earned in t+1.
    """
    found: dict[tuple[str, str], pd.DataFrame] = {}
    for name, trial in (("paper", paper), ("best", best)):
        found[name, "tuning"] = trial_tables.unpack(trial.user_attrs[trial_tables.SERIES])
        found[name, "holdout"] = whole.measure(whole.run([trial.params], held)[0])
    for part, engine, asked in (("tuning", searched, groups), ("holdout", whole, held)):
        found["linear", part] = engine.measure(engine.linear(paper.params, asked))
        (scores,) = engine.run([best.params], asked, placebo=True)
        found["placebo", part] = engine.measure(scores)
    tables = [
        found[model, part].assign(model=model, part=part) for model in MODELS for part in PARTS
    ]
    return pd.concat(tables, ignore_index=True)


def table(monthly: pd.DataFrame) -> pd.DataFrame:
    """Return the table of the result.

    Parameters
    ----------
    monthly : pandas.DataFrame
        What `series` returns.

    Returns
    -------
    pandas.DataFrame
        One row a model and part, in the order of MODELS and PARTS: model, part, annual_return,
        annual_volatility, sharpe_ratio, t (of the spread after costs; fractions), rank_ic, turnover
        (one-way, a month) and months.
    """
    rows = []
    for (model, part), own in monthly.groupby(["model", "part"], sort=False):
        rows.append({"model": model, "part": part, **secondary(own.sort_values("month"))})
    return pd.DataFrame(rows, columns=["model", "part", *trial_tables.MEASURES])


def luck(trials: Sequence[FrozenTrial], best: FrozenTrial, tune: Tune) -> dict[str, float]:
    """Return how much of the best trial is luck; see `backtest.luck`.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        All that count, pruned ones too.
    best : FrozenTrial
        The chosen one.
    tune : Tune
        For the objective; where that is the rank IC, spreads are judged by their return/risk.
    """
    wide = trial_tables.wide(trials)
    values = pd.Series({t.number: t.value for t in trials if t.state == TrialState.COMPLETE})
    return backtest.selection_bias(
        wide, values, best.number, objective=of_spreads(tune), seed=tune.seed
    )


def as_dict(trials: Sequence[FrozenTrial], tune: Tune) -> pd.DataFrame | None:
    """Return the series of a search that was repeated as time went on, by earlier months only.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        All that count; those that ran in all months are chosen from.
    tune : Tune
        For the months between two choices; 0 asks for no such series.

    Returns
    -------
    pandas.DataFrame or None
        month, decided, trial, spread (after costs, a fraction, without the costs of moving from
        one trial to another); None where it is not asked for or too few months were searched.
    """
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    wide = trial_tables.wide(complete)
    dates = list(wide.index[_FIRST_CHOICE :: tune.retune_every]) if tune.retune_every else []
    return backtest.walk_forward_returns(wide, of_spreads(tune), dates) if dates else None


def in_words(comparison: pd.DataFrame, luck_found: Mapping[str, float], tune: Tune) -> str:
    """Return what the search found in a few lines of text."""
    cells = comparison.set_index(["model", "part"])["sharpe_ratio"]
    tuned, plain = (cells[model, "holdout"] for model in ("best", "paper"))
    first = months_of(comparison)
    verdict = "on the holdout the tuned values did not beat the paper's"
    if tuned > plain:
        verdict = "on the holdout the tuned values beat the paper's"
    if tuned == plain:
        verdict = "nothing was better than the paper's values on the searched months"
    lines = [
        f"return/risk after costs, {first['tuning']} months searched and {first['holdout']} held "
        "out:",
        *(
            f"  {model:9s} {cells[model, 'tuning']:6.2f} {cells[model, 'holdout']:6.2f}"
            for model in MODELS
        ),
        verdict,
    ]
    if "dsr" in luck_found:
        lines.append(
            f"{luck_found['trials']:.0f} trials count as {luck_found['effective_trials']:.1f}: by "
            f"luck alone the best would reach {luck_found['expected_maximum']:.2f}; deflated "
            f"Sharpe ratio {luck_found['dsr']:.2f}"
        )
    return "\n".join(lines)


def months_of(comparison: pd.DataFrame) -> dict[str, int]:
    """Return how many months each part of the comparison has."""
    return {part: int(own["months"].max()) for part, own in comparison.groupby("part")}


def of_spreads(tune: Tune) -> ObjectiveName:
    """Return the objective by which spreads are judged, also where the search took the rank IC."""
    return "sharpe_ratio" if tune.objective == "rank_ic" else tune.objective
