"""Where stacks train: on the CPU's cores side by side, on one GPU together, or on a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch

from konkyo.config import Train
from konkyo.errors import ParamsError

# Of the memory that is free on a GPU; the rest is for what its libraries allocate later.
_SHARE = 0.6
_FLOAT = 4
_Choice = Literal["auto", "cpu", "gpu"]
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
_FEW = 4
"""Networks that take about as long to train as a worker to start."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a run trains its stacks.

    Attributes
    ----------
    backend : str
        One of `backends.BACKENDS`.
    workers : int
        Processes that are started here, or that a cluster is expected to have.
    networks_per_stack : int
        Most networks in a stack.
    """

    backend: str
    workers: int
    networks_per_stack: int


def placement(features: np.ndarray, params: Train, *, networks: int) -> Placement:
    """Return where to train so many networks on features [rows, inputs].

    Four or fewer train in this process. A GPU runs one stack that is as large as its memory allows:
    a step of many small products costs there what a step of few does. What the machines of a
    cluster have is not visible from here.
    """
    # A network that trains by itself is a job by itself.
    largest = params.max_networks_per_stack if params.module == "stacked" else 1
    if params.scheduler_address and networks > _FEW:
        return Placement(
            backend=params.backend,
            workers=params.workers,
            networks_per_stack=largest,
        )
    device = device_of(params.accelerator)
    if device.type == "cpu":
        alone = networks <= _FEW or params.workers == 1
        return Placement(
            backend="in_process" if alone else params.backend,
            workers=1 if alone else params.workers,
            networks_per_stack=largest,
        )
    if params.module != "stacked":
        return Placement(backend="in_process", workers=1, networks_per_stack=1)
    network = bytes_of_network(features.shape[1], params.hidden_sizes, batch_size=params.batch_size)
    largest = networks_that_fit(free_bytes(device), panel=features.nbytes, network=network)
    return Placement(backend="in_process", workers=1, networks_per_stack=largest)


def device_of(choice: _Choice) -> torch.device:
    """Return the device of a fit.

    Parameters
    ----------
    choice : {"auto", "cpu", "gpu"}
        `auto` is the GPU where torch finds one.

    Raises
    ------
    ParamsError
        A GPU is asked for and torch finds none.
    """
    if choice == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if choice == "gpu":
        raise ParamsError(
            f"train.accelerator is gpu, and torch {torch.__version__} finds none; install a build "
            "of torch for the GPU and its driver, or set train.accelerator to auto or cpu"
        )
    return torch.device("cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 in hardware: a GPU, AVX512_BF16, AMX, or Arm."""
    if device.type != "cpu":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return any(torch.cpu.get_capabilities().get(name) for name in _BFLOAT16)


def precision_warning(precisions: Mapping[str, str], choice: _Choice) -> str:
    """Return what bf16-mixed costs where the device has no bfloat16 in hardware, "" elsewhere.

    Parameters
    ----------
    precisions : mapping of str to str
        By the names of their keys in params.yaml.
    choice : {"auto", "cpu", "gpu"}
        Of `device_of`.
    """
    asked = [key for key, precision in precisions.items() if precision == "bf16-mixed"]
    if not asked or has_bfloat16(device_of(choice)):
        return ""
    return (
        f"{' and '.join(asked)} = bf16-mixed: this machine has no hardware for bfloat16 "
        "(AVX512_BF16, AMX or a GPU), and training takes 1.5 times as long as in 32-true, 8 "
        "times without AVX-512: set it to 32-true, or train where the hardware is"
    )


def free_bytes(device: torch.device) -> int:
    """Return the bytes of a GPU's memory that a run may fill."""
    free, _ = torch.cuda.mem_get_info(device)
    return int(free * _SHARE)


def bytes_of_network(inputs: int, hidden_sizes: Sequence[int], *, batch_size: int) -> int:
    """Return about how much memory of the device a network of a stack takes while it trains.

    Its parameters five times (weights, gradients, Adam's two means, the weights of its last step)
    and its rows: inputs once, and four numbers for each unit of a row.
    """
    sizes = [inputs, *hidden_sizes, 1]
    parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    return _FLOAT * (5 * parameters + batch_size * (inputs + 4 * sum(hidden_sizes)))


def networks_that_fit(free: int, *, panel: int, network: int) -> int:
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
        At least 1.
    """
    return max(1, (free - (panel if holds_panel(free, panel) else 0)) // network)


def nearest(features: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return features on the device where they fit there, otherwise as they are."""
    on_host = device.type == "cpu" or not holds_panel(free_bytes(device), features.nbytes)
    return features if on_host else features.to(device)


def holds_panel(free: int, panel: int) -> bool:
    """Return whether a panel of so many bytes goes to the device as a whole."""
    return panel <= free // 2
