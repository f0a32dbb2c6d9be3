"""The second study: the reaction function of a monetary authority in the currency market."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from konkyo.config.fields import RULES, Count, MonthName, NotNegative, Positive


@dataclass(frozen=True, config=RULES)
class InterventionTables:
    """The user's own monthly series of the second study."""

    file: Annotated[str, Field(min_length=1)]
    columns: dict[str, str]


@dataclass(frozen=True, config=RULES)
class InterventionOfficial:
    """The ministry's file of daily operations; the other series are in the user's table."""

    operations: Annotated[str, Field(min_length=1)]
    pair: Annotated[str, Field(pattern=r"^[A-Z]{3}/[A-Z]{3}$", description="such as USD/JPY")]


@dataclass(frozen=True, config=RULES)
class InterventionPeriod:
    """Months in which the authority intervenes in one direction, and the first forecast month."""

    first: MonthName
    last: MonthName
    direction: Literal["buy", "sell"]
    forecast_from: MonthName

    @property
    def name(self) -> str:
        """First and last month, as YYYY-MM..YYYY-MM."""
        return f"{self.first}..{self.last}"

    @model_validator(mode="after")
    def _in_order(self) -> "InterventionPeriod":
        if not self.first < self.forecast_from <= self.last:
            raise ValueError(
                f"intervention.periods: {self.name} with forecast_from {self.forecast_from}: "
                "months must be in the order first < forecast_from <= last"
            )
        return self


MonthSpan = Annotated[
    str,
    Field(
        pattern=r"^(all|\d{4}-(0[1-9]|1[0-2])\.\.\d{4}-(0[1-9]|1[0-2]))$",
        description="all, or first and last month such as 1981-06..1995-12",
    ),
]


@dataclass(frozen=True, config=RULES)
class InterventionInputs:
    """How inputs and target are computed from the monthly series.

    Attributes
    ----------
    looks_ahead : bool
        Scaling over the whole period, and seasonal adjustment and interpolation of GDP from the
        whole record, as in the paper; otherwise from the months before the forecast alone.
    seasonal_adjustment : bool
        Of trade balance and GDP, by STL.
    parity_base : str
        Months of the mean real rate: "all" that may be used, or first..last.
    reserves : str
        Divisor of the intervention: of the end of the "previous" or of the "same" month.
    extended : str
        What data set II takes from t-2: the "deviation", or the "parity", with the rate of t-1.
    """

    looks_ahead: bool
    seasonal_adjustment: bool
    parity_base: MonthSpan
    reserves: Literal["previous", "same"]
    extended: Literal["deviation", "parity"]

    @model_validator(mode="after")
    def _in_order(self) -> "InterventionInputs":
        first, _, last = self.parity_base.partition("..")
        if last and last <= first:
            raise ValueError(
                f"intervention.inputs.parity_base = {self.parity_base}: the first month must be "
                "before the last one"
            )
        return self


@dataclass(frozen=True, config=RULES)
class InterventionNetwork:
    """The networks of the second study, trained by full-batch steps."""

    hidden_sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    iterations: Annotated[int, Field(ge=10, multiple_of=10)]
    learning_rate: Positive
    weight_decay: NotNegative
    penalties: tuple[NotNegative, ...]
    seeds: Count
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    workers: Count


@dataclass(frozen=True, config=RULES)
class InterventionScoring:
    """When a forecast counts as an intervention, and when its amount counts as right."""

    cut: Positive
    cut_months: Count
    lowest: Positive
    highest: Positive
    occurrence_cut: Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True, config=RULES)
class InterventionSurface:
    """The grid of the reaction surfaces, and the level of the threshold."""

    points: Annotated[int, Field(ge=5, le=401)]
    level: Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True, config=RULES)
class InterventionTrack:
    """MLflow experiment of the second study, in the store of the section `track`."""

    experiment: Annotated[str, Field(min_length=1)]
    run_name: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=RULES)
class Intervention:
    """The second study: records, periods, networks, scoring and reaction surface."""

    source: Literal["simulated", "tables", "official"]
    simulated_seed: Annotated[int, Field(ge=0, lt=2**31)]
    tables: InterventionTables
    official: InterventionOfficial
    periods: Annotated[tuple[InterventionPeriod, ...], Field(min_length=1)]
    inputs: InterventionInputs
    least_months: Annotated[int, Field(ge=12)]
    variants: tuple[Literal["lagged", "pooled"], ...]
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
