"""The figures of a search, by the names of its pictures and of its places in the page."""

import logging

import altair as alt
import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from konkyo import backtesting
from konkyo.i18n import LANGUAGES, Language
from konkyo.report.charts import search as figures
from konkyo.tuning import results
from konkyo.tuning.study import Search, finished_trials


def charts(search: Search, best: FrozenTrial) -> dict[str, dict[str, alt.TopLevelMixin]]:
    """Draw every figure of a search.

    Parameters
    ----------
    search : Search
        With its trials; figures of selection bias are about the completed and pruned ones.
    best : FrozenTrial
        The best one.

    Returns
    -------
    dict
        For each language by name: maximum_by_luck; logit_histogram where there are splits;
        history; importances where the trials differ enough for Optuna to estimate them.
    """
    objective = results.objective_of_spreads(search.tune)
    wide = results.wide(finished_trials(search.study))
    null = backtesting.null_distribution(wide, search.tune.seed)
    splits = backtesting.overfitting_or_none(wide, objective)
    complete = search.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    table = pd.DataFrame([{"trial": trial.number, "objective": trial.value} for trial in complete])
    try:
        importance = optuna.importance.get_param_importances(search.study)
    except (ValueError, RuntimeError) as error:
        logging.getLogger(__name__).info("no importances: %s", error)
        importance = {}

    def drawn(language: Language) -> dict[str, alt.TopLevelMixin]:
        reached = float(best.user_attrs["sharpe_ratio"])
        out: dict[str, alt.TopLevelMixin] = {
            "maximum_by_luck": figures.maximum_by_luck(
                null, reached, trials=wide.shape[1], language=language
            ),
            "history": figures.search_history(table, language),
        }
        if splits is not None:
            out["logit_histogram"] = figures.logit_histogram(splits, language)
        if importance:
            out["importances"] = figures.importance_bars(importance, language)
        return out

    return {language: drawn(language) for language in LANGUAGES}
