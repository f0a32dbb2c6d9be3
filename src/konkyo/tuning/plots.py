"""The figures of a search, by the names of its pictures and of its places in the page."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from konkyo import backtest
from konkyo.backtest.objectives import ObjectiveName
from konkyo.i18n import Language
from konkyo.report.charts import search, selection_bias
from konkyo.tuning import results
from konkyo.tuning.space import NUMBERS, STRUCTURE


@dataclass(frozen=True)
class Chance:
    """Statistics behind the figures of selection bias.

    Attributes
    ----------
    null : NullDistribution
        Distribution of the best of as many trials under zero skill.
    overfitting : Overfitting or None
        None with too few months or complete trials for splits.
    reached : float
        Annual Sharpe ratio of the best trial.
    trials : int
        Number of trials, pruned ones included.
    """

    null: backtest.NullDistribution
    overfitting: backtest.Overfitting | None
    reached: float
    trials: int


def chance(
    trials: Sequence[FrozenTrial], best: FrozenTrial, objective: ObjectiveName, seed: int
) -> Chance:
    """Return the statistics behind the figures of selection bias.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Completed and pruned.
    best : FrozenTrial
        The best one.
    objective : str
        sharpe_ratio, t_statistic or mean.
    seed : int
        Of the draws.
    """
    wide = results.wide(trials)
    return Chance(
        null=backtest.null_distribution(wide, seed),
        overfitting=backtest.overfitting_or_none(wide, objective),
        reached=float(best.user_attrs["sharpe_ratio"]),
        trials=wide.shape[1],
    )


def charts(
    study: optuna.Study, chance: Chance, objective: ObjectiveName, language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Draw every figure of a search.

    Parameters
    ----------
    study : optuna.Study
        With its trials.
    chance : Chance
        Of `chance`.
    objective : str
        Of the splits: sharpe_ratio, t_statistic or mean.
    language : str
        en or ja.

    Returns
    -------
    dict
        maximum_by_luck; logit_histogram and degradation_scatter where there are splits; history,
        slice_numbers, slice_structure, parallel_coordinates; importances where the trials differ
        enough for Optuna to estimate them.
    """
    drawn: dict[str, alt.TopLevelMixin] = {
        "maximum_by_luck": selection_bias.maximum_by_luck(
            chance.null, chance.reached, trials=chance.trials, language=language
        )
    }
    if chance.overfitting is not None:
        splits = chance.overfitting
        drawn["logit_histogram"] = selection_bias.logit_histogram(splits, language)
        drawn["degradation_scatter"] = selection_bias.degradation_scatter(
            splits, objective, language
        )
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    table = pd.DataFrame(
        [{"trial": trial.number, "objective": trial.value, **trial.params} for trial in complete]
    )
    log = sorted(
        {
            name
            for trial in complete
            for name, distribution in trial.distributions.items()
            if getattr(distribution, "log", False)
        }
    )
    drawn["history"] = search.search_history(table, language)
    for name, keys in (("slice_numbers", NUMBERS), ("slice_structure", STRUCTURE)):
        drawn[name] = search.slices(table, list(keys), log=log, language=language)
    drawn["parallel_coordinates"] = search.parallel_coordinates(
        table, [*STRUCTURE, *NUMBERS], log=log, language=language
    )
    try:
        importance = optuna.importance.get_param_importances(study)
        drawn["importances"] = search.importance_bars(importance, language)
    except (ValueError, RuntimeError) as error:
        logging.getLogger(__name__).info("no importances: %s", error)
    return drawn
