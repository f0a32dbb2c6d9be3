"""What happens between epochs: the state to resume from, and word of progress."""

import time
from pathlib import Path

import pytorch_lightning as lightning

from konkyo.io import atomic_write


class ResumeCheckpoint(lightning.Callback):
    """Write the whole state of the fit after each epoch, replacing the last one whole.

    Parameters
    ----------
    path : Path
        The checkpoint; a killed fit goes on from it.
    least : float
        Seconds since the last state for a new one to be written.
    """

    def __init__(self, path: Path, least: float = 0.0) -> None:
        self.path = path
        self._least = least
        self._last = time.monotonic()

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Save unless this was the last epoch, whose results are written elsewhere."""
        due = time.monotonic() - self._last >= self._least
        if due and trainer.current_epoch + 1 < (trainer.max_epochs or 0):
            with atomic_write(self.path) as scratch:
                trainer.save_checkpoint(scratch, weights_only=False)
            self._last = time.monotonic()


class ReportProgress(lightning.Callback):
    """Write the share of steps done to a small file that the parent process reads.

    Parameters
    ----------
    path : Path
        The file; several stacks of one run have one each.
    steps : int
        Lightning's steps of the fit.
    """

    def __init__(self, path: Path, steps: int) -> None:
        self.path = path
        self.steps = steps

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Tell the share done."""
        done = trainer.current_epoch * int(trainer.num_training_batches) + batch_idx + 1
        self.path.write_text(str(done / self.steps), encoding="ascii")
