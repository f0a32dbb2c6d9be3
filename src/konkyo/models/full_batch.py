"""Every row of every window at every step: the schedule of small samples."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from konkyo.models.batches import Batch, EpochDataset, NetworkSpec, Step
from konkyo.models.lightning_module import StackModule
from konkyo.models.mlp import ACTIVATIONS, OUTPUTS, StackedMLP
from konkyo.models.settings import FitParams

_BACK: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tanh": torch.ops.aten.tanh_backward,
    "relu": lambda gradient, a: torch.ops.aten.threshold_backward(gradient, a, 0),
    "sigmoid": torch.ops.aten.sigmoid_backward,
    "linear": lambda gradient, _: gradient,
}
"""The gradient of a pre-activation from that of the activation and the activation itself."""


class FullBatchSchedule:
    """All windows take the same number of iterations, each on all rows of its own, in order.

    Nothing is drawn, so that an iteration costs no more than its arithmetic. A Lightning step is
    many iterations, since Lightning's own work a step costs as much as an iteration of a stack.

    Parameters
    ----------
    entries : sequence of Entry
        The windows of the stack.
    iterations : int
        Of each window.
    every : int
        Iterations of one Lightning epoch.
    """

    def __init__(self, entries: Sequence[NetworkSpec], iterations: int, every: int) -> None:
        self.entries = entries
        self.iterations_a_step = next(n for n in (100, 50, 20, 10, 5, 2, 1) if every % n == 0)
        self.steps = iterations // self.iterations_a_step
        self.steps_an_epoch = every // self.iterations_a_step
        self.last_step = torch.full((len(entries),), self.steps)
        width = max(len(entry.rows) for entry in entries)
        self.rows = torch.stack([_padded(torch.from_numpy(e.rows), width) for e in entries])
        counts = torch.tensor([len(entry.rows) for entry in entries])
        self.weight = (torch.arange(width) < counts[:, None]).float()

    def from_step(self, first: int) -> Iterator[Batch]:
        """Yield the Lightning steps from one on; all share their tensors."""
        for step in range(first, self.steps):
            epoch = torch.full((len(self.entries),), step // self.steps_an_epoch)
            yield Batch(step, self.rows, self.weight, epoch)


class FullBatches(EpochDataset):
    """The rows of every window, fetched once.

    Parameters
    ----------
    features : Tensor
        [rows, inputs] float32.
    labels : Tensor
        [rows] float32.
    schedule : FullBatchSchedule
        What to fetch.
    mean, deviation : Tensor
        [windows, 1, inputs]: the features are brought to scale here, once, and not at every step.
    """

    def __init__(
        self,
        features: Tensor,
        labels: Tensor,
        schedule: FullBatchSchedule,
        mean: Tensor,
        deviation: Tensor,
    ) -> None:
        self.schedule = schedule
        self._x = ((features[schedule.rows] - mean) / deviation).mT.contiguous()
        self._y = labels[schedule.rows]

    def fetch(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the scaled features [windows, inputs, rows] and the labels [windows, rows]."""
        return self._x, self._y


class FullBatchModule(StackModule):
    """The stack whose Lightning step is many iterations on the same rows.

    Parameters
    ----------
    network : StackedMLP
        Initialised networks; they are given scaled rows.
    schedule : FullBatchSchedule
        Their iterations.
    params : Learning
        Learning rate.
    decay : Tensor
        [windows], the weight decay of each, as Adam's own: its share of every weight and bias is
        added to the gradient.
    """

    decay: Tensor

    def __init__(
        self, network: StackedMLP, schedule: FullBatchSchedule, params: FitParams, decay: Tensor
    ) -> None:
        super().__init__(network, schedule, params)
        self.register_buffer("decay", decay[:, None, None], persistent=False)
        self._iterations = schedule.iterations_a_step

    def training_step(self, batch: Step, _: int) -> None:  # type: ignore[override]
        """Move every window many iterations, each down its own mean squared error."""
        at, x, y = batch
        rows = at.weight.sum(1)
        share = at.weight / rows[:, None]
        # Lightning's wrapper would be asked anew at every iteration and does nothing here.
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)  # nosec B101 # tells mypy the type
        losses = torch.zeros_like(rows)
        for _iteration in range(self._iterations):
            losses += gradients(self.network, x, y, share)
            for parameter in self.network.parameters():
                assert parameter.grad is not None  # nosec B101 # tells mypy the type
                parameter.grad.addcmul_(self.decay, parameter.detach())
            optimizer.step()
        each, epoch = torch.arange(len(rows)), at.epoch.clamp(max=self.params.epochs - 1)
        self.loss_sums[each, epoch] += losses * rows
        self.rows_seen[each, epoch] += self._iterations * rows
        self.keep_finished(at.step + 1)


@torch.no_grad()
def gradients(network: StackedMLP, x: Tensor, y: Tensor, share: Tensor) -> Tensor:
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
    for place, (weight, bias) in enumerate(layers, start=1):
        z = _forward(weight, bias, a[-1])
        last = place == len(layers)
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
