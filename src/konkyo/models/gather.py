"""The features of a step: rows of the panel, scaled by each window, in the precision of the step.

In float32 the rows are gathered from the panel's own file. In bfloat16 they come from a copy, half
the bytes in a third of the time; the market series, whose levels have more digits than bfloat16,
are scaled before they are rounded, once a month and window.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from konkyo.models import accelerator
from konkyo.models.batches import NetworkSpec
from konkyo.models.mlp import StackedMLP

_ROWS = 10_000
_WIDTH = 32
"""Inputs in a cache line: rows of whole lines are gathered in two thirds of the time."""


def rounded(features: Tensor) -> Tensor:
    """Return features [rows, inputs] in bfloat16, with zeros up to whole cache lines."""
    return pad(features.bfloat16(), (0, -features.shape[1] % _WIDTH))


def write_rounded(features: np.ndarray, path: Path) -> np.ndarray:
    """Write a panel's features in bfloat16; return the mapped file's, as int16 for numpy."""
    path.unlink(missing_ok=True)
    width = features.shape[1] + -features.shape[1] % _WIDTH
    out = np.lib.format.open_memmap(path, "w+", np.int16, (len(features), width))
    for first in range(0, len(features), _ROWS):
        part = slice(first, first + _ROWS)
        out[part] = rounded(torch.from_numpy(features[part])).view(torch.int16).numpy()
    out.flush()
    return out


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
    copy : numpy.ndarray, optional
        Of `write_rounded`; without it those months are copied into memory.
    """

    def __init__(
        self,
        features: Tensor,
        network: StackedMLP,
        device: torch.device,
        specs: Sequence[NetworkSpec],
        copy: np.ndarray | None = None,
    ) -> None:
        self._first = min(int(spec.rows[0]) for spec in specs)
        part = slice(self._first, max(int(spec.rows[-1]) for spec in specs) + 1)
        features, self._span, self._target = features[part], network.scaled(), device
        held = (
            rounded(features) if copy is None else torch.from_numpy(copy[part]).view(torch.bfloat16)
        )
        market = features[:, self._span]
        # Rows of a month follow one another; a month like the one before may share its line.
        starts = pad((market[1:] != market[:-1]).any(1), (1, 0), value=True)
        table = (market[starts] - network.mean[..., self._span]) / network.std[..., self._span]
        windows, months, _ = table.shape
        self._features = accelerator.nearest(held, device)
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
