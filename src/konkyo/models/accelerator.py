"""Where stacks train: on the CPU's cores side by side, or on one GPU that takes them together."""

from collections.abc import Sequence
from itertools import pairwise

import torch

from konkyo.errors import ParamsError
from konkyo.models.settings import Accelerator

# Of the memory that is free on a GPU; the rest is for what its libraries take as they go.
_SHARE = 0.6
_FLOAT = 4


def device_of(asked: Accelerator) -> torch.device:
    """Return the device of a fit.

    Parameters
    ----------
    asked : {"auto", "cpu", "gpu"}
        `auto` is the GPU where torch finds one.

    Raises
    ------
    ParamsError
        A GPU is asked for and torch finds none.
    """
    if asked == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if asked == "gpu":
        raise ParamsError(
            f"train.accelerator is gpu, and torch {torch.__version__} finds none; install a build "
            "of torch for the GPU and its driver, or set train.accelerator to auto or cpu"
        )
    return torch.device("cpu")


def free_bytes(device: torch.device) -> int:
    """Return the bytes of a GPU that a run may fill."""
    free, _ = torch.cuda.mem_get_info(device)
    return int(free * _SHARE)


def bytes_of_network(inputs: int, layers: Sequence[int], batch: int) -> int:
    """Return about what a network of a stack takes on the device while it trains.

    Its parameters five times (weights, gradients, Adam's two means, the weights of its last step)
    and its rows: inputs once, and four numbers for each unit of a row.
    """
    sizes = [inputs, *layers, 1]
    parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    return _FLOAT * (5 * parameters + batch * (inputs + 4 * sum(layers)))


def networks_that_fit(free: int, panel: int, network: int) -> int:
    """Return how many networks one stack can have on a GPU.

    Parameters
    ----------
    free : int
        Bytes that a run may fill.
    panel : int
        Bytes of the panel's features; they stay on the host where they take more than half.
    network : int
        Bytes of a network.

    Returns
    -------
    int
        At least 1: a stack of one is the least there is.
    """
    return max(1, (free - (panel if holds_panel(free, panel) else 0)) // network)


def holds_panel(free: int, panel: int) -> bool:
    """Tell whether a panel of so many bytes goes to the device whole."""
    return panel <= free // 2
