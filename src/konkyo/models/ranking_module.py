"""Ordinary LightningModules of one network: the base of a user's own, and the perceptron."""

from collections.abc import Sequence

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn

from konkyo.models.batches import Hyperparameters
from konkyo.models.mlp import ACTIVATIONS, StackedMLP, dropout_masks
from konkyo.random import numpy_generator

VALIDATION_LOSS = "validation_loss"
"""What a module logs where it is validated: early stopping and the checkpoint follow it."""


class RankingModule(lightning.LightningModule):
    """Mean squared error of the scores, minimised by Adam; a subclass adds `forward`.

    A module that trains otherwise overrides these methods as in any LightningModule, or is no
    subclass of this one. It must have: `forward(x)`, which returns one score a row, [rows], for
    scaled features x [rows, inputs]; `training_step(batch, batch_idx)`, which returns the loss of a
    batch (x, y), y [rows] the label; `configure_optimizers`; and, where `train.validation_months`
    is not 0, a `validation_step` that logs `validation_loss`.

    Parameters
    ----------
    learning_rate, weight_decay : float
        Of Adam.
    """

    def __init__(self, learning_rate: float = 0.001, weight_decay: float = 0.0) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay

    def training_step(self, batch: Sequence[Tensor], batch_idx: int) -> Tensor:
        """Return the loss of a batch and log its mean over the epoch."""
        return self._loss(batch, "loss")

    def validation_step(self, batch: Sequence[Tensor], batch_idx: int) -> Tensor:
        """Return the loss of the validation months and log it."""
        return self._loss(batch, VALIDATION_LOSS)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam over all parameters."""
        return torch.optim.Adam(
            self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )

    def _loss(self, batch: Sequence[Tensor], name: str) -> Tensor:
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log(name, loss, on_step=False, on_epoch=True, batch_size=len(y))
        return loss


class MLP(RankingModule):
    """The perceptron of figure 15, one month alone: `train.module: lightning`.

    Layers of torch, autograd and torch's Adam; initial weights, row order and dropout masks are
    those of the stack, so that the two engines check each other.

    Parameters
    ----------
    initial : StackedMLP
        A stack of one network before its first step.
    hyperparameters : Hyperparameters
        How it learns.
    batch_size : int
        Rows of a step, for which masks are drawn.
    """

    def __init__(
        self, initial: StackedMLP, hyperparameters: Hyperparameters, *, batch_size: int
    ) -> None:
        super().__init__(hyperparameters.learning_rate, hyperparameters.weight_decay)
        self.dropout, self.seed = hyperparameters.dropout, hyperparameters.seed
        self.batch_size = batch_size
        self.activation = ACTIVATIONS[initial.activation]
        self.hidden_sizes = initial.hidden
        self.layers = nn.ModuleList()
        for weight, bias in initial.layers():
            # The constructor of nn.Linear would draw from the global generator.
            layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[2])
            layer.weight.data = weight[0].detach().T.clone()
            layer.bias.data = bias[0, 0].detach().clone()
            self.layers.append(layer)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores [rows] of scaled features [rows, inputs]."""
        *hidden, output = self.layers
        masks = self._masks(x) if self.training and self.dropout else []
        for position, layer in enumerate(hidden):
            x = self.activation(layer(x))
            if masks:
                x = x * masks[position]
        return output(x).squeeze(1)

    def weights_and_biases(self) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """Return weights [in, out] and biases [out] of the layers, as `Weights` has them."""
        parameters = [parameter.detach().numpy() for parameter in self.layers.parameters()]
        return tuple(weight.T.copy() for weight in parameters[::2]), tuple(parameters[1::2])

    def _masks(self, x: Tensor) -> list[Tensor]:
        masks = dropout_masks(
            self.hidden_sizes,
            self.batch_size,
            rate=self.dropout,
            generator=numpy_generator(self.seed, "dropout", self.global_step),
        )
        return [mask[: len(x)].to(x.device) for mask in masks]
