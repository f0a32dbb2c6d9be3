"""The stack as a LightningModule: each step moves every window one step."""

from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

import pytorch_lightning as lightning
import torch
from torch import Tensor

from konkyo.models.backward import Gradients
from konkyo.models.batches import Batch, Fetch, Hyperparameters
from konkyo.models.cuda_graph import GraphStep
from konkyo.models.mlp import StackedMLP, dropout_masks
from konkyo.random import numpy_generator

Value = TypeVar("Value", bound=Hashable)


class StackModule(lightning.LightningModule):
    """Squared error of every window, minimised by Adam; the paper's figure 15.

    Adam moves each parameter by its own gradient history alone, so one optimiser over the stacked
    parameters equals one optimiser a window. A window that has run through its own steps keeps the
    weights that it had then, whatever its neighbours still do.

    Parameters
    ----------
    network : StackedMLP
        Initialised networks.
    hyperparameters : sequence of Hyperparameters
        Of each network.
    fetch : callable
        Of rows [windows, rows]: scaled features [windows, rows, inputs] and labels.
    last_step : Tensor
        Number of steps of each network, [windows].
    epochs : int
        Lightning epochs, for each of which there is a mean loss.
    as_graph : bool
        Whether steps are replayed as a CUDA graph: all that `fetch` reads lies on the GPU.
    """

    loss_sums: Tensor
    rows_seen: Tensor

    def __init__(
        self,
        network: StackedMLP,
        hyperparameters: Sequence[Hyperparameters],
        *,
        fetch: Fetch,
        last_step: Tensor,
        epochs: int,
        as_graph: bool = False,
    ) -> None:
        super().__init__()
        if len(hyperparameters) != network.windows:
            raise ValueError(
                f"{network.windows} networks need as many hyperparameters, not "
                f"{len(hyperparameters)}"
            )
        self.automatic_optimization = False
        self.network = network
        self.hyperparameters = hyperparameters
        self.fetch = fetch
        self.epochs = epochs
        self._graph = GraphStep() if as_graph else None
        # Masks are drawn by (seed, step), not by network: each network still sees independent
        # masks from step to step, and drawing them once for many saves about half of all time.
        self._dropout = runs_of_equal([(h.dropout, h.seed) for h in hyperparameters])
        self._drops = any(h.dropout for h in hyperparameters)
        self._last_step = last_step
        self._finishing = {int(step) for step in last_step}
        self._gradients: Gradients | None = None
        for position, parameter in enumerate(network.parameters()):
            self.register_buffer(f"final_{position}", parameter.detach().clone())
        self.register_buffer("loss_sums", torch.zeros(network.windows, epochs))
        self.register_buffer("rows_seen", torch.zeros(network.windows, epochs))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam over the stacked parameters."""
        return StackedAdam(
            self.network.parameters(),
            learning_rate=[h.learning_rate for h in self.hyperparameters],
            weight_decay=[h.weight_decay for h in self.hyperparameters],
            capturable=self._graph is not None,
        )

    def training_step(self, batches: Iterable[Batch], _: int) -> None:
        """Take several steps: what Lightning does between two calls costs as much as a small one.

        Each network goes down the gradient of its own mean squared error.
        """
        for step, rows, weight, epoch in batches:
            tensors = (rows, weight, epoch, *self.draw_masks(step, rows.shape[1]))
            if self._graph is None:
                self.move(*tensors)
            else:
                self._graph(self.move, *tensors)
            self.store_finished(step + 1)

    def draw_masks(self, step: int, rows: int) -> list[Tensor]:
        """Return the dropout factors of a step, [rows, units] of each layer, by group of networks.

        Drawn on the host on every device, so that all of them learn by the same draws.
        """
        if not self._drops:
            return []
        return [
            mask
            for _, (rate, seed) in self._dropout
            for mask in dropout_masks(
                self.network.hidden,
                rows,
                rate=rate,
                generator=numpy_generator(seed, "dropout", step),
            )
        ]

    @torch.no_grad()
    def move(self, rows: Tensor, weight: Tensor, epoch: Tensor, *masks: Tensor) -> None:
        """Move every network one step.

        Parameters
        ----------
        rows, weight, epoch : Tensor
            As in `Batch`.
        *masks : Tensor
            Of `draw_masks`.
        """
        x, y = self.fetch(rows)
        weight, epoch = (t.to(x.device, non_blocking=True) for t in (weight, epoch))
        factors = [mask.to(x.device, x.dtype, non_blocking=True) for mask in masks]
        if self._gradients is None:
            # Not before the first step, when the parameters are where they will train.
            self._gradients = Gradients(self.network, x)
        layers, count = len(self.network.hidden), weight.sum(1)
        sums = self._gradients(
            x,
            y,
            weight=weight,
            count=count.clamp(min=1),
            masks=[
                (windows, factors[layers * group : layers * (group + 1)])
                for group, (windows, _) in enumerate(self._dropout if factors else ())
            ],
        )
        # Lightning's wrapper would be looked up at every step and does nothing here.
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)  # nosec B101 # tells mypy the type
        optimizer.step()
        epoch = epoch.clamp(max=self.epochs - 1)
        self.loss_sums.scatter_add_(1, epoch[:, None], sums[:, None])
        self.rows_seen.scatter_add_(1, epoch[:, None], count[:, None])

    def store_finished(self, done: int) -> None:
        """Store the weights of the networks whose last step this was, with `done` steps taken."""
        if done in self._finishing:
            windows = self._last_step == done
            for position, parameter in enumerate(self.network.parameters()):
                final: Tensor = getattr(self, f"final_{position}")
                final[windows] = parameter.detach()[windows]

    @torch.no_grad()
    def trained(self) -> StackedMLP:
        """Put each network's weights after its last step into the stack and return it."""
        for position, parameter in enumerate(self.network.parameters()):
            parameter.copy_(getattr(self, f"final_{position}"))
        return self.network.requires_grad_(False).eval()

    def losses(self) -> Tensor:
        """Return the mean training loss, [windows, epochs], squared units of the label."""
        return self.loss_sums / self.rows_seen


