"""Small samples: networks that see all their rows at every step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from konkyo.models.batches import Batch, EpochDataset, Hyperparameters, NetworkSpec
from konkyo.models.fit import FitTask, initial_network
from konkyo.models.lightning_module import StackedAdam, StackModule
from konkyo.models.mlp import ACTIVATIONS, OUTPUTS, StackedMLP

_BACK: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tanh": torch.ops.aten.tanh_backward,
    "relu": lambda gradient, a: torch.ops.aten.threshold_backward(gradient, a, 0),
    "sigmoid": torch.ops.aten.sigmoid_backward,
    "linear": lambda gradient, _: gradient,
}
"""The gradient of a pre-activation from that of the activation and the activation itself."""


@dataclass(frozen=True, kw_only=True)
class FullBatch:
    """Networks that see all their rows at every step.

    Attributes
    ----------
    hidden_sizes : tuple of int
        Units of each hidden layer.
    activation, output : str
        Of the hidden layers and of the last unit, as `StackedMLP` takes them.
    iterations : int
        Steps, each on all rows.
    every : int
        Steps between two checkpoints, one Lightning epoch; it divides `iterations`.
    """

    hidden_sizes: tuple[int, ...]
    activation: str
    output: str
    iterations: int
    every: int

    def __post_init__(self) -> None:
        if self.iterations % self.every:
            raise ValueError(
                f"every = {self.every} does not divide iterations = {self.iterations}: choose a "
                "divisor"
            )


def full_batch_task(
    features: np.ndarray, labels: np.ndarray, specs: Sequence[NetworkSpec], params: FullBatch
) -> FitTask:
    """Return a stack of small samples to fit, every network on all its rows at every step.

    Parameters
    ----------
    features : numpy.ndarray
        [rows, inputs] float32.
    labels : numpy.ndarray
        [rows] float32, of the rows that are in some window.
    specs : sequence of NetworkSpec
        The networks; nothing is drawn while they train, so that their dropout must be 0.
    params : FullBatch
        Shape of the networks and number of iterations; the losses are means over `every` of them.
    """
    schedule = FullBatchSchedule(specs, params.iterations, params.every)
    network = initial_network(
        specs,
        hidden_sizes=params.hidden_sizes,
        activation=params.activation,
        output=params.output,
    )
    x = ((torch.from_numpy(features)[schedule.rows] - network.mean) / network.std).mT.contiguous()
    module = FullBatchModule(
        network,
        [spec.hyperparameters for spec in specs],
        x=x,
        y=torch.from_numpy(labels)[schedule.rows],
        schedule=schedule,
        epochs=params.iterations // params.every,
    )
    return FitTask(module=module, batches=EpochDataset(schedule))


class FullBatchSchedule:
    """All windows take the same number of iterations, each on all rows of its own, in order.

    Nothing is drawn, so that an iteration costs no more than its arithmetic. A Lightning step is
    many iterations, since Lightning's own work a step costs as much as an iteration of a stack.

    Parameters
    ----------
    specs : sequence of NetworkSpec
        The windows of the stack.
    iterations : int
        Of each window.
    every : int
        Iterations of one Lightning epoch.
    """

    def __init__(self, specs: Sequence[NetworkSpec], iterations: int, every: int) -> None:
        self.specs = specs
        self.iterations_a_step = next(n for n in (100, 50, 20, 10, 5, 2, 1) if every % n == 0)
        self.steps = iterations // self.iterations_a_step
        self.steps_an_epoch = every // self.iterations_a_step
        self.last_step = torch.full((len(specs),), self.steps)
        width = max(len(spec.rows) for spec in specs)
        self.rows = torch.stack([_padded(torch.from_numpy(spec.rows), width) for spec in specs])
        counts = torch.tensor([len(spec.rows) for spec in specs])
        self.weight = (torch.arange(width) < counts[:, None]).float()

    def from_step(self, first: int) -> Iterator[Batch]:
        """Yield the Lightning steps from one on; all share their tensors."""
        for step in range(first, self.steps):
            epoch = torch.full((len(self.specs),), step // self.steps_an_epoch)
            yield Batch(step, self.rows, self.weight, epoch)


class FullBatchModule(StackModule):
    """The stack whose Lightning step is many iterations on the same rows.

    Parameters
    ----------
    network : StackedMLP
        Initialised networks.
    hyperparameters : sequence of Hyperparameters
        Of each network.
    x, y : Tensor
        Scaled features [windows, inputs, rows] and labels [windows, rows] of every iteration.
    schedule : FullBatchSchedule
        Their iterations.
    epochs : int
        Lightning epochs.
    """

    decay: Tensor

    def __init__(
        self,
        network: StackedMLP,
        hyperparameters: Sequence[Hyperparameters],
        *,
        x: Tensor,
        y: Tensor,
        schedule: FullBatchSchedule,
        epochs: int,
    ) -> None:
        super().__init__(
            network,
            hyperparameters,
            fetch=lambda _: (x, y),
            last_step=schedule.last_step,
            epochs=epochs,
        )
        decay = torch.tensor([h.weight_decay for h in hyperparameters], dtype=torch.float32)
        self.register_buffer("decay", decay[:, None, None], persistent=False)
        self._iterations = schedule.iterations_a_step

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam over the stacked parameters."""
        # The decay goes into the gradients: that of neighbours differs, and for the optimiser each
        # would be a group, whose call costs as much as an iteration of the whole stack.
        return StackedAdam(
            self.network.parameters(),
            learning_rate=[h.learning_rate for h in self.hyperparameters],
            weight_decay=[0.0] * len(self.hyperparameters),
        )

    @torch.no_grad()
    def move(self, rows: Tensor, weight: Tensor, epoch: Tensor, *masks: Tensor) -> None:
        """Move every network many iterations, each down its own mean squared error."""
        x, y = self.fetch(rows)
        count = weight.sum(1)
        share = weight / count[:, None]
        # Lightning's wrapper would be looked up at every iteration and does nothing here.
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)  # nosec B101 # tells mypy the type
        losses = torch.zeros_like(count)
        for _iteration in range(self._iterations):
            losses += gradients(self.network, x, y, share=share)
            for parameter in self.network.parameters():
                assert parameter.grad is not None  # nosec B101 # tells mypy the type
                parameter.grad.addcmul_(self.decay, parameter.detach())
            optimizer.step()
        each, epoch = torch.arange(len(count)), epoch.clamp(max=self.epochs - 1)
        self.loss_sums[each, epoch] += losses * count
        self.rows_seen[each, epoch] += self._iterations * count


