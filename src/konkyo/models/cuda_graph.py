"""A step as one CUDA graph: on a GPU the launches of a small step take longer than its work."""

from collections.abc import Callable

import torch
from torch import Tensor

_BEFORE = 3
"""Steps that run as they are, so that what a fit allocates once is there before the capture."""


class GraphStep:
    """A function of tensors that is captured once and then replayed."""

    def __init__(self) -> None:
        self._calls = 0
        self._inputs: list[Tensor] = []
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, step: Callable[..., None], *tensors: Tensor) -> None:
        """Take a step with tensors of the host, without waiting for it.

        Parameters
        ----------
        step : callable
            The same at every call: takes tensors on the device and works there in place.
        *tensors : Tensor
            Always of the same shapes.
        """
        # Copies from ordinary memory would wait for the step before.
        pinned = [tensor.pin_memory() for tensor in tensors]
        if self._calls < _BEFORE:
            self._calls += 1
            step(*(tensor.cuda(non_blocking=True) for tensor in pinned))
            return
        if self._graph is None:
            self._inputs = [tensor.cuda() for tensor in pinned]
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                step(*self._inputs)
        for there, here in zip(self._inputs, pinned, strict=True):
            there.copy_(here, non_blocking=True)
        self._graph.replay()
