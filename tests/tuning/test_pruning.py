import optuna
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from konkyo.tuning import pruning

GROUPS = [("a", "b"), ("c", "d"), ("e",)]


@given(st.integers(1, 60), st.integers(0, 5), st.integers(1, 8))
def test_every_group_comes_once_in_seeded_order(count, seed, looks):
    groups = [(f"{i}",) for i in range(count)]
    found = pruning.chunks(groups, seed, looks)
    assert sorted(g for chunk in found for g in chunk) == sorted(groups)
    assert found == pruning.chunks(groups, seed, looks)
    assert len(found) == min(looks, count)
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_months_do_not_come_in_calendar_order():
    groups = [(f"{i:02d}",) for i in range(20)]
    first = pruning.chunks(groups, 1)[0]
    assert first != groups[:4] and first == sorted(first)


def test_the_median_pruner_gets_the_objective_so_far():
    so_far = pd.Series([0.1, 0.2, 0.3], index=["e", "a", "b"])
    places = {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}
    assert pruning.reports("wilcoxon", "mean", so_far, new=2, places=places) == [(0, 0.2), (1, 0.3)]
    gap = pd.Series([0.1, float("nan"), 0.3], index=["e", "a", "b"])
    assert pruning.reports("wilcoxon", "mean", gap, new=2, places=places) == [(1, 0.3)]
    ((step, value),) = pruning.reports("median", "rank_ic", gap, new=2, places=places)
    assert (step, value) == (3, pytest.approx(0.2))
    ((step, value),) = pruning.reports("median", "rank_ic", so_far, new=2, places=places)
    assert (step, value) == (3, pytest.approx(0.2))
    ((step, value),) = pruning.reports("median", "mean", so_far, new=2, places=places)
    assert (step, value) == (3, pytest.approx(2.4))


@pytest.mark.parametrize(
    ("kind", "pruned"), [("wilcoxon", True), ("median", True), ("none", False)]
)
def test_a_much_worse_trial_is_pruned_after_two_years(kind, pruned):
    study = optuna.create_study(direction="maximize", pruner=pruning.pruner(kind))
    places = {f"{i:02d}": i for i in range(40)}

    def reported(level: float, months: int) -> optuna.Trial:
        trial = study.ask()
        so_far = pd.Series([level + 0.01 * (i % 3) for i in range(months)], list(places)[:months])
        for step, value in pruning.reports(kind, "mean", so_far, new=months, places=places):
            trial.report(value, step)
        return trial

    for i in range(5):
        trial = reported(0.05 + 0.001 * i, 40)
        study.tell(trial, 0.6)
        # The median looks at equal steps only, so the good ones were there after two years too.
        if kind == "median":
            study.add_trial(
                optuna.trial.create_trial(value=0.6, intermediate_values={24: 0.6, 23: 0.6})
            )
    assert not reported(-0.05, 20).should_prune()
    assert reported(-0.05, 24).should_prune() == pruned
