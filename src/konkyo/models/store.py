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
_SCALE = ("mean", "std")
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

    def parameters_by_layer(self) -> list[np.ndarray]:
        """Return the weights and biases of each layer, [numbers]."""
        return [
            np.append(weight.ravel(), bias)
            for weight, bias in zip(self.weights, self.biases, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class ModuleWeights:
    """One trained module of a user's own.

    Attributes
    ----------
    month, key, features, mean, std
        As of `Weights`.
    module : str
        Dotted name of its class.
    arguments : dict
        Of its constructor, plain values.
    state : dict of str to numpy.ndarray
        Its `state_dict`.
    """

    month: str
    key: str
    features: tuple[str, ...]
    module: str
    arguments: dict[str, Any]
    state: dict[str, np.ndarray]
    mean: np.ndarray
    std: np.ndarray

    def layers(self) -> dict[str, list[str]]:
        """Return the names of parameters by the submodule that holds them, in order."""
        names: dict[str, list[str]] = {}
        for name, value in self.state.items():
            if np.issubdtype(value.dtype, np.floating):
                names.setdefault(name.rpartition(".")[0], []).append(name)
        return names

    def parameters_by_layer(self) -> list[np.ndarray]:
        """Return the numbers of each submodule, [numbers]."""
        return [
            np.concatenate([self.state[name].ravel() for name in names])
            for names in self.layers().values()
        ]


Network = Weights | ModuleWeights
"""What a file of weights holds: networks of one kind."""


def write(networks: Sequence[Network], path: Path) -> None:
    """Write networks of one shape as one file, replacing it whole.

    Raises
    ------
    ArtifactError
        The networks differ in features, layers, activation or output.
    """
    first = networks[0]
    description: dict[str, Any] = {
        "months": [network.month for network in networks],
        "keys": [network.key for network in networks],
        "features": first.features,
    }
    if isinstance(first, ModuleWeights):
        members = modules(networks)
        tensors = {f"scale.{k}": np.stack([getattr(n, k) for n in members]) for k in _SCALE}
        for name in first.state:
            tensors[f"state.{name}"] = np.stack([network.state[name] for network in members])
        description |= {"module": first.module, "arguments": first.arguments}
    else:
        stack = restack(stackable(networks))
        tensors = {"scale.mean": stack.mean.numpy()[:, 0], "scale.std": stack.std.numpy()[:, 0]}
        for position, (weight, bias) in enumerate(stack.layers()):
            tensors[f"layer.{position}.weight"] = weight.numpy()
            tensors[f"layer.{position}.bias"] = bias.numpy()[:, 0]
        description |= {"activation": stack.activation, "output": stack.output}
    # One entry: safetensors writes several in an order that differs from process to process.
    metadata = {_METADATA: json.dumps(description, sort_keys=True)}
    with atomic_write(path) as scratch:
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, scratch, metadata)


def read(path: Path) -> tuple[Network, ...]:
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
        if {len(tensor) for tensor in tensors.values()} != {len(description["months"])}:
            raise ValueError("its tensors are of different numbers of networks")
        networks = _networks(tensors, description)
        _validate(networks, description)
    except FileNotFoundError:
        raise missing(path) from None
    except _MALFORMED as error:
        raise ArtifactError(
            f"{path} does not hold networks ({error}): remove it and run `{command_for(path)}`"
        ) from None
    return networks


def _networks(tensors: dict[str, np.ndarray], description: dict[str, Any]) -> tuple[Network, ...]:
    """Return the networks of a file's tensors [networks, ...] and description."""
    layers = range(sum(name.endswith(".bias") for name in tensors if name.startswith("layer.")))
    networks: list[Network] = []
    for position, (month, key) in enumerate(
        zip(description["months"], description["keys"], strict=True)
    ):
        own = {name: tensor[position] for name, tensor in tensors.items()}
        common: dict[str, Any] = {
            "month": month,
            "key": key,
            "features": tuple(description["features"]),
            "mean": own["scale.mean"],
            "std": own["scale.std"],
        }
        if "module" in description:
            state = {
                name.removeprefix("state."): np.asarray(value)
                for name, value in own.items()
                if name.startswith("state.")
            }
            kind, arguments = description["module"], dict(description["arguments"])
            networks.append(ModuleWeights(**common, module=kind, arguments=arguments, state=state))
        else:
            networks.append(
                Weights(
                    **common,
                    activation=description["activation"],
                    output=description["output"],
                    weights=tuple(own[f"layer.{i}.weight"] for i in layers),
                    biases=tuple(own[f"layer.{i}.bias"] for i in layers),
                )
            )
    return tuple(networks)


def modules(networks: Sequence[Network]) -> list[ModuleWeights]:
    """Return those of the networks that are modules of a user's own: all of a file, or none."""
    return [network for network in networks if isinstance(network, ModuleWeights)]


def stackable(networks: Sequence[Network]) -> list[Weights]:
    """Return networks as perceptrons.

    Raises
    ------
    ArtifactError
        One is a module of a user's own.
    """
    layered = [network for network in networks if isinstance(network, Weights)]
    if len(layered) < len(networks):
        raise ArtifactError(
            f"the networks of {networks[0].month} are not layers of a perceptron: set "
            "train.module to stacked or lightning and run `dvc repro train`"
        )
    return layered


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


def _validate(networks: Sequence[Network], description: dict[str, Any]) -> None:
    """Check the types and shapes of a file that may come from anywhere.

    Raises
    ------
    LookupError, TypeError, ValueError
        The parts are of the wrong type or do not fit each other, or there is no network.
    """
    if "module" in description:
        if not isinstance(description["module"], str) or "." not in description["module"]:
            raise TypeError("its module is no dotted name of a class")
    else:
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
        inputs, arrays, shapes = len(network.features), [network.mean, network.std], []
        if isinstance(network, Weights):
            widths = [bias.size for bias in network.biases]
            shapes = [*pairwise([inputs, *widths]), *((width,) for width in widths)]
            arrays = [*network.weights, *network.biases, *arrays]
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
