"""params.yaml, read once into frozen dataclasses, one a stage.

Each class is the section of the same name. An unknown key, a missing one or a bad value raises
`ParamsError`, which lists every fault with its key, its value and what is allowed.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from konkyo.errors import ParamsError

_RULES = ConfigDict(extra="forbid", strict=True)

MonthName = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="YYYY-MM")]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
MarketTransform = Literal["level", "change", "difference"]


@dataclass(frozen=True, config=_RULES)
class Tables:
    """Where the user's own two files are and how to read them."""

    stocks: str
    market: str
    columns: dict[str, str]
    return_unit: Literal["fraction", "percent"]
    point_in_time: bool
    survivorship_free: bool


@dataclass(frozen=True, config=_RULES)
class Simulated:
    """The simulated market: its size, its noise and the strength of each planted effect."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    stocks: Annotated[int, Field(ge=40, le=8000)]
    noise: Positive
    reversal: NotNegative
    quality: NotNegative
    value: NotNegative
    interaction: NotNegative
    regime: NotNegative


@dataclass(frozen=True, config=_RULES)
class Ingest:
    """Which source brings the records."""

    source: Literal["us-equities", "tables", "simulated-tse"]
    tables: Tables
    simulated: Simulated


@dataclass(frozen=True, config=_RULES)
class Prepare:
    """How records become the feature panel."""

    first_month: MonthName
    universe: Annotated[int, Field(ge=2)]
    characteristics: tuple[str, ...]
    standardise: Literal["rank", "zscore"]
    clip: Positive
    label: Literal["zscore", "rank", "raw"]
    sectors: Literal["known"] | tuple[str, ...]
    market: dict[str, tuple[MarketTransform, ...]]


@dataclass(frozen=True, config=_RULES)
class Train:
    """The network, its windows and how they are spread over stacks and processes."""

    window: Count
    layers: Annotated[tuple[Count, ...], Field(min_length=1)]
    activation: Literal["tanh", "relu"]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    learning_rate: Positive
    weight_decay: NotNegative
    batch: Annotated[int, Field(ge=2)]
    epochs: Count
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    ensemble: Annotated[int, Field(ge=1, le=100)]
    shuffled_every: Annotated[int, Field(ge=0)]
    ridge_penalty: Positive
    stack: Count
    workers: Count


@dataclass(frozen=True, config=_RULES)
class Attribute:
    """The relevance rule."""

    epsilon: Positive


@dataclass(frozen=True, config=_RULES)
class Verify:
    """How the grounds are checked against the truth and the networks."""

    every: Count
    stocks: Annotated[int, Field(ge=2)]
    draws: Count


@dataclass(frozen=True, config=_RULES)
class Backtest:
    """The portfolios and what trading costs."""

    portfolios: Annotated[int, Field(ge=2)]
    cost: NotNegative


@dataclass(frozen=True, config=_RULES)
class Report:
    """How figures are drawn."""

    dpi: Annotated[int, Field(ge=50, le=600)]


@dataclass(frozen=True, config=_RULES)
class Track:
    """Where the run is logged."""

    uri: Annotated[str, Field(min_length=1)]
    experiment: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    run_name: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=_RULES)
class InterventionTables:
    """The user's own monthly series of the second study."""

    file: Annotated[str, Field(min_length=1)]
    columns: dict[str, str]


@dataclass(frozen=True, config=_RULES)
class InterventionOfficial:
    """The ministry's daily operations, beside the other series in the user's table."""

    operations: Annotated[str, Field(min_length=1)]
    pair: Annotated[str, Field(pattern=r"^[A-Z]{3}/[A-Z]{3}$", description="such as USD/JPY")]


@dataclass(frozen=True, config=_RULES)
class InterventionPeriod:
    """A span of months in which the authority leans one way, and its first forecast month."""

    first: MonthName
    last: MonthName
    direction: Literal["buy", "sell"]
    forecast_from: MonthName

    @property
    def name(self) -> str:
        """First and last month."""
        return f"{self.first}..{self.last}"

    @model_validator(mode="after")
    def _in_order(self) -> "InterventionPeriod":
        if not self.first < self.forecast_from <= self.last:
            raise ValueError(
                f"intervention.periods: {self.name} with forecast_from {self.forecast_from}: "
                "months must be in the order first < forecast_from <= last"
            )
        return self


