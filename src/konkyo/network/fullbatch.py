"""Every row of every window at every step: the schedule of small samples."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from konkyo.network.schedule import Batch, Entry


class FullBatchSchedule:
    """All windows take the same number of steps, each on all rows of its own, in order.

    Nothing is drawn, so that a step costs no more than its arithmetic.

    Parameters
    ----------
    entries : sequence of Entry
        The windows of the stack.
    iterations : int
        Steps.
    every : int
        Steps of one Lightning epoch.
    """

    def __init__(self, entries: Sequence[Entry], iterations: int, every: int) -> None:
        self.entries = entries
        self.steps = iterations
        self.every = every
        self.last_step = torch.full((len(entries),), iterations)
        width = max(len(entry.rows) for entry in entries)
        self.rows = torch.stack([_padded(torch.from_numpy(e.rows), width) for e in entries])
        counts = torch.tensor([len(entry.rows) for entry in entries])
        self.weight = (torch.arange(width) < counts[:, None]).float()

    def from_step(self, first: int) -> Iterator[Batch]:
        """Yield the steps from one on; the tensors are those of every other step too."""
        epochs = torch.arange(self.steps // self.every)[:, None].expand(-1, len(self.entries))
        for step in range(first, self.steps):
            yield Batch(step, self.rows, self.weight, epochs[step // self.every])


class FullBatches(IterableDataset[tuple[Batch, Tensor, Tensor]]):
    """The schedule with its rows fetched once, one Lightning epoch a pass.

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
        self._x = (features[schedule.rows] - mean) / deviation
        self._y = labels[schedule.rows]
        self._next = 0

    def __len__(self) -> int:
        """Return the steps of a Lightning epoch."""
        return self.schedule.every

    def start_at(self, epoch: int) -> None:
        """Make the next pass that of a Lightning epoch, after a resume."""
        self._next = epoch * len(self)

    def __iter__(self) -> Iterator[tuple[Batch, Tensor, Tensor]]:
        """Yield batch, scaled features [windows, rows, inputs] and labels [windows, rows]."""
        last = self._next + len(self)
        for batch in self.schedule.from_step(self._next):
            self._next = batch.step + 1
            yield batch, self._x, self._y
            if self._next == last:
                return


def _padded(rows: Tensor, width: int) -> Tensor:
    """Return rows followed by repeats of the first, which carry weight zero."""
    return torch.cat([rows, rows[:1].expand(width - len(rows))])
