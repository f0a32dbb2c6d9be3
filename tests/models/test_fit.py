import signal
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from konkyo.models.batches import Hyperparameters
from konkyo.models.fit import ResumeCheckpoint, fit, stack_task
from konkyo.models.lightning_module import runs_of_equal
from konkyo.models.mlp import StackedMLP
from konkyo.random import numpy_generator, torch_generator


def flat(network: StackedMLP, window: int) -> torch.Tensor:
    return torch.cat([p[window].detach().flatten() for p in network.parameters()])


def fit_specs(task, specs, scratch, name):
    stack = stack_task(task.features, task.labels, specs, task.params)
    return fit(stack, scratch=scratch, name=name)


def slow_fit(task, spec) -> tuple[torch.Tensor, list[float]]:
    """Train one window alone: nn.Linear, a loop over batches, one Adam. The oracle."""
    params = task.params
    generator = torch_generator(spec.seed, spec.month, "weights")
    sizes = [len(spec.mean), *params.hidden_sizes, 1]
    linears = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    for linear in linears:
        bound = linear.in_features**-0.5
        drawn = torch.empty(linear.in_features, linear.out_features)
        linear.weight.data = drawn.uniform_(-bound, bound, generator=generator).T
        linear.bias.data = torch.empty(linear.out_features).uniform_(
            -bound, bound, generator=generator
        )
    optimiser = torch.optim.Adam(
        [p for linear in linears for p in (linear.weight, linear.bias)], lr=params.learning_rate
    )
    x = (torch.from_numpy(task.features[spec.rows]) - spec.mean) / spec.std
    y = torch.from_numpy(task.labels[int(spec.placebo)][spec.rows])
    losses, step = [], 0
    for epoch in range(params.epochs):
        order = torch.randperm(
            len(y), generator=torch_generator(spec.seed, spec.month, "order", epoch)
        )
        total = 0.0
        for part in order.split(params.batch_size):
            keep = 1 - params.dropout
            drawn = numpy_generator(params.seed, "dropout", step).random(
                (params.batch_size, sum(params.hidden_sizes)), dtype=np.float32
            )
            masks = torch.from_numpy((drawn >= params.dropout).astype(np.float32))
            mask = iter((masks / keep)[: len(part)].split(list(params.hidden_sizes), dim=1))
            a = x[part]
            for linear in linears[:-1]:
                a = torch.tanh(linear(a)) * next(mask)
            squares = (linears[-1](a).squeeze(1) - y[part]).square()
            optimiser.zero_grad()
            squares.mean().backward()
            optimiser.step()
            total += squares.sum().item()
            step += 1
        losses.append(total / len(y))
    parts = [linear.weight.detach().T.flatten() for linear in linears]
    return torch.cat(parts + [linear.bias.detach() for linear in linears]), losses


@pytest.fixture(scope="module")
def fitted(task, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("state")
    return fit_specs(task, task.specs, scratch, "all")


def test_every_window_equals_a_plain_training_loop(task, fitted):
    for window, spec in enumerate(task.specs):
        weights, losses = slow_fit(task, spec)
        assert (flat(fitted.network, window) - weights).abs().max() < 1e-5
        np.testing.assert_allclose(fitted.losses[window], losses, rtol=1e-4)


def test_weights_do_not_depend_on_stack_or_order(task, fitted, tmp_path):
    for positions in ([1], [3, 1], [4, 3, 2, 1, 0]):
        specs = [task.specs[i] for i in positions]
        other = fit_specs(task, specs, tmp_path, f"{positions}")
        for window, i in enumerate(positions):
            gap = (flat(other.network, window) - flat(fitted.network, i)).abs().max()
            assert gap < 1e-5, (positions, i)


def test_training_learns_the_label_not_the_placebo(fitted):
    assert fitted.losses[1][-1] < fitted.losses[1][0]
    assert fitted.losses[1][-1] < fitted.losses[2][-1]


def test_an_interrupted_fit_goes_on_where_it_stopped(task, fitted, tmp_path, monkeypatch):
    epochs: list[int] = []
    original = ResumeCheckpoint.on_train_epoch_end

    def stop_after_second(self, trainer, module):
        epochs.append(trainer.current_epoch)
        original(self, trainer, module)
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(ResumeCheckpoint, "on_train_epoch_end", stop_after_second)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit_specs(task, task.specs, tmp_path, "all")
    assert signal.getsignal(signal.SIGINT) == before
    monkeypatch.setattr(
        ResumeCheckpoint,
        "on_train_epoch_end",
        lambda self, trainer, module: epochs.append(trainer.current_epoch),
    )
    resumed = fit_specs(task, task.specs, tmp_path, "all")
    assert epochs == [0, 1, 2, 3]  # no epoch was run twice
    for window in range(len(task.specs)):
        assert torch.equal(flat(resumed.network, window), flat(fitted.network, window))
    np.testing.assert_array_equal(resumed.losses, fitted.losses)


def test_a_state_that_cannot_be_read_starts_anew(task, fitted, tmp_path):
    (tmp_path / "all.ckpt").write_bytes(b"half a file")
    again = fit_specs(task, task.specs, tmp_path, "all")
    assert torch.equal(flat(again.network, 1), flat(fitted.network, 1))


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_unlike_networks_of_a_stack_equal_those_alone(task, tmp_path, activation, interleaved):
    """By trial, as a search has them, or with every network unlike its neighbours."""
    unlike = [
        Hyperparameters(learning_rate=0.01, weight_decay=0.0, dropout=0.4, seed=1),
        Hyperparameters(learning_rate=0.001, weight_decay=0.1, dropout=0.0, seed=1),
        Hyperparameters(learning_rate=0.03, weight_decay=0.0, dropout=0.25, seed=2),
    ]
    task = replace(task, params=replace(task.params, activation=activation))
    trials = [[replace(s, hyperparameters=h) for s in task.specs] for h in unlike]
    count = len(task.specs)
    specs = [spec for trial in trials for spec in trial]
    order = list(range(len(specs)))
    if interleaved:
        order = [trial * count + window for window in range(count) for trial in range(len(unlike))]
    together = fit_specs(task, [specs[i] for i in order], tmp_path, "together")
    for number, trial in enumerate(trials):
        alone = fit_specs(task, trial, tmp_path, f"alone{number}")
        for window in range(count):
            at = order.index(number * count + window)
            np.testing.assert_allclose(together.losses[at], alone.losses[window], rtol=2e-5)
            torch.testing.assert_close(
                flat(together.network, at), flat(alone.network, window), rtol=2e-4, atol=2e-6
            )
    first, other = (flat(together.network, order.index(i)) for i in (0, count))
    assert not torch.allclose(first, other, atol=1e-2)


def test_equal_neighbours_are_one_run():
    assert runs_of_equal("aabccc") == [
        (slice(0, 2), "a"), (slice(2, 3), "b"), (slice(3, 6), "c")
    ]  # fmt: skip
    assert runs_of_equal("") == []