@dataclass(frozen=True, config=_RULES)
class InterventionNetwork:
    """The networks of the second study; every one of them sees all its rows at every step."""

    layers: Annotated[tuple[Count, ...], Field(min_length=1)]
    iterations: Annotated[int, Field(ge=10, multiple_of=10)]
    learning_rate: Positive
    weight_decay: NotNegative
    seeds: Count
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    workers: Count


@dataclass(frozen=True, config=_RULES)
class InterventionScoring:
    """When a forecast says yes, and when its amount is right."""

    cut: Positive
    cut_months: Count
    lowest: Positive
    highest: Positive
    occurrence_cut: Annotated[float, Field(gt=0, lt=1)]


InterventionInput = Literal["change", "change_before", "deviation", "balance"]


@dataclass(frozen=True, config=_RULES)
class InterventionSurface:
    """Which two inputs span the reaction surface, and how the threshold is read off it."""

    inputs: Annotated[tuple[InterventionInput, ...], Field(min_length=2, max_length=2)]
    points: Annotated[int, Field(ge=5, le=401)]
    level: Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True, config=_RULES)
class InterventionTrack:
    """Where the second study is logged; the store is that of the section `track`."""

    experiment: Annotated[str, Field(min_length=1)]
    run_name: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=_RULES)
class Intervention:
    """The second study: a monetary authority's reaction function."""

    source: Literal["simulated", "tables", "official"]
    simulated_seed: Annotated[int, Field(ge=0, lt=2**31)]
    tables: InterventionTables
    official: InterventionOfficial
    periods: Annotated[tuple[InterventionPeriod, ...], Field(min_length=1)]
    looks_ahead: bool
    least_months: Annotated[int, Field(ge=12)]
    network: InterventionNetwork
    scoring: InterventionScoring
    surface: InterventionSurface
    epsilon: Positive
    track: InterventionTrack

    @model_validator(mode="after")
    def _periods_follow_one_another(self) -> "Intervention":
        for before, after in pairwise(self.periods):
            if after.first <= before.last:
                raise ValueError(
                    f"intervention.periods overlap or are out of order: {before.name} and "
                    f"{after.name}; let each begin after the one before it has ended"
                )
        return self


@dataclass(frozen=True, config=_RULES)
class Params:
    """The whole of params.yaml."""

    ingest: Ingest
    prepare: Prepare
    train: Train
    attribute: Attribute
    verify: Verify
    backtest: Backtest
    report: Report
    track: Track
    intervention: Intervention

    @model_validator(mode="after")
    def _portfolios_fit_the_universe(self) -> "Params":
        if self.prepare.universe < self.backtest.portfolios:
            raise ValueError(
                f"prepare.universe = {self.prepare.universe} is less than backtest.portfolios = "
                f"{self.backtest.portfolios}: choose at least one stock a portfolio"
            )
        return self


_ADAPTER: TypeAdapter[Params] = TypeAdapter(Params)


def parse(values: Any) -> Params:
    """Build `Params` from nested dictionaries.

    Raises
    ------
    ParamsError
        Every fault at once: the key, the value found, and what is allowed.
    """
    try:
        return _ADAPTER.validate_json(json.dumps(values))
    except ValidationError as error:
        raise ParamsError(_explain(error)) from None
    except (TypeError, ValueError) as error:
        raise ParamsError(f"params.yaml is not plain keys and values: {error}") from None


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises
    ------
    ParamsError
        The file is missing, is not YAML, or breaks a rule.
    """
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParamsError(
            f"{path} is not here: run from the project's folder, or copy it from the repository"
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {error}") from None
    return parse(values)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one of dotted keys, as tracking shows params."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def as_dict(params: Params) -> dict[str, Any]:
    """Return params as nested dictionaries of plain values, the inverse of `parse`."""
    return _ADAPTER.dump_python(params, mode="json")


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False):
        key = ".".join(str(part) for part in fault["loc"]) or "params.yaml"
        if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            lines.append(f"{key}: unknown key; remove it or correct its spelling")
        elif fault["type"] in ("missing", "missing_argument"):
            lines.append(f"{key}: missing; add it (the repository's params.yaml has every key)")
        elif fault["type"] == "value_error":
            lines.append(str(fault["ctx"]["error"]))
        else:
            message = fault["msg"].removeprefix("Input should be ")
            lines.append(f"{key} = {fault['input']!r}: set it to {message}")
    return "params.yaml cannot be used:\n  " + "\n  ".join(lines)
