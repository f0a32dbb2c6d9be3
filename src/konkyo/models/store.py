"""Weights by month: one safetensors file, which holds numbers and never code.

A file holds the networks of one month: one, or the members of an ensemble.
"""

import json
from collections.abc import Iterable, Sequence
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

_DESCRIBED = "konkyo"
_MALFORMED = (SafetensorError, LookupError, TypeError, ValueError, RecursionError)
"""What a file that was damaged, made by others or tampered with may raise while it is read."""


@dataclass(frozen=True)
class Weights:
    """One trained network.

    Attributes
    ----------
    month : str
        Decision month, YYYY-MM: the first month that it may score.
    key : str
        Digest of all that the weights depend on.
    activation : str
        Of the hidden layers.
    features : tuple of str
        Names of the inputs, in order.
    weights, biases : tuple of numpy.ndarray
        [in, out] and [out] a layer, float32.
    mean, deviation : numpy.ndarray
        [inputs], the fixed affine at the front.
    output : str
        Of the last unit: "linear" or "sigmoid". Files written before there was a choice are linear.
    """

    month: str
    key: str
    activation: str
    features: tuple[str, ...]
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    mean: np.ndarray
    deviation: np.ndarray
    output: str = "linear"


def write(members: Sequence[Weights], path: Path) -> None:
    """Write the networks of one month, which share all but their weights, replacing the file."""
    network = members[0]
    tensors = {"scale.mean": network.mean, "scale.deviation": network.deviation}
    for position in range(len(network.weights)):
        tensors[f"layer.{position}.weight"] = np.stack([m.weights[position] for m in members])
        tensors[f"layer.{position}.bias"] = np.stack([m.biases[position] for m in members])
    described = {
        "month": network.month,
        "key": network.key,
        "activation": network.activation,
        "output": network.output,
        "features": network.features,
    }
    _save(tensors, described, path)


def read(path: Path) -> tuple[Weights, ...]:
    """Read the networks of one month.

    Raises
    ------
    ArtifactError
        The file is missing or is not a network of this project.
    """
    try:
        metadata, tensors, layers = _load(path)
        return _sound(
            Weights(
                month=metadata["month"],
                key=metadata["key"],
                activation=metadata["activation"],
                features=tuple(metadata["features"]),
                weights=tuple(tensors[f"layer.{i}.weight"][member] for i in layers),
                biases=tuple(tensors[f"layer.{i}.bias"][member] for i in layers),
                mean=tensors["scale.mean"],
                deviation=tensors["scale.deviation"],
                output=metadata["output"],
            )
            for member in range(len(tensors["layer.0.bias"]))
        )
    except FileNotFoundError:
        raise missing(path) from None
    except _MALFORMED as error:
        raise ArtifactError(
            f"{path} does not hold a network ({error}): remove it and run `{command_for(path)}`"
        ) from None


def read_key(path: Path) -> str | None:
    """Return the key of a weights file, None where there is no readable one."""
    try:
        with safe_open(path, framework="np") as file:
            key = _described(file).get("key")
    except (FileNotFoundError, *_MALFORMED):
        return None
    return key if isinstance(key, str) else None


def _save(tensors: dict[str, np.ndarray], described: dict[str, Any], path: Path) -> None:
    """Write tensors and what describes them, replacing the file whole."""
    # One entry: safetensors writes several in an order that differs from process to process.
    metadata = {_DESCRIBED: json.dumps(described, sort_keys=True)}
    with atomic_write(path) as scratch:
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, scratch, metadata)


def _load(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], range]:
    """Return what describes a file, its tensors and its layers; KeyError if it is no network's."""
    with safe_open(path, framework="np") as file:
        described = _described(file)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    described.setdefault("output", "linear")
    for name, known in (("activation", ACTIVATIONS), ("output", OUTPUTS)):
        if described[name] not in known:
            raise KeyError(name)
    if not isinstance(described["features"], list):
        raise TypeError("its features are no list")
    return described, tensors, range(sum(name.endswith(".bias") for name in tensors))


