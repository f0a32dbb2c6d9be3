"""What a fit needs to know about its networks and how they learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

Accelerator = Literal["auto", "cpu", "gpu"]
"""What a user asks for; `accelerator.device_of` says what it means here."""


class FitParams(Protocol):
    """What a fit reads of its settings; the train section of params.yaml is one such."""

    @property
    def hidden_sizes(self) -> Sequence[int]:
        """Units of each hidden layer."""

    @property
    def activation(self) -> str:
        """Of the hidden layers."""

    @property
    def dropout(self) -> float:
        """Share of hidden units left out at a step."""

    @property
    def learning_rate(self) -> float:
        """Of Adam."""

    @property
    def weight_decay(self) -> float:
        """Of Adam."""

    @property
    def epochs(self) -> int:
        """Lightning epochs, for each of which there is a mean loss."""

    @property
    def seed(self) -> int:
        """Of the dropout masks."""


@dataclass(frozen=True)
class Hyperparameters:
    """What may differ between the networks of one stack, beside their rows.

    Attributes
    ----------
    learning_rate, weight_decay : float
        Of Adam.
    dropout : float
        Share of hidden units left out at a step.
    seed : int
        Of the dropout masks.
    """

    learning_rate: float
    weight_decay: float
    dropout: float
    seed: int

    @classmethod
    def of(cls, params: FitParams) -> "Hyperparameters":
        """Take them from settings that hold for a whole stack."""
        return cls(params.learning_rate, params.weight_decay, params.dropout, params.seed)


class Schedule(Protocol):
    """What a fit reads of its schedule."""

    @property
    def steps(self) -> int:
        """Steps of the whole stack."""

    @property
    def last_step(self) -> Tensor:
        """Each window's own number of steps, [windows]."""


@dataclass(frozen=True)
class FullBatch:
    """Settings of networks that see all their rows at every step.

    Attributes
    ----------
    layers : tuple of int
        Units of each hidden layer.
    activation, output : str
        Of the hidden layers and of the last unit, as `StackedMLP` takes them.
    learning_rate : float
        Of Adam.
    iterations : int
        Steps, each on all rows.
    every : int
        Steps between two kept states, one Lightning epoch; it divides `iterations`.
    seed : int
        Nothing is drawn during training: it only takes the place that the fit expects.
    """

    hidden_sizes: tuple[int, ...]
    activation: str
    output: str
    learning_rate: float
    iterations: int
    every: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.iterations % self.every:
            raise ValueError(
                f"every = {self.every} does not divide iterations = {self.iterations}: choose a "
                "divisor"
            )

    @property
    def weight_decay(self) -> float:
        """Of Adam: none, since every window has its own."""
        return 0.0

    @property
    def epochs(self) -> int:
        """Kept states, and mean losses."""
        return self.iterations // self.every

    @property
    def dropout(self) -> float:
        """None: the rows are few and always all there."""
        return 0.0
