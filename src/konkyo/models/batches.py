"""Which rows each window of a stack sees at each step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from konkyo.random import torch_generator

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What may differ between the networks of one stack, besides their rows.

    Attributes
    ----------
    learning_rate, weight_decay : float
        Of Adam.
    dropout : float
        Share of hidden units left out at a step.
    seed : int
        Of the dropout masks.
    """

    learning_rate: float
    weight_decay: float = 0.0
    dropout: float = 0.0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """One network to train: its rows, its labels, its draws and its hyperparameters.

    Attributes
    ----------
    month : str
        Decision month, YYYY-MM.
    rows : numpy.ndarray
        Panel rows with a realised label at the decision month, int64, ascending.
    mean, std : numpy.ndarray
        The fixed scaling of the inputs, [inputs] float32: 0 and 1 but for the market series, which
        are scaled by the window's own training months.
    seed : int
        Of the initial weights and the row order, together with the month.
    hyperparameters : Hyperparameters
        How it learns.
    placebo : bool
        Whether the labels are shuffled within each month.
    half : bool
        Whether the rows are those of half the window's months, for standard errors.
    validation_start : int, optional
        The panel row from which on the window's rows validate and do not train.
    """

    month: str
    rows: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    seed: int
    hyperparameters: Hyperparameters
    placebo: bool = False
    half: bool = False
    validation_start: int | None = None

    @property
    def name(self) -> str:
        """The file of the network within a run's folder, without suffix; members share it."""
        kind = ("placebo" if self.placebo else "weights") + ("_halves" if self.half else "")
        return f"{kind}/{self.month}"


class Batch(NamedTuple):
    """One step of the whole stack.

    Attributes
    ----------
    step : int
        Counted from 0.
    rows : Tensor
        Panel rows, [windows, batch] int64; padding repeats a valid row.
    weight : Tensor
        1 for a row, 0 for padding and for a window that has finished, [windows, batch] float32.
    epoch : Tensor
        Each window's own epoch, [windows] int64.
    """

    step: int
    rows: Tensor
    weight: Tensor
    epoch: Tensor


Fetch = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Scaled features [windows, rows, inputs] and labels [windows, rows] of rows [windows, rows]."""

_STEPS_A_CALL = 16
"""Steps that Lightning hands over at once: its work a call costs as much as a small step."""


class StackSchedule:
    """The batches of a stack: each window runs through its own rows in its own order.

    Parameters
    ----------
    specs : sequence of NetworkSpec
        The windows of the stack.
    batch_size : int
        Rows a step.
    epochs : int
        Passes of each window through its rows.
    """

    def __init__(self, specs: Sequence[NetworkSpec], *, batch_size: int, epochs: int) -> None:
        self.specs = specs
        self.batch_size = batch_size
        self.epochs = epochs
        counts = torch.tensor([len(spec.rows) for spec in specs])
        self.batches = -(-counts // batch_size)
        self.last_step = self.batches * epochs
        width = int(self.batches.max())
        self.steps_an_epoch = width
        self.steps = width * epochs
        self._present = (torch.arange(width * batch_size) < counts[:, None]).float()
        self._rows = [torch.from_numpy(spec.rows) for spec in specs]

    def from_step(self, first: int) -> Iterator[Batch]:
        """Yield the batches from a step on, equal to those of a run that was never interrupted."""
        order = torch.stack([rows[:1].expand(self._present.shape[1]) for rows in self._rows])
        by_batch, present = (t.view(-1, self.batch_size) for t in (order, self._present))
        offset = torch.arange(len(self.specs)) * self.steps_an_epoch
        for step in range(first, self.steps):
            epoch, position = step // self.batches, step % self.batches
            running = step < self.last_step
            starting = running if step == first else running & (position == 0)
            for window in torch.nonzero(starting).flatten().tolist():
                self._draw_order(order, window, int(epoch[window]))
            line = offset + position
            yield Batch(
                step,
                by_batch.index_select(0, line),
                present.index_select(0, line) * running[:, None],
                epoch,
            )

    def _draw_order(self, order: Tensor, window: int, epoch: int) -> None:
        spec, rows = self.specs[window], self._rows[window]
        generator = torch_generator(spec.seed, spec.month, "order", epoch)
        shuffled = torch.randperm(len(rows), generator=generator)
        torch.index_select(rows, 0, shuffled, out=order[window, : len(rows)])


class EpochDataset(IterableDataset[Iterator[Batch]]):
    """The batches of a schedule, one Lightning epoch a pass, going on after a resume.

    Parameters
    ----------
    schedule : StackSchedule or full_batch.FullBatchSchedule
        Whose batches.
    """

    def __init__(self, schedule: Any) -> None:
        self.schedule = schedule
        self.start_at(0)

    def __len__(self) -> int:
        """Return the items of a Lightning epoch."""
        return -(-self.schedule.steps_an_epoch // _STEPS_A_CALL)

    def start_at(self, epoch: int) -> None:
        """Make the next pass that of a Lightning epoch, after a resume."""
        self._batches = self.schedule.from_step(epoch * self.schedule.steps_an_epoch)

    def __iter__(self) -> Iterator[Iterator[Batch]]:
        """Yield a few batches at a time, each made when it is asked for."""
        steps = self.schedule.steps_an_epoch
        for first in range(0, steps, _STEPS_A_CALL):
            yield islice(self._batches, min(_STEPS_A_CALL, steps - first))


class Rows(Protocol):
    """The scaled features of any rows of the panel."""

    device: torch.device
    """Where the features lie."""

    def gather(self, rows: Tensor) -> Tensor:
        """Return the features of rows [windows, rows], scaled by each window, where it trains."""


class PanelBatches:
    """Features and labels of a stack's rows, `Fetch`.

    Parameters
    ----------
    features : Rows
        Of the panel.
    labels : Tensor
        True labels and shuffled labels, [2, rows] float32.
    specs : sequence of NetworkSpec
        The networks, of which some learn the shuffled labels.
    """

    def __init__(self, features: Rows, labels: Tensor, specs: Sequence[NetworkSpec]) -> None:
        self.features = features
        self.labels = labels.reshape(-1).to(features.device)
        offset = [labels.shape[1] if spec.placebo else 0 for spec in specs]
        self._offset = torch.tensor(offset, device=features.device)[:, None]

    def __call__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features and labels of rows [windows, rows], each window's own."""
        rows = rows.to(self.features.device, non_blocking=True)
        x = self.features.gather(rows)
        # An eighth of the time of `take`.
        y = self.labels.index_select(0, (rows + self._offset).reshape(-1)).view(rows.shape)
        return x, y.to(x.device, non_blocking=True)
