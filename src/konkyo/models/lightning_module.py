"""The stack as a LightningModule: each step moves every window one step."""

from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

import pytorch_lightning as lightning
import torch
from torch import Tensor

from konkyo.models.backward import Gradients, Masks
from konkyo.models.batches import Hyperparameters, Step
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
    last_step : Tensor
        Number of steps of each network, [windows].
    epochs : int
        Lightning epochs, for each of which there is a mean loss.
    """

    loss_sums: Tensor
    rows_seen: Tensor

    def __init__(
        self,
        network: StackedMLP,
        hyperparameters: Sequence[Hyperparameters],
        *,
        last_step: Tensor,
        epochs: int,
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
        self.epochs = epochs
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
        )

    def training_step(self, steps: Iterable[Step], _: int) -> None:
        """Take several steps: what Lightning does between two calls costs as much as a small one.

        Each network goes down the gradient of its own mean squared error.
        """
        # Lightning's wrapper would be looked up at every step and does nothing here.
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)  # nosec B101 # tells mypy the type
        for batch, x, y in steps:
            if self._gradients is None:
                # Not before the first step, when the parameters are where they will train.
                self._gradients = Gradients(self.network, x)
            count = batch.weight.sum(1)
            sums = self._gradients(
                x,
                y,
                weight=batch.weight,
                count=count.clamp(min=1),
                masks=self.draw_masks(batch.step, x),
            )
            optimizer.step()
            epoch = batch.epoch.clamp(max=self.epochs - 1)
            self.loss_sums.scatter_add_(1, epoch[:, None], sums[:, None])
            self.rows_seen.scatter_add_(1, epoch[:, None], count[:, None])
            self.store_finished(batch.step + 1)

    def draw_masks(self, step: int, x: Tensor) -> Masks:
        """Return the dropout factors of a step for rows [windows, rows, inputs]."""
        if not self._drops:
            return ()
        # Drawn on the host on every device, so that all of them learn by the same draws.
        return [
            (
                windows,
                [
                    mask.to(x.device, x.dtype, non_blocking=True)
                    for mask in dropout_masks(
                        self.network.hidden,
                        x.shape[1],
                        rate=rate,
                        generator=numpy_generator(seed, "dropout", step),
                    )
                ],
            )
            for windows, (rate, seed) in self._dropout
        ]

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
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        learning_rate: Sequence[float],
        weight_decay: Sequence[float],
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
