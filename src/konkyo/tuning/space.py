"""The search space: its distributions, the trial of the current params, a trial as params.yaml."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from konkyo.config import Prepare, Range, Space, Train

NUMBERS = ("learning_rate", "dropout", "weight_decay")
"""Hyperparameters in which the networks of a stack may differ."""
STRUCTURE = tuple(field.name for field in fields(Space) if field.name not in NUMBERS)
"""Hyperparameters that must agree for networks to train in one stack."""
_TRAIN = (*NUMBERS, "activation", "batch_size", "epochs", "window_months")
"""Those that are keys of the section train by the same name."""
_PREPARE = ("label", "standardise")


def current_values(train: Train, prepare: Prepare) -> dict[str, Any]:
    """Return the hyperparameters of params.yaml under the names of the search space.

    Parameters
    ----------
    train, prepare : Train, Prepare
        The sections of params.yaml.

    Returns
    -------
    dict
        n_hidden_layers and width are those of the first hidden layer; whether `hidden_sizes` has
        the shape that they stand for, `outside` tells.
    """
    return {
        "n_hidden_layers": len(train.hidden_sizes),
        "width": train.hidden_sizes[0],
        **{name: getattr(train, name) for name in _TRAIN},
        **{name: getattr(prepare, name) for name in _PREPARE},
    }


def outside(train: Train, prepare: Prepare, space: Space) -> list[str]:
    """Return why the current hyperparameters are no point of the space, nothing if they are one.

    Returns
    -------
    list of str
        For each hyperparameter outside, the key of the space, what it allows, and the value.
    """
    values = current_values(train, prepare)
    reasons = []
    if units(values["n_hidden_layers"], values["width"]) != train.hidden_sizes:
        reasons.append(
            f"train.hidden_sizes = {list(train.hidden_sizes)} are not equal widths with half of "
            "it in the last layer"
        )
    for name, value in values.items():
        allowed = getattr(space, name)
        if isinstance(allowed, Range):
            if not allowed.low <= value <= allowed.high:
                reasons.append(
                    f"tune.space.{name} from {allowed.low} to {allowed.high} lacks {value}"
                )
        elif value not in allowed:
            reasons.append(f"tune.space.{name} = {list(allowed)} lacks {value}")
    return reasons


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return the search space as Optuna's distributions, by hyperparameter.

    A list is categorical, without regard to its order; a range is continuous, in logarithms where
    `log` is set.
    """

    def distribution(allowed: Any) -> BaseDistribution:
        if isinstance(allowed, Range):
            return FloatDistribution(allowed.low, allowed.high, log=allowed.log)
        return CategoricalDistribution(allowed)

    return {name: distribution(getattr(space, name)) for name in (*STRUCTURE, *NUMBERS)}


def units(layers: int, width: int) -> tuple[int, ...]:
    """Return the units of each hidden layer: equal widths, of several layers the last has half.

    Three layers of 64 are the paper's (64, 64, 32).
    """
    return (width,) * layers if layers == 1 else (width,) * (layers - 1) + (width // 2,)


def structure(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what must be equal for two trials to train in one stack."""
    return tuple(values[name] for name in STRUCTURE)


def settings(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a trial's hyperparameters as the keys of params.yaml, by section.

    Parameters
    ----------
    values : mapping
        A trial's params.

    Returns
    -------
    dict
        `train` and `prepare`, each with the keys that the search covers.
    """
    sizes = units(values["n_hidden_layers"], values["width"])
    return {
        "train": {"hidden_sizes": sizes, **{name: values[name] for name in _TRAIN}},
        "prepare": {name: values[name] for name in _PREPARE},
    }
