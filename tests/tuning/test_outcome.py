"""What a search leaves, and the page of its result."""

from dataclasses import replace

import pandas as pd
import pytest

import fake_engine as fake
from konkyo import backtest
from konkyo.tuning import page, result_table, results, study, trial_tables, worker


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outcome")
    search = fake.begin(fake.section(f"journal:{folder}/journal.log", trials=6))
    worker.work(search, fake.GROUPS, fake.run, fake.measure, lambda line: None)
    search.storage.close()
    return search, folder


class Engine:
    """The fake engine, as `result` calls it."""

    def run(self, values, groups, placebo=False):
        return fake.run([{**v, "dropout": 1.2} for v in values] if placebo else values, groups)

    def linear(self, values, groups):
        return fake.run([values], groups)[0]

    def measure(self, scores):
        return fake.measure(scores)


def compared(search) -> pd.DataFrame:
    done = study.finished_trials(search.study)
    first, last = fake.GROUPS[:8], fake.GROUPS[8:]
    monthly = result_table.series(
        Engine(), first, Engine(), last, result_table.paper_trial(done), results.winner(search)
    )
    return result_table.table(monthly)


def test_the_trials_are_written_from_the_study_alone(searched):
    search, folder = searched
    results.save_trials(search, folder)
    wide = pd.read_parquet(folder / "series.parquet")
    assert wide.columns.to_list() == ["month", *(f"trial_{n}" for n in range(6))]
    own = pd.read_parquet(folder / "trials/0.parquet")
    assert own.columns.to_list() == ["month", *trial_tables.COLUMNS]
    assert own["spread_net"].to_list() == pytest.approx(wide["trial_0"].to_list())
    assert len(pd.read_csv(folder / "trials.csv")) == 6


def test_the_table_has_every_model_in_both_parts(searched):
    table = compared(searched[0])
    assert list(zip(table["model"], table["part"], strict=True)) == [
        (model, part) for model in result_table.MODELS for part in result_table.PARTS
    ]
    best = results.winner(searched[0])
    cells = table.set_index(["model", "part"])
    assert cells.loc[("best", "tuning"), "sharpe_ratio"] == pytest.approx(best.value)
    assert cells.loc[("best", "holdout"), "months"] == 6
    (scores,) = fake.run([best.params], fake.GROUPS[8:])
    net = fake.measure(scores)["spread_net"]
    assert cells.loc[("best", "holdout"), "annual_return"] == pytest.approx(net.mean() * 12)


def test_luck_is_that_of_all_trials(searched):
    search = searched[0]
    done = study.finished_trials(search.study)
    found = result_table.luck(done, results.winner(search), search.tune)
    assert found["trials"] == 6
    wide = trial_tables.wide(done)
    assert found["effective_trials"] == pytest.approx(
        backtest.null_distribution(wide).effective_trials, 1e-3
    )
    assert "of luck" not in result_table.in_words(compared(search), found, search.tune)


def test_the_nested_series_chooses_by_earlier_months_only(searched, monkeypatch):
    search = searched[0]
    done = study.finished_trials(search.study)
    assert result_table.as_dict(done, search.tune) is None
    monkeypatch.setattr(result_table, "_FIRST_CHOICE", 12)
    found = result_table.as_dict(done, replace(search.tune, retune_every=6))
    assert len(found) == 18 and (found["decided"] <= found["month"]).all()


def test_the_page_shows_the_result_and_escapes_names(searched):
    search = searched[0]
    done = study.finished_trials(search.study)
    best = results.winner(search)
    text = page.page(
        "<script>alert(1)</script>",
        compared(search),
        result_table.luck(done, best, search.tune),
        trial_tables.table(search.study.trials),
        result_table.paper_trial(done),
        best,
        {"en": {}, "ja": {}},
        "en",
    )
    assert "<script>alert(1)" not in text
    assert "holdout months the tuned values" in text and "デフレーテッド・シャープ・レシオ" in text