@torch.no_grad()
def gradients(network: StackedMLP, x: Tensor, y: Tensor, *, share: Tensor) -> Tensor:
    """Set the gradient of every parameter, each window's of its own mean squared error.

    Written out, with the rows last and a unit's product as a sum, since a step of a small stack is
    mostly the cost of calls: it takes two fifths of the time of torch's own backward pass.

    Parameters
    ----------
    network : StackedMLP
        The stack; its `grad` are replaced.
    x : Tensor
        Scaled features, [windows, inputs, rows].
    y, share : Tensor
        Labels, and each row's share of its window's mean, [windows, rows].

    Returns
    -------
    Tensor
        [windows], the mean squared errors.
    """
    layers = list(network.layers())
    a = [x]
    for position, (weight, bias) in enumerate(layers, start=1):
        z = _forward(weight, bias, a[-1])
        last = position == len(layers)
        a.append(OUTPUTS[network.output](z) if last else ACTIVATIONS[network.activation](z))
    out = a.pop()
    difference = out - y[:, None]
    weighted = difference * share[:, None]
    # The gradient of the last pre-activation, then of each one before it.
    delta = _BACK[network.output](2 * weighted, out)
    for weight, bias in reversed(layers):
        below = a.pop()
        weight.grad, bias.grad = torch.bmm(below, delta.mT), delta.sum(2).unsqueeze(1)
        if a:
            delta = _BACK[network.activation](_backward(weight, delta), below)
    return (weighted * difference).sum((1, 2))


def _forward(weight: Tensor, bias: Tensor, a: Tensor) -> Tensor:
    if weight.shape[2] == 1:
        return (weight * a).sum(1, keepdim=True) + bias
    return torch.baddbmm(bias.mT, weight.mT, a)


def _backward(weight: Tensor, delta: Tensor) -> Tensor:
    return weight * delta if weight.shape[2] == 1 else torch.bmm(weight, delta)


def _padded(rows: Tensor, width: int) -> Tensor:
    """Return rows followed by repeats of the first, which carry weight zero."""
    return torch.cat([rows, rows[:1].expand(width - len(rows))])
