"""params.yaml, read once into frozen dataclasses, one a stage.

Each class is the section of the same name. An unknown key, a missing one or a bad value raises
`ParamsError`, which lists every fault with its key, its value and what is allowed.
"""

from konkyo.params.intervention import (
    Intervention,
    InterventionNetwork,
    InterventionPeriod,
    InterventionScoring,
    InterventionSurface,
)
from konkyo.params.job import (
    Attribute,
    Backtest,
    Ingest,
    Prepare,
    Report,
    Simulated,
    Track,
    Train,
    Verify,
)
from konkyo.params.own import (
    Reports,
    StockRows,
    Table,
    Tables,
)
from konkyo.params.routine import (
    Monitor,
    Promote,
)
from konkyo.params.tune import (
    Range,
    Space,
    Tune,
)
from konkyo.params.whole import (
    Params,
    as_dict,
    flatten,
    load,
    parse,
)

__all__ = [
    "Attribute",
    "Backtest",
    "Ingest",
    "Intervention",
    "InterventionNetwork",
    "InterventionPeriod",
    "InterventionScoring",
    "InterventionSurface",
    "Monitor",
    "Params",
    "Prepare",
    "Promote",
    "Range",
    "Report",
    "Reports",
    "Simulated",
    "Space",
    "StockRows",
    "Table",
    "Tables",
    "Track",
    "Train",
    "Tune",
    "Verify",
    "as_dict",
    "flatten",
    "load",
    "parse",
]
