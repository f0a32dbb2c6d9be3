"""Weights in safetensors files, which hold numbers and never code.

A file holds networks of one shape: those of a decision month (one, or the members of an ensemble),
or all networks of a study.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from konkyo.artifacts import command_for, missing
from konkyo.errors import ArtifactError
from konkyo.io import atomic_write
from konkyo.models.mlp import ACTIVATIONS, OUTPUTS, StackedMLP

_METADATA = "konkyo"
_MALFORMED = (SafetensorError, LookupError, TypeError, ValueError, RecursionError)
"""Errors that a damaged, foreign or tampered file may raise while it is read."""


@dataclass(frozen=True)
class Weights:
    """One trained network.

    Attributes
    ----------
    month : str
        Decision month, YYYY-MM: the first month that it may score.
    key : str
        Digest of everything that the weights depend on.
    activation : str
        Of the hidden layers.
    features : tuple of str
        Names of the inputs, in order.
    weights, biases : tuple of numpy.ndarray
        [in, out] and [out] a layer, float32.
    mean, deviation : numpy.ndarray
        [inputs], the fixed scaling of the inputs.
    output : str
        Of the last unit: "linear" or "sigmoid".
    """

    month: str
    key: str
    activation: str
    features: tuple[str, ...]
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    mean: np.ndarray
    std: np.ndarray
    output: str = "linear"


def write(networks: Sequence[Weights], path: Path) -> None:
    """Write networks of one shape as one file, replacing it whole.

    Raises
    ------
    ArtifactError
        The networks differ in features, layers, activation or output.
    """
    stack = restack(networks)
    tensors = {"scale.mean": stack.mean.numpy()[:, 0], "scale.std": stack.std.numpy()[:, 0]}
    for position, (weight, bias) in enumerate(stack.layers()):
        tensors[f"layer.{position}.weight"] = weight.numpy()
        tensors[f"layer.{position}.bias"] = bias.numpy()[:, 0]
    description = {
        "months": [network.month for network in networks],
        "keys": [network.key for network in networks],
        "activation": stack.activation,
        "output": stack.output,
        "features": networks[0].features,
    }
    # One entry: safetensors writes several in an order that differs from process to process.
    metadata = {_METADATA: json.dumps(description, sort_keys=True)}
    with atomic_write(path) as scratch:
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, scratch, metadata)


def read(path: Path) -> tuple[Weights, ...]:
    """Read the networks of a file, in the order in which they were written.

    Raises
    ------
    ArtifactError
        The file is missing or does not hold networks of this project.
    """
    try:
        with safe_open(path, framework="np") as file:
            description = _description(file)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        layers = range(sum(name.endswith(".bias") for name in tensors))
        if {len(tensor) for tensor in tensors.values()} != {len(description["months"])}:
            raise ValueError("its tensors are of different numbers of networks")
        networks = tuple(
            Weights(
                month=month,
                key=key,
                activation=description["activation"],
                output=description["output"],
                features=tuple(description["features"]),
                weights=tuple(tensors[f"layer.{i}.weight"][position] for i in layers),
                biases=tuple(tensors[f"layer.{i}.bias"][position] for i in layers),
                mean=tensors["scale.mean"][position],
                std=tensors["scale.std"][position],
            )
            for position, (month, key) in enumerate(
                zip(description["months"], description["keys"], strict=True)
            )
        )
        _validate(networks, description)
    except FileNotFoundError:
        raise missing(path) from None
    except _MALFORMED as error:
        raise ArtifactError(
            f"{path} does not hold networks ({error}): remove it and run `{command_for(path)}`"
        ) from None
    return networks


def read_key(path: Path) -> str | None:
    """Return the key that the networks of a file share, None where there is no readable one."""
    try:
        with safe_open(path, framework="np") as file:
            key, *others = dict.fromkeys(_description(file)["keys"])
    except (FileNotFoundError, *_MALFORMED):
        return None
    return key if isinstance(key, str) and not others else None


def _description(file: Any) -> dict[str, Any]:
    description = json.loads((file.metadata() or {}).get(_METADATA, "{}"))
    return description if isinstance(description, dict) else {}


def _validate(networks: Sequence[Weights], description: dict[str, Any]) -> None:
    """Check the types and shapes of a file that may come from anywhere.

    Raises
    ------
    LookupError, TypeError, ValueError
        The parts are of the wrong type or do not fit each other, or there is no network.
    """
    for name, choices in (("activation", ACTIVATIONS), ("output", OUTPUTS)):
        if description[name] not in choices:
            raise KeyError(name)
    # A string would be taken for a list of its letters.
    if any(not isinstance(description[name], list) for name in ("months", "keys", "features")):
        raise TypeError("months, keys or features are not a list")
    if not networks:
        raise ValueError("it is empty")
    for network in networks:
        if not all(isinstance(s, str) for s in (network.month, network.key, *network.features)):
            raise TypeError("a month, key or feature is not text")
        inputs, widths = len(network.features), [bias.size for bias in network.biases]
        shapes = [*pairwise([inputs, *widths]), *((width,) for width in widths)]
        arrays = [*network.weights, *network.biases, network.mean, network.std]
        if [array.shape for array in arrays] != [*shapes, (inputs,), (inputs,)]:
            raise ValueError("its features and layers do not fit each other")
        if not all(np.issubdtype(array.dtype, np.floating) for array in arrays):
            raise TypeError("its numbers are not floats")


def unstack(
    network: StackedMLP, *, months: Sequence[str], keys: Sequence[str], features: Sequence[str]
) -> list[Weights]:
    """Split a trained stack into its networks, in the order of the stack."""
    layers = [(w.detach().numpy(), b.detach().numpy()) for w, b in network.layers()]
    return [
        Weights(
            month=month,
            key=key,
            activation=network.activation,
            features=tuple(features),
            weights=tuple(w[i] for w, _ in layers),
            biases=tuple(b[i, 0] for _, b in layers),
            mean=network.mean[i, 0].numpy(),
            std=network.std[i, 0].numpy(),
            output=network.output,
        )
        for i, (month, key) in enumerate(zip(months, keys, strict=True))
    ]


@torch.no_grad()
def restack(networks: Sequence[Weights], dtype: torch.dtype = torch.float32) -> StackedMLP:
    """Stack networks of one shape, ready to predict.

    Raises
    ------
    ArtifactError
        The networks differ in their inputs, layers, activation or output.
    """
    first = networks[0]
    shape = [weight.shape for weight in first.weights]
    for other in networks:
        if (
            [weight.shape for weight in other.weights] != shape
            or other.activation != first.activation
            or other.output != first.output
            or other.features != first.features
        ):
            raise ArtifactError(
                f"the networks of {first.month} and {other.month} differ in features, layers, "
                "activation or output: run `dvc repro train`"
            )
    layers = [weight.shape[1] for weight in first.weights[:-1]]
    stack = StackedMLP(
        len(networks), len(first.features), layers, first.activation, first.output
    ).to(dtype)
    for position, (weight, bias) in enumerate(stack.layers()):
        weight.copy_(torch.from_numpy(np.stack([n.weights[position] for n in networks])))
        bias.copy_(torch.from_numpy(np.stack([n.biases[position][None] for n in networks])))
    stack.mean.copy_(torch.from_numpy(np.stack([n.mean[None] for n in networks])))
    stack.std.copy_(torch.from_numpy(np.stack([n.std[None] for n in networks])))
    return stack.requires_grad_(False).eval()
