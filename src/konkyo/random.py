"""Random generators seeded by (seed, month, purpose), so that no draw depends on another window."""

from typing import TYPE_CHECKING

import numpy as np

from konkyo.cache import digest_of

if TYPE_CHECKING:
    import torch


def seed_of(*names: int | str) -> int:
    """Return a 63-bit seed that depends on the names and their order."""
    return int(digest_of(*(str(name) for name in names))[:16], 16) >> 1


def torch_generator(*names: int | str) -> "torch.Generator":
    """Return a torch generator seeded by names, such as (seed, month, "weights")."""
    # Seconds to import, which `ingest` with its numpy generators should not pay.
    import torch

    return torch.Generator().manual_seed(seed_of(*names))


def numpy_generator(*names: int | str) -> np.random.Generator:
    """Return a numpy generator seeded by names, such as (seed, month, "shuffled labels")."""
    # The fastest to seed and to draw from: a training step needs a generator of its own.
    return np.random.Generator(np.random.SFC64(seed_of(*names)))