class StackedAdam(torch.optim.Adam):
    """torch's fused Adam with a learning rate and a weight decay for each network of a stack.

    The fused kernel takes one rate a call, and an Adam that takes a tensor of rates goes over the
    memory six times instead of once. So neighbours with equal values are one group of the
    optimiser, a view of the stacked parameters that it moves in place: where all are equal, this is
    torch's Adam, and a search has one group a trial.

    Parameters
    ----------
    parameters : iterable of Tensor
        Stacked parameters [windows, in, out], leaves of the graph.
    learning_rate, weight_decay : sequence of float
        Of each network.
    capturable : bool
        Whether a CUDA graph may hold a step.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        learning_rate: Sequence[float],
        weight_decay: Sequence[float],
        capturable: bool = False,
    ) -> None:
        self._stacked = list(parameters)
        runs = runs_of_equal(list(zip(learning_rate, weight_decay, strict=True)))
        self._windows = [windows for windows, _ in runs] if len(runs) > 1 else []
        views = [[stacked.detach()[windows] for stacked in self._stacked] for windows, _ in runs]
        super().__init__(
            [
                {"params": params, "lr": rate, "weight_decay": decay}
                for params, (_, (rate, decay)) in zip(
                    views if self._windows else [self._stacked], runs, strict=True
                )
            ],
            fused=True,
            capturable=capturable,
        )

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every network by its part of the stacked gradients."""
        # The one group of equal networks holds the stacked parameters themselves, and no views.
        for windows, group in zip(self._windows, self.param_groups, strict=False):
            for view, stacked in zip(group["params"], self._stacked, strict=True):
                view.grad = None if stacked.grad is None else stacked.grad[windows]
        super().step()


def runs_of_equal(values: Sequence[Value]) -> list[tuple[slice, Value]]:
    """Return the slices of a sequence over which a value repeats, with that value."""
    runs, start = [], 0
    for value, repeats in groupby(values):
        stop = start + len(list(repeats))
        runs.append((slice(start, stop), value))
        start = stop
    return runs
