"""params.yaml, read once into frozen dataclasses, one a stage.

Each class is the section of the same name. An unknown key, a missing one or a bad value raises
`ParamsError`, which lists every fault with its key, its value and what is allowed.
"""

from konkyo.config.intervention import (
    Intervention,
    InterventionNetwork,
    InterventionPeriod,
    InterventionScoring,
    InterventionSurface,
)
from konkyo.config.load_params import Params, as_dict, flatten, load, parse
from konkyo.config.main import (
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
from konkyo.config.monitoring import Monitor, Promote
from konkyo.config.tables import Reports, StockRows, Table, Tables
from konkyo.config.tune import Range, Space, Tune

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
