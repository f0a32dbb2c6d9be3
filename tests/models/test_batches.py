from dataclasses import replace

import numpy as np
import pytest
import torch

from konkyo.models.batches import StackSchedule
from konkyo.models.fit import stack_task


def test_every_window_sees_each_row_once_an_epoch(task):
    schedule = StackSchedule(task.specs, batch_size=16, epochs=3)
    seen: dict[tuple[int, int], list[int]] = {}
    for batch in schedule.from_step(0):
        for window in range(len(task.specs)):
            real = batch.weight[window] == 1
            rows = batch.rows[window][real].tolist()
            if rows:
                assert batch.step < schedule.last_step[window]
                seen.setdefault((window, int(batch.epoch[window])), []).extend(rows)
    assert set(seen) == {(w, e) for w in range(len(task.specs)) for e in range(3)}
    for (window, _), rows in seen.items():
        assert sorted(rows) == task.specs[window].rows.tolist()
    assert seen[0, 0] != seen[0, 1]
    assert seen[1, 0] == seen[2, 0]  # a placebo goes through its rows as its month does


def test_steps_are_counted_window_by_window(task):
    schedule = StackSchedule(task.specs, batch_size=16, epochs=3)
    assert schedule.batches.tolist() == [7, 11, 11, 1, 7]
    assert schedule.last_step.tolist() == [21, 33, 33, 3, 21]
    assert schedule.steps == 33


@pytest.mark.parametrize("first", [1, 11, 12, 20, 32])
def test_a_schedule_from_a_later_step_is_its_rest(task, first):
    schedule = StackSchedule(task.specs, batch_size=16, epochs=3)
    whole = list(schedule.from_step(0))[first:]
    late = list(schedule.from_step(first))
    assert len(whole) == len(late) > 0
    for a, b in zip(whole, late, strict=True):
        assert a.step == b.step
        assert torch.equal(a.weight, b.weight)
        assert torch.equal(a.rows * a.weight.long(), b.rows * b.weight.long())


def test_batches_fetch_rows_and_the_right_labels(task):
    stack = stack_task(task.features, task.labels, task.specs, replace(task.params, epochs=2))
    stack.batches.start_at(1)
    runs = [list(run) for run in stack.batches]
    assert len(runs) == len(stack.batches) == 1
    (batches,) = runs
    assert len(batches) == 11
    assert batches[0].step == 11
    for batch in batches:
        rows = batch.rows.numpy()
        x, y = stack.module.fetch(batch.rows)
        for window, spec in enumerate(task.specs):
            scaled = (task.features[rows[window]] - spec.mean) / spec.std
            np.testing.assert_array_equal(x[window].numpy(), scaled)
        np.testing.assert_array_equal(y[2].numpy(), task.labels[1][rows[2]])
        np.testing.assert_array_equal(y[1].numpy(), task.labels[0][rows[1]])
