"""The features of a step: rows of the panel, scaled by each window, in the precision of the step.

In float32 the rows are gathered from the panel's own file. In bfloat16 they come from a copy of the
stack's months, a quarter of the bytes to gather in a third of the time; the market series, whose
levels have more digits than bfloat16, are scaled before they are rounded, once a month and window.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from konkyo.models import accelerator
from konkyo.models.batches import NetworkSpec
from konkyo.models.mlp import StackedMLP

_WIDTH = 32
"""Inputs in a cache line: rows of whole lines are gathered in two thirds of the time."""


class PanelRows:
    """Rows in float32, [windows, rows, inputs].

    Parameters
    ----------
    features : Tensor
        The panel, [rows, inputs] float32, usually memory-mapped.
    network : StackedMLP
        Scales the rows.
    device : torch.device
        Where it trains.
    """

    def __init__(self, features: Tensor, network: StackedMLP, device: torch.device) -> None:
        self._features = accelerator.nearest(features, device)
        self._network, self._span, self._target = network, network.scaled(), device
        self.device = self._features.device

    def gather(self, rows: Tensor) -> Tensor:
        """Return the scaled features of rows [windows, rows]."""
        x = self._features.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)
        return self._network.scale_(x.to(self._target, non_blocking=True), self._span)


class RoundedRows:
    """Rows in bfloat16, [windows, rows, width]: the inputs, and zeros up to whole cache lines.

    Parameters
    ----------
    features : Tensor
        The panel, [rows, inputs] float32, usually memory-mapped.
    network : StackedMLP
        Scales the rows: the columns that it scales are equal for all rows of a month.
    device : torch.device
        Where it trains.
    specs : sequence of NetworkSpec
        The networks, for the months that they see.
    """

    def __init__(
        self,
        features: Tensor,
        network: StackedMLP,
        device: torch.device,
        specs: Sequence[NetworkSpec],
    ) -> None:
        self._first = min(int(spec.rows[0]) for spec in specs)
        features = features[self._first : max(int(spec.rows[-1]) for spec in specs) + 1]
        inputs, self._span, self._target = features.shape[1], network.scaled(), device
        width = -(-inputs // _WIDTH) * _WIDTH
        rounded = torch.zeros(len(features), width, dtype=torch.bfloat16)
        rounded[:, :inputs] = features
        market = features[:, self._span]
        # Rows of a month follow one another; a month like the one before may share its line.
        starts = pad((market[1:] != market[:-1]).any(1), (1, 0), value=True)
        table = (market[starts] - network.mean[..., self._span]) / network.std[..., self._span]
        windows, months, _ = table.shape
        self._features = accelerator.nearest(rounded, device)
        self.device = self._features.device
        self._month = (starts.cumsum(0) - 1).to(self.device)
        self._table = table.flatten(0, 1).to(self.device, torch.bfloat16)
        self._line = (torch.arange(windows, device=self.device) * months)[:, None]

    def gather(self, rows: Tensor) -> Tensor:
        """Return the scaled features of rows [windows, rows]."""
        rows = rows - self._first
        x = self._features.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)
        months = self._month.index_select(0, rows.reshape(-1)).view(rows.shape)
        lines = (months + self._line).reshape(-1)
        x[..., self._span] = self._table.index_select(0, lines).view(*rows.shape, -1)
        return x.to(self._target, non_blocking=True)
