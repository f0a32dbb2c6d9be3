"""Adam over stacked parameters whose windows learn at different rates."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from konkyo.models.settings import Hyperparameters


class GroupedAdam(torch.optim.Adam):
    """torch's Adam, with a learning rate and a decay for each of equal parts of the windows.

    A part of a stacked parameter [windows, in, out] is a view of its memory, so that each group
    of the optimiser moves its own windows in place and no parameter is copied.

    Parameters
    ----------
    parameters : iterable of Tensor
        Stacked parameters, leaves of the graph.
    numbers : sequence of Numbers
        Of each part, in order; they divide the windows evenly.
    """

    def __init__(self, parameters: Iterable[Tensor], numbers: Sequence[Hyperparameters]) -> None:
        self._whole = list(parameters)
        parts = [whole.detach().chunk(len(numbers)) for whole in self._whole]
        super().__init__(
            [
                {"params": list(own), "lr": n.learning_rate, "weight_decay": n.weight_decay}
                for own, n in zip(zip(*parts, strict=True), numbers, strict=True)
            ],
            fused=True,
        )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every part by the gradients of the whole."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for position, whole in enumerate(self._whole):
            if whole.grad is not None:
                shares = whole.grad.chunk(len(self.param_groups))
                for group, share in zip(self.param_groups, shares, strict=True):
                    group["params"][position].grad = share
        super().step()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of the whole and of its parts."""
        super().zero_grad(set_to_none)
        for whole in self._whole:
            whole.grad = None
