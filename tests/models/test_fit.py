import signal
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from konkyo.models import callbacks
from konkyo.models.fit import fit_stack
from konkyo.models.mlp import StackedMLP
from konkyo.models.settings import Hyperparameters
from konkyo.random import numpy_generator, torch_generator


def flat(network: StackedMLP, window: int) -> torch.Tensor:
    return torch.cat([p[window].detach().flatten() for p in network.parameters()])


def slow_fit(task, entry) -> tuple[torch.Tensor, list[float]]:
    """Train one window alone: nn.Linear, a loop over batches, one Adam. The oracle."""
    params = task.params
    generator = torch_generator(entry.seed, entry.month, "weights")
    sizes = [len(entry.mean), *params.hidden_sizes, 1]
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
    x = (torch.from_numpy(task.features[entry.rows]) - entry.mean) / entry.std
    y = torch.from_numpy(task.labels[int(entry.placebo)][entry.rows])
    losses, step = [], 0
    for epoch in range(params.epochs):
        order = torch.randperm(
            len(y), generator=torch_generator(entry.seed, entry.month, "order", epoch)
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
    return fit_stack(task.features, task.labels, task.entries, task.params, scratch, "all")


def test_every_window_equals_a_plain_training_loop(task, fitted):
    for window, entry in enumerate(task.entries):
        weights, losses = slow_fit(task, entry)
        assert (flat(fitted.network, window) - weights).abs().max() < 1e-5
        np.testing.assert_allclose(fitted.losses[window], losses, rtol=1e-4)


def test_a_window_alone_in_any_stack_and_order_gives_the_same_weights(task, fitted, tmp_path):
    for chosen in ([1], [3, 1], [4, 3, 2, 1, 0]):
        entries = [task.entries[i] for i in chosen]
        other = fit_stack(task.features, task.labels, entries, task.params, tmp_path, f"{chosen}")
        for window, i in enumerate(chosen):
            gap = (flat(other.network, window) - flat(fitted.network, i)).abs().max()
            assert gap < 1e-5, (chosen, i)


def test_training_learns_the_label_and_not_the_shuffled_one(fitted):
    assert fitted.losses[1][-1] < fitted.losses[1][0]
    assert fitted.losses[1][-1] < fitted.losses[2][-1]


def test_an_interrupted_fit_goes_on_where_it_stopped(task, fitted, tmp_path, monkeypatch):
    told: list[int] = []
    original = callbacks.ResumeCheckpoint.on_train_epoch_end

    def stop_after_second(self, trainer, module):
        told.append(trainer.current_epoch)
        original(self, trainer, module)
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.ResumeCheckpoint, "on_train_epoch_end", stop_after_second)
    arguments = (task.features, task.labels, task.entries, task.params, tmp_path, "all")
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit_stack(*arguments)
    assert signal.getsignal(signal.SIGINT) == before
    monkeypatch.setattr(
        callbacks.ResumeCheckpoint,
        "on_train_epoch_end",
        lambda self, trainer, module: told.append(trainer.current_epoch),
    )
    resumed = fit_stack(*arguments)
    assert told == [0, 1, 2, 3]  # no epoch was run twice
    for window in range(len(task.entries)):
        assert torch.equal(flat(resumed.network, window), flat(fitted.network, window))
    np.testing.assert_array_equal(resumed.losses, fitted.losses)


def test_a_state_that_cannot_be_read_starts_anew(task, fitted, tmp_path):
    (tmp_path / "all.ckpt").write_bytes(b"half a file")
    again = fit_stack(task.features, task.labels, task.entries, task.params, tmp_path, "all")
    assert torch.equal(flat(again.network, 1), flat(fitted.network, 1))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_networks_of_unlike_numbers_train_in_one_stack_as_alone(task, tmp_path, activation) -> None:
    unlike = [
        Hyperparameters(0.01, 0.0, 0.4, 1),
        Hyperparameters(0.001, 0.1, 0.0, 1),
        Hyperparameters(0.03, 0.0, 0.25, 2),
    ]
    params = replace(task.params, activation=activation)
    together = fit_stack(
        task.features, task.labels, task.entries * 3, params, tmp_path, "together", unlike
    )
    count = len(task.entries)
    for position, numbers in enumerate(unlike):
        own = replace(
            params,
            learning_rate=numbers.learning_rate,
            weight_decay=numbers.weight_decay,
            dropout=numbers.dropout,
            seed=numbers.seed,
        )
        alone = fit_stack(
            task.features, task.labels, task.entries, own, tmp_path, f"alone{position}"
        )
        part = slice(position * count, (position + 1) * count)
        np.testing.assert_allclose(together.losses[part], alone.losses, rtol=2e-5)
        for window in range(count):
            torch.testing.assert_close(
                flat(together.network, part.start + window),
                flat(alone.network, window),
                rtol=2e-4,
                atol=2e-6,
            )
    first = flat(together.network, 0)
    assert not torch.allclose(first, flat(together.network, count), atol=1e-2)


def test_numbers_that_do_not_divide_the_stack_are_refused(task, tmp_path) -> None:
    two = [Hyperparameters(0.01, 0.0, 0.4, 1), Hyperparameters(0.02, 0.0, 0.4, 1)]
    with pytest.raises(ValueError, match="5 windows do not divide into 2"):
        fit_stack(task.features, task.labels, task.entries, task.params, tmp_path, "odd", two)
