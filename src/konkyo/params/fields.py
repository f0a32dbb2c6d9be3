"""The kinds of value that params.yaml holds."""

from typing import Annotated

from pydantic import ConfigDict, Field

RULES = ConfigDict(extra="forbid", strict=True)
"""No unknown key, no value of another type."""

MonthName = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="YYYY-MM")]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
