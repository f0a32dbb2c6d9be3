"""The progress bar of a run whose workers write their progress to files."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

_ON_SCREEN, _IN_FILE = 0.5, 30.0
"""Seconds between two updates, to a terminal and to a file, where each one is a line."""


@contextmanager
def progress_bar(state: Path, sizes: dict[str, int], current: int) -> Iterator[None]:
    """Show windows done, windows to come and the time left while the workers train.

    Stacks move all their windows at once, so a stack of 30 that is half through counts as 15.
    """
    total = sum(sizes.values())
    ended = threading.Event()
    layout = (
        "{desc} {n:.0f} done, {remaining_windows} to come |{bar}| {elapsed} gone, {remaining} left"
    )

    class Bar(tqdm):
        @property
        def format_dict(self) -> dict:
            values = super().format_dict
            values["remaining_windows"] = f"{max(total - values['n'], 0):.0f}"
            return values

    def share(name: str) -> float:
        try:
            return float((state / f"{name}.progress").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return 0.0

    every = _ON_SCREEN if sys.stderr.isatty() else _IN_FILE

    def watch(bar: tqdm) -> None:
        while not ended.wait(every):
            bar.n = max(bar.n, sum(size * share(name) for name, size in sizes.items()))
            bar.refresh()

    suffix = f", {current} kept" if current else ""
    with Bar(total=total, desc=f"windows{suffix}:", bar_format=layout, mininterval=0) as bar:
        watcher = threading.Thread(target=watch, args=(bar,), daemon=True)
        watcher.start()
        try:
            yield
            bar.n = total
        finally:
            ended.set()
            watcher.join()
            bar.refresh()
