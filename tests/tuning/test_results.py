"""What a search leaves, and the page of its result."""

import numpy as np
import pandas as pd
import pytest

import fake_engine as fake
from konkyo import backtesting
from konkyo.tuning import page, results, save, study


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outcome")
    search = fake.begin(fake.section(f"journal:{folder}/journal.log", trials=6))
    fake.run(search)
    search.storage.close()
    return search, folder


class Backtest(fake.Backtest):
    """The fake backtest, as a comparison calls it."""

    def scores(self, trials, groups, *, placebo=False):
        return fake.scores([{**v, "dropout": 1.2} for v in trials] if placebo else trials, groups)

    def ridge_scores(self, values, groups):
        return fake.scores([values], groups)[0]


class Searched(Backtest):
    def groups(self):
        return fake.GROUPS[:8]


def compared(search, current=True) -> pd.DataFrame:
    trials = study.finished_trials(search.study)
    return results.comparison_table(
        results.comparison_series(
            Searched(),
            Backtest(),
            holdout=fake.GROUPS[8:],
            current=results.current_trial(trials) if current else None,
            best=save.best_trial(search),
        )
    )


def test_the_trials_are_written_from_the_study_alone(searched):
    search, folder = searched
    save.save_trials(search, folder)
    wide = pd.read_parquet(folder / "series.parquet")
    assert wide.columns.to_list() == ["month", *(f"trial_{n}" for n in range(6))]
    own = pd.read_parquet(folder / "trials/0.parquet")
    assert own.columns.to_list() == ["month", *results.COLUMNS]
    assert own["spread_net"].to_list() == pytest.approx(wide["trial_0"].to_list())
    assert len(pd.read_csv(folder / "trials.csv")) == 6


def test_the_table_has_every_model_in_both_parts(searched):
    table = compared(searched[0])
    assert list(zip(table["model"], table["part"], strict=True)) == [
        (model, part) for model in results.MODELS for part in results.PARTS
    ]
    best = save.best_trial(searched[0])
    cells = table.set_index(["model", "part"])
    assert cells.loc[("best", "tuning"), "sharpe_ratio"] == pytest.approx(best.value)
    assert cells.loc[("best", "holdout"), "months"] == 6
    (scores,) = fake.scores([best.params], fake.GROUPS[8:])
    net = fake.series(scores)["spread_net"]
    assert cells.loc[("best", "holdout"), "annual_return"] == pytest.approx(
        np.prod(1 + net) ** (12 / len(net)) - 1
    )


def test_selection_bias_is_that_of_all_trials(searched):
    search = searched[0]
    done = study.finished_trials(search.study)
    found = results.selection_bias(done, save.best_trial(search), search.tune)
    assert found["trials"] == 6
    wide = results.wide(done)
    assert found["effective_trials"] == pytest.approx(
        backtesting.null_distribution(wide).effective_trials, 1e-3
    )
    text = results.summary(compared(search), found)
    assert "on the holdout the tuned values beat the current ones" in text
    assert "6 trials count as" in text and "deflated Sharpe ratio" in text


def test_the_page_shows_the_result_and_escapes_names(searched):
    search = searched[0]
    done = study.finished_trials(search.study)
    best = save.best_trial(search)
    text = page.page(
        "<script>alert(1)</script>",
        compared(search),
        results.selection_bias(done, best, search.tune),
        results.trial_table(search.study.trials),
        results.current_trial(done),
        best,
        {"en": {}, "ja": {}},
        "en",
    )
    assert "<script>alert(1)" not in text
    assert "holdout months the tuned values" in text and "デフレーテッド・シャープ・レシオ" in text


def test_without_a_current_trial_nothing_is_compared(searched):
    table = compared(searched[0], current=False)
    assert table["model"].unique().tolist() == ["best", "ridge", "placebo"]
    text = page.page(
        "main", table, {}, results.trial_table(searched[0].study.trials), None,
        save.best_trial(searched[0]), {"en": {}, "ja": {}}, "en",
    )  # fmt: skip
    assert "the current values are not in the search space" in text.replace("\n", " ")
    assert "current" not in results.summary(table, {})