def _described(file: Any) -> dict[str, Any]:
    described = json.loads((file.metadata() or {}).get(_DESCRIBED, "{}"))
    return described if isinstance(described, dict) else {}


def _sound(networks: Iterable[Weights]) -> tuple[Weights, ...]:
    """Return networks whose parts are of the kinds and shapes that go together.

    Raises
    ------
    TypeError, ValueError
        Some are not, or there is none.
    """
    found = tuple(networks)
    if not found:
        raise ValueError("it is empty")
    for network in found:
        if not all(isinstance(s, str) for s in (network.month, network.key, *network.features)):
            raise TypeError("month, key or a feature is no text")
        inputs, widths = len(network.features), [bias.size for bias in network.biases]
        shapes = [*pairwise([inputs, *widths]), *((width,) for width in widths)]
        arrays = [*network.weights, *network.biases, network.mean, network.deviation]
        if [array.shape for array in arrays] != [*shapes, (inputs,), (inputs,)]:
            raise ValueError("its features and layers do not fit each other")
        if not all(np.issubdtype(array.dtype, np.floating) for array in arrays):
            raise TypeError("its numbers are no floats")
    return found


def unstack(
    network: StackedMLP, months: Sequence[str], keys: Sequence[str], features: Sequence[str]
) -> list[Weights]:
    """Split a trained stack into its networks, in the stack's order."""
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
            deviation=network.deviation[i, 0].numpy(),
            output=network.output,
        )
        for i, (month, key) in enumerate(zip(months, keys, strict=True))
    ]


@torch.no_grad()
def restack(networks: Sequence[Weights], dtype: torch.dtype = torch.float32) -> StackedMLP:
    """Put networks of one shape into one stack, ready to predict.

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
    stack.deviation.copy_(torch.from_numpy(np.stack([n.deviation[None] for n in networks])))
    return stack.requires_grad_(False).eval()


def write_many(networks: Sequence[Weights], path: Path) -> None:
    """Write networks of one shape as one file, replacing it whole.

    Raises
    ------
    ArtifactError
        The networks differ in their inputs, layers, activation or output.
    """
    stack = restack(networks)
    tensors = {"scale.mean": stack.mean.numpy(), "scale.deviation": stack.deviation.numpy()}
    for position, (weight, bias) in enumerate(stack.layers()):
        tensors[f"layer.{position}.weight"] = weight.numpy()
        tensors[f"layer.{position}.bias"] = bias.numpy()
    described = {
        "months": [network.month for network in networks],
        "keys": [network.key for network in networks],
        "activation": stack.activation,
        "output": stack.output,
        "features": networks[0].features,
    }
    _save(tensors, described, path)


def read_many(path: Path) -> list[Weights]:
    """Read networks that were written as one file, in their order.

    Raises
    ------
    ArtifactError
        The file is missing or does not hold networks of this project.
    """
    try:
        metadata, tensors, layers = _load(path)
        networks = _sound(
            Weights(
                month=month,
                key=key,
                activation=metadata["activation"],
                output=metadata["output"],
                features=tuple(metadata["features"]),
                weights=tuple(tensors[f"layer.{i}.weight"][place] for i in layers),
                biases=tuple(tensors[f"layer.{i}.bias"][place, 0] for i in layers),
                mean=tensors["scale.mean"][place, 0],
                deviation=tensors["scale.deviation"][place, 0],
            )
            for place, (month, key) in enumerate(
                zip(metadata["months"], metadata["keys"], strict=True)
            )
        )
    except FileNotFoundError:
        raise missing(path) from None
    except _MALFORMED as error:
        raise ArtifactError(
            f"{path} does not hold networks ({error}): remove it and run `{command_for(path)}`"
        ) from None
    return list(networks)
