"""The figures of a search, by the names of its pictures and of its places in the page."""

import logging
from collections.abc import Sequence

import altair as alt
import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from konkyo import backtesting
from konkyo.backtesting.objectives import ObjectiveName
from konkyo.i18n import LANGUAGES, Language
from konkyo.report.charts import search
from konkyo.tuning import results


def charts(
    study: optuna.Study,
    finished: Sequence[FrozenTrial],
    best: FrozenTrial,
    *,
    objective: ObjectiveName,
    seed: int,
) -> dict[str, dict[str, alt.TopLevelMixin]]:
    """Draw every figure of a search.

    Parameters
    ----------
    study : optuna.Study
        With its trials.
    finished : sequence of FrozenTrial
        Completed and pruned: what the figures of selection bias are about.
    best : FrozenTrial
        The best one.
    objective : str
        Of the splits: sharpe_ratio, t_statistic or mean.
    seed : int
        Of the draws under zero skill.

    Returns
    -------
    dict
        For each language by name: maximum_by_luck; logit_histogram where there are splits;
        history; importances where the trials differ enough for Optuna to estimate them.
    """
    wide = results.wide(finished)
    null = backtesting.null_distribution(wide, seed)
    splits = backtesting.overfitting_or_none(wide, objective)
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    table = pd.DataFrame([{"trial": trial.number, "objective": trial.value} for trial in complete])
    try:
        importance = optuna.importance.get_param_importances(study)
    except (ValueError, RuntimeError) as error:
        logging.getLogger(__name__).info("no importances: %s", error)
        importance = {}

    def drawn(language: Language) -> dict[str, alt.TopLevelMixin]:
        reached = float(best.user_attrs["sharpe_ratio"])
        out: dict[str, alt.TopLevelMixin] = {
            "maximum_by_luck": search.maximum_by_luck(
                null, reached, trials=wide.shape[1], language=language
            ),
            "history": search.search_history(table, language),
        }
        if splits is not None:
            out["logit_histogram"] = search.logit_histogram(splits, language)
        if importance:
            out["importances"] = search.importance_bars(importance, language)
        return out

    return {language: drawn(language) for language in LANGUAGES}
