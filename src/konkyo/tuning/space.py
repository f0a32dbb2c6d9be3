"""What the search chooses from, the paper's values among it, and what a choice means."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from konkyo.config import Prepare, Range, Space
from konkyo.errors import TuningError

STRUCTURE = (
    "n_hidden_layers",
    "width",
    "activation",
    "batch_size",
    "epochs",
    "window_months",
    "label",
    "standardise",
)
"""Choices that must agree for networks to train in one stack."""
NUMBERS = ("learning_rate", "dropout", "weight_decay")
"""Choices in which the networks of a stack may differ."""

_FIGURE_15: dict[str, Any] = {
    "n_hidden_layers": 3,
    "width": 64,
    "activation": "tanh",
    "dropout": 0.4,
    "learning_rate": 0.001,
    "weight_decay": 0.0,
    "batch_size": 300,
    "epochs": 20,
    "window_months": 36,
}
"""The paper's network. Its figure 15 has no learning rate or decay: 0.001 is Adam's default."""


def paper(prepare: Prepare) -> dict[str, Any]:
    """Return the paper's values by name, label and inputs transformed as the project does it.

    Parameters
    ----------
    prepare : Prepare
        The prepare section of params.yaml, for its label and standardise.
    """
    return {**_FIGURE_15, "label": prepare.label, "standardise": prepare.standardise}


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return the search space as Optuna takes it, by name.

    A list is drawn from without regard to its order; a range is continuous, in logarithms where it
    says so.
    """
    found: dict[str, BaseDistribution] = {}
    for name in (*STRUCTURE, *NUMBERS):
        allowed = getattr(space, name)
        if isinstance(allowed, Range):
            found[name] = FloatDistribution(allowed.low, allowed.high, log=allowed.log)
        else:
            found[name] = CategoricalDistribution(allowed)
    return found


def refuse_without(values: Mapping[str, Any], space: Space) -> None:
    """Raise if some of these values do not belong to the space.

    Raises
    ------
    TuningError
        Every such value with what the space has instead.
    """
    outside = []
    for name, value in values.items():
        allowed = getattr(space, name)
        if isinstance(allowed, Range):
            if not allowed.low <= value <= allowed.high:
                outside.append(f"tune.space.{name} runs from {allowed.low} to {allowed.high}, not")
                outside[-1] += f" over {value}: widen it"
        elif value not in allowed:
            outside.append(f"tune.space.{name} = {list(allowed)} lacks {value}: add it")
    if outside:
        raise TuningError(
            "the first trial has the paper's values, which must belong to the space:\n  "
            + "\n  ".join(outside)
        )


def units(layers: int, width: int) -> tuple[int, ...]:
    """Return the units of each hidden layer: all of one width, of several the last of half of it.

    Three layers of 64 are the paper's (64, 64, 32).
    """
    return (width,) * layers if layers == 1 else (width,) * (layers - 1) + (width // 2,)


def structure(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what must be equal for two trials to train in one stack."""
    return tuple(values[name] for name in STRUCTURE)


def settings(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a trial's values as the keys of params.yaml, by section.

    Parameters
    ----------
    values : mapping
        A trial's params.

    Returns
    -------
    dict
        `train` and `prepare`, each with the keys that the search chose.
    """
    chosen = {"hidden_sizes": units(values["n_hidden_layers"], values["width"])}
    for name in ("window_months", "activation", *NUMBERS, "batch_size", "epochs"):
        chosen[name] = values[name]
    return {
        "train": chosen,
        "prepare": {name: values[name] for name in ("label", "standardise")},
    }
