"""The month-end routine: what the monitor watches, and what a challenger must show."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from konkyo.config.fields import RULES, Positive

Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, config=RULES)
class Monitor:
    """Limits of the monitor; beyond one of them it is breached."""

    max_psi: Positive
    max_drifting: Share
    max_abs_z: Positive
    max_missing: Share
    months: Annotated[int, Field(ge=2)]
    min_rank_ic_t: Number
    max_sign_flips: Share


@dataclass(frozen=True, config=RULES)
class Promote:
    """How a challenger is compared with the champion."""

    months: Annotated[int, Field(ge=2)]
    objective: Literal["rank_ic", "sharpe_ratio", "mean"]
    min_improvement: Number
