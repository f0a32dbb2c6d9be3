"""A LightningModule of the user's own: its class, its constructor, its trained weights."""

import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from konkyo.errors import ParamsError
from konkyo.models.batches import Hyperparameters
from konkyo.models.store import ModuleWeights, Network

if TYPE_CHECKING:
    from konkyo.config import Train

_REMEDY = "see docs/model.md, or set train.module to stacked"


def load_class(name: str) -> type[nn.Module]:
    """Return the class of a dotted name.

    Raises
    ------
    ParamsError
        It cannot be imported, or is no LightningModule.
    """
    from pytorch_lightning import LightningModule

    module, _, attribute = name.rpartition(".")
    try:
        kind = getattr(import_module(module), attribute)
    except Exception as error:
        # A module of the user may raise anything while it is imported.
        raise ParamsError(
            f"train.module = {name!r} cannot be imported ({type(error).__name__}: {error}): put "
            "its file or package into data/own/modules/, or install it, on every machine; "
            + _REMEDY
        ) from error
    if not (inspect.isclass(kind) and issubclass(kind, LightningModule)):
        raise ParamsError(
            f"train.module = {name!r} is no LightningModule of pytorch_lightning but "
            f"{kind if inspect.isclass(kind) else type(kind).__name__}: name a subclass; {_REMEDY}"
        )
    return kind


def arguments(
    params: "Train", hyperparameters: Hyperparameters, inputs: Sequence[str]
) -> dict[str, Any]:
    """Return the arguments of a module's constructor.

    Those of n_inputs, features, hidden_sizes, activation, dropout, learning_rate and weight_decay
    that it names, and `train.module_params`, which go before them.

    Parameters
    ----------
    params : Train
        The train section of params.yaml.
    hyperparameters : Hyperparameters
        Of the network.
    inputs : sequence of str
        Names of the features, in the order of the columns.
    """
    offered = {
        "n_inputs": len(inputs),
        "features": list(inputs),
        "hidden_sizes": list(params.hidden_sizes),
        "activation": params.activation,
        "dropout": hyperparameters.dropout,
        "learning_rate": hyperparameters.learning_rate,
        "weight_decay": hyperparameters.weight_decay,
    }
    named = inspect.signature(load_class(params.module)).parameters
    return {k: v for k, v in offered.items() if k in named} | dict(params.module_params)


def construct(name: str, arguments: Mapping[str, Any]) -> Any:
    """Return a module before its first step.

    Raises
    ------
    ParamsError
        The class cannot be imported, or its constructor raises.
    """
    kind = load_class(name)
    try:
        return kind(**arguments)
    except Exception as error:
        raise ParamsError(
            f"train.module = {name!r} cannot be constructed with {', '.join(arguments) or 'no'} "
            f"arguments ({type(error).__name__}: {error}): correct train.module_params or its "
            f"constructor; {_REMEDY}"
        ) from error


def check(params: "Train", inputs: Sequence[str], rows: np.ndarray) -> None:
    """See that a module can be trained: that it can be constructed and scores rows.

    Parameters
    ----------
    params : Train
        The train section of params.yaml.
    inputs : sequence of str
        Names of the features.
    rows : numpy.ndarray
        A few rows [rows, inputs] float32.

    Raises
    ------
    ParamsError
        It cannot, with the reason and the remedy.
    """
    hyperparameters = Hyperparameters(learning_rate=params.learning_rate, dropout=params.dropout)
    with torch.random.fork_rng(devices=[]):
        module = construct(params.module, arguments(params, hyperparameters, inputs))
    _scores(module.eval(), torch.from_numpy(np.array(rows, dtype=np.float32)), params.module)


@torch.no_grad()
def score(networks: Sequence[ModuleWeights], rows: np.ndarray) -> np.ndarray:
    """Return the mean scores [rows] float64 of an ensemble over rows [rows, inputs] of the panel.

    Raises
    ------
    ParamsError
        The module cannot be constructed, or does not return one score a row.
    """
    return np.mean(
        [_scores(restore(n), scaled(n, rows), n.module).double().numpy() for n in networks], axis=0
    )


def scaled(network: Network, rows: np.ndarray) -> torch.Tensor:
    """Return rows [rows, inputs] as the network's first layer sees them, float64."""
    return torch.from_numpy((np.asarray(rows, dtype=np.float64) - network.mean) / network.std)


def restore(network: ModuleWeights) -> Any:
    """Return a trained module in float64, ready to predict.

    Raises
    ------
    ParamsError
        Its class cannot be imported or constructed, or has other parameters now.
    """
    with torch.random.fork_rng(devices=[]):
        module = construct(network.module, network.arguments)
    try:
        module.load_state_dict({k: torch.from_numpy(v) for k, v in network.state.items()})
    except RuntimeError as error:
        reason = str(error).replace("\n\t", " ")
        raise ParamsError(
            f"the weights of {network.month} do not fit train.module = {network.module!r} as it is "
            f"now ({reason}): run `dvc repro train`"
        ) from None
    return module.double().requires_grad_(False).eval()


@torch.no_grad()
def _scores(module: nn.Module, x: torch.Tensor, name: str) -> torch.Tensor:
    try:
        scores = module(x)
    except Exception as error:
        raise ParamsError(
            f"train.module = {name!r} cannot score {len(x)} rows of {x.shape[1]} inputs "
            f"({type(error).__name__}: {error}): its forward takes x [rows, inputs] float32 or "
            f"float64; {_REMEDY}"
        ) from error
    shape = tuple(getattr(scores, "shape", ()))
    if shape != (len(x),):
        raise ParamsError(
            f"train.module = {name!r} returns {type(scores).__name__} of shape {shape} for "
            f"{len(x)} rows: its forward must return one score a row, a tensor of shape "
            f"({len(x)},), for example by squeeze(1)"
        )
    return scores
