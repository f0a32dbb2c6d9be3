import optuna
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


@pytest.mark.parametrize(("kind", "pruned"), [("wilcoxon", True), ("none", False)])
def test_a_much_worse_trial_is_pruned_after_two_years(kind, pruned):
    study = optuna.create_study(direction="maximize", pruner=pruning.pruner(kind))

    def reported(level: float, months: int) -> optuna.Trial:
        trial = study.ask()
        for place in range(months):
            trial.report(level + 0.01 * (place % 3), place)
        return trial

    for i in range(5):
        study.tell(reported(0.05 + 0.001 * i, 40), 0.6)
    assert not reported(-0.05, 20).should_prune()
    assert reported(-0.05, 24).should_prune() == pruned
