"""The stack as a LightningModule: each step moves every window one step."""

from collections.abc import Iterable, Sequence

import pytorch_lightning as lightning
import torch
from torch import Tensor

from konkyo.models.backward import Gradients
from konkyo.models.batches import Batch, Step
from konkyo.models.mlp import StackedMLP, dropout_masks
from konkyo.models.optimiser import GroupedAdam
from konkyo.models.settings import FitParams, Hyperparameters, Schedule
from konkyo.random import numpy_generator


class StackModule(lightning.LightningModule):
    """Squared error of every window, minimised by Adam; the paper's figure 15.

    Adam moves each parameter by its own gradient history alone, so one optimiser over the stacked
    parameters equals one optimiser a window. A window that has run through its own steps keeps the
    weights that it had then, whatever its neighbours still do.

    Parameters
    ----------
    network : StackedMLP
        Initialised networks.
    schedule : Steps
        Each window's number of steps.
    params : Learning
        Learning rate, decay, dropout, seed, epochs.
    numbers : sequence of Numbers
        Where these differ within the stack: each holds for one of as many equal parts of its
        windows, in order. Empty: those of `params` hold for all.
    """

    loss_sums: Tensor
    rows_seen: Tensor

    def __init__(
        self,
        network: StackedMLP,
        schedule: Schedule,
        params: FitParams,
        numbers: Sequence[Hyperparameters] = (),
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.params = params
        self.numbers = numbers or (Hyperparameters.of(params),)
        if network.windows % len(self.numbers):
            raise ValueError(
                f"{network.windows} windows do not divide into {len(self.numbers)} equal parts"
            )
        self._last_step = schedule.last_step
        self._gradients: Gradients | None = None
        self._finishing = {int(step) for step in schedule.last_step}
        for position, parameter in enumerate(network.parameters()):
            self.register_buffer(f"final_{position}", parameter.detach().clone())
        self.register_buffer("loss_sums", torch.zeros(network.windows, params.epochs))
        self.register_buffer("rows_seen", torch.zeros(network.windows, params.epochs))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam over the stacked parameters."""
        if len(self.numbers) > 1:
            return GroupedAdam(self.network.parameters(), self.numbers)
        return torch.optim.Adam(
            self.network.parameters(),
            lr=self.numbers[0].learning_rate,
            weight_decay=self.numbers[0].weight_decay,
            fused=True,
        )

    def training_step(self, steps: Iterable[Step], _: int) -> None:
        """Take several steps: what Lightning does between two calls costs as much as a small one.

        Each window's mean squared error goes down its own gradient.
        """
        # Lightning's wrapper would be asked anew at every step and does nothing here.
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)  # nosec B101 # tells mypy the type
        span = self.network.scaled()
        for at, x, y in steps:
            self._set_gradients(at, self.network.scale_(x, span), y)
            optimizer.step()
            self.keep_finished(at.step + 1)

    def _set_gradients(self, at: Batch, x: Tensor, y: Tensor) -> None:
        """Set the gradients of a step on scaled features and count its errors."""
        masks = dropout_masks(
            self.network.hidden,
            x.shape[1],
            [group.dropout for group in self.numbers],
            [numpy_generator(group.seed, "dropout", at.step) for group in self.numbers],
        )
        if masks is not None:
            # Drawn on the host on every device, so that all of them learn by the same draws.
            masks = [mask.to(x.device, non_blocking=True) for mask in masks]
        rows = at.weight.sum(1)
        if self._gradients is None:
            # Not before the first step, when the parameters are where they will train.
            self._gradients = Gradients(self.network, x.shape[1], len(self.numbers))
        sums = self._gradients(x, y, at.weight, rows.clamp(min=1), masks)
        epoch = at.epoch.clamp(max=self.params.epochs - 1)
        self.loss_sums.scatter_add_(1, epoch[:, None], sums[:, None])
        self.rows_seen.scatter_add_(1, epoch[:, None], rows[:, None])

    def keep_finished(self, done: int) -> None:
        """Keep the weights of the windows whose last step this was, with so many steps done."""
        if done in self._finishing:
            windows = self._last_step == done
            for position, parameter in enumerate(self.network.parameters()):
                kept: Tensor = getattr(self, f"final_{position}")
                kept[windows] = parameter.detach()[windows]

    @torch.no_grad()
    def trained(self) -> StackedMLP:
        """Put every window's weights of its own last step into the network and return it."""
        for position, parameter in enumerate(self.network.parameters()):
            parameter.copy_(getattr(self, f"final_{position}"))
        return self.network.requires_grad_(False).eval()

    def losses(self) -> Tensor:
        """Return the mean training loss, [windows, epochs], squared units of the label."""
        return self.loss_sums / self.rows_seen
