"""The search over hyperparameters: objective, budget, holdout and search space."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from konkyo.config.fields import RULES, Address, Count, NotNegative, Positive

Choices = Field(min_length=1)


@dataclass(frozen=True, config=RULES)
class Range:
    """An interval, both ends included; with `log`, values are drawn log-uniformly."""

    low: NotNegative
    high: Positive
    log: bool

    @model_validator(mode="after")
    def _in_order(self) -> "Range":
        if self.low > self.high or (self.log and self.low == 0):
            raise ValueError(
                f"tune.space: a range from {self.low} to {self.high} with log: {self.log}; set low "
                "to at most high, and above 0 if log is true"
            )
        return self


@dataclass(frozen=True, config=RULES)
class Space:
    """The search space: values, or a range, of each hyperparameter."""

    n_hidden_layers: Annotated[tuple[Annotated[int, Field(ge=1, le=6)], ...], Choices]
    width: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Choices]
    activation: Annotated[tuple[Literal["tanh", "relu"], ...], Choices]
    dropout: Range
    learning_rate: Range
    weight_decay: Annotated[tuple[NotNegative, ...], Choices]
    batch_size: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Choices]
    epochs: Annotated[tuple[Count, ...], Choices]
    window_months: Annotated[tuple[Count, ...], Choices]
    label: Annotated[tuple[Literal["zscore", "rank", "raw"], ...], Choices]
    standardise: Annotated[tuple[Literal["rank", "zscore"], ...], Choices]


@dataclass(frozen=True, config=RULES)
class Tune:
    """A search: what it maximises, for how long, and by how many processes."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", description="a plain name")]
    storage: Annotated[Address, Field(pattern=r"^(journal:.+|postgresql://.+)$")]
    trials: Count
    seeds: Annotated[int, Field(ge=1, le=100)]
    workers: Count
    trials_per_stack: Count
    sampler: Literal["tpe", "random"]
    pruner: Literal["wilcoxon", "none"]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    objective: Literal["sharpe_ratio", "t_statistic", "mean", "rank_ic"]
    turnover_cap: Positive
    holdout: Count
    refit_every: Count
    space: Space
    precision: Literal["auto", "32-true", "bf16-mixed"] = field(default="auto", kw_only=True)
    portfolio: Literal["equal_weighted", "value_weighted", "sector_neutral", "score_weighted"] = (
        field(default="equal_weighted", kw_only=True)
    )
